"""What orders' states and fills say, as drafts of order events, for streams and replies alike."""

from decimal import Decimal
from typing import Final, NamedTuple

from bot4_core.domain_types.records import EventFlag, EventKind, OrderReason, Side
from bot4_core.errors import DecodeError
from bot4_plugins.venue_toolkit.drafts import (
    DraftEvent,
    amount_text,
    fee_text,
    is_zero,
    price_text,
    size_text,
)

__all__ = ["OrderState", "fill_event", "order_event", "side_of", "venue_made", "would_wait"]

CONDITIONAL: Final = ("STOP", "TAKE_PROFIT", "TRAILING_STOP")
SIDES: Final = {"BUY": int(Side.BUY), "SELL": int(Side.SELL)}
VENUE_MADE: Final = {
    "autoclose-": EventFlag.LIQUIDATED,
    "adl_autoclose": EventFlag.DELEVERAGED,
    "settlement_autoclose-": EventFlag.SETTLED,
    "delivery_autoclose-": EventFlag.SETTLED,
}
"""What the beginnings of client ids say of orders that the venue made itself."""

WORKING: Final = frozenset({"NEW", "PARTIALLY_FILLED", "FILLED", "NEW_INSURANCE", "NEW_ADL"})
"""States in which the venue has taken the order; fills are told apart from them."""
KINDS: Final = {
    **dict.fromkeys(WORKING, EventKind.ORDER_ACCEPTED),
    "PENDING_NEW": EventKind.ORDER_UNTRIGGERED,
    "PENDING_CANCEL": EventKind.CANCEL_PENDING,
    "CANCELED": EventKind.ORDER_CANCELED,
    "EXPIRED": EventKind.ORDER_EXPIRED,
    "EXPIRED_IN_MATCH": EventKind.ORDER_EXPIRED,
    "REJECTED": EventKind.ORDER_REJECTED,
}
UNFILLED: Final = frozenset({"IOC", "FOK"})


class OrderState(NamedTuple):
    """An order as the venue shows it at a moment."""

    status: str
    side: str
    price: str
    trigger: str
    size: str
    filled: str
    kind: str  # the venue's order type
    in_force: str
    waits: bool  # for its trigger
    order_id: int
    time: int
    prevented: str = "0"
    reason: str = ""


def side_of(text: str) -> int:
    """Return the sign of a side."""
    sign = SIDES.get(text)
    if sign is None:
        raise DecodeError(f"{text[:80]!r} is not a side")
    return sign


def venue_made(client_id: str) -> EventFlag:
    """Return what marks the fills of an order that the venue made, NONE for any other."""
    for begin, flag in VENUE_MADE.items():
        if client_id.startswith(begin):
            return flag
    return EventFlag.NONE


def would_wait(kind: str) -> bool:
    """Return whether orders of a type wait for a trigger first."""
    return kind.startswith(CONDITIONAL)


def _open_size(state: OrderState) -> str:
    left = (
        Decimal(amount_text(state.size, "size"))
        - Decimal(amount_text(state.filled, "filled size"))
        - Decimal(amount_text(state.prevented, "prevented size"))
    )
    return f"{max(left, Decimal(0)):f}"


def _reason(state: OrderState, kind: EventKind) -> OrderReason:
    if "SELF_TRADE" in state.reason or state.status == "EXPIRED_IN_MATCH":
        return OrderReason.SELF_TRADE
    if kind is EventKind.ORDER_EXPIRED:
        if state.in_force == "GTX":
            return OrderReason.WOULD_TAKE
        taking = state.in_force in UNFILLED or state.kind == "MARKET"
        return OrderReason.UNFILLED if taking else OrderReason.VENUE
    if kind is EventKind.ORDER_REJECTED:
        would_take = "GTX" in state.reason or "TAKE" in state.reason
        return OrderReason.WOULD_TAKE if would_take else OrderReason.VENUE
    return OrderReason.REQUESTED


def order_event(state: OrderState, number: int) -> DraftEvent:
    """Say what an order's state is evidence of; fills apart.

    Raises
    ------
    DecodeError
        If the state is not one that the venue documents.
    """
    kind = KINDS.get(state.status)
    if kind is None:
        raise DecodeError(f"{state.status[:80]!r} is not a state of an order")
    if kind is EventKind.ORDER_ACCEPTED and state.waits and state.status == "NEW":
        kind = EventKind.ORDER_UNTRIGGERED
    side = side_of(state.side)
    if kind is EventKind.ORDER_REJECTED:
        aux = int(_reason(state, kind))
        return DraftEvent(kind=kind, time=state.time, aux=aux, link=number, side=side)
    ended = kind in (EventKind.ORDER_CANCELED, EventKind.ORDER_EXPIRED)
    told = kind in (EventKind.ORDER_ACCEPTED, EventKind.ORDER_UNTRIGGERED)
    price = state.trigger if kind is EventKind.ORDER_UNTRIGGERED else state.price
    return DraftEvent(
        kind=kind,
        time=state.time,
        price=price_text(price, zero=True) if told else 0,
        size=size_text(_open_size(state), "open size"),
        sequence=state.order_id,
        aux=int(_reason(state, kind)) if ended else -1,
        link=number,
        side=side,
    )


def fill_event(
    *,
    side: str,
    price: str,
    size: str,
    trade: int,
    fee: tuple[str, str],
    time: int,
    number: int,
    maker: bool,
    flags: EventFlag = EventFlag.NONE,
) -> DraftEvent | None:
    """Say what a fill is evidence of; None where there is no size, and so no fill.

    Parameters
    ----------
    fee : (str, str)
        Amount and asset.
    """
    if is_zero(amount_text(size, "fill size")):
        return None
    if trade < 0:
        raise DecodeError(f"a fill with trade id {trade}")
    return DraftEvent(
        kind=EventKind.ORDER_FILLED,
        time=time,
        price=price_text(price, "fill price"),
        size=size_text(size, "fill size", zero=False),
        sequence=trade,
        aux=fee_text(*fee),
        link=number,
        side=side_of(side),
        flags=int(flags | (EventFlag.MAKER if maker else 0)),
    )
