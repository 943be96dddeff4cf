"""What the private channels say of orders and trades."""

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Final

import msgspec
from msgspec import UNSET, UnsetType

from bot4_core.domain_types.records import EventFlag, EventKind, OrderReason
from bot4_core.errors import DecodeError
from bot4_plugins.exchange_kraken.messages import whole_number
from bot4_plugins.exchange_kraken.order_directory import KnownOrder, OrderDirectory
from bot4_plugins.exchange_kraken.slow_decoder import side_of
from bot4_plugins.venue_toolkit.drafts import (
    DraftEvent,
    DraftMessage,
    DraftValue,
    FeeText,
    amount_text,
    draft_message,
    fee_text,
    price_text,
    size_text,
)
from bot4_plugins.venue_toolkit.id_numbers import number_of_id
from bot4_plugins.venue_toolkit.strict_json import NumberText, checked_symbol, typed
from bot4_plugins.venue_toolkit.time_text import timestamp_nanoseconds

__all__ = ["ExecutionBody", "ExecutionReader", "open_size"]

Number = NumberText | UnsetType
SEVERAL: Final = "several"
"""Stands for the asset of fees that are paid in more than one."""
SILENT: Final = frozenset({"pending_new", "filled", "iceberg_refill"})
"""Kinds that say nothing that another does not: a complete order is known by its trades."""
WORKING: Final = frozenset({"new", "amended", "restated", "status"})
ENDS: Final = {"canceled": EventKind.ORDER_CANCELED, "expired": EventKind.ORDER_EXPIRED}
REASONS: Final = {
    "User requested": OrderReason.REQUESTED,
    "Post only order": OrderReason.WOULD_TAKE,
    "Self trade prevention": OrderReason.SELF_TRADE,
    "Cannot be filled": OrderReason.UNFILLED,
}


class _Fee(msgspec.Struct):
    asset: str
    qty: NumberText


class _Trigger(msgspec.Struct):
    status: str = ""


class ExecutionBody(msgspec.Struct, kw_only=True):
    """One row of ``executions``; later rows of an order name little more than its id."""

    order_id: str
    exec_type: str
    timestamp: str
    order_status: str = ""
    symbol: str = ""
    side: str = ""
    cl_ord_id: str = ""
    order_type: str = ""
    reason: str = ""
    liquidity_ind: str = ""
    liquidated: bool = False
    order_qty: Number = UNSET
    cum_qty: Number = UNSET
    limit_price: Number = UNSET
    last_price: Number = UNSET
    last_qty: Number = UNSET
    trade_id: Number = UNSET
    fees: list[_Fee] = []
    triggers: _Trigger | UnsetType = UNSET


def _required(number: Number, what: str) -> str:
    if number is UNSET:
        raise DecodeError(f"an execution without {what}")
    return number.text


def _decimal(number: Number, what: str) -> Decimal | None:
    return None if number is UNSET else Decimal(amount_text(number.text, what))


def open_size(size: Decimal | None, filled: Decimal | None) -> DraftValue:
    """Return what is not yet filled, -1 where that is not known."""
    if size is None or filled is None:
        return -1
    return size_text(f"{max(size - filled, Decimal(0)):f}", "open size")


def _fee(fees: Sequence[_Fee]) -> DraftValue:
    if not fees:
        return 0
    texts = [fee_text(fee.qty.text, fee.asset) for fee in fees]
    total = sum((Decimal(each.text) for each in texts), Decimal(0))
    assets = {each.asset for each in texts}
    return FeeText(f"{total:f}", assets.pop() if len(assets) == 1 else SEVERAL)


class ExecutionReader:
    """Makes order events of the venue's executions, and learns whose orders they are of.

    Attributes
    ----------
    foreign : int
        Messages of orders that are not ours, of pairs that are not followed.
    """

    def __init__(
        self,
        orders: OrderDirectory,
        number_of: Callable[[str], int],
        follows: Callable[[str], bool],
    ) -> None:
        self._orders = orders
        self._number_of = number_of
        self._follows = follows
        self.foreign = 0

    def read(self, rows: Sequence[object]) -> list[DraftMessage]:
        """Return the events of a message's rows."""
        found = []
        for row in rows:
            body = typed(row, ExecutionBody)
            order = self._learn(body)
            if order.number < 0 and not self._follows(order.symbol):
                self.foreign += 1
                continue
            event = self._event(body, order)
            if event is not None:
                found.append(draft_message(checked_symbol(order.symbol), event))
        return found

    def _learn(self, body: ExecutionBody) -> KnownOrder:
        told = KnownOrder(
            number=self._number_of(body.cl_ord_id) if body.cl_ord_id else -1,
            symbol=body.symbol,
            size=_decimal(body.order_qty, "order size"),
            triggered=body.triggers is not UNSET and body.triggers.status == "untriggered",
            side=int(side_of(body.side)) if body.side else 0,
        )
        return self._orders.learn(body.order_id, told)

    def _event(self, body: ExecutionBody, order: KnownOrder) -> DraftEvent | None:
        kind = body.exec_type
        if kind == "trade":
            return _fill(body, order)
        if kind in WORKING:
            return _working(body, order)
        if kind in ENDS:
            return _end(body, order)
        if kind in SILENT:
            return None
        raise DecodeError(f"unknown execution {kind[:80]!r}")


def _fill(body: ExecutionBody, order: KnownOrder) -> DraftEvent:
    flags = EventFlag.MAKER if body.liquidity_ind == "m" else EventFlag.NONE
    if body.liquidated:
        flags |= EventFlag.LIQUIDATED
    if body.trade_id is UNSET:
        raise DecodeError("a trade without number")
    return DraftEvent(
        kind=EventKind.ORDER_FILLED,
        time=timestamp_nanoseconds(body.timestamp),
        price=price_text(_required(body.last_price, "price")),
        size=size_text(_required(body.last_qty, "size"), zero=False),
        sequence=whole_number(body.trade_id, "trade id"),
        aux=_fee(body.fees),
        link=order.number,
        side=order.side,
        flags=int(flags),
    )


def _working(body: ExecutionBody, order: KnownOrder) -> DraftEvent:
    """Tell that an order works; whether it still waits for a price, its trigger says."""
    waits = body.triggers is not UNSET and body.triggers.status == "untriggered"
    waits |= body.triggers is UNSET and order.triggered and body.exec_type == "new"
    price = 0 if body.limit_price is UNSET else price_text(body.limit_price.text, zero=True)
    return DraftEvent(
        kind=EventKind.ORDER_UNTRIGGERED if waits else EventKind.ORDER_ACCEPTED,
        time=timestamp_nanoseconds(body.timestamp),
        price=price,
        size=open_size(order.size, _decimal(body.cum_qty, "filled size")),
        sequence=number_of_id(body.order_id),
        link=order.number,
        side=order.side,
    )


def _end(body: ExecutionBody, order: KnownOrder) -> DraftEvent:
    return DraftEvent(
        kind=ENDS[body.exec_type],
        time=timestamp_nanoseconds(body.timestamp),
        size=open_size(order.size, _decimal(body.cum_qty, "filled size")),
        sequence=number_of_id(body.order_id),
        aux=int(REASONS.get(body.reason, OrderReason.VENUE)),
        link=order.number,
        side=order.side,
    )
