"""The server side: time, latency, requests, faults, and the same bytes everywhere."""

from collections.abc import Sequence
from decimal import Decimal
from hashlib import sha256
from typing import Any

import attrs
import numpy as np
import pytest

from bot4_core.domain_types.canonical_types import (
    ClientOrderId,
    InstrumentId,
    Nanoseconds,
    OrderNumber,
    Price,
    Quantity,
    Symbol,
)
from bot4_core.domain_types.instruments import FeeSchedule
from bot4_core.domain_types.orders import Order, OrderIntent
from bot4_core.domain_types.records import (
    BookState,
    EventFlag,
    EventKind,
    OrderFlag,
    OrderReason,
    OrderStatus,
    OrderType,
    Side,
    TimeInForce,
)
from bot4_core.errors import ValidationError
from bot4_core.market.event_batch import EventBatch
from bot4_core.market.order_book import Books
from bot4_core.plugins import PluginHost
from bot4_core.plugins.interfaces import Exchange, Outbound
from bot4_plugins.exchange_sim import hooks
from bot4_plugins.exchange_sim.adapter import SimExchange
from bot4_plugins.exchange_sim.listing_table import relisted
from bot4_plugins.exchange_sim.settings import LISTINGS, Fault, SimSettings
from bot4_plugins.exchange_sim.venue import REMEMBERED, SimVenue

MS = 1_000_000
BTC = InstrumentId(0)
FIRST_SECOND = "328e26cee15af2fea199e6f750d84535574f3e92895c060a00e126f2cd2dcfc2"


class Session:
    """A client that follows one instrument with books, and asks again after a gap."""

    def __init__(self, step: int = 5 * MS, **settings: Any) -> None:
        given = {"symbols": ("BTC-USD",), **settings}
        self.exchange = SimExchange(SimSettings(**given))
        self.venue = self.exchange.open_venue()
        self.books = Books(self.exchange.table)
        self.step = step
        self.batch = EventBatch()
        self.received: list[tuple[int, bytes]] = []
        self.orders: list[tuple[EventKind, int, int, int]] = []
        self.asked = 1
        self.states: set[BookState] = set()
        for outbound in self.exchange.connect():
            self.venue.receive(outbound.body, self.venue.now)

    def run(self, milliseconds: int) -> None:
        """Let time pass."""
        end = self.venue.now + milliseconds * MS
        while self.venue.now < end:
            for message in self.venue.step(min(self.venue.now + self.step, end)):
                self.take(*message)

    def take(self, time: int, data: bytes) -> None:
        """Take one message."""
        self.received.append((time, data))
        self.batch.clear()
        assert self.exchange.decode(data, Nanoseconds(time), self.batch) > 0
        self.books.apply(self.batch.events)
        for row in self.batch.events:
            if row["kind"] >= EventKind.ORDER_ACCEPTED:
                number, size, aux = (int(row[name]) for name in ("link", "size", "aux"))
                self.orders.append((EventKind(int(row["kind"])), number, size, aux))
        row = self.books.rows[BTC]
        self.states.add(BookState(int(row["state"])))
        if row["wanted"] > self.asked and row["state"] != BookState.SYNCING:
            self.asked = int(row["wanted"])
            for outbound in self.exchange.resync(BTC):
                self.venue.receive(outbound.body, time)

    @property
    def now(self) -> Nanoseconds:
        return Nanoseconds(self.venue.now)

    def send(self, outbound: Outbound) -> None:
        self.venue.receive(outbound.body, self.now)

    def query(self, order: Order) -> None:
        self.send(self.exchange.query(order, self.now))

    def cancel(self, order: Order) -> None:
        self.send(self.exchange.cancel(order, self.now))

    def place(self, number: int = 1, **fields: Any) -> Order:
        """Send an order: buy at the best ask unless told otherwise."""
        row = self.books.rows[BTC]
        wanted: dict[str, Any] = {
            "number": OrderNumber(number),
            "client_id": ClientOrderId(f"{number:032x}"),
            "instrument": BTC,
            "side": Side.BUY,
            "type": OrderType.LIMIT,
            "size": Quantity(500, -5),
            "price": Price(int(row["ask"]), -2),
            **fields,
        }
        intent = OrderIntent(**wanted)
        self.venue.receive(
            self.exchange.place(intent, Nanoseconds(self.venue.now)).body, self.venue.now
        )
        none = Quantity(0, -5)
        return Order(
            intent=intent, status=OrderStatus.SUBMITTED, filled=none, updated=Nanoseconds(0)
        )


def digest(messages: Sequence[tuple[int, bytes]]) -> str:
    """Return a digest of arrival times and bytes."""
    text = sha256()
    for time, data in messages:
        text.update(time.to_bytes(8, "big") + data)
    return text.hexdigest()


