"""The compiled decoder and the slow one say the same of every message."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.plugins.exchange_bybit.bybit_messages import (
    EVENTS,
    UUID,
    Fields,
    adapter,
    book,
    compact,
    outcome,
    spot_trades,
    trade_item,
    trades,
    wire_messages,
)

from bot4_core.market.event_batch import EventBatch
from bot4_plugins.exchange_bybit.kernel_messages import MESSAGES

FAST = EVENTS[:5]
LARGEST = 2**63 - 1
IDS = (
    *("0", "7", "007", str(LARGEST), str(LARGEST + 1), "9" * 19, "1" * 20, "1" * 30, ""),
    *(UUID, UUID.upper(), UUID[:-1], UUID + "0", UUID.replace("-", "_"), "x" * 36, "12.0", "-1"),
)


def check_agreement(data: bytes, market: str = "linear", *, from_data: bool = False) -> None:
    fast = outcome(adapter(market, from_data=from_data), data, slowly=False)
    slow = outcome(adapter(market, from_data=from_data), data, slowly=True)
    assert fast == slow


@given(wire_messages(), st.sampled_from(["linear", "spot"]), st.booleans())
def test_generated_messages(data: bytes, market: str, from_data: bool) -> None:
    check_agreement(data, market, from_data=from_data)


@pytest.mark.parametrize("builder", FAST)
def test_the_venues_spelling_is_read_by_the_compiled_decoder(builder: Callable[[], Fields]) -> None:
    exchange, batch = adapter(), EventBatch()
    data = compact(builder())
    made = MESSAGES.one(data, 1, batch.records, 0, exchange._registry.state)
    assert made > 0
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
        for byte in b'"0\\}9 ':
            spoiled = data[:at] + bytes([byte]) + data[at + 1 :]
            assert outcome(fast, spoiled, slowly=False) == outcome(slow, spoiled, slowly=True)


@pytest.mark.parametrize("text", IDS)
def test_trade_ids(text: str) -> None:
    check_agreement(compact(trades(trade_item(i=text))))
    check_agreement(compact(spot_trades(i=text)))


@pytest.mark.parametrize(
    "message",
    [
        trades(trade_item(), trade_item(S="Buy", i=UUID[:-1] + "0")),
        trades(trade_item(), trade_item(s="ETHUSDT")),
        trades(trade_item(v="0.000")),
        trades(trade_item(p="0")),
        trades(trade_item(L="")),
        trades(trade_item(BT={"a": [1]})),
        trades(trade_item(T=9_223_372_036_855)),
        trades(trade_item(seq=-1)),
        trades(trade_item()) | {"type": "delta"},
        trades(trade_item()) | {"topic": "publicTrade.ETHUSDT"},
        spot_trades(s="ETHUSDT"),
        book(data={"b": [], "a": []}),
        book(data={"s": "ETHUSDT"}),
        book(data={"u": 0}),
        book(data={"u": -1}),
        book(data={"seq": 10**19}),
        book(data={"b": [["65095.305", "1"]]}),
        book(data={"b": [["65095.30", "-1"]]}),
        book(data={"b": [["0", "1"]]}),
        book(topic="orderbook..BTCUSDT"),
        book(topic="orderbook.200.ETHUSDT"),
        book(topic="orderbook.BTCUSDT"),
        book(topic="orderbook.full.BTCUSDT"),
        book("reset"),
        book(ts=9_223_372_036_855),
        book(cts=9_223_372_036_855),
        book(cts=None),
        {name: value for name, value in book().items() if name != "cts"},
        {name: value for name, value in book("snapshot").items() if name != "cts"},
    ],
)
def test_odd_messages(message: Fields) -> None:
    check_agreement(compact(message))
    check_agreement(compact(message), from_data=True)
