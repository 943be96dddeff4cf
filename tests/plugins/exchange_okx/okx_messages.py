"""OKX messages for tests: builders, adapters, generators, and ways to spoil messages."""

import json
from collections.abc import Callable
from copy import deepcopy
from typing import Any, NamedTuple

import attrs
from hypothesis import strategies as st
from tests.instruments import perpetual

from bot4_core.domain_types.canonical_types import Nanoseconds, Symbol, VenueName
from bot4_core.domain_types.records import ChainRule
from bot4_core.errors import PrecisionGrew
from bot4_core.market.event_batch import EventBatch
from bot4_plugins.exchange_okx.adapter import OkxExchange, OkxSettings

Fields = dict[str, Any]

TIME = 1_786_310_818_130
RECEIVED = Nanoseconds(1_786_310_818_229_000_000)
SYMBOL = "BTC-USDT-SWAP"
BITCOIN = perpetual(
    SYMBOL,
    venue=VenueName("okx"),
    market="swap",
    chain=ChainRule.LINK,
    price_exponent=-1,
    size_exponent=-2,
    tick=1,
    lot=1,
)
SPOT_BITCOIN = attrs.evolve(BITCOIN, symbol=Symbol("BTC-USDT"), market="spot")


def adapter(market: str = "swap", *, from_data: bool = False, **changes: Any) -> OkxExchange:
    """Return an adapter that knows one instrument."""
    known = attrs.evolve(BITCOIN if market == "swap" else SPOT_BITCOIN, from_data=from_data)
    return OkxExchange(OkxSettings(market=market, **changes), (known,))


def compact(content: object) -> bytes:
    """Write JSON as the venue does, without white space."""
    return json.dumps(content, separators=(",", ":")).encode()


def message(channel: str, *items: object, symbol: str = SYMBOL, **changes: Any) -> Fields:
    """Return a message of a channel."""
    return {"arg": {"channel": channel, "instId": symbol}, **changes, "data": list(items)}


def book(action: str = "update", channel: str = "books", **changes: Any) -> Fields:
    """Return a book message; a None leaves a field out."""
    item = {
        "asks": [["65116.8", "2.3", "0", "4"]],
        "bids": [["65095.3", "5", "0", "2"], ["65093.1", "0", "0", "0"]],
        "ts": str(TIME),
        "checksum": 0,
        "seqId": 101,
        "prevSeqId": 100 if action == "update" else -1,
    } | changes
    return message(
        channel, {name: value for name, value in item.items() if value is not None}, action=action
    )


def old_book() -> Fields:
    """Return a book message of 2022: a checksum and no ids."""
    return book(seqId=None, prevSeqId=None, checksum=-914_047_754)


def trade_item(**changes: Any) -> Fields:
    """Return a trade."""
    fields = {
        "instId": SYMBOL,
        "tradeId": "130639474",
        "px": "65114.2",
        "sz": "0.12",
        "side": "sell",
        "ts": str(TIME),
        "count": "3",
        "source": "0",
        "seqId": 77,
    } | changes
    return {name: value for name, value in fields.items() if value is not None}


def trades(*items: Fields) -> Fields:
    """Return a message of trades."""
    return message(
        "trades", *(items or (trade_item(), trade_item(side="buy", tradeId="130639475")))
    )


def best(**changes: Any) -> Fields:
    """Return the best bid and ask."""
    item = {
        "asks": [["65116.8", "2.3", "0", "4"]],
        "bids": [["65095.3", "5", "0", "2"]],
        "ts": str(TIME),
        "seqId": 101,
    }
    return message("bbo-tbt", item | changes)


def ticker(**changes: Any) -> Fields:
    """Return a ticker."""
    item = {
        "instType": "SWAP",
        "instId": SYMBOL,
        "last": "65100",
        "askPx": "65116.8",
        "askSz": "2.3",
        "bidPx": "65095.3",
        "bidSz": "5",
        "ts": str(TIME),
    }
    return message("tickers", item | changes)


def candle(*row: str) -> Fields:
    """Return a candle that is final."""
    usual = (str(TIME), "65119.9", "65120.0", "65114.2", "65114.3", "15.7", "1", "2", "1")
    return message("candle1m", list(row or usual))