def follow(step: int, milliseconds: int = 1_000, **settings: Any) -> list[tuple[int, bytes]]:
    """Return what a client of all instruments receives."""
    exchange = SimExchange(SimSettings(**settings))
    venue = exchange.open_venue()
    for outbound in exchange.connect():
        venue.receive(outbound.body, venue.now)
    messages = []
    end = venue.now + milliseconds * MS
    while venue.now < end:
        messages += venue.step(min(venue.now + step, end))
    return messages


@pytest.fixture(scope="module")
def second() -> list[tuple[int, bytes]]:
    """Return a second of all instruments."""
    return follow(5 * MS)


def test_same_seed_gives_the_same_bytes_everywhere(second: list[tuple[int, bytes]]) -> None:
    assert digest(second) == FIRST_SECOND


def test_step_length_changes_nothing(second: list[tuple[int, bytes]]) -> None:
    assert follow(313_131) == second
    assert follow(1_000 * MS) == second


def test_other_seed_gives_another_market(second: list[tuple[int, bytes]]) -> None:
    assert digest(follow(5 * MS, seed=2)) != digest(second)


def test_instruments_do_not_depend_on_each_other(second: list[tuple[int, bytes]]) -> None:
    alone = follow(5 * MS, symbols=("ETH-USD",))
    assert alone == [message for message in second if b'"s":"ETH-USD"' in message[1]]


def test_messages_arrive_in_order_after_the_latency(second: list[tuple[int, bytes]]) -> None:
    times = [time for time, _ in second]
    assert times == sorted(times)
    assert times[0] == SimSettings().start_ns + 2 * SimSettings().latency_ns


def test_book_is_live_after_the_snapshot_and_equal_to_the_quotes() -> None:
    session = Session()
    session.run(2_000)
    row = session.books.rows[BTC]
    assert session.states <= {BookState.SYNCING, BookState.LIVE}
    assert row["state"] == BookState.LIVE
    assert [row["bid"], row["ask"]] == [row["quote_bid"], row["quote_ask"]]
    assert [row["bid_size"], row["ask_size"]] == [row["quote_bid_size"], row["quote_ask_size"]]
    assert [row[name] for name in ("gaps", "orphans", "crossed", "malformed")] == [0, 0, 0, 0]


@pytest.mark.parametrize(
    ("fault", "resyncs"),
    [("drop", 1), ("swap", 1), ("duplicate", 0)],
)
def test_fault_on_the_line_is_seen_and_mended(fault: str, resyncs: int) -> None:
    session = Session(faults=(Fault(kind=fault, symbol="BTC-USD", message=30, count=2),))
    session.run(1_500)
    sound = Session()
    sound.run(1_500)
    row, other = session.books.rows[BTC], sound.books.rows[BTC]
    assert row["resyncs"] == resyncs
    assert row["duplicates"] >= (2 if fault == "duplicate" else 0)
    assert session.books[BTC].digest() == sound.books[BTC].digest()
    assert row["state"] == other["state"] == BookState.LIVE


def test_a_query_says_again_what_was_said_of_an_order() -> None:
    session = Session()
    session.run(20)
    order = session.place()
    session.run(20)
    told = list(session.orders)
    assert told[0][0] is EventKind.ORDER_ACCEPTED
    session.venue.receive(
        session.exchange.query(order, Nanoseconds(session.venue.now)).body, session.venue.now
    )
    session.run(20)
    assert session.orders == told + told


def test_a_query_about_an_order_that_never_came_says_so() -> None:
    lost = Fault(kind="lose_request", symbol="BTC-USD", message=1)
    session = Session(faults=(lost,))
    session.run(20)
    order = session.place()
    session.run(20)
    assert session.orders == []
    session.venue.receive(
        session.exchange.query(order, Nanoseconds(session.venue.now)).body, session.venue.now
    )
    session.run(20)
    assert [kind for kind, *_ in session.orders] == [EventKind.ORDER_NOT_FOUND]
    session.place(2)
    session.run(20)
    assert session.orders[1][:2] == (EventKind.ORDER_ACCEPTED, 2)


def test_a_lost_cancellation_leaves_the_order_working() -> None:
    session = Session(faults=(Fault(kind="lose_request", symbol="BTC-USD", message=2),))
    session.run(20)
    order = session.place(price=Price(5_900_000, -2))
    for _ in range(2):
        session.venue.receive(
            session.exchange.cancel(order, Nanoseconds(session.venue.now)).body, session.venue.now
        )
        session.run(20)
    kinds = [kind for kind, *_ in session.orders]
    assert kinds == [EventKind.ORDER_ACCEPTED, EventKind.ORDER_CANCELED]


