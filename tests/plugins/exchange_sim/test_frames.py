"""Events survive the way over the wire, and anything else is refused whole."""

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot4_core.domain_types.canonical_types import Nanoseconds
from bot4_core.domain_types.records import EVENT_DTYPE, EventFlag, EventKind
from bot4_core.market.event_batch import EventBatch
from bot4_plugins.exchange_sim.adapter import SimExchange
from bot4_plugins.exchange_sim.decoder import ScaledTexts
from bot4_plugins.exchange_sim.frames import MOST_TEXTS, DecimalTexts, FrameWriter
from bot4_plugins.exchange_sim.settings import LISTINGS

LAST, SNAPSHOT = EventFlag.LAST, EventFlag.SNAPSHOT
NUMBERS = st.integers(0, 2**53)
IDS = st.integers(-1, 2**62)
TIMES = st.integers(1, 2**62)


def rows_of(*rows: dict[str, int]) -> Any:
    """Return event records with the given fields."""
    records = np.zeros(len(rows), EVENT_DTYPE)
    for record, fields in zip(records, rows, strict=True):
        for name in ("sequence", "aux", "link"):
            record[name] = -1
        for name, value in fields.items():
            record[name] = value
    return records


@st.composite
def messages(draw: st.DrawFn) -> Any:
    """Draw the records of one message of the venue."""
    time = draw(TIMES)
    kind = draw(st.sampled_from(["book", "snapshot", "trade", "quote", "mark", "order"]))
    if kind in ("book", "snapshot"):
        flag = SNAPSHOT if kind == "snapshot" else 0
        update = draw(NUMBERS)
        level = {"kind": EventKind.BOOK_SET, "flags": flag, "sequence": update, "time": time}
        rows = [
            {**level, "side": side, "price": price, "size": size}
            for side in (1, -1)
            for price, size in draw(st.lists(st.tuples(NUMBERS, NUMBERS), max_size=5))
        ]
        end = {**level, "kind": EventKind.BOOK_END, "flags": flag | LAST, "size": len(rows)}
        clear = [{**level, "kind": EventKind.BOOK_CLEAR}] if flag else []
        return rows_of(*clear, *rows, end)
    if kind == "mark":
        named = {"time": time, "flags": 0}
        rate, settles = draw(st.integers(-(10**12), 10**12)), draw(TIMES)
        funding = {"kind": EventKind.FUNDING, "price": rate, "aux": settles, "flags": LAST}
        return rows_of(
            {**named, "kind": EventKind.MARK, "price": draw(NUMBERS)},
            {**named, "kind": EventKind.INDEX, "price": draw(NUMBERS)},
            {**named, **funding},
        )
    fields = {
        "time": time,
        "flags": LAST,
        "price": draw(NUMBERS),
        "size": draw(NUMBERS),
        "sequence": draw(IDS),
        "aux": draw(NUMBERS if kind == "quote" else IDS),
        "link": draw(NUMBERS if kind == "quote" else IDS),
    }
    if kind == "trade":
        return rows_of({**fields, "kind": EventKind.TRADE, "side": draw(st.sampled_from([1, -1]))})
    if kind == "quote":
        return rows_of({**fields, "kind": EventKind.QUOTE})
    fields["flags"] |= draw(st.sampled_from([0, EventFlag.MAKER]))
    order_kind = draw(st.sampled_from(range(EventKind.ORDER_ACCEPTED, EventKind.CANCEL_REJECTED)))
    return rows_of({**fields, "kind": order_kind, "side": draw(st.sampled_from([1, -1, 0]))})


@given(parts=st.lists(messages(), max_size=5), which=st.sampled_from([0, 1, 2]))
def test_decoder_reads_back_what_was_written(parts: list[Any], which: int) -> None:
    exchange = SimExchange()
    writer = FrameWriter(LISTINGS[which].instrument)
    records = np.concatenate([np.zeros(0, EVENT_DTYPE), *parts])
    frames = list(writer.frames(records))
    assert [time for time, _ in frames] == [int(part[-1]["time"]) for part in parts]
    batch = EventBatch(1)
    for _, text in frames:
        assert exchange.decode(text.encode(), Nanoseconds(5), batch) > 0
    records["received"] = 5
    records["instrument"] = which
    assert np.array_equal(batch.events, records)
    assert exchange.quarantined == 0


