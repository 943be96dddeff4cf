"""What the user channel and the requests say of an order, and of its fills."""

from decimal import Decimal
from typing import Final

import attrs
import msgspec

from bot4_core.domain_types.instruments import Instrument
from bot4_core.domain_types.number_text import exponent_of_text
from bot4_core.domain_types.records import EventFlag, EventKind, OrderReason, Side
from bot4_core.errors import DecodeError
from bot4_plugins.exchange_coinbase.order_codes import reason_of
from bot4_plugins.venue_toolkit.drafts import (
    DraftEvent,
    DraftMessage,
    DraftValue,
    SizeText,
    amount_text,
    draft_message,
    fee_text,
    is_zero,
    price_text,
    size_text,
)
from bot4_plugins.venue_toolkit.id_numbers import number_of_id
from bot4_plugins.venue_toolkit.strict_json import checked_symbol, typed
from bot4_plugins.venue_toolkit.time_text import timestamp_nanoseconds

__all__ = [
    "CoinbaseFill",
    "CoinbaseOrder",
    "booked_size",
    "fill_draft",
    "listed_order",
    "order_draft",
    "user_order",
]

SIDES: Final = {"BUY": Side.BUY, "SELL": Side.SELL}
WORKING: Final = frozenset({"OPEN", "QUEUED"})
KINDS: Final = {
    "CANCEL_QUEUED": EventKind.CANCEL_PENDING,
    "EDIT_QUEUED": EventKind.REPLACE_PENDING,
    "FILLED": EventKind.ORDER_ACCEPTED,
    "CANCELLED": EventKind.ORDER_CANCELED,
    "EXPIRED": EventKind.ORDER_EXPIRED,
    "FAILED": EventKind.ORDER_REJECTED,
}
SILENT: Final = frozenset({"PENDING"})
UNTRIGGERED: Final = "STOP_PENDING"
FILLS: Final = {
    "FILL": EventKind.ORDER_FILLED,
    "SYNTHETIC": EventKind.ORDER_FILLED,
    "REVERSAL": EventKind.TRADE_BUSTED,
    "CORRECTION": EventKind.TRADE_CORRECTED,
}


@attrs.frozen(kw_only=True)
class CoinbaseOrder:
    """An order as the venue told of it; amounts are of all of it, not of a change."""

    order_id: str
    client_id: str
    symbol: str
    side: Side
    status: str
    filled: Decimal
    left: Decimal | None
    price: str
    waits: bool
    reason: str
    time: int = 0

    @property
    def over(self) -> bool:
        """Whether it works no more."""
        return self.status in ("FILLED", "CANCELLED", "EXPIRED", "FAILED")


class _UserOrder(msgspec.Struct, kw_only=True):
    order_id: str
    product_id: str
    order_side: str
    status: str
    client_order_id: str = ""
    cumulative_quantity: str = "0"
    leaves_quantity: str = ""
    limit_price: str = ""
    trigger_status: str = ""
    cancel_reason: str = ""
    reject_reason: str = ""


class _ListedOrder(msgspec.Struct, kw_only=True):
    order_id: str
    product_id: str
    side: str
    status: str
    client_order_id: str = ""
    filled_size: str = "0"
    order_configuration: dict[str, dict[str, object]] | None = None
    trigger_status: str = ""
    reject_reason: str = ""
    cancel_message: str = ""


class CoinbaseFill(msgspec.Struct, kw_only=True):
    """A row of ``fills``; ``size`` is of quote where ``size_in_quote`` says so."""

    trade_id: str
    order_id: str
    product_id: str
    trade_time: str
    price: str
    size: str
    commission: str
    side: str
    trade_type: str = "FILL"
    liquidity_indicator: str = ""
    size_in_quote: bool = False


def _side(text: str) -> Side:
    if text not in SIDES:
        raise DecodeError(f"{text[:80]!r} is no side")
    return SIDES[text]


def _amount(text: str, what: str) -> Decimal:
    return Decimal(size_text(amount_text(text, what), what).text)