def test_lost_answers_are_those_that_were_named() -> None:
    session = Session(faults=(Fault(kind="lose_answer", symbol="BTC-USD", message=1, count=1),))
    session.run(20)
    session.place(price=Price(5_900_000, -2))
    session.run(20)
    assert session.orders == []
    session.place(2, price=Price(5_900_000, -2))
    session.run(20)
    assert [number for _, number, *_ in session.orders] == [2]


def test_the_venue_remembers_a_bounded_number_of_orders() -> None:
    session = Session()
    pit = session.venue._pits["BTC-USD"]
    pit.reports = {-number: [] for number in range(1, REMEMBERED + 1)}
    session.run(20)
    session.place()
    session.run(20)
    assert len(pit.reports) == REMEMBERED
    assert 1 in pit.reports


def test_fault_elsewhere_leaves_an_instrument_alone() -> None:
    fault = Fault(kind="drop", symbol="ETH-USD", message=5, count=100)
    session = Session(faults=(fault,))
    session.run(500)
    assert session.books.rows[BTC]["gaps"] == 0


def test_order_fills_and_is_reported_after_two_latencies() -> None:
    session = Session()
    session.run(100)
    session.place(price=Price(6_100_000, -2))
    before = len(session.received)
    session.run(9)
    assert not session.orders
    session.run(3)
    assert [kind for kind, *_ in session.orders] == [
        EventKind.ORDER_ACCEPTED,
        EventKind.ORDER_FILLED,
    ]
    public = [data for _, data in session.received[before:] if b'"ch":"trade"' in data]
    assert any(b'"q":"0.00500"' in data for data in public)


def test_resting_order_is_in_the_public_book_until_canceled() -> None:
    session = Session()
    session.run(100)
    price = 5_900_000
    order = session.place(price=Price(price, -2), size=Quantity(777, -5), flags=OrderFlag.POST_ONLY)
    session.run(30)
    size = session.books[BTC].size_at(Side.BUY, price)
    session.venue.receive(
        session.exchange.cancel(order, Nanoseconds(session.venue.now)).body, session.venue.now
    )
    session.run(30)
    assert size - session.books[BTC].size_at(Side.BUY, price) == 777
    assert session.orders == [
        (EventKind.ORDER_ACCEPTED, 1, 777, 0),
        (EventKind.ORDER_CANCELED, 1, 777, OrderReason.REQUESTED),
    ]


def test_resting_order_is_filled_as_maker_by_the_crowd() -> None:
    session = Session()
    session.run(200)
    number = 0
    while not any(kind is EventKind.ORDER_FILLED for kind, *_ in session.orders):
        number += 1
        assert number < 200
        bid = int(session.books.rows[BTC]["bid"])
        order = session.place(number, price=Price(bid, -2), flags=OrderFlag.POST_ONLY)
        session.run(100)
        session.venue.receive(
            session.exchange.cancel(order, Nanoseconds(session.venue.now)).body, session.venue.now
        )
    filled = [data for _, data in session.received if b'"e":21' in data]
    assert all(b'"l":1' in data for data in filled)


def test_market_order_has_no_price() -> None:
    session = Session()
    session.run(50)
    session.place(type=OrderType.MARKET, price=None, time_in_force=TimeInForce.IOC)
    session.run(20)
    assert session.orders[-1][0] is EventKind.ORDER_FILLED


def test_late_request_is_served_at_once_and_counted() -> None:
    session = Session(step=100 * MS)
    session.run(100)
    session.venue.receive(session.exchange.resync(BTC)[0].body, session.venue.now - 50 * MS)
    assert session.venue.late == 1
    session.run(100)
    assert sum(b'"ch":"snapshot"' in data for _, data in session.received) == 2


def test_requests_keep_their_order() -> None:
    venue = SimVenue(SimSettings(symbols=("BTC-USD",)))
    venue.receive(b'{"op":"subscribe","s":["BTC-USD"]}', venue.now + 10 * MS)
    venue.receive(b'{"op":"cancel","n":1,"s":"BTC-USD"}', venue.now)
    messages = [data for _, data in venue.step(venue.now + 100 * MS)]
    assert any(b'"e":25' in data for data in messages)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"{}",
        b'{"op":"dance"}',
        b'{"op":["x"]}',
        b'{"op":"subscribe"}',
        b'{"op":"subscribe","s":"BTC-USD"}',
        b'{"op":"subscribe","s":[["BTC-USD"]]}',
        b'{"op":"snapshot","s":"DOGE-USD"}',
        b'{"op":"cancel","s":"BTC-USD"}',
        b'{"op":"cancel","s":"BTC-USD","n":"one"}',
        b'{"op":"place","s":"BTC-USD","n":1}',
        b'{"op":"place","s":"BTC-USD","n":1,"d":"buy","y":"limit","v":"gtc","p":"x","q":"1","f":0}',
        b'{"op":"place","s":"BTC-USD","n":1,"d":"up","y":"limit","v":"gtc","p":"1","q":"1","f":0}',
        b'{"op":"place","s":"BTC-USD","n":1,"d":"buy","y":"limit","v":"gtc","p":"1e99","q":"1","f":0}',
    ],
)
def test_request_that_cannot_be_read_is_counted(data: bytes) -> None:
    venue = SimVenue(SimSettings(symbols=("BTC-USD",)))
    venue.receive(data, venue.now)
    assert venue.step(venue.now + 20 * MS) == []
    assert venue.refused == 1


