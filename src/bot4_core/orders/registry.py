"""All orders of a run: evidence in, changes out, and what is reserved kept up to date."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import numpy as np

from bot4_core.domain_types.canonical_types import (
    ClientOrderId,
    InstrumentId,
    Nanoseconds,
    OrderNumber,
)
from bot4_core.domain_types.instruments import Instrument
from bot4_core.domain_types.order_codes import LocalEvidence, OrderAlarm
from bot4_core.domain_types.orders import Fill, Order
from bot4_core.domain_types.records import (
    EVENT_DTYPE,
    EventKind,
    OrderStatus,
    Records,
)
from bot4_core.errors import OrderError
from bot4_core.jit import entry_point
from bot4_core.kernels.order_desk import (
    ALARMED,
    CHANGED,
    NO_FILL_ROOM,
    OUTCOMES,
    STRANGE_FILL,
    STRANGE_KIND,
    STRANGER,
    alarms_at,
    create_first,
    file_event,
    file_local,
)
from bot4_core.kernels.order_rows import NOBODY, Slot
from bot4_core.kernels.tables import Tables
from bot4_core.orders.changes import OrderChange
from bot4_core.orders.client_ids import ClientIds
from bot4_core.orders.fills import FillReader
from bot4_core.orders.linked_plans import LinkedPlan
from bot4_core.orders.order_tables import enlarge_fills, enlarge_orders, new_order_tables
from bot4_core.orders.working import WorkingOrder

__all__ = ["Orders"]

KEEP_FINISHED: Final = 16_384
FINAL_AFTER: Final = 10_000_000_000
_TRADES: Final = frozenset(
    {EventKind.ORDER_FILLED, EventKind.TRADE_BUSTED, EventKind.TRADE_CORRECTED}
)
KIND: Final = 8
"""Where an EVENT row has its kind."""


class Orders:
    """Every order of one run, by number; the front of the order desk.

    Parameters
    ----------
    instruments : sequence of Instrument
        Position = instrument id.
    tag : str
        Sixteen hexadecimal digits that mark the run's client order ids.
    keep_finished : int
        Orders kept at least for late fills and questions; older finished ones live in the audit
        only.
    fee_assets : mapping of InstrumentId to (asset, exponent)
        What a fee with ``THIRD_ASSET_FEE`` is paid in.
    views : (n,) VIEW, optional
        Where ``open_buy`` and ``open_sell`` are kept: what every order not known to be over may
        yet fill. They grow when an order is created and fall on evidence only.

    Attributes
    ----------
    tables : Tables
        What kernels work on.
    ids : ClientIds
    plans : dict of int to LinkedPlan
        What the venue itself is to do with an order: its trigger, trail and visible size.
    """

    def __init__(
        self,
        instruments: Sequence[Instrument],
        tag: str,
        *,
        keep_finished: int = KEEP_FINISHED,
        fee_assets: Mapping[InstrumentId, tuple[str, int]] | None = None,
        views: Records | None = None,
        final_after: int = FINAL_AFTER,
    ) -> None:
        self.instruments = tuple(instruments)
        self.tag = tag
        self.ids = ClientIds(tag)
        self.plans: dict[int, LinkedPlan] = {}
        self.tables: Tables = new_order_tables(len(self.instruments), keep_finished, views)
        self._tally = self.tables[Slot.TALLY][0]
        self._tally["final_after"] = final_after
        self._fills = FillReader(self.instruments, fee_assets or {})
        self._outcome = np.zeros(OUTCOMES, np.int64)
        handle, nothing = self.tables.handle, np.zeros(1, EVENT_DTYPE)
        self._file = entry_point(file_event, handle, nothing, 0, self._outcome)
        self._local = entry_point(file_local, handle, 0, 0, 0, self._outcome)

    @property
    def last_number(self) -> int:
        """The number of the newest order."""
        return int(self._tally["last_number"])

    @property
    def next_number(self) -> OrderNumber:
        """The number that the next order must carry."""
        return OrderNumber(self.last_number + 1)

    @property
    def open_count(self) -> int:
        """Number of orders that are not finished."""
        return int(self._tally["open"])

    @property
    def duplicates(self) -> int:
        """Evidence that changed nothing."""
        return int(self._tally["duplicates"])

    @property
    def orphans(self) -> int:
        """Evidence about orders that are not ours, or no longer kept."""
        return int(self._tally["orphans"])

    @property
    def counts(self) -> dict[OrderStatus, int]:
        """Orders by present status, retired ones included."""
        return dict(zip(OrderStatus, self._tally["counts"].tolist(), strict=True))

    @property
    def open_buy(self) -> list[int]:
        """Reserved size to buy, by instrument id."""
        return list(self.tables[Slot.VIEWS]["open_buy"].tolist())

    @property
    def open_sell(self) -> list[int]:
        """Reserved size to sell, by instrument id."""
        return list(self.tables[Slot.VIEWS]["open_sell"].tolist())

    def client_id(self, number: int) -> ClientOrderId:
        """Return the client order id of an order, with the mark of the run that made it."""
        return self.ids.of(number)

    def adopt(self, intents: Records, client_id: str) -> WorkingOrder:
        """Register a working order that this program did not make, under its own client id."""
        self.ids.adopt(int(intents["number"][0]), client_id)
        return self.create(intents)

    def recall(self, fill: Fill) -> None:
        """Remember a trade of an order that is not kept, so that it is not booked twice."""
        self._fills.recall(fill)

    def inherit(self, last_number: int, tag: str) -> None:
        """Say that the orders up to a number are those of an earlier run, with its mark."""
        self.ids.inherit(last_number, tag)
        self._tally["last_number"] = last_number

    def create(self, intents: Records) -> WorkingOrder:
        """Register the one INTENT row and reserve its size, before anything is sent.

        Raises
        ------
        OrderError
            If the number is not the next one or the size is not positive.
        """
        number, _, side, _, _, _, _, size, _ = intents.item(0)
        if number != self.last_number + 1:
            raise OrderError(f"order number {number} is not the next one, {self.last_number + 1}")
        if size <= 0 or side not in (-1, 1):
            raise OrderError(f"order {number}: size {size} and side {side} are not an order")
        while create_first(self.tables.handle, intents) < 0:
            enlarge_orders(self.tables)
        return self[number]

    def replace(self, number: int, intents: Records, time: Nanoseconds | int) -> WorkingOrder:
        """Register an order that a venue is asked to put in the place of another one.

        A replacement has two legs, and each is an order with evidence of its own: the cancel leg
        is the old order, ``PENDING_REPLACE`` until it is known to have ended or to work on; the
        other leg is the new one. Either may fail alone. Both stay reserved until evidence frees
        them, so that the worst case counts both.

        Raises
        ------
        OrderError
            If there is no such order, or the new one is not on its instrument and side.
        """
        old = self[number]
        if (intents["instrument"][0], intents["side"][0]) != (old.instrument, old.side):
            raise OrderError(f"order {number} is replaced on its own instrument and side only")
        made = self.create(intents)
        self.tables[Slot.ORDERS]["replaces"][self.place(made.number)] = number
        self.note(number, LocalEvidence.REPLACE_REQUESTED, time)
        return self[made.number]

    def apply(self, events: Records, at: int = 0) -> OrderChange | None:
        """File one EVENT row of an order kind; None when it told nothing new.

        Evidence on orders that this run did not make is counted in ``orphans``; their fills are
        returned all the same, because they move the position.

        Raises
        ------
        OrderError
            If the kind says nothing of orders, or a fill has no trade id or no size.
        """
        code = self._file(self.tables.handle, events, at, self._outcome)
        while code == NO_FILL_ROOM:
            enlarge_fills(self.tables)
            code = self._file(self.tables.handle, events, at, self._outcome)
        if code == CHANGED:
            return self._filed(events, at)
        if code == ALARMED:
            return self._outcome_change()
        fields: tuple[int, ...] = tuple(events[at].item())
        if code == STRANGER:
            return self._stranger(fields)
        self._refuse(code, fields)
        return None

    def _refuse(self, code: int, fields: tuple[int, ...]) -> None:
        _, _, _, size, trade, _, number, _, kind, _, _ = fields
        if code == STRANGE_KIND:
            raise OrderError(f"event kind {kind} says nothing of orders")
        if code == STRANGE_FILL:
            raise OrderError(
                f"fill of order {number} has trade id {trade} and size {size}: where a venue sends"
                " no trade id, its adapter makes one from the cumulative quantity"
            )

    def _filed(self, events: Records, at: int) -> OrderChange:
        place, before, after, alarms, booked, taken_back, price, fee, flags = self._outcome.tolist()
        order = self._at(place)
        change = OrderChange(
            order, OrderStatus(before), OrderStatus(after), alarms=OrderAlarm(alarms)
        )
        if not booked and not taken_back:
            return change
        fields: tuple[int, ...] = tuple(events[at].item())
        if booked:
            change.fill, missing = self._fills.read(fields, order.instrument, order.side)
            change.alarms |= missing
        if taken_back:
            told = *fields[:2], price, taken_back, fields[4], fee, *fields[6:10], flags
            change.reversal = self._fills.read(told, order.instrument, order.side)[0].reversal()
        return change

    def note(
        self, number: int, evidence: LocalEvidence, time: Nanoseconds | int
    ) -> OrderChange | None:
        """Add local evidence; None when it told nothing new.

        Raises
        ------
        OrderError
            If there is no such order.
        """
        code = self._local(self.tables.handle, number, int(evidence), time, self._outcome)
        if code == STRANGER:
            raise self._unknown(number)
        if code != CHANGED:
            return None
        return self._outcome_change()

    def _outcome_change(self) -> OrderChange:
        place, before, after, alarms = self._outcome.tolist()[:4]
        return OrderChange(
            self._at(place), OrderStatus(before), OrderStatus(after), alarms=OrderAlarm(alarms)
        )

    def _stranger(self, fields: tuple[int, ...]) -> OrderChange | None:
        """Hand on the trades of an order that is not ours, once; count anything else."""
        if fields[KIND] not in _TRADES:
            self._tally["orphans"] += 1
            return None
        booking = self._fills.stranger(fields)
        if booking is None:
            self._tally["duplicates"] += 1
            return None
        self._tally["orphans"] += 1
        unknown = OrderStatus.UNKNOWN
        reversal, fill, alarms = booking
        return OrderChange(None, unknown, unknown, fill, alarms, reversal)

    def _at(self, place: int) -> WorkingOrder:
        """Read the order in a row, with its fills."""
        row, rows = self.tables[Slot.ORDERS][place], self.tables[Slot.FILLS]
        fills: dict[int, tuple[int, int]] = {}
        fill = int(row["first_fill"])
        while fill != NOBODY:
            trade, price, size, _, _, _, _, fill = rows[fill].item()
            if size:
                fills[trade] = price, size
        return WorkingOrder.of(row, fills)

    def working(self, instrument: int) -> tuple[WorkingOrder, ...]:
        """Return the orders of an instrument that are not finished, oldest first."""
        found = []
        place = int(self.tables[Slot.DESKS]["oldest"][instrument])
        while place != NOBODY:
            found.append(self._at(place))
            place = int(self.tables[Slot.ORDERS]["newer"][place])
        return tuple(found)

    def in_doubt(self) -> tuple[WorkingOrder, ...]:
        """Return the orders whose fate nobody knows, oldest first, to be queried at the venue."""
        return tuple(order for order in self if order.status is OrderStatus.UNKNOWN)

    def alarms(self, number: int) -> OrderAlarm:
        """Return what is wrong with an order's evidence."""
        return OrderAlarm(alarms_at(self.tables.handle, self.place(number)))

    def place(self, number: int) -> int:
        """Return the row of an order.

        Raises
        ------
        OrderError
            If there is no such order, or it is no longer kept.
        """
        rows = self.tables[Slot.ORDERS]
        place = number & (len(rows) - 1)
        if number <= 0 or rows["number"][place] != number:
            raise self._unknown(number)
        return place

    def _unknown(self, number: int) -> OrderError:
        return OrderError(f"there is no order {number} (last number {self.last_number})")

    def __getitem__(self, number: int) -> WorkingOrder:
        return self._at(self.place(number))

    def __contains__(self, number: int) -> bool:
        rows = self.tables[Slot.ORDERS]
        return number > 0 and bool(rows["number"][number & (len(rows) - 1)] == number)

    def __len__(self) -> int:
        return int(np.count_nonzero(self.tables[Slot.ORDERS]["number"]))

    def __iter__(self) -> Iterator[WorkingOrder]:
        """Yield the unfinished orders by instrument, oldest first."""
        for instrument in range(len(self.instruments)):
            yield from self.working(instrument)

    def is_linked(self, number: int) -> bool:
        """Tell whether an order is a child of a linked order."""
        return bool(self.tables[Slot.ORDERS]["linked"][self.place(number)])

    def terms(self, number: int) -> tuple[int, int] | None:
        """Return instrument and side of an order, None if it is not kept."""
        if number not in self:
            return None
        row = self.tables[Slot.ORDERS][self.place(number)]
        return int(row["instrument"]), int(row["side"])

    def snapshot(self, number: int) -> Order:
        """Return an order as a domain object."""
        order = self[number]
        rules = self.instruments[order.instrument]
        return order.snapshot(rules, self.client_id(number), self.plans.get(number))

    def check(self) -> None:
        """Recount what is kept incrementally.

        Raises
        ------
        OrderError
            If a reservation, a count or a filled size is not what the orders add up to.
        """
        for side, kept in ((1, self.open_buy), (-1, self.open_sell)):
            for instrument, total in enumerate(kept):
                group = self.working(instrument)
                counted = sum(order.reserved for order in group if order.side == side)
                if counted != total:
                    raise OrderError(
                        f"instrument {instrument}: {total} reserved, {counted} counted"
                    )
        counted = sum(self.counts.values())
        if counted != self.last_number:
            raise OrderError(f"{counted} orders counted of {self.last_number}")
        for place in np.flatnonzero(self.tables[Slot.ORDERS]["number"]).tolist():
            order = self._at(place)
            if order.filled != sum(size for _, size in order.fills.values()):
                raise OrderError(
                    f"order {order.number}: {order.filled} is not the sum of its fills"
                )
