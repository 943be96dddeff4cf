"""All orders of a run: evidence in, changes out, and what is reserved kept up to date."""

from collections.abc import Collection, Iterator, Mapping, Sequence

import attrs
import numpy as np

from bot4_core.domain_types.canonical_types import (
    ClientOrderId,
    InstrumentId,
    Money,
    Nanoseconds,
    OrderNumber,
    Price,
    Quantity,
)
from bot4_core.domain_types.instruments import Instrument
from bot4_core.domain_types.orders import Fill, Order
from bot4_core.domain_types.records import EventFlag, EventKind, OrderStatus, Side
from bot4_core.errors import OrderError
from bot4_core.orders.client_ids import client_order_id
from bot4_core.orders.evidence import LocalEvidence, OrderAlarm
from bot4_core.orders.working import WorkingOrder

__all__ = ["OrderChange", "Orders"]

_FILLED = int(EventKind.ORDER_FILLED)
_VENUE_KINDS = frozenset(
    {
        EventKind.ORDER_ACCEPTED,
        EventKind.ORDER_CANCELED,
        EventKind.ORDER_REJECTED,
        EventKind.ORDER_EXPIRED,
        EventKind.CANCEL_REJECTED,
    }
)
_MAKER = int(EventFlag.MAKER)
_THIRD_ASSET = int(EventFlag.THIRD_ASSET_FEE)
_REMEMBERED_EXTERNAL = 4096


@attrs.define(eq=False)
class OrderChange:
    """What one piece of evidence changed.

    Attributes
    ----------
    order : WorkingOrder or None
        None where the order is not of this run (alarm ``EXTERNAL``).
    before, after : OrderStatus
        Equal where only quantities changed.
    fill : Fill or None
        A fill not seen before, to be booked.
    alarms : OrderAlarm
        All alarms of the order now.
    """

    order: WorkingOrder | None
    before: OrderStatus
    after: OrderStatus
    fill: Fill | None = None
    alarms: OrderAlarm = OrderAlarm.NONE