def test_nothing_is_sent_before_the_subscription() -> None:
    venue = SimVenue(SimSettings(symbols=("ETH-USD",)))
    assert venue.step(venue.now + 1_000 * MS) == []


def test_perpetual_publishes_mark_index_and_funding() -> None:
    exchange = SimExchange(SimSettings(symbols=("BTC-USD-PERP",)))
    venue = exchange.open_venue()
    venue.receive(exchange.connect()[0].body, venue.now)
    batch = EventBatch()
    for time, data in venue.step(venue.now + 1_500 * MS):
        exchange.decode(data, Nanoseconds(time), batch)
    events = batch.events
    index = events[events["kind"] == EventKind.INDEX]["price"]
    mark = events[events["kind"] == EventKind.MARK]["price"]
    funding = events[events["kind"] == EventKind.FUNDING]
    assert len(index) == len(mark) == len(funding) >= 1
    assert (abs(mark - index) < 10_000).all()
    assert (funding["aux"] > funding["time"]).all()
    assert (funding["flags"] == EventFlag.LAST).all()


def test_symbols_choose_and_order_the_instruments() -> None:
    settings = SimSettings(symbols=("ETH-USD", "BTC-USD"))
    exchange = SimExchange(settings)
    assert [item.symbol for item in exchange.instruments] == ["ETH-USD", "BTC-USD"]
    assert exchange.table["tick"].tolist() == [5, 50]
    assert len(SimExchange().instruments) == len(LISTINGS)


def test_unknown_symbols_are_refused_all_at_once() -> None:
    with pytest.raises(ValidationError) as caught:
        SimExchange(SimSettings(symbols=("BTC-USD", "X", "Y")))
    assert [path for path, _ in caught.value.faults] == ["symbols[1]", "symbols[2]"]


def test_other_fees_reach_the_venue() -> None:
    free = attrs.evolve(LISTINGS[0].instrument, fees=FeeSchedule(taker=Decimal("0.01")))
    exchange = SimExchange(SimSettings(symbols=("BTC-USD",)), [free])
    session = Session()
    session.exchange, session.venue = exchange, exchange.open_venue()
    session.venue.receive(exchange.connect()[0].body, session.venue.now)
    session.run(50)
    session.place(size=Quantity(100, -5), price=Price(6_500_000, -2))
    session.run(20)
    kind, _, size, fee = session.orders[-1]
    assert kind is EventKind.ORDER_FILLED
    assert size == 100
    assert 0.55 < fee / 10**8 < 0.65  # one percent of about sixty


def test_instruments_that_do_not_fit_the_listing_are_refused() -> None:
    strange = attrs.evolve(LISTINGS[0].instrument, symbol=Symbol("A-B"))
    coarse = attrs.evolve(LISTINGS[0].instrument, tick=7)
    other = attrs.evolve(LISTINGS[1].instrument, base="BTC")
    with pytest.raises(ValidationError) as caught:
        relisted(LISTINGS, [strange, coarse, other])
    assert [path for path, _ in caught.value.faults] == [
        "instruments.A-B",
        "instruments.BTC-USD.tick",
        "instruments.ETH-USD.base",
    ]


@pytest.mark.parametrize("wrong", [{"latency_ns": -1}])
def test_settings_out_of_range_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        SimSettings(**wrong)


@pytest.mark.parametrize("wrong", [{"message": 0}, {"count": 0}, {"kind": "explode"}])
def test_faults_out_of_range_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"message|count|explode"):
        Fault(**{"kind": "drop", "symbol": "BTC-USD", "message": 1, **wrong})


def test_host_finds_the_venue() -> None:
    host = PluginHost()
    host.register(hooks)
    found = host.load("exchange", "sim")
    assert found is SimExchange
    assert issubclass(found, Exchange)


def test_table_describes_the_instruments() -> None:
    exchange = SimExchange()
    for row, instrument in zip(exchange.table, exchange.instruments, strict=True):
        assert int(row["price_exponent"]) == instrument.price_exponent
        assert np.isclose(float(row["price_unit"]), 10.0**instrument.price_exponent)
        assert np.isclose(float(row["size_unit"]), 10.0**instrument.size_exponent)
        assert float(row["multiplier"]) == float(instrument.multiplier)
