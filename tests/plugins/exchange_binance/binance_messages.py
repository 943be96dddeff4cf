"""Binance messages for tests: builders, generators, and ways to spoil them."""

import json
from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

Fields = dict[str, Any]

SYMBOL = "BTCUSDT"
TIME = 1_723_161_256_299


def compact(content: object) -> bytes:
    """Write JSON as the venue does, without white space."""
    return json.dumps(content, separators=(",", ":")).encode()


def enveloped(content: Fields, stream: str = "btcusdt@any") -> Fields:
    """Put an event into the envelope of a combined stream."""
    return {"stream": stream, "data": content}


def depth(**changes: Any) -> Fields:
    """Return a futures depth message of two bids and one ask."""
    fields = {
        "e": "depthUpdate",
        "E": TIME,
        "T": TIME - 1,
        "s": SYMBOL,
        "U": 101,
        "u": 105,
        "pu": 100,
        "b": [["61800.20", "0.014"], ["61800.10", "0.000"]],
        "a": [["61800.30", "2.5"]],
    }
    return fields | changes


def quote(**changes: Any) -> Fields:
    """Return a best bid and ask."""
    fields = {
        "e": "bookTicker",
        "u": 106,
        "s": SYMBOL,
        "b": "61800.20",
        "B": "2.507",
        "a": "61800.30",
        "A": "2.510",
        "T": TIME - 1,
        "E": TIME,
    }
    return fields | changes


def trade(**changes: Any) -> Fields:
    """Return a trade that a seller struck."""
    fields = {
        "e": "trade",
        "E": TIME,
        "T": TIME - 1,
        "s": SYMBOL,
        "t": 5_266_583_935,
        "p": "61800.30",
        "q": "0.006",
        "X": "MARKET",
        "m": True,
    }
    return fields | changes


def aggregate_trade(**changes: Any) -> Fields:
    """Return an aggregate trade that a buyer struck."""
    fields = {
        "e": "aggTrade",
        "E": TIME,
        "a": 16_599_292,
        "s": SYMBOL,
        "p": "61800.30",
        "q": "0.010",
        "f": 23_961_322,
        "l": 23_961_325,
        "T": TIME - 1,
        "m": False,
    }
    return fields | changes


def mark(**changes: Any) -> Fields:
    """Return a mark price with index and funding rate."""
    fields = {
        "e": "markPriceUpdate",
        "E": TIME,
        "s": SYMBOL,
        "p": "28147.27373413",
        "P": "28142.15563565",
        "i": "28159.75642857",
        "r": "-0.00002754",
        "T": TIME + 1000,
    }
    return fields | changes


def candle(body: Fields | None = None, **changes: Any) -> Fields:
    """Return a candle that is not final."""
    fields = {
        "t": TIME - 40_000,
        "T": TIME + 20_000,
        "s": SYMBOL,
        "i": "1m",
        "f": 100,
        "L": 200,
        "o": "61800.10",
        "c": "61800.50",
        "h": "61801.00",
        "l": "61799.90",
        "v": "3.917",
        "n": 48,
        "x": False,
        "q": "242073.1",
        "V": "1.7",
        "Q": "105060.8",
        "B": "0",
    }
    return {"e": "kline", "E": TIME, "s": SYMBOL, "k": fields | (body or {})} | changes


def snapshot(**changes: Any) -> Fields:
    """Return the body of a REST depth reply."""
    fields = {
        "lastUpdateId": 103,
        "E": TIME,
        "T": TIME - 1,
        "bids": [["61800.20", "0.014"], ["61800.00", "1.500"]],
        "asks": [["61800.30", "2.500"]],
    }
    return fields | changes


EVENTS: tuple[Callable[..., Fields], ...] = (
    depth,
    quote,
    trade,
    aggregate_trade,
    mark,
    candle,
    snapshot,
)