EVENTS: tuple[Callable[[], Fields], ...] = (
    *(book, lambda: book("snapshot"), old_book, trades, best),
    *(lambda: trades(trade_item(count=None, source=None, seqId=None)), ticker, candle),
)


class Outcome(NamedTuple):
    """All that a message changes."""

    events: bytes
    quarantined: int
    symbols: tuple[str, ...]
    grew: tuple[str, int, int] | None


def outcome(exchange: OkxExchange, data: bytes, *, slowly: bool) -> Outcome:
    """Decode one message into a small batch."""
    batch = EventBatch(4)
    decode = exchange.decode_carefully if slowly else exchange.decode
    grew = None
    try:
        assert decode(data, RECEIVED, batch) == batch.count
    except PrecisionGrew as grown:
        grew = (grown.symbol, grown.price_exponent, grown.size_exponent)
    symbols = tuple(str(item.symbol) for item in exchange.instruments)
    return Outcome(batch.events.tobytes(), exchange.quarantined, symbols, grew)


def decoded(exchange: OkxExchange, content: Fields) -> EventBatch:
    """Decode one message that must be good."""
    batch = EventBatch()
    assert exchange.decode(compact(content), RECEIVED, batch) == batch.count
    assert exchange.quarantined == 0, exchange.quarantine[-1].reason
    return batch


ODD_VALUES = st.one_of(
    st.integers(1, 10**9).map(lambda number: f"{number / 10:.1f}"),
    st.text("0123456789", min_size=1, max_size=30),
    st.sampled_from(
        [
            *("NaN", "1e3", "0", "0.000", "-0", "-1.5", "", " 1", "1.", "00012.50", "9" * 70),
            *(SYMBOL, "BTC-USDT", "buy", "sell", "update", "snapshot", "books", "x", "１２"),
        ]
    ),
    st.sampled_from([-1, 0, -2, 5, 2**31 - 1, 2**31, -(2**31), 2**63 - 1, 2**63, 10**18, 1.5]),
    st.sampled_from([True, None, {"a": 1}]),
    st.lists(st.lists(st.sampled_from(["1", "0", "x", "65095.3"]), max_size=5), max_size=3),
)


def _targets(content: object) -> list[Fields]:
    found: list[Fields] = []
    if isinstance(content, dict):
        found = [content, *(each for value in content.values() for each in _targets(value))]
    elif isinstance(content, list):
        found = [each for value in content for each in _targets(value)]
    return found


@st.composite
def wire_messages(draw: st.DrawFn) -> bytes:
    """Draw bytes of a message: right or wrong, as the venue spells it or not, whole or damaged."""
    fields = draw(st.sampled_from(EVENTS))()
    for _ in range(draw(st.integers(0, 3))):
        targets = [target for target in _targets(fields) if target]
        if not targets:
            break
        target = draw(st.sampled_from(targets))
        name = draw(st.sampled_from([*target, "new"]))
        if draw(st.booleans()):
            target.pop(name, None)
        else:
            target[name] = deepcopy(draw(ODD_VALUES))  # what follows may change it
    if draw(st.booleans()):
        fields = dict(draw(st.permutations(list(fields.items()))))
    usual = draw(st.booleans())
    separators = (",", ":") if usual else draw(st.sampled_from([(", ", ": "), (" ,", ":\n")]))
    data = json.dumps(fields, separators=separators, ensure_ascii=draw(st.booleans())).encode()
    at = draw(st.integers(0, max(len(data) - 1, 0)))
    damage = draw(st.sampled_from(["none", "none", "none", "cut", "byte", "tail", "twice"]))
    if damage == "cut":
        return data[:at]
    if damage == "byte":
        return data[:at] + draw(st.binary(max_size=2)) + data[at + 1 :]
    if damage == "tail":
        return data + draw(st.sampled_from([b"}", b" ", b"{}", b"\0", b"]"]))
    if damage == "twice":
        return data.replace(b'"ts":', b'"ts":"1","ts":', 1)
    return data
