"""Rules of orders, fills and linked orders."""

import re
from collections.abc import Callable
from fractions import Fraction
from typing import Final, Never

from bot4_core.domain_types._rule import Faults, broken
from bot4_core.domain_types.instruments import Instrument, InstrumentStatus
from bot4_core.domain_types.orders import (
    Fill,
    Order,
    OrderIntent,
    OrderLink,
    OrderLinkKind,
)
from bot4_core.domain_types.records import OrderFlag, OrderStatus, OrderType, Side, TimeInForce

__all__ = ["ORDER_RULES", "link_faults", "order_faults"]

_CLIENT_ID: Final = re.compile("[0-9a-f]{32}")
_REDUCING: Final = OrderFlag.REDUCE_ONLY | OrderFlag.CLOSE_POSITION
_TRAILING: Final = frozenset({OrderType.TRAILING_STOP, OrderType.TRAILING_STOP_LIMIT})
_NEEDS_PRICE: Final = frozenset(
    {OrderType.LIMIT, OrderType.STOP_LIMIT, OrderType.TAKE_PROFIT_LIMIT, OrderType.ICEBERG}
)
_NEEDS_TRIGGER: Final = frozenset(
    {
        OrderType.STOP,
        OrderType.STOP_LIMIT,
        OrderType.TAKE_PROFIT,
        OrderType.TAKE_PROFIT_LIMIT,
    }
)
_MAY_REST: Final = _NEEDS_PRICE | {OrderType.TRAILING_STOP_LIMIT}


def intent_rules(value: OrderIntent) -> Faults:
    """Check that an order has the numbers that its type needs, and no others."""
    yield from broken(
        (value.number < 1, "number", f"{value.number} is below 1"),
        (
            _CLIENT_ID.fullmatch(value.client_id) is None,
            "client_id",
            f"{value.client_id!r} is not 32 lower-case hexadecimal digits",
        ),
        (value.side is Side.NONE, "side", "is none, expected buy or sell"),
        (value.size.value <= 0, "size", f"{value.size} is not above zero"),
        (value.created < 0, "created", f"{value.created} ns is before 1970"),
    )
    yield from _presence_rules(value)
    yield from _number_rules(value)
    yield from _duration_rules(value)


def _presence_rules(value: OrderIntent) -> Faults:
    kind = value.type
    trailing = kind in _TRAILING
    trails = (value.trail is not None) + (value.trail_ratio is not None)
    yield from _needed("price", value.price, kind, needed=kind in _NEEDS_PRICE)
    needed = kind in _NEEDS_TRIGGER
    if not trailing or needed:
        yield from _needed("trigger", value.trigger, kind, needed=needed)
    if trailing and trails != 1:
        yield "trail", f"{kind.name.lower()} needs either trail or trail_ratio, {trails} given"
    if not trailing and trails:
        yield "trail", f"does not go with type {kind.name.lower()}"
    offset = kind is OrderType.TRAILING_STOP_LIMIT
    yield from _needed("limit_offset", value.limit_offset, kind, needed=offset)
    yield from _needed("visible", value.visible, kind, needed=kind is OrderType.ICEBERG)


def _needed(path: str, value: object, kind: OrderType, *, needed: bool) -> Faults:
    if needed and value is None:
        yield path, f"is missing; type {kind.name.lower()} needs it"
    if not needed and value is not None:
        yield path, f"{value} does not go with type {kind.name.lower()}"


def _number_rules(value: OrderIntent) -> Faults:
    for name, number in (
        ("price", value.price),
        ("trigger", value.trigger),
        ("trail", value.trail),
        ("visible", value.visible),
    ):
        if number is not None and number.value <= 0:
            yield name, f"{number} is not above zero"
    ratio, visible = value.trail_ratio, value.visible
    if ratio is not None and not 0 < ratio < 1:
        yield "trail_ratio", f"{ratio} is no fraction between 0 and 1; write 1 % as 0.01"
    if visible is not None and visible > value.size:
        yield "visible", f"{visible} is more than the size {value.size}"


def _duration_rules(value: OrderIntent) -> Faults:
    dated = value.time_in_force is TimeInForce.GTD
    stays = dated or value.time_in_force is TimeInForce.GTC
    force, kind = value.time_in_force.name.lower(), value.type.name.lower()
    till = value.good_till
    post_only = OrderFlag.POST_ONLY in value.flags
    yield from broken(
        (dated and till is None, "good_till", "is missing; time in force gtd needs it"),
        (
            not dated and till is not None,
            "good_till",
            f"{till} does not go with time in force {force}",
        ),
        (
            till is not None and till <= value.created,
            "good_till",
            f"{till} is not after the order's creation at {value.created}",
        ),
        (
            post_only and not (stays and value.type in _MAY_REST),
            "flags",
            f"post_only does not go with type {kind} and time in force {force}",
        ),
        (
            value.type is OrderType.ICEBERG and not stays,
            "time_in_force",
            f"{force} does not go with type iceberg; gtc or gtd does",
        ),
    )


