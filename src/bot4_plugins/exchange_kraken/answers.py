"""What the venue answers to frames that trade: taken, refused, or nobody knows."""

from typing import Final

import msgspec
from msgspec import UNSET, UnsetType

from bot4_core.domain_types.records import EventKind, OrderReason
from bot4_plugins.exchange_kraken.errors import DEFINITIVE, error_code, reason_of
from bot4_plugins.exchange_kraken.messages import whole_number
from bot4_plugins.exchange_kraken.order_directory import KnownOrder, OrderDirectory
from bot4_plugins.venue_toolkit.drafts import DraftEvent, DraftMessage, draft_message
from bot4_plugins.venue_toolkit.id_numbers import number_of_id
from bot4_plugins.venue_toolkit.strict_json import NumberText, typed
from bot4_plugins.venue_toolkit.time_text import timestamp_nanoseconds

__all__ = ["ORDER_METHODS", "accepted", "answer_events", "cancel_refused", "in_doubt", "refused"]

CHANGES: Final = frozenset({"cancel_order", "amend_order", "edit_order"})
ORDER_METHODS: Final = CHANGES | {"add_order"}


class _Result(msgspec.Struct):
    order_id: str = ""


class _Answer(msgspec.Struct, kw_only=True):
    method: str
    success: bool
    error: str = ""
    req_id: NumberText | UnsetType = UNSET
    result: _Result | UnsetType = UNSET
    time_out: str = ""


def accepted(order: KnownOrder, order_id: str, time: int = 0) -> DraftMessage:
    """Tell that the venue took an order."""
    kind = EventKind.ORDER_UNTRIGGERED if order.triggered else EventKind.ORDER_ACCEPTED
    event = DraftEvent(
        kind=kind,
        time=time,
        size=-1,
        sequence=number_of_id(order_id),
        link=order.number,
        side=order.side,
    )
    return draft_message(order.symbol, event)


def refused(order: KnownOrder, error: str, time: int = 0) -> DraftMessage:
    """Tell what an error says of a new order: refused where the code proves it, else in doubt."""
    if error_code(error) not in DEFINITIVE:
        return in_doubt(order, time)
    return _told(order, EventKind.ORDER_REJECTED, int(reason_of(error)), time)


def in_doubt(order: KnownOrder, time: int = 0) -> DraftMessage:
    """Tell that nobody knows what became of a new order."""
    return _told(order, EventKind.ORDER_IN_DOUBT, int(OrderReason.VENUE), time)


def cancel_refused(order: KnownOrder, error: str, time: int = 0) -> DraftMessage:
    """Tell that an order was not cancelled or changed."""
    return _told(order, EventKind.CANCEL_REJECTED, int(reason_of(error)), time)


def _told(order: KnownOrder, kind: EventKind, reason: int, time: int) -> DraftMessage:
    event = DraftEvent(kind=kind, time=time, aux=reason, link=order.number, side=order.side)
    return draft_message(order.symbol, event)


def answer_events(content: dict[str, object], orders: OrderDirectory) -> list[DraftMessage]:
    """Say what the answer to a frame of `ORDER_METHODS` means; its number is the order's."""
    answer = typed(content, _Answer)
    number = -1 if answer.req_id is UNSET else whole_number(answer.req_id, "request number")
    order = orders.sent(number)
    if order is None:
        return []
    time = timestamp_nanoseconds(answer.time_out) if answer.time_out else 0
    if answer.method in CHANGES:
        return [] if answer.success else [cancel_refused(order, answer.error, time)]
    if not answer.success:
        return [refused(order, answer.error, time)]
    if answer.result is UNSET or not answer.result.order_id:
        return [in_doubt(order, time)]
    orders.learn(answer.result.order_id, order)
    return [accepted(order, answer.result.order_id, time)]