def user_order(row: object, time: int) -> CoinbaseOrder:
    """Read an order of the user channel."""
    order = typed(row, _UserOrder)
    left = _amount(order.leaves_quantity, "open size") if order.leaves_quantity else None
    return CoinbaseOrder(
        order_id=order.order_id,
        client_id=order.client_order_id,
        symbol=checked_symbol(order.product_id),
        side=_side(order.order_side),
        status=order.status,
        filled=_amount(order.cumulative_quantity or "0", "filled size"),
        left=left,
        price=order.limit_price,
        waits=order.trigger_status == UNTRIGGERED,
        reason=order.cancel_reason or order.reject_reason,
        time=time,
    )


def listed_order(row: object) -> CoinbaseOrder:
    """Read an order of a list."""
    order = typed(row, _ListedOrder)
    terms = next(iter((order.order_configuration or {}).values()), {})
    size, price = terms.get("base_size"), terms.get("limit_price")
    filled = _amount(order.filled_size or "0", "filled size")
    left = _amount(size, "size") - filled if isinstance(size, str) and size else None
    return CoinbaseOrder(
        order_id=order.order_id,
        client_id=order.client_order_id,
        symbol=checked_symbol(order.product_id),
        side=_side(order.side),
        status=order.status,
        filled=filled,
        left=None if left is None else max(left, Decimal(0)),
        price=price if isinstance(price, str) else "",
        waits=order.trigger_status == UNTRIGGERED,
        reason=order.cancel_message or order.reject_reason,
    )


def order_draft(order: CoinbaseOrder, number: int) -> DraftMessage | None:
    """Return the event that an order's state is, None where it says nothing.

    Raises
    ------
    DecodeError
        If the status is not one that the venue documents.
    """
    if order.status in SILENT:
        return None
    kind = KINDS.get(order.status)
    if order.status in WORKING:
        kind = EventKind.ORDER_UNTRIGGERED if order.waits else EventKind.ORDER_ACCEPTED
    if kind is None:
        raise DecodeError(f"an order that is {order.status[:80]!r}")
    ended = order.over and order.status != "FILLED"
    left: DraftValue = -1 if order.left is None else SizeText(f"{order.left:f}")
    event = DraftEvent(
        kind=kind,
        time=order.time,
        price=price_text(order.price, zero=True) if order.price and not order.over else 0,
        size=0 if order.status == "FILLED" else left,
        sequence=number_of_id(order.order_id),
        aux=int(reason_of(order.reason) if order.reason else OrderReason.NONE) if ended else -1,
        link=number,
        side=int(order.side),
    )
    return draft_message(order.symbol, event)


def fill_draft(row: CoinbaseFill, number: int, instrument: Instrument) -> DraftMessage:
    """Return the event that a fill is, or what takes one back or corrects it."""
    kind = FILLS.get(row.trade_type)
    if kind is None:
        raise DecodeError(f"a fill of type {row.trade_type[:80]!r}")
    event = DraftEvent(
        kind=kind,
        time=timestamp_nanoseconds(row.trade_time),
        price=price_text(row.price),
        size=size_text(_base_size(row, instrument), zero=False),
        sequence=number_of_id(row.trade_id),
        aux=0 if is_zero(row.commission) else fee_text(row.commission, instrument.quote),
        link=number,
        side=int(_side(row.side)),
        flags=int(EventFlag.MAKER if row.liquidity_indicator == "MAKER" else EventFlag.NONE),
    )
    return draft_message(str(instrument.symbol), event)


def booked_size(draft: DraftMessage) -> Decimal:
    """Return what a fill adds to what is known to be filled."""
    (event,) = draft.events
    size = event.size
    if event.kind is not EventKind.ORDER_FILLED or not isinstance(size, SizeText):
        return Decimal(0)
    return Decimal(size.text)


def _base_size(row: CoinbaseFill, instrument: Instrument) -> str:
    if not row.size_in_quote:
        return row.size
    price = Decimal(price_text(row.price).text)
    step = Decimal(1).scaleb(min(instrument.size_exponent, exponent_of_text("1")))
    return f"{(_amount(row.size, 'quote size') / price).quantize(step):f}"