PRICES = st.integers(1, 10**9).map(lambda number: f"{number / 10:.1f}")
NUMBER_TEXTS = st.one_of(
    PRICES,
    st.decimals(0, 10**7, places=3, allow_nan=False).map(str),
    st.text("0123456789", min_size=1, max_size=30),
    st.tuples(st.text("0123456789", max_size=20), st.text("0123456789", max_size=20)).map(".".join),
    st.sampled_from(
        [
            *("NaN", "nan", "Infinity", "-Infinity", "1e3", "1E-3", "1e+2", "0", "0.000", "-0"),
            *("-1", "-1.5", "+1", "", " 1", "1 ", "1_000", "0x10", "1e999999999", "1.", ".5"),
            *("00012.50", "1,5", "１２", "9" * 70, "0." + "0" * 70, "\\u0031", "61800.2\n"),
        ]
    ),
)
ODD_VALUES = st.one_of(
    NUMBER_TEXTS,
    st.integers(-5, 10),
    st.sampled_from([2**63 - 1, 2**63, 10**18, 10**17, 10**30, 9_223_372_036_854, 10**13]),
    st.booleans(),
    st.none(),
    st.just(1.5),
    st.lists(st.lists(NUMBER_TEXTS, max_size=3), max_size=3),
    st.dictionaries(st.sampled_from(["a", "b", "x"]), st.integers(0, 3), max_size=2),
)
NAMES = st.sampled_from([*"eETsUubaBApqtmPirkohlcvxXyz", "pu", "ps", "st", "zz", "new", "data"])
SPACES = st.sampled_from(["", "", " ", "\n", "\t ", " \r\n"])


@st.composite
def spelled(draw: st.DrawFn, content: object) -> str:
    """Write JSON with white space anywhere that it may stand, and members in any order."""
    before, after = draw(SPACES), draw(SPACES)
    if isinstance(content, dict):
        members = draw(st.permutations(list(content.items())))
        parts = [
            f"{draw(SPACES)}{json.dumps(name)}{draw(SPACES)}:{draw(spelled(value))}"
            for name, value in members
        ]
        return f"{before}{{{','.join(parts)}{draw(SPACES)}}}{after}"
    if isinstance(content, list):
        return f"{before}[{','.join(draw(spelled(item)) for item in content)}]{after}"
    return f"{before}{json.dumps(content, ensure_ascii=draw(st.booleans()))}{after}"


@st.composite
def changed_events(draw: st.DrawFn) -> Fields:
    """Draw an event with fields changed, added or removed."""
    fields: Fields = draw(st.sampled_from(EVENTS))()
    levels = st.lists(st.tuples(NUMBER_TEXTS, NUMBER_TEXTS).map(list), max_size=3)
    for _ in range(draw(st.integers(0, 3))):
        body = fields.get("k")
        inner = draw(st.booleans())
        target: Fields = body if inner and isinstance(body, dict) else fields
        known = draw(st.booleans())
        name = draw(st.sampled_from(sorted(target)) if known and target else NAMES)
        change = draw(st.sampled_from(["set", "number", "levels", "drop"]))
        if change == "drop":
            target.pop(name, None)
        else:
            values: dict[str, st.SearchStrategy[Any]] = {
                "set": ODD_VALUES,
                "number": NUMBER_TEXTS,
                "levels": levels,
            }
            target[name] = draw(values[change])
    return fields


@st.composite
def wire_messages(draw: st.DrawFn) -> bytes:
    """Draw bytes of a message: right or wrong, bare or enveloped, whole or damaged."""
    fields = draw(changed_events())
    bare, usual = draw(st.booleans()), draw(st.booleans())
    content = fields if bare else enveloped(fields)
    text = compact(content).decode() if usual else draw(spelled(content))
    damage = draw(st.sampled_from(["none", "none", "none", "cut", "byte", "tail", "twice"]))
    data = text.encode("utf-8", "surrogatepass")
    at = draw(st.integers(0, max(len(data) - 1, 0)))
    if damage == "cut":
        return data[:at]
    if damage == "byte":
        return data[:at] + draw(st.binary(max_size=2)) + data[at + 1 :]
    if damage == "tail":
        return data + draw(st.sampled_from([b"}", b" ", b"\n", b"{}", b"\0", b"x", b"]"]))
    if damage == "twice":
        name = draw(NAMES)
        return data.replace(b"{", b'{"%s":1,' % name.encode(), 1).replace(
            b"}", b',"%s":1}' % name.encode(), 1
        )
    return data
