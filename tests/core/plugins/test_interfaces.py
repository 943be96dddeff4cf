"""A part that lacks what it is asked for says so by name; nothing is quietly skipped."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from tests.core.session.toy_exchange import ToyExchange

from bot4_core.domain_types.canonical_types import Nanoseconds
from bot4_core.domain_types.instruments import Instrument
from bot4_core.domain_types.rate_limits import RateRequest, RequestPriority
from bot4_core.domain_types.records import (
    EVENT_DTYPE,
    INSTRUMENT_DTYPE,
    EventFlag,
    EventKind,
    Records,
)
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
    Reply,
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


NOT_OF_EVERY_ADAPTER = {
    "authorise": 1,
    "connections": 0,
    "closed": 3,
    "resync": 1,
    "place": 2,
    "cancel": 2,
    "cancel_all": 2,
    "amend": 4,
    "query": 2,
    "read_clock": 1,
    "missed": 2,
    "account_requests": 1,
    "read_account": 2,
}


@pytest.mark.parametrize(("method", "arguments"), NOT_OF_EVERY_ADAPTER.items())
def test_an_adapter_is_named_with_what_it_does_not_support(
    exchange: DataOnly, method: str, arguments: int
) -> None:
    with pytest.raises(PluginError, match=rf"^DataOnly has no {method}\(\): this adapter"):
        getattr(exchange, method)(*[None] * arguments)


def test_an_adapter_without_rules_of_its_own_asks_for_nothing(exchange: DataOnly) -> None:
    assert exchange.rate_limits is None
    assert exchange.due(Nanoseconds(5)) == ()
    assert exchange.wanted() == ()
    assert exchange.ending() == ()
    assert exchange.streams("stream") == ()
    assert exchange.usage(Reply(status=200, body=b"", received=Nanoseconds(0))) == ()
    assert exchange.clock_request() is None


def test_every_message_counts_as_data_where_an_adapter_does_not_tell(exchange: DataOnly) -> None:
    assert exchange.carries_data(b"anything")


def test_a_fresh_connection_gets_what_is_sent_on_it_and_no_more() -> None:
    class Two(DataOnly):
        def connect(self) -> Sequence[Outbound]:
            return [Outbound(connection=name, body=name.encode()) for name in ("a", "b", "a")]

    exchange = Two(PartSettings())
    assert [each.body for each in exchange.opened("a", Nanoseconds(1))] == [b"a", b"a"]
    exchange.began("a")
    assert exchange.source == "a"


def test_a_reply_is_read_as_what_its_request_was_for(exchange: DataOnly) -> None:
    batch = EventBatch(4)
    request = Outbound(connection="rest", method="GET", path="/depth?symbol=A")
    reply = Reply(status=200, body=b"\x07", received=Nanoseconds(9))
    assert exchange.decode_reply(request, reply, batch) == 1
    assert batch.events["price"].tolist() == [7]


def test_only_a_request_that_creates_an_order_leaves_doubt_when_no_reply_comes(
    exchange: DataOnly,
) -> None:
    batch = EventBatch(1)
    asks = Outbound(connection="rest", method="GET", order=7)
    assert exchange.undelivered(asks, Nanoseconds(5), batch) == 0
    cost = RateRequest(priority=RequestPriority.ORDER, instrument=2)
    creates = Outbound(connection="rest", method="POST", order=7, creates=True, cost=cost)
    for _ in range(2):
        assert exchange.undelivered(creates, Nanoseconds(5), batch) == 1
    for row in batch.events:
        assert (row["kind"], row["link"], row["received"]) == (EventKind.ORDER_IN_DOUBT, 7, 5)
        assert (row["instrument"], row["flags"]) == (2, EventFlag.LAST)


def test_signatures_are_not_shown_with_a_request() -> None:
    request = Outbound(connection="rest", headers=(("API-Sign", "s3cret"),))
    assert "s3cret" not in repr(request)


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
