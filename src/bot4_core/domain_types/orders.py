"""Orders, their links, and the fills they end in."""

from enum import StrEnum

import attrs

from bot4_core.domain_types.canonical_types import (
    ClientOrderId,
    InstrumentId,
    Money,
    Nanoseconds,
    OrderNumber,
    Price,
    Quantity,
)
from bot4_core.domain_types.records import OrderFlag, OrderStatus, OrderType, Side, TimeInForce

__all__ = ["Fill", "Order", "OrderIntent", "OrderLink", "OrderLinkKind"]


class OrderLinkKind(StrEnum):
    """How the fate of one order hangs on another."""

    OCO = "oco"
    BRACKET = "bracket"


@attrs.frozen(kw_only=True)
class OrderIntent:
    """An order as decided, before anything is sent."""

    number: OrderNumber
    client_id: ClientOrderId
    instrument: InstrumentId
    side: Side
    type: OrderType
    size: Quantity
    price: Price | None = None
    trigger: Price | None = None
    trail: Price | None = None
    visible: Quantity | None = None
    time_in_force: TimeInForce = TimeInForce.GTC
    good_till: Nanoseconds | None = None
    flags: OrderFlag = OrderFlag.NONE
    created: Nanoseconds = Nanoseconds(0)


@attrs.frozen(kw_only=True)
class OrderLink:
    """Orders of which one's fill ends or starts the others."""

    kind: OrderLinkKind
    entry: OrderNumber | None
    exits: tuple[OrderNumber, ...]


@attrs.frozen(kw_only=True)
class Fill:
    """One execution of one of our orders."""

    order: OrderNumber
    instrument: InstrumentId
    side: Side
    price: Price
    size: Quantity
    fee: Money
    fee_asset: str
    time: Nanoseconds
    trade_id: int
    maker: bool


@attrs.frozen(kw_only=True)
class Order:
    """An intent and what evidence says of it."""

    intent: OrderIntent
    status: OrderStatus
    filled: Quantity
    updated: Nanoseconds
    venue_order_id: str = ""
    reason: str = ""
