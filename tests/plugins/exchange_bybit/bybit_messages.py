"""Bybit messages for tests: builders, adapters, generators, and ways to spoil messages."""

import json
from collections.abc import Callable
from copy import deepcopy
from typing import Any, NamedTuple

import attrs
from hypothesis import strategies as st
from tests.instruments import perpetual

from bot4_core.domain_types.canonical_types import Nanoseconds, VenueName
from bot4_core.domain_types.records import ChainRule
from bot4_core.errors import PrecisionGrew
from bot4_core.market.event_batch import EventBatch
from bot4_plugins.exchange_bybit.adapter import BybitExchange, BybitSettings

Fields = dict[str, Any]

TIME = 1_786_310_818_130
RECEIVED = Nanoseconds(1_786_310_818_229_000_000)
UUID = "a9188a0a-82bc-50de-be60-03eedbe3cdd7"
BITCOIN = perpetual(
    "BTCUSDT", venue=VenueName("bybit"), market="linear", chain=ChainRule.STEP, lot=1
)


def adapter(market: str = "linear", *, from_data: bool = False, **changes: Any) -> BybitExchange:
    """Return an adapter that knows one instrument."""
    bitcoin = attrs.evolve(BITCOIN, market=market, from_data=from_data)
    return BybitExchange(BybitSettings(market=market, **changes), (bitcoin,))


def compact(content: object) -> bytes:
    """Write JSON as the venue does, without white space."""
    return json.dumps(content, separators=(",", ":")).encode()


def book(kind: str = "delta", data: Fields | None = None, **changes: Any) -> Fields:
    """Return a book message in the order of contracts."""
    body = {
        "s": "BTCUSDT",
        "b": [["65095.30", "0.005"], ["65093.10", "0"]],
        "a": [["65116.80", "2.302"]],
        "u": 15_076_953,
        "seq": 753_843_913_870,
    }
    fields = {
        "topic": "orderbook.200.BTCUSDT",
        "type": kind,
        "ts": TIME,
        "data": body | (data or {}),
        "cts": TIME - 1,
    }
    return fields | changes


def spot_book(**changes: Any) -> Fields:
    """Return a book message in the order of spot."""
    fields = book(**changes)
    return {name: fields[name] for name in ("topic", "ts", "type", "data", "cts")}


def trade_item(**changes: Any) -> Fields:
    """Return one trade in the order of contracts."""
    fields = {
        "T": TIME - 1,
        "s": "BTCUSDT",
        "S": "Sell",
        "v": "0.004",
        "p": "65114.20",
        "L": "MinusTick",
        "i": UUID,
        "BT": False,
        "RPI": False,
        "seq": 753_843_954_913,
    }
    return fields | changes


def trades(*items: Fields) -> Fields:
    """Return a message of trades."""
    return {
        "topic": "publicTrade.BTCUSDT",
        "type": "snapshot",
        "ts": TIME,
        "data": list(items) or [trade_item()],
    }


def spot_trades(**changes: Any) -> Fields:
    """Return a message of one trade in the order of spot."""
    item = {
        "i": "2280000001739247417",
        "T": TIME - 1,
        "p": "65140.5",
        "v": "0.045",
        "S": "Buy",
        "seq": 178_477_362_706,
        "s": "BTCUSDT",
        "BT": False,
        "RPI": True,
    }
    topic = "publicTrade.BTCUSDT"
    return {"topic": topic, "ts": TIME, "type": "snapshot", "data": [item | changes]}


def ticker(kind: str = "snapshot", **changes: Any) -> Fields:
    """Return a ticker of a contract; a None leaves a field out."""
    whole = {
        "markPrice": "65117.44",
        "indexPrice": "65137.76",
        "nextFundingTime": "1786320000000",
        "fundingRate": "-0.0001",
        "bid1Price": "65114.20",
        "bid1Size": "5.954",
        "ask1Price": "65114.30",
        "ask1Size": "10.470",
    }
    said = changes if kind == "delta" else whole | changes
    data = {"symbol": "BTCUSDT"} | {name: text for name, text in said.items() if text is not None}
    return {"topic": "tickers.BTCUSDT", "type": kind, "data": data, "cs": 7, "ts": TIME}


def candle(**changes: Any) -> Fields:
    """Return a candle that is not final."""
    item = {
        "start": TIME - 30_000,
        "end": TIME + 29_999,
        "interval": "1",
        "open": "65119.9",
        "close": "65114.3",
        "high": "65119.9",
        "low": "65114.2",
        "volume": "1.576",
        "turnover": "102627.995",
        "confirm": False,
        "timestamp": TIME,
    }
    topic = "kline.1.BTCUSDT"
    return {"topic": topic, "data": [item | changes], "ts": TIME, "type": "snapshot"}


def liquidation(**changes: Any) -> Fields:
    """Return the liquidation of a long position."""
    item = {"T": TIME, "s": "BTCUSDT", "S": "Buy", "v": "0.4", "p": "64000.1"}
    topic = "allLiquidation.BTCUSDT"
    return {"topic": topic, "type": "snapshot", "ts": TIME, "data": [item | changes]}


EVENTS: tuple[Callable[[], Fields], ...] = (
    *(book, lambda: book("snapshot"), spot_book, trades, spot_trades),
    *(ticker, candle, liquidation),
)


class Outcome(NamedTuple):
    """All that a message changes."""

    events: bytes
    quarantined: int
    symbols: tuple[str, ...]
    grew: tuple[str, int, int] | None


def outcome(exchange: BybitExchange, data: bytes, *, slowly: bool) -> Outcome:
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


def decoded(exchange: BybitExchange, content: Fields) -> EventBatch:
    """Decode one message that must be good."""
    batch = EventBatch()
    assert exchange.decode(compact(content), RECEIVED, batch) == batch.count
    assert exchange.quarantined == 0, exchange.quarantine[-1].reason
    return batch


NUMBER_TEXTS = st.one_of(
    st.integers(1, 10**9).map(lambda number: f"{number / 10:.1f}"),
    st.decimals(0, 10**7, places=3, allow_nan=False).map(str),
    st.text("0123456789", min_size=1, max_size=30),
    st.sampled_from(
        [
            *("NaN", "Infinity", "1e3", "1E-3", "0", "0.000", "-0", "-1.5", "+1", "", " 1", "1 "),
            *("1_000", "1e999999999", "1.", ".5", "00012.50", "1,5", "１２", "9" * 70, "\\u0031"),
        ]
    ),
)
ODD_VALUES = st.one_of(
    NUMBER_TEXTS,
    st.integers(-5, 10),
    st.sampled_from([2**63 - 1, 2**63, 10**18, 9_223_372_036_854, 9_223_372_036_855, 10**30]),
    st.sampled_from([UUID, UUID.upper(), "BTCUSDT", "ETHUSDT", "Buy", "Sell", "delta", "x"]),
    st.sampled_from([True, False, None, 1.5]),
    st.lists(st.lists(NUMBER_TEXTS, max_size=3), max_size=3),
    st.just({"s": 1}),
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
        target = draw(st.sampled_from(_targets(fields)))
        if not target:
            continue
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
        return data + draw(st.sampled_from([b"}", b" ", b"\n", b"{}", b"\0", b"]"]))
    if damage == "twice":
        return data.replace(b"{", b'{"ts":1,', 1)
    return data
