"""What an earlier run left behind, read from its audit log.

The log holds every order with the evidence about it, every booking and every trip. A run that
continues another one starts with the orders that were not over, the same books, and the same
breakers tripped.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import attrs

from bot4_core.audit import AuditQuery, find_segments, search
from bot4_core.domain_types.accounts import FundingPayment, Transfer
from bot4_core.domain_types.audit_records import AuditKind, AuditRecord
from bot4_core.domain_types.canonical_types import (
    InstrumentId,
    Money,
    Nanoseconds,
    OrderNumber,
    Price,
    Quantity,
    scaled_from_text,
)
from bot4_core.domain_types.decisions import BreakerEffect, BreakerScope, BreakerVerdict
from bot4_core.domain_types.instruments import Instrument
from bot4_core.domain_types.orders import Fill, FillOrigin
from bot4_core.domain_types.records import OrderFlag, OrderStatus, OrderType, Side, TimeInForce
from bot4_core.errors import AuditError
from bot4_core.orders.client_ids import run_tag
from bot4_core.orders.restoring import KeptOrder, KeptOrders
from bot4_core.risk.ledger import LedgerEntry
from bot4_core.session.link_records import KeptLink, KeptLinks

__all__ = ["CONTINUES", "Recovered", "last_run", "recover", "recovered_from"]

CONTINUES: Final = "continues"
"""The fact of a run's start that names the run it continues."""
AT_MARKET: Final = "market"
TELLING: Final = (
    AuditKind.RUN_START,
    AuditKind.INTENT,
    AuditKind.REFUSAL,
    AuditKind.LINKED,
    AuditKind.SEND,
    AuditKind.ACK,
    AuditKind.FILL,
    AuditKind.CANCEL,
    AuditKind.REJECT,
    AuditKind.EXPIRY,
    AuditKind.UNKNOWN,
    AuditKind.FUNDING,
    AuditKind.TRANSFER,
    AuditKind.BREAKER_TRIP,
    AuditKind.BREAKER_REARM,
)


@attrs.frozen(kw_only=True)
class Recovered:
    """What a run left behind, with those that it continued.

    Attributes
    ----------
    run : str
    time : int
        Event time of its last record, ns.
    orders : KeptOrders
    entries : tuple of LedgerEntry
        Everything that was booked.
    trips : tuple of BreakerVerdict
        What was tripped and not armed again.
    links : tuple of KeptLink
        The linked orders by number, with those that are over.
    """

    run: str
    time: int
    orders: KeptOrders
    entries: tuple[LedgerEntry, ...]
    trips: tuple[BreakerVerdict, ...]
    links: tuple[KeptLink, ...] = ()


def recover(path: Path | str, instruments: Sequence[Instrument]) -> Recovered:
    """Read what the last run of a log left behind.

    Raises
    ------
    AuditError
        If the log cannot be read, or tells of an instrument that is not among these.
    ChainError
        If a record was changed.
    """
    return recovered_from(search(path, AuditQuery(kinds=TELLING)), instruments)


def last_run(path: Path) -> str:
    """Return the name of the last run in a log, empty where there is no log.

    Raises
    ------
    AuditError
        If the log cannot be read.
    ChainError
        If a record was changed.
    """
    if not find_segments(path):  # the first may have been put aside
        return ""
    starts = search(path, AuditQuery(kinds=(AuditKind.RUN_START,)))
    return max(((each.sequence, each.run) for each in starts), default=(0, ""))[1]


def recovered_from(records: Iterable[AuditRecord], instruments: Sequence[Instrument]) -> Recovered:
    """Return what records say of the last run among them, as ``recover``."""
    story = _Story(instruments)
    for record in records:
        story.take(record)
    return story.told()


