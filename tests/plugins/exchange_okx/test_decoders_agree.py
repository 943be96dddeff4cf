"""The compiled decoder and the slow one say the same of every message."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.plugins.exchange_okx.okx_messages import (
    EVENTS,
    Fields,
    adapter,
    best,
    book,
    compact,
    message,
    outcome,
    trade_item,
    trades,
    wire_messages,
)

from bot4_core.market.event_batch import EventBatch
from bot4_plugins.exchange_okx.kernel_messages import MESSAGES

FAST = EVENTS[:6]


def check_agreement(data: bytes, *, from_data: bool = False) -> None:
    fast = outcome(adapter(from_data=from_data), data, slowly=False)
    slow = outcome(adapter(from_data=from_data), data, slowly=True)
    assert fast == slow


@given(wire_messages(), st.booleans())
def test_generated_messages(data: bytes, from_data: bool) -> None:
    check_agreement(data, from_data=from_data)


@pytest.mark.parametrize("builder", FAST)
def test_the_venues_spelling_is_read_by_the_compiled_decoder(builder: Callable[[], Fields]) -> None:
    exchange, batch = adapter(), EventBatch()
    data = compact(builder())
    assert MESSAGES.one(data, 1, batch.records, 0, exchange._registry.state) > 0
    check_agreement(data)


@pytest.mark.parametrize("builder", EVENTS)
def test_every_cut_of_every_message(builder: Callable[[], Fields]) -> None:
    data = compact(builder())
    fast, slow = adapter(), adapter()
    for stop in range(len(data)):
        assert outcome(fast, data[:stop], slowly=False) == outcome(slow, data[:stop], slowly=True)
    assert fast.quarantined == len(data)


@pytest.mark.parametrize("builder", FAST)
def test_every_byte_changed(builder: Callable[[], Fields]) -> None:
    data = compact(builder())
    fast, slow = adapter(), adapter()
    for at in range(len(data)):
        for byte in b'"0\\}9- ':
            spoiled = data[:at] + bytes([byte]) + data[at + 1 :]
            assert outcome(fast, spoiled, slowly=False) == outcome(slow, spoiled, slowly=True)


def swapped_ids() -> Fields:
    """Return a book message whose ids stand the other way round."""
    fields = book(seqId=None, prevSeqId=None)
    fields["data"][0] |= {"prevSeqId": 100, "seqId": 101}
    return fields


@pytest.mark.parametrize(
    "content",
    [
        swapped_ids(),
        book(asks=[], bids=[], seqId=100),
        book(seqId=50),
        book(seqId=None),
        book(prevSeqId=None),
        book(prevSeqId=-2),
        book(checksum=None),
        book(checksum=2**31 - 1),
        book(checksum=2**31),
        book(checksum=-(2**31)),
        book(checksum=-0.0),
        book(ts="9223372036855"),
        book(ts="0000000000001"),
        book(ts=1),
        book(asks=[["1", "2", "3"]]),
        book(asks=[["1", "2", "3", "4", "5"]]),
        book(asks=[["0", "2", "0", "4"]]),
        book(asks=[["1.05", "2", "0", "4"]]),
        book("delete"),
        book(channel="books5"),
        book("snapshot", channel="books-l2-tbt"),
        message("books5", {"asks": [], "bids": [], "ts": "1", "seqId": 7}),
        best(asks=[]),
        best(asks=[], bids=[]),
        best(asks=[["2", "1", "0", "1"], ["3", "1", "0", "1"]]),
        best(bids=[["2", "0", "0", "1"]]),
        best(seqId=-1),
        trades(trade_item(instId="ETH-USDT-SWAP")),
        trades(trade_item(tradeId="007")),
        trades(trade_item(tradeId="a1")),
        trades(trade_item(tradeId="9" * 19)),
        trades(trade_item(side="long")),
        trades(trade_item(sz="0")),
        trades(trade_item(px="65114.25")),
        trades(trade_item(count=None)),
        trades(trade_item(source=None)),
        trades(trade_item(seqId=None)),
        trades(trade_item(seqId=-1)),
        trades(trade_item(new="x")),
        message("trades"),
        message("trades", trade_item(), symbol="ETH-USDT-SWAP"),
    ],
)
def test_odd_messages(content: Fields) -> None:
    check_agreement(compact(content))
    check_agreement(compact(content), from_data=True)
