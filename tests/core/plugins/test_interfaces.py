"""A part that lacks what it is asked for says so by name; nothing is quietly skipped."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from tests.core.session.toy_exchange import ToyExchange

from bot4_core.domain_types.canonical_types import InstrumentId, Nanoseconds
from bot4_core.domain_types.instruments import Instrument
from bot4_core.domain_types.records import EVENT_DTYPE, INSTRUMENT_DTYPE, EventKind, Records
from bot4_core.errors import PluginError
from bot4_core.market.event_batch import EventBatch
from bot4_core.market.order_book import Books
from bot4_core.plugins.hookspecs import Hooks
from bot4_core.plugins.interfaces import (
    Breaker,
    Exchange,
    Execution,
    Outbound,
    PartSettings,
    Router,
    Sizer,
    Strategy,
)

WORK = {
    Strategy: ("decide", 1),
    Sizer: ("size", 2),
    Breaker: ("observe", 1),
    Router: ("route", 2),
    Execution: ("slices", 2),
}


class DataOnly(Exchange):
    """An adapter that reads one trade from each byte of a message and cannot trade."""

    name = "data_only"
    markets = ("spot",)

    def __init__(self, settings: PartSettings, instruments: Sequence[Instrument] = ()) -> None:
        """Take whatever there is."""

    @property
    def instruments(self) -> tuple[Instrument, ...]:
        return ()

    @property
    def table(self) -> Records:
        return np.zeros(0, INSTRUMENT_DTYPE)

    def connect(self) -> Sequence[Outbound]:
        return ()

    def decode(self, data: bytes, received: Nanoseconds, batch: EventBatch) -> int:
        batch.reserve(len(data))
        events = np.zeros(len(data), EVENT_DTYPE)
        events["price"], events["received"] = list(data), received
        batch.records[batch.count : batch.count + len(data)] = events
        batch.count += len(data)
        return len(data)

    @property
    def quarantined(self) -> int:
        return 0


@pytest.fixture
def exchange() -> DataOnly:
    return DataOnly(PartSettings())


@pytest.mark.parametrize("kind", WORK)
def test_a_part_in_neither_form_is_named_with_what_it_lacks(kind: type[Any]) -> None:
    method, arguments = WORK[kind]
    idle = type("Idle", (kind,), {"name": "idle"})(PartSettings(), ())
    assert idle.compiled() is None
    with pytest.raises(PluginError, match=rf"^Idle has no {method}\(\): override it"):
        getattr(idle, method)(*[None] * arguments)


@pytest.mark.parametrize("method", ["resync", "place", "cancel", "query"])
def test_an_adapter_is_named_with_what_it_does_not_support(exchange: DataOnly, method: str) -> None:
    with pytest.raises(PluginError, match=rf"^DataOnly has no {method}\(\): this adapter"):
        getattr(exchange, method)(InstrumentId(0))


def test_an_adapter_that_reads_no_accounts_says_so(exchange: DataOnly) -> None:
    with pytest.raises(PluginError, match=r"^DataOnly has no read_account\(\): this adapter"):
        exchange.read_account(b"", Nanoseconds(0))


def test_only_named_codes_prove_that_an_order_was_refused() -> None:
    class Venue(DataOnly):
        definitive_rejects = frozenset({"-2010"})

    exchange = Venue(PartSettings())
    assert exchange.refusal("-2010") is EventKind.ORDER_REJECTED
    assert exchange.refusal("-1007") is EventKind.ORDER_IN_DOUBT


def test_a_block_is_decoded_message_by_message_unless_an_adapter_knows_better(
    exchange: DataOnly,
) -> None:
    batch = EventBatch(1)
    starts, stops, received = np.array([[0, 2, 3], [2, 3, 6], [7, 8, 9]], np.int64)
    buffer = np.arange(6, dtype=np.uint8)
    assert exchange.decode_block(buffer, starts, stops, received, batch, 1) == 3
    assert batch.events["price"].tolist() == [2, 3, 4, 5]
    assert batch.events["received"].tolist() == [8, 9, 9, 9]


def test_books_take_in_what_an_adapter_decodes_and_its_new_instruments() -> None:
    exchange, batch = ToyExchange(), EventBatch()
    books = Books(exchange.table)
    for count, symbol in enumerate(("BTC", "ETH", "BTC"), 1):
        data = b'{"s": "%s", "trade": ["2", "3"]}' % symbol.encode()
        assert exchange.decode_into(data, Nanoseconds(5), batch, books) == 1
        assert batch.count == count
    assert books.rows["trades"].tolist() == [2, 1]
    assert exchange.decode_into(b"{}", Nanoseconds(6), batch, books) == 0


def test_a_reply_is_decoded_like_a_message_unless_an_adapter_knows_better(
    exchange: DataOnly,
) -> None:
    batch = EventBatch()
    assert exchange.decode_response("https://venue/depth", b"\x05", Nanoseconds(3), batch) == 1
    assert batch.events[["price", "received"]].tolist() == [(5, 3)]


def test_a_hooks_specification_has_no_answer_of_its_own() -> None:
    with pytest.raises(NotImplementedError):
        Hooks().bot4_components()
