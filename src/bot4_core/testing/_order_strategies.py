"""Strategies for orders, their links and their fills."""

import attrs
from hypothesis import strategies as st

from bot4_core.domain_types.canonical_types import ClientOrderId, Nanoseconds, OrderNumber, Quantity
from bot4_core.domain_types.instruments import Instrument
from bot4_core.domain_types.orders import (
    Fill,
    Order,
    OrderIntent,
    OrderLink,
    OrderLinkKind,
    TriggerSource,
)
from bot4_core.domain_types.records import OrderFlag, OrderStatus, OrderType, TimeInForce
from bot4_core.testing._number_strategies import (
    decimals,
    instrument_ids,
    moneys,
    names,
    nanoseconds,
    prices,
    quantities,
    sides,
)

__all__ = ["client_order_ids", "fills", "order_intents", "order_links", "order_numbers", "orders"]

_PRICED = (
    OrderType.LIMIT,
    OrderType.STOP_LIMIT,
    OrderType.TAKE_PROFIT_LIMIT,
    OrderType.ICEBERG,
)
_TRIGGERED = (
    OrderType.STOP,
    OrderType.STOP_LIMIT,
    OrderType.TAKE_PROFIT,
    OrderType.TAKE_PROFIT_LIMIT,
)
_TRAILING = (OrderType.TRAILING_STOP, OrderType.TRAILING_STOP_LIMIT)


def order_numbers() -> st.SearchStrategy[OrderNumber]:
    """Draw numbers of orders within a run."""
    return st.integers(1, 2**62).map(OrderNumber)


def client_order_ids() -> st.SearchStrategy[ClientOrderId]:
    """Draw 32 lower-case hexadecimal digits."""
    return st.integers(0, 2**128 - 1).map(lambda number: ClientOrderId(f"{number:032x}"))


@st.composite
def order_intents(
    draw: st.DrawFn, instrument: Instrument, order_type: OrderType | None = None
) -> OrderIntent:
    """Draw orders of one type, or of any, that are sound in themselves and on the grid.

    Minimums and the status of the instrument are not looked at; ``validate_order`` does.

    Parameters
    ----------
    instrument : Instrument
        Whose tick and lot the numbers keep.
    order_type : OrderType, optional
    """
    kind = draw(st.sampled_from(OrderType)) if order_type is None else order_type
    price = prices(instrument.price_exponent, instrument.tick)
    size = draw(quantities(instrument.size_exponent, instrument.lot))
    trails = kind in _TRAILING
    by_ratio = trails and draw(st.booleans())
    rests = kind in _PRICED or kind is OrderType.TRAILING_STOP_LIMIT
    force, flags = draw(_conditions(kind, rests=rests))
    created = draw(st.integers(0, 2**60))
    dated = force is TimeInForce.GTD
    return OrderIntent(
        number=draw(order_numbers()),
        client_id=draw(client_order_ids()),
        instrument=draw(instrument_ids()),
        side=draw(sides()),
        type=kind,
        size=size,
        price=draw(price) if kind in _PRICED else None,
        trigger=draw(price if kind in _TRIGGERED else st.none() | price)
        if kind in _TRIGGERED or trails
        else None,
        trigger_source=draw(st.sampled_from(TriggerSource)),
        trail=draw(price) if trails and not by_ratio else None,
        trail_ratio=draw(decimals("0.001", "0.1")) if by_ratio else None,
        limit_offset=draw(price) if kind is OrderType.TRAILING_STOP_LIMIT else None,
        visible=_part(draw, size, instrument.lot, 1) if kind is OrderType.ICEBERG else None,
        time_in_force=force,
        good_till=Nanoseconds(created + draw(st.integers(1, 2**60))) if dated else None,
        flags=flags,
        created=Nanoseconds(created),
    )


def _conditions(
    kind: OrderType, *, rests: bool
) -> st.SearchStrategy[tuple[TimeInForce, OrderFlag]]:
    at_once = [] if kind is OrderType.ICEBERG else [TimeInForce.IOC, TimeInForce.FOK]
    working = [TimeInForce.GTC, TimeInForce.GTD]
    free = [OrderFlag.NONE, OrderFlag.REDUCE_ONLY, OrderFlag.CLOSE_POSITION]
    pairs = [(force, flag) for force in working + at_once for flag in free]
    if rests:
        pairs += [(force, OrderFlag.POST_ONLY | flag) for force in working for flag in free]
    return st.sampled_from(pairs)


def _part(draw: st.DrawFn, size: Quantity, lot: int, least: int) -> Quantity:
    """Draw a multiple of the lot of at least ``least`` lots and at most the size."""
    return Quantity(draw(st.integers(least, size.value // lot)) * lot, size.exponent)


@st.composite
def orders(draw: st.DrawFn, instrument: Instrument) -> Order:
    """Draw orders anywhere in their lives."""
    intent = draw(order_intents(instrument))
    size, lot = intent.size, instrument.lot
    splits = size.value >= 2 * lot
    statuses = [known for known in OrderStatus if splits or known is not OrderStatus.PARTIAL]
    status = draw(st.sampled_from(statuses))
    filled = _part(draw, size, lot, 0)
    if status is OrderStatus.FILLED:
        filled = size
    elif status is OrderStatus.CREATED:
        filled = Quantity(0, size.exponent)
    elif status is OrderStatus.PARTIAL:
        filled = _part(draw, size - instrument.lot_size, lot, 1)
    return Order(
        intent=intent,
        status=status,
        filled=filled,
        updated=draw(nanoseconds()),
        venue_order_id=draw(names()),
        reason=draw(names()),
    )


@st.composite
def order_links(
    draw: st.DrawFn, instrument: Instrument, kind: OrderLinkKind | None = None
) -> tuple[OrderLink, tuple[OrderIntent, ...]]:
    """Draw an OCO of two exits, or a bracket with take-profit and stop, and their orders."""
    chosen = draw(st.sampled_from(OrderLinkKind)) if kind is None else kind
    start = draw(st.integers(1, 2**60))
    types = [OrderType.TAKE_PROFIT, OrderType.STOP]
    bracket = chosen is OrderLinkKind.BRACKET
    if bracket:
        types.insert(0, OrderType.LIMIT)
    drawn = [draw(order_intents(instrument, order_type)) for order_type in types]
    entry_side, home = drawn[0].side, drawn[0].instrument
    exit_side = type(entry_side)(-entry_side) if bracket else entry_side
    intents = tuple(
        attrs.evolve(
            intent,
            number=OrderNumber(start + place),
            instrument=home,
            side=entry_side if bracket and place == 0 else exit_side,
        )
        for place, intent in enumerate(drawn)
    )
    numbers = [intent.number for intent in intents]
    entry = numbers.pop(0) if bracket else None
    return OrderLink(kind=chosen, entry=entry, exits=tuple(numbers)), intents


def fills(instrument: Instrument) -> st.SearchStrategy[Fill]:
    """Draw executions of an instrument's orders, with fees or rebates."""
    return st.builds(
        Fill,
        order=order_numbers(),
        instrument=instrument_ids(),
        side=sides(),
        price=prices(instrument.price_exponent, instrument.tick),
        size=quantities(instrument.size_exponent, instrument.lot),
        fee=moneys(instrument.settlement_exponent),
        fee_asset=st.just(instrument.settled_in),
        time=nanoseconds(),
        trade_id=st.integers(0, 2**62),
        maker=st.booleans(),
    )
