"""Orders, their links, and the fills they end in."""

from decimal import Decimal
from enum import StrEnum

import attrs

from bot4_core.domain_types.canonical_types import (
    TIME_UNKNOWN,
    ClientOrderId,
    InstrumentId,
    Money,
    Nanoseconds,
    OrderNumber,
    Price,
    Quantity,
)
from bot4_core.domain_types.records import OrderFlag, OrderStatus, OrderType, Side, TimeInForce

__all__ = [
    "Fill",
    "FillOrigin",
    "Order",
    "OrderIntent",
    "OrderLink",
    "OrderLinkKind",
    "TriggerSource",
]


class OrderLinkKind(StrEnum):
    """How the fate of one order hangs on another."""

    OCO = "oco"  # the first to fill cancels the others
    BRACKET = "bracket"  # the entry's fill starts exits, which are an OCO


class TriggerSource(StrEnum):
    """Whose price sets off a stop, a take-profit or a trailing order."""

    LAST = "last"
    MARK = "mark"
    INDEX = "index"


class FillOrigin(StrEnum):
    """Whose order an execution is of."""

    OWN = "own"
    EXTERNAL = "external"  # of the account, but not of this program: somebody trades beside it
    LIQUIDATION = "liquidation"  # the three that a venue makes
    DELEVERAGING = "deleveraging"
    SETTLEMENT = "settlement"


@attrs.frozen(kw_only=True)
class OrderIntent:
    """An order as decided, before anything is sent.

    Which of the optional numbers an order type needs stands in ``docs/reference/types.md`` and is
    checked by ``validation``. Post-only, reduce-only and close-position are ``flags``, not types.
    """

    number: OrderNumber
    client_id: ClientOrderId
    instrument: InstrumentId
    side: Side
    type: OrderType
    size: Quantity
    price: Price | None = None
    trigger: Price | None = None  # trailing orders: where the trail starts, None for at once
    trigger_source: TriggerSource = TriggerSource.LAST
    trail: Price | None = None  # distance kept from the best price seen
    trail_ratio: Decimal | None = None  # the same as a fraction of that price
    limit_offset: Price | None = None  # trailing limit: limit price less the trigger price
    visible: Quantity | None = None  # iceberg: what the book shows
    time_in_force: TimeInForce = TimeInForce.GTC
    good_till: Nanoseconds | None = None
    flags: OrderFlag = OrderFlag.NONE
    created: Nanoseconds = TIME_UNKNOWN


@attrs.frozen(kw_only=True)
class OrderLink:
    """Orders of which one's fill ends or starts the others."""

    kind: OrderLinkKind
    exits: tuple[OrderNumber, ...]
    entry: OrderNumber | None = None  # brackets only


@attrs.frozen(kw_only=True)
class Fill:
    """One execution on our account, or the same taken back.

    Where a venue busts or corrects a trade, what was booked is booked once more with the opposite
    side and fee, marked ``reverses``.
    """

    order: OrderNumber
    instrument: InstrumentId
    side: Side
    price: Price
    size: Quantity
    fee: Money  # positive is paid, negative is a rebate
    fee_asset: str
    time: Nanoseconds
    trade_id: int
    maker: bool
    origin: FillOrigin = FillOrigin.OWN
    reverses: bool = False

    def reversal(self) -> "Fill":
        """Return what takes the execution back."""
        fee = Money(-self.fee.value, self.fee.exponent)
        return attrs.evolve(self, side=Side(-self.side), fee=fee, reverses=True)


@attrs.frozen(kw_only=True)
class Order:
    """An intent and what evidence says of it."""

    intent: OrderIntent
    status: OrderStatus
    filled: Quantity
    updated: Nanoseconds
    venue_order_id: str = ""
    reason: str = ""