class _Story:
    """Follows the records of runs; a run that continues no other one starts from nothing."""

    def __init__(self, instruments: Sequence[Instrument]) -> None:
        self._instruments = tuple(instruments)
        self._numbers = {str(each.symbol): at for at, each in enumerate(instruments)}
        self._begin("")

    def _begin(self, run: str) -> None:
        self.run, self.time, self.last = run, 0, 0
        self.runs: list[tuple[int, str]] = []
        self.orders: dict[int, KeptOrder] = {}
        self.finished: Counter[OrderStatus] = Counter()
        self.entries: list[LedgerEntry] = []
        self.trips: dict[tuple[str, int], BreakerVerdict] = {}
        self.links = KeptLinks()

    def told(self) -> Recovered:
        """Return what everything so far amounts to."""
        runs = [*self.runs, (self.last, run_tag(self.run))] if self.run else self.runs
        return Recovered(
            run=self.run,
            time=self.time,
            orders=KeptOrders(open=self.orders, finished=self.finished, runs=tuple(runs)),
            entries=tuple(self.entries),
            trips=tuple(self.trips.values()),
            links=tuple(self.links.links.values()),
        )

    def take(self, record: AuditRecord) -> None:
        """Follow one record."""
        payload: dict[str, Any] = json.loads(record.payload)
        kind, time = record.kind, int(record.event_time)
        self.time = max(self.time, time)
        if kind is AuditKind.RUN_START:
            self._start(record.run, payload)
        elif kind in (AuditKind.INTENT, AuditKind.REFUSAL):
            self._decided(kind, payload, time)
        elif kind is AuditKind.LINKED:
            self._link(payload)
        elif kind is AuditKind.SEND:
            self._sent(payload, time)
        elif kind in (AuditKind.BREAKER_TRIP, AuditKind.BREAKER_REARM):
            self._held(kind, payload, record.event_time)
        elif kind is AuditKind.FUNDING:
            self._funding(payload, record.event_time)
        elif kind is AuditKind.TRANSFER:
            amount, asset = _money(payload["amount"]), payload["asset"]
            self.entries.append(Transfer(asset=asset, amount=amount, time=record.event_time))
        else:
            self._evidence(payload, time)

    def _held(self, kind: AuditKind, payload: Mapping[str, Any], time: Nanoseconds) -> None:
        if kind is AuditKind.BREAKER_TRIP:
            self._trip(payload, time)
            return
        for symbol in payload["instruments"]:
            self.trips.pop((payload["breaker"], self._number(symbol)), None)

    def _decided(self, kind: AuditKind, payload: Mapping[str, Any], time: int) -> None:
        self._child(payload, time)
        if kind is AuditKind.INTENT:
            self._intent(payload["order"], time, payload.get("adopted", ""))

    def _start(self, run: str, payload: Mapping[str, Any]) -> None:
        if self.run and payload["facts"].get(CONTINUES) == self.run:
            self.runs.append((self.last, run_tag(self.run)))
            self.run = run
        else:
            self._begin(run)

    def _intent(self, order: Mapping[str, Any], time: int, adopted: str) -> None:
        number = self._number(order["instrument"])
        rules = self._instruments[number]
        price = order["price"]
        terms = (
            int(order["number"]),
            number,
            int(Side[order["side"].upper()]),
            int(OrderType[order["type"].upper()]),
            int(TimeInForce[order["time_in_force"].upper()]),
            sum(OrderFlag[name.upper()] for name in order["flags"]),
            0 if price == AT_MARKET else scaled_from_text(price, rules.price_exponent),
            scaled_from_text(order["size"], rules.size_exponent),
            time,
        )
        self.orders[terms[0]] = KeptOrder(terms=terms, adopted=adopted)
        self.last = max(self.last, terms[0])

    def _sent(self, payload: Mapping[str, Any], time: int) -> None:
        order = self.orders.get(payload["number"])
        if order is not None and payload["what"] == "cancel":
            order.cancels.append(time)

    def _child(self, payload: Mapping[str, Any], time: int) -> None:
        """Take note of a child of a linked order."""
        told, order = payload.get("linked"), payload["order"]
        if told is not None:
            exponent = self._instruments[self._number(order["instrument"])].size_exponent
            size = scaled_from_text(order["size"], exponent)
            self.links.child(told, int(order["number"]), size, time)

    def _link(self, payload: Mapping[str, Any]) -> None:
        if payload["what"] == "placed":
            number = self._number(payload["instrument"])
            self.links.placed(payload, self._instruments[number], number)
        else:
            self.links.step(payload, self._instruments)

    def _evidence(self, payload: Mapping[str, Any], time: int) -> None:
        order = self.orders.get(payload["order"])
        if "trade" in payload:
            fill = self._fill(payload)
            self.entries.append(fill)
            if order is not None:
                order.fills.append(fill)
        if order is None or "evidence" not in payload:
            return
        order.evidence = tuple(payload["evidence"])
        order.status = OrderStatus[payload["status"].upper()]
        if order.status >= OrderStatus.FILLED:
            filled = sum(
                -each.size.value if each.reverses else each.size.value for each in order.fills
            )
            self.links.over(order.terms[0], order.status, filled, time)
        if order.status >= OrderStatus.FILLED and not payload["reserved"]:
            self.finished[order.status] += 1
            del self.orders[order.terms[0]]

    def _fill(self, payload: Mapping[str, Any]) -> Fill:
        number = self._number(payload["instrument"])
        rules = self._instruments[number]
        return Fill(
            order=OrderNumber(payload["order"]),
            instrument=InstrumentId(number),
            side=Side[payload["side"].upper()],
            price=Price(
                scaled_from_text(payload["price"], rules.price_exponent), rules.price_exponent
            ),
            size=Quantity(
                scaled_from_text(payload["size"], rules.size_exponent), rules.size_exponent
            ),
            fee=_money(payload["fee"]),
            fee_asset=payload["fee_asset"],
            time=Nanoseconds(payload["time"]),
            trade_id=payload["trade"],
            maker=bool(payload["maker"]),
            origin=FillOrigin(payload["origin"]),
            reverses=bool(payload["reverses"]),
        )

    def _funding(self, payload: Mapping[str, Any], time: Nanoseconds) -> None:
        self.entries.append(
            FundingPayment(
                instrument=InstrumentId(self._number(payload["instrument"])),
                amount=_money(payload["amount"]),
                asset=payload["asset"],
                time=time,
            )
        )

    def _trip(self, payload: Mapping[str, Any], time: Nanoseconds) -> None:
        number, scope = self._number(payload["instrument"]), BreakerScope(payload["scope"])
        verdict = BreakerVerdict(
            breaker=payload["breaker"],
            effect=BreakerEffect[payload["effect"].upper()],
            scope=scope,
            instrument=InstrumentId(number),
            time=time,
            reason=payload["reason"],
        )
        self.trips[payload["breaker"], number] = verdict

    def _number(self, symbol: str) -> int:
        number = self._numbers.get(symbol)
        if number is None:
            raise AuditError(f"the log tells of {symbol}, which this session does not trade")
        return number


def _money(text: str) -> Money:
    """Read an amount at as many decimals as it was written with."""
    exponent = -len(text.partition(".")[2])
    return Money(scaled_from_text(text, exponent), exponent)