class Orders:
    """Every order of one run, by number; the single place where evidence is added.

    Parameters
    ----------
    instruments : sequence of Instrument
        Position = instrument id.
    tag : str
        Sixteen hexadecimal digits that mark the run's client order ids.
    keep_finished : int
        Finished orders kept for late fills and questions; older ones live in the audit only.
    fee_assets : mapping of InstrumentId to (asset, exponent)
        What a fee with ``THIRD_ASSET_FEE`` is paid in.

    Attributes
    ----------
    open_buy, open_sell : list of int
        Reserved size a side, by instrument id: what every order not known to be over may yet
        fill. Grows when an order is created, falls on evidence only.
    counts : dict of OrderStatus to int
        Orders by present status, retired ones included.
    duplicates, orphans : int
        Evidence that changed nothing, and evidence about orders that are not ours.
    """

    def __init__(
        self,
        instruments: Sequence[Instrument],
        tag: str,
        *,
        keep_finished: int = 65_536,
        fee_assets: Mapping[InstrumentId, tuple[str, int]] | None = None,
    ) -> None:
        self.instruments = list(instruments)
        self.tag = tag
        self.keep_finished = keep_finished
        self.fee_assets = dict(fee_assets or {})
        self.open_buy = [0] * len(self.instruments)
        self.open_sell = [0] * len(self.instruments)
        self.counts = dict.fromkeys(OrderStatus, 0)
        self.duplicates = 0
        self.orphans = 0
        self.last_number = 0
        self._orders: dict[int, WorkingOrder] = {}
        self._working: list[dict[int, WorkingOrder]] = [{} for _ in self.instruments]
        self._finished: dict[int, None] = {}
        self._external: dict[tuple[int, int], None] = {}

    def add_instrument(self, instrument: Instrument) -> InstrumentId:
        """Append an instrument that was seen after the start and return its id."""
        self.instruments.append(instrument)
        self.open_buy.append(0)
        self.open_sell.append(0)
        self._working.append({})
        return InstrumentId(len(self.instruments) - 1)

    @property
    def next_number(self) -> OrderNumber:
        """The number that the next order must carry."""
        return OrderNumber(self.last_number + 1)

    def client_id(self, number: int) -> ClientOrderId:
        """Return the client order id of one of this run's orders."""
        return client_order_id(self.tag, number)

    def create(self, intent: np.void) -> WorkingOrder:
        """Register an INTENT record and reserve its size, before anything is sent.

        Raises
        ------
        OrderError
            If the number is not the next one or the size is not positive.
        """
        order = WorkingOrder(intent)
        number, size = order.number, order.size
        if number != self.last_number + 1:
            raise OrderError(f"order number {number} is not the next one, {self.last_number + 1}")
        if size <= 0 or order.side not in (-1, 1):
            raise OrderError(f"order {number}: size {size} and side {order.side} are not an order")
        self._reserve(order, size)
        self.last_number = number
        self._orders[number] = order
        self._working[order.instrument][number] = order
        self.counts[OrderStatus.CREATED] += 1
        return order

    def apply(self, event: np.void) -> OrderChange | None:
        """Add an EVENT record of an order kind; None when it told nothing new.

        Evidence on orders that this run did not make is counted in ``orphans``; their fills are
        returned all the same, because they move the position.

        Raises
        ------
        OrderError
            If the kind says nothing of orders, or a fill has no trade id or no size.
        """
        fields: tuple[int, ...] = tuple(event.item())
        _, received, _, size, sequence, reason, number, _, kind, _, _ = fields
        if kind == _FILLED:
            return self._fill(fields)
        if kind not in _VENUE_KINDS:
            raise OrderError(f"event kind {kind} says nothing of orders")
        order = self._orders.get(number)
        if order is None:
            self.orphans += 1
            return None
        before, reserved = order.status, order.reserved
        known = (order.facts, order.cancel_refused, order.venue_filled)
        order.absorb(kind, received, size, sequence, reason)
        if known == (order.facts, order.cancel_refused, order.venue_filled):
            self.duplicates += 1
            return None
        return self._changed(order, before, reserved, None)

    def note(
        self, number: int, evidence: LocalEvidence, time: Nanoseconds | int
    ) -> OrderChange | None:
        """Add local evidence; None when it told nothing new.

        Raises
        ------
        OrderError
            If there is no such order.
        """
        order = self[number]
        before, facts, requested = order.status, order.facts, order.cancel_requested
        reserved = order.reserved
        order.absorb(evidence, time)
        if (before, facts, requested) == (order.status, order.facts, order.cancel_requested):
            return None
        return self._changed(order, before, reserved, None)

    def not_found(
        self, number: int, *, server_time: int, expiry: int, lag_margin: int
    ) -> OrderChange | None:
        """Add the venue's answer "no such order" to a query by client id.

        It is final only when the venue could no longer accept the order when it answered:
        ``server_time > sent + expiry + lag_margin``. Before that it proves nothing, changes
        nothing and returns None, and the reservation stays.

        Parameters
        ----------
        server_time : int
            The venue's clock when it answered, ns.
        expiry : int
            How long the venue accepts a request after it was signed, ns.
        lag_margin : int
            How far the venue's query side may lag behind its matching engine, ns.
        """
        order = self[number]
        if order.status != OrderStatus.UNKNOWN or server_time <= order.sent + expiry + lag_margin:
            return None
        return self.note(number, LocalEvidence.NEVER_ARRIVED, server_time)

    def _fill(self, fields: tuple[int, ...]) -> OrderChange | None:
        _, received, price, size, trade, _, number, _, _, _, flags = fields
        if trade < 0 or size <= 0:
            raise OrderError(
                f"fill of order {number} has trade id {trade} and size {size}: where a venue sends"
                " no trade id, its adapter makes one from the cumulative quantity"
            )
        order = self._orders.get(number)
        if order is None:
            return self._external_fill(fields)
        before, reserved = order.status, order.reserved
        if not order.absorb_fill(received, trade, price, size):
            self.duplicates += 1
            return None
        asset, exponent, alarms = self._fee_asset(order.instrument, flags)
        fill = self._as_fill(fields, order.instrument, order.side, (asset, exponent))
        return self._changed(order, before, reserved, fill, alarms)

    def _external_fill(self, fields: tuple[int, ...]) -> OrderChange | None:
        trade, instrument, side, flags = fields[4], fields[7], fields[9], fields[10]
        if not self._remember_external(instrument, trade):
            self.duplicates += 1
            return None
        self.orphans += 1
        asset, exponent, alarms = self._fee_asset(instrument, flags)
        fill = self._as_fill(fields, instrument, side, (asset, exponent))
        unknown = OrderStatus.UNKNOWN
        return OrderChange(None, unknown, unknown, fill, alarms | OrderAlarm.EXTERNAL)

    def _as_fill(
        self, fields: tuple[int, ...], instrument: int, side: int, fee_unit: tuple[str, int]
    ) -> Fill:
        time, received, price, size, trade, fee, number, _, _, _, flags = fields
        row = self.instruments[instrument]
        asset, exponent = fee_unit
        return Fill(
            order=OrderNumber(number),
            instrument=InstrumentId(instrument),
            side=Side(side),
            price=Price(price, row.price_exponent),
            size=Quantity(size, row.size_exponent),
            fee=Money(fee, exponent),
            fee_asset=asset,
            time=Nanoseconds(time or received),
            trade_id=trade,
            maker=bool(flags & _MAKER),
        )

    def _remember_external(self, instrument: int, trade: int) -> bool:
        """Deduplicate fills of foreign orders over the last few thousand."""
        key = instrument, trade
        if key in self._external:
            return False
        self._external[key] = None
        if len(self._external) > _REMEMBERED_EXTERNAL:
            del self._external[next(iter(self._external))]
        return True

    def _fee_asset(self, instrument: int, flags: int) -> tuple[str, int, OrderAlarm]:
        row = self.instruments[instrument]
        if not flags & _THIRD_ASSET:
            return row.settled_in, row.settlement_exponent, OrderAlarm.NONE
        named = self.fee_assets.get(InstrumentId(instrument))
        if named is None:
            return "?", row.settlement_exponent, OrderAlarm.FEE_ASSET
        return (*named, OrderAlarm.NONE)

    def _changed(
        self,
        order: WorkingOrder,
        before: OrderStatus,
        reserved: int,
        fill: Fill | None,
        alarms: OrderAlarm = OrderAlarm.NONE,
    ) -> OrderChange:
        after = order.status
        self._reserve(order, order.reserved - reserved)
        if after is not before:
            self.counts[before] -= 1
            self.counts[after] += 1
        if order.finished:
            self._finish(order)
        else:
            self._finished.pop(order.number, None)
            self._working[order.instrument][order.number] = order
        return OrderChange(order, before, after, fill, alarms | order.alarms)

    def _reserve(self, order: WorkingOrder, size: int) -> None:
        side = self.open_buy if order.side > 0 else self.open_sell
        side[order.instrument] += size

    def _finish(self, order: WorkingOrder) -> None:
        if self._working[order.instrument].pop(order.number, None) is None:
            return
        self._finished[order.number] = None
        if len(self._finished) > self.keep_finished:
            oldest = next(iter(self._finished))
            del self._finished[oldest], self._orders[oldest]

    def working(self, instrument: int) -> Collection[WorkingOrder]:
        """Return the orders of an instrument that are not finished, oldest first (a live view)."""
        return self._working[instrument].values()

    def in_doubt(self) -> tuple[WorkingOrder, ...]:
        """Return the orders whose fate nobody knows, oldest first, to be queried at the venue."""
        return tuple(order for order in self if order.status is OrderStatus.UNKNOWN)

    @property
    def open_count(self) -> int:
        """Number of orders that are not finished."""
        return sum(map(len, self._working))

    def __getitem__(self, number: int) -> WorkingOrder:
        order = self._orders.get(number)
        if order is None:
            raise OrderError(f"there is no order {number} (last number {self.last_number})")
        return order

    def __contains__(self, number: object) -> bool:
        return number in self._orders

    def __len__(self) -> int:
        return len(self._orders)

    def __iter__(self) -> Iterator[WorkingOrder]:
        """Yield the unfinished orders by instrument, oldest first."""
        for group in self._working:
            yield from tuple(group.values())

    def snapshot(self, number: int) -> Order:
        """Return an order as a domain object."""
        order = self[number]
        return order.snapshot(self.instruments[order.instrument], self.client_id(number))

    def check(self) -> None:
        """Recount what is kept incrementally.

        Raises
        ------
        OrderError
            If a reservation, a count or a filled size is not what the orders add up to.
        """
        for side, kept in ((1, self.open_buy), (-1, self.open_sell)):
            for instrument, total in enumerate(kept):
                group = self._working[instrument].values()
                counted = sum(order.reserved for order in group if order.side == side)
                if counted != total:
                    raise OrderError(
                        f"instrument {instrument}: {total} reserved, {counted} counted"
                    )
        if sum(self.counts.values()) != self.last_number:
            raise OrderError(f"{sum(self.counts.values())} orders counted of {self.last_number}")
        for order in self._orders.values():
            if order.filled != sum(size for _, size in order.fills.values()):
                raise OrderError(
                    f"order {order.number}: {order.filled} is not the sum of its fills"
                )
