"""Fees of a session's configuration: what the adapter says and what the venue charges."""

from decimal import Decimal

from bot4_core import PluginHost, SessionConfig
from bot4_core.convert import structure
from bot4_core.domain_types.canonical_types import (
    ClientOrderId,
    InstrumentId,
    Nanoseconds,
    OrderNumber,
    Price,
    Quantity,
)
from bot4_core.domain_types.instruments import FeeSchedule
from bot4_core.domain_types.orders import OrderIntent
from bot4_core.domain_types.records import EventKind, OrderType, Side
from bot4_core.market.event_batch import EventBatch
from bot4_core.session.building import exchange_factory
from bot4_plugins.exchange_sim import hooks
from bot4_plugins.exchange_sim.adapter import SimExchange

MS = 1_000_000
PRICE, SIZE = Price(6_500_000, -2), Quantity(100, -5)


def configured(**changes: object) -> SimExchange:
    """Return the adapter of a session that trades BTC-USD without listing it."""
    host = PluginHost()
    host.register(hooks, name="exchange-sim")
    config = structure(
        {
            "mode": "paper",
            "venue": {"plugin": "sim", "market": "sim", "symbols": ["BTC-USD"]},
            "source": {"seconds": 1},
            "account": {"asset": "USD", "cash": "100000"},
            "strategy": {"plugin": "any"},
            "sizer": {"plugin": "any"},
            **changes,
        },
        SessionConfig,
    )
    exchange = exchange_factory(config, host)(config.instruments)
    assert isinstance(exchange, SimExchange)
    return exchange


def charged(exchange: SimExchange) -> Decimal:
    """Take from the book and return the fee as a share of what was paid."""
    venue, batch = exchange.open_venue(), EventBatch()
    for outbound in exchange.connect():
        venue.receive(outbound.body, venue.now)
    venue.step(venue.now + 50 * MS)
    intent = OrderIntent(
        number=OrderNumber(1),
        client_id=ClientOrderId(f"{1:032x}"),
        instrument=InstrumentId(0),
        side=Side.BUY,
        type=OrderType.LIMIT,
        size=SIZE,
        price=PRICE,
    )
    venue.receive(exchange.place(intent, Nanoseconds(venue.now)).body, venue.now)
    for time, data in venue.step(venue.now + 20 * MS):
        exchange.decode(data, Nanoseconds(time), batch)
    (fill,) = batch.events[batch.events["kind"] == EventKind.ORDER_FILLED]
    paid = Decimal(int(fill["price"])).scaleb(-2) * Decimal(int(fill["size"])).scaleb(-5)
    return Decimal(int(fill["aux"])).scaleb(-8) / paid


def test_without_fees_in_the_configuration_the_listings_own_are_charged() -> None:
    exchange = configured()
    assert exchange.instruments[0].fees.taker == Decimal("0.0005")
    assert charged(exchange) == Decimal("0.0005")


def test_fees_of_the_configuration_are_charged_by_the_venue() -> None:
    exchange = configured(fees={"maker": "0.002", "taker": "0.003"})
    assert exchange.instruments[0].fees == FeeSchedule(
        maker=Decimal("0.002"), taker=Decimal("0.003")
    )
    assert charged(exchange) == Decimal("0.003")


def test_free_trading_is_free() -> None:
    assert charged(configured(fees={"maker": "0", "taker": "0"})) == 0