GOOD: dict[str, dict[str, Any]] = {
    "book": {"ch": "book", "s": "BTC-USD", "t": 1, "u": 2, "b": [["1.00", "2"]], "a": []},
    "trade": {
        "ch": "trade",
        "s": "BTC-USD",
        "t": 1,
        "i": 2,
        "p": "1.0",
        "q": "2",
        "d": "buy",
        "m": 3,
        "k": 4,
    },
    "quote": {
        "ch": "quote",
        "s": "BTC-USD",
        "t": 1,
        "u": 2,
        "b": [["1.0", "2"]],
        "a": [["3", "4"]],
    },
    "mark": {"ch": "mark", "s": "BTC-USD", "t": 1, "m": "1", "i": "2", "r": 3, "n": 4},
    "order": {
        "ch": "order",
        "s": "BTC-USD",
        "t": 1,
        "e": 20,
        "n": 1,
        "i": 2,
        "p": "1",
        "q": "2",
        "d": "",
        "x": 0,
        "l": 0,
    },
}

WRONG: list[tuple[str, dict[str, Any]]] = [
    ("book", {"ch": "weather"}),
    ("book", {"s": "DOGE-USD"}),
    ("book", {"s": ["BTC-USD"]}),
    ("book", {"t": "1"}),
    ("book", {"t": 2**63}),
    ("book", {"u": True}),
    ("book", {"u": 1.5}),
    ("book", {"b": {}}),
    ("book", {"b": [["1.00", "2"], ["1.00"]]}),
    ("book", {"b": [["1.00", "2"], "1.00"]}),
    ("book", {"b": [["1.001", "2"]]}),
    ("book", {"b": [["1.00", "NaN"]]}),
    ("book", {"b": [["1.00", "Infinity"]]}),
    ("book", {"b": [["1e400", "2"]]}),
    ("book", {"b": [["123456789012345678901234567890", "2"]]}),
    ("book", {"b": [[1.0, 2]]}),
    ("trade", {"d": "hold"}),
    ("trade", {"p": None}),
    ("quote", {"b": []}),
    ("quote", {"a": [["3", "4"], ["5", "6"]]}),
    ("mark", {"r": "3"}),
    ("order", {"e": 4}),
    ("order", {"e": 99}),
]


@pytest.mark.parametrize("kind", GOOD)
def test_example_of_each_message_is_understood(kind: str) -> None:
    exchange, batch = SimExchange(), EventBatch()
    assert exchange.decode(json.dumps(GOOD[kind]).encode(), Nanoseconds(1), batch) > 0


@pytest.mark.parametrize(("kind", "change"), WRONG)
def test_wrong_message_is_quarantined_whole(kind: str, change: dict[str, Any]) -> None:
    exchange, batch = SimExchange(), EventBatch()
    data = json.dumps({**GOOD[kind], **change}).encode()
    assert exchange.decode(data, Nanoseconds(1), batch) == 0
    assert (batch.count, exchange.quarantined, len(exchange.reasons)) == (0, 1, 1)


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"ch":"book"}', b"7"])
def test_bytes_that_are_no_message_are_quarantined(data: bytes) -> None:
    exchange, batch = SimExchange(), EventBatch()
    assert exchange.decode(data, Nanoseconds(1), batch) == 0
    assert exchange.quarantined == 1


@given(data=st.binary(max_size=60))
def test_no_bytes_crash_the_decoder(data: bytes) -> None:
    exchange, batch = SimExchange(), EventBatch()
    exchange.decode(data, Nanoseconds(1), batch)


@given(kind=st.sampled_from(sorted(GOOD)), cut=st.floats(0, 0.999))
def test_truncated_message_is_quarantined(kind: str, cut: float) -> None:
    exchange, batch = SimExchange(), EventBatch()
    data = json.dumps(GOOD[kind]).encode()
    exchange.decode(data[: int(len(data) * cut)], Nanoseconds(1), batch)
    assert (batch.count, exchange.quarantined) == (0, 1)


def test_only_the_last_reasons_are_kept() -> None:
    exchange, batch = SimExchange(), EventBatch()
    for number in range(100):
        exchange.decode(b"%d" % number, Nanoseconds(1), batch)
    assert exchange.quarantined == 100
    assert len(exchange.reasons) == 32


def test_remembered_numbers_are_bounded() -> None:
    numbers = ScaledTexts(-2)
    assert [numbers[text] for text in ("1.23", "-0.05", "0")] == [123, -5, 0]
    for number in range(MOST_TEXTS + 10):
        assert numbers[str(number)] == 100 * number
    assert len(numbers) <= MOST_TEXTS


def test_remembered_texts_are_bounded() -> None:
    texts = DecimalTexts(-2)
    assert [texts[number] for number in (123, -5, 0)] == ["1.23", "-0.05", "0.00"]
    for number in range(MOST_TEXTS + 10):
        assert texts[number]
    assert len(texts) <= MOST_TEXTS