def fill_rules(value: Fill) -> Faults:
    """Check that a fill has a side, a positive price and size, and says what its fee is in."""
    yield from broken(
        (value.order < 1, "order", f"{value.order} is below 1"),
        (value.side is Side.NONE, "side", "is none, expected buy or sell"),
        (value.price.value <= 0, "price", f"{value.price} is not above zero"),
        (value.size.value <= 0, "size", f"{value.size} is not above zero"),
        (
            value.fee.value != 0 and not value.fee_asset,
            "fee_asset",
            f"is empty with fee {value.fee}",
        ),
        (value.time < 0, "time", f"{value.time} ns is before 1970; 0 means unknown"),
    )


def order_rules(value: Order) -> Faults:
    """Check that what was filled agrees with size and status."""
    filled, size = value.filled, value.intent.size
    status = value.status
    yield from broken(
        (filled.value < 0, "filled", f"{filled} is below zero"),
        (filled > size, "filled", f"{filled} is more than the size {size}"),
        (
            status is OrderStatus.PARTIAL and (filled.value == 0 or filled >= size),
            "filled",
            f"{filled} is no part of the size {size} with status partial",
        ),
        (
            status is OrderStatus.CREATED and filled.value > 0,
            "filled",
            f"{filled} of an order that was never sent",
        ),
        (value.updated < 0, "updated", f"{value.updated} ns is before 1970"),
    )


def link_rules(value: OrderLink) -> Faults:
    """Check that an OCO has two exits or more, a bracket an entry and one or two exits."""
    bracket = value.kind is OrderLinkKind.BRACKET
    numbers = value.exits if value.entry is None else (value.entry, *value.exits)
    count = len(value.exits)
    yield from broken(
        (bracket and value.entry is None, "entry", "is missing; a bracket needs one"),
        (
            not bracket and value.entry is not None,
            "entry",
            f"{value.entry} does not go with kind oco",
        ),
        (
            bracket and count not in (1, 2),
            "exits",
            f"has {count} orders; a bracket has a take-profit, a stop, or both",
        ),
        (not bracket and count < 2, "exits", f"has {count} orders; an oco has 2 or more"),
        (len(set(numbers)) < len(numbers), "exits", "names an order twice"),
        (any(number < 1 for number in numbers), "exits", "has an order number below 1"),
    )


def order_faults(intent: OrderIntent, instrument: Instrument) -> Faults:
    """Return what keeps a sound order from its sound instrument, as paths and messages."""
    yield from _grid_faults(intent, instrument)
    reduces = bool(intent.flags & _REDUCING)
    size, small = intent.size, Fraction(instrument.min_notional)
    worth = None if intent.price is None else instrument.notional(intent.price, size)
    at_most = instrument.max_size * Fraction(10) ** instrument.size_exponent
    at_least = instrument.min_size * Fraction(10) ** instrument.size_exponent
    status = instrument.status
    yield from broken(
        (
            size.fraction < at_least,
            "size",
            f"{size} is below the minimum of {instrument.min_size}e{instrument.size_exponent}",
        ),
        (
            instrument.max_size > 0 and size.fraction > at_most,
            "size",
            f"{size} is above the maximum of {instrument.max_size}e{instrument.size_exponent}",
        ),
        (
            worth is not None and worth < small and not reduces,
            "size",
            f"{size} at {intent.price} is worth less than {instrument.min_notional}",
        ),
        (
            status in (InstrumentStatus.HALTED, InstrumentStatus.DELISTED)
            or status in (InstrumentStatus.CANCEL_ONLY, InstrumentStatus.UNKNOWN),
            "instrument",
            f"{instrument.symbol} takes no orders: its status is {status}",
        ),
        (
            status is InstrumentStatus.POST_ONLY and OrderFlag.POST_ONLY not in intent.flags,
            "flags",
            f"{instrument.symbol} takes post-only orders only",
        ),
    )


def _grid_faults(intent: OrderIntent, instrument: Instrument) -> Faults:
    tick, lot = instrument.tick_size, instrument.lot_size
    for name, price in (
        ("price", intent.price),
        ("trigger", intent.trigger),
        ("trail", intent.trail),
        ("limit_offset", intent.limit_offset),
    ):
        if price is not None and (price / tick).denominator != 1:
            yield name, f"{price} is no multiple of the tick {tick}"
    for name, size in (("size", intent.size), ("visible", intent.visible)):
        if size is not None and (size / lot).denominator != 1:
            yield name, f"{size} is no multiple of the lot {lot}"


def link_faults(link: OrderLink, intents: tuple[OrderIntent, ...]) -> Faults:
    """Return what keeps sound orders from their sound link, as paths and messages."""
    known = {intent.number: intent for intent in intents}
    entry = None if link.entry is None else known.get(link.entry)
    if link.entry is not None and entry is None:
        yield "entry", f"order {link.entry} is not among the orders"
    first = entry
    for place, number in enumerate(link.exits):
        leg = known.get(number)
        path = f"exits[{place}]"
        if leg is None:
            yield path, f"order {number} is not among the orders"
            continue
        if first is None:
            first = leg
        wanted = first.side if entry is None else Side(-first.side)
        yield from broken(
            (
                leg.instrument != first.instrument,
                path,
                f"order {number} is of instrument {leg.instrument}, expected {first.instrument}",
            ),
            (
                leg.side is not wanted,
                path,
                f"order {number} is a {leg.side.name.lower()}, expected {wanted.name.lower()}",
            ),
        )


ORDER_RULES: Final[tuple[Callable[[Never], Faults], ...]] = (
    intent_rules,
    fill_rules,
    order_rules,
    link_rules,
)
