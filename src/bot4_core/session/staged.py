"""The staged driver: walks the stages of a decision from Python, message by message."""

from collections import Counter
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bot4_core.domain_types.canonical_types import InstrumentId, Nanoseconds
from bot4_core.domain_types.decisions import BreakerEffect, BreakerScope, BreakerVerdict
from bot4_core.domain_types.instruments import InstrumentStatus
from bot4_core.domain_types.records import (
    EVENT_DTYPE,
    BookState,
    EventKind,
    OrderFlag,
    OrderStatus,
)
from bot4_core.errors import PluginError, ValidationError
from bot4_core.jit import entry_point
from bot4_core.kernels.decision import (
    ACT,
    ALONE,
    BY_PYTHON,
    DECIDED,
    DUE,
    NO_BOOK_ROOM,
    OBSERVE_AND_ACT,
    READY,
    STAND_BACK,
    TRIPPED,
    take_in,
    think,
)
from bot4_core.kernels.order_entry import KEEP_LINKED, NOT_AGAIN
from bot4_core.kernels.order_rows import CALLING_SIZER, CALLING_STRATEGY, Slot
from bot4_core.kernels.step import HEAD_SLOTS, MARKET, ORDER, OTHER, show_market
from bot4_core.orders import OrderAlarm
from bot4_core.plugins.interfaces import Record, Records
from bot4_core.risk.panel import STRIKES, Strike
from bot4_core.session.effects import Resync
from bot4_core.session.funding import FundingSchedule
from bot4_core.session.order_notes import (
    change_notes,
    funding_note,
    gap_note,
    status_note,
    strike_note,
    trip_note,
)
from bot4_core.session.ordering import MOST_WAITING, REQUOTE
from bot4_core.session.state import SessionState

__all__ = ["StagedDriver"]

LIVE: Final = int(BookState.LIVE)
FIRST_ORDER: Final = int(EventKind.ORDER_ACCEPTED)
REJECTED: Final = int(EventKind.ORDER_REJECTED)
REDUCE_ONLY: Final = int(OrderFlag.REDUCE_ONLY)
CANCEL_ALL: Final = int(BreakerEffect.CANCEL_ALL)
FLATTEN: Final = int(BreakerEffect.FLATTEN)
END: Final = 9
"""Where ``head`` says which record comes after the message."""
ACTIONS: Final = 6  # of the integers of a TALLY row
DECISIONS: Final = 9
NOW: Final = 12
CLOSED: Final = frozenset({OrderStatus.REJECTED, OrderStatus.EXPIRED})


class StagedDriver:
    """Takes messages through book, view, breakers, strategy, sizer, plan and gate.

    Parameters
    ----------
    state : SessionState
    """

    def __init__(self, state: SessionState) -> None:
        self._state = state
        self._ordering = state.ordering
        self._head = np.zeros(HEAD_SLOTS, np.int64)
        self._ends = self._head.data
        self._handle = handle = state.ordering.tables.handle
        self._desks = state.ordering.tables[Slot.DESKS]
        self._tally = state.ordering.tables[Slot.TALLY]
        self._counts = self._tally.view(np.int64).data
        self._desks["wanted_snapshots"] = state.books.rows["wanted"]
        state.books.bind()
        memory, nothing = state.books.memory.words, np.zeros(1, EVENT_DTYPE)
        self._features = features = state.features.states
        book = (state.books.rows, memory, nothing, (0, 1))
        self._take = entry_point(take_in, *book, handle, features, self._head)
        self._think = entry_point(think, handle, self._head, OBSERVE_AND_ACT)
        self._show = entry_point(show_market, *book[:2], state.views, features, self._head)
        self._asking = state.ordering.tables[Slot.CONDUCT]["asking"].data
        self._funding = FundingSchedule(state.instruments)
        self._strikes: Counter[str] = Counter()

    def run(self, records: Records, start: int, stop: int) -> None:
        """Take in whole messages from ``start`` to ``stop``."""
        books, handle, features, head = self._state.books, self._handle, self._features, self._head
        ends, counts, take = self._ends, self._counts, self._take
        while start < stop:
            span = (start, stop)
            code = take(books.rows, books.memory.words, records, span, handle, features, head)
            if code == BY_PYTHON:
                self._decide_by_python(ends[0], ends[4] == LIVE, counts[NOW])
            elif code == READY:
                code = self._thought(OBSERVE_AND_ACT)
                if code:
                    self._go_on(code, records, start)
            else:
                self._go_on(code, records, start)
            start = ends[END]
            if counts[ACTIONS] > MOST_WAITING:
                self._ordering.drain(REQUOTE)

    def finish(self, code: int, records: Records, start: int, head: NDArray[np.int64]) -> None:
        """Do from Python what another loop over the same kernels left of a message.

        Parameters
        ----------
        code : int
            Of ``follow`` or ``think``.
        records : (n,) EVENT
        start : int
            Of the message.
        head : (HEAD_SLOTS,) int64
            What the kernels found of it.
        """
        self._head[:] = head
        self._go_on(code, records, start)

    def struck(self, error: Exception, head: NDArray[np.int64]) -> int:
        """Count what a compiled part raised over a message; return as ``think``."""
        self._head[:] = head
        return self._struck(int(head[0]), error)

    def _thought(self, task: int) -> int:
        """Let the compiled parts think; what they raise counts against them."""
        try:
            return self._think(self._handle, self._head, task)
        except Exception as error:  # noqa: BLE001 - whatever a foreign part raises
            return self._struck(self._ends[0], error)

    def _go_on(self, code: int, records: Records, start: int) -> None:
        """Do from Python what the compiled step left."""
        if code == NO_BOOK_ROOM:
            self._take_rest(records, start)
        instrument, groups, _, _, live, bid, ask, wanted, _, end = self._head[:10].tolist()
        alone = code in (NO_BOOK_ROOM, ALONE)
        if alone and groups & ORDER:
            self._take_orders(records, start, end)
            self._see_to_links(records, start, end)
        if alone and groups & OTHER:
            self._take_others(records, start, end)
        now = self._state.now
        if groups & (MARKET | OTHER) and now >= self._tally["due"][0]:
            self._state.inquiries.see_to(now)
        if alone and not groups & MARKET:
            return
        if wanted != self._desks["wanted_snapshots"][instrument]:
            self._lost_book(instrument, wanted, now)
        if alone and live == LIVE:
            self._revalue(instrument, (bid, ask))
        if alone or code == DUE:
            self._state.links.attend(instrument, now)
        if alone or code in (BY_PYTHON, DUE):
            self._decide(instrument, live == LIVE, now)
        else:
            self._follow(code, instrument, now)

    def _take_rest(self, records: Records, start: int) -> None:
        """Take in what a book had no room for."""
        state = self._state
        books, (done, end) = state.books, self._head[8:10].tolist()
        if books.apply(records, done, end) < end:
            fault = "the records end within a message"
            raise ValidationError([(f"records[{start}]", fault)])
        rows, words = books.rows, books.memory.words
        self._show(rows, words, state.views, self._features, self._head)

    def _revalue(self, instrument: int, touch: tuple[int, int]) -> None:
        """Value what is held at the best prices of a LIVE book, if they are new ones."""
        desk = self._desks[instrument]
        if (desk["bid"], desk["ask"]) != touch:
            desk["bid"], desk["ask"] = touch
            self._state.account.revalue(instrument, self._state.now)

    def _decide(self, instrument: int, live: bool, now: int) -> None:
        """Let breakers observe, and decide."""
        if self._ordering.compiled:
            self._follow(self._thought(OBSERVE_AND_ACT), instrument, now)
        else:
            self._decide_by_python(instrument, live, now)

    def _decide_by_python(self, instrument: int, live: bool, now: int) -> None:
        """Let breakers observe one by one, and decide with the parts in their own forms."""
        panel = self._state.panel
        tripped = panel.observe(instrument, now)
        if panel.strikes:
            self._note_strikes()
        if tripped:
            self._tripped(tripped)
        effect = panel.effects[instrument]
        if not live or effect >= CANCEL_ALL:
            self._stand_back(instrument, effect, now)
        elif self._asking[0]:
            self._ask(instrument, now)

    def _follow(self, code: int, instrument: int, now: int) -> None:
        """Do what a compiled decision asks for."""
        if code == TRIPPED:
            self._latch(instrument, now)
            code = self._thought(ACT)
        if code == STAND_BACK:
            self._stand_back(instrument, self._state.panel.effects[instrument], now)
        elif code:
            try:
                self._ordering.check(code, instrument)
            except PluginError as error:
                self._strike(error, now, self._ordering.culprit(code))

    def _latch(self, instrument: int, now: int) -> None:
        """Latch what compiled breakers want; silence those that are out."""
        panel, breakers = self._state.panel, self._ordering.breakers
        verdicts = panel.latch(instrument, breakers.observed(), now)
        self._note_strikes()
        self._tripped(verdicts)
        self._silence()

    def _silence(self) -> None:
        """Let compiled breakers that are out observe nothing any more."""
        for place in self._state.panel.out():
            self._ordering.breakers.silence(place)

    def _struck(self, instrument: int, error: Exception) -> int:
        """Count an error that a compiled part raised; let the breakers after it observe."""
        panel, now = self._state.panel, self._state.now
        observing = int(self._tally["observing"][0])
        if not observing:
            self._strike(error, now, int(self._tally["calling"][0]))
            return DECIDED
        self._tally["observing"] = 0
        self._latch(instrument, now)
        verdicts = panel.strike(observing - 1, instrument, now, error)
        self._note_strikes()
        self._tripped(list(verdicts))
        self._silence()
        self._tally["first_breaker"] = observing
        code = self._thought(OBSERVE_AND_ACT)
        self._tally["first_breaker"] = 0
        return code

    def trip(self, verdict: BreakerVerdict) -> None:
        """Latch a verdict from outside the panel and do what it asks."""
        self._tripped([self._state.panel.trip(verdict)])

    def _take_orders(self, records: Records, start: int, end: int) -> None:
        state = self._state
        for place in range(start, end):
            if records["kind"][place] < FIRST_ORDER:
                continue
            change = state.account.apply(records, place)
            if change is None:
                continue
            instrument = int(records["instrument"][place])
            state.ordering.reconsider(instrument)
            known = change.order is not None
            number = int(records["link"][place])
            client_id = state.account.orders.client_id(number) if known else ""
            rules = state.instruments[instrument]
            self._ordering.say(*change_notes(change, client_id, rules, state.now))
            if change.after in CLOSED and change.order is not None:
                state.ordering.let_rest(instrument, change.order.side, state.now)
            if change.alarms:
                self.alarm(instrument, change.alarms)

    def _see_to_links(self, records: Records, start: int, end: int) -> None:
        """Let linked orders follow at once what was said of their children."""
        if self._state.links:
            for instrument in sorted(set(records["instrument"][start:end].tolist())):
                self._state.links.attend(instrument, self._state.now)

    def _take_others(self, records: Records, start: int, end: int) -> None:
        """Follow mark prices, funding and the venue's status of instruments."""
        for place in range(start, end):
            event = records[place]
            kind, instrument = int(event["kind"]), int(event["instrument"])
            if kind == EventKind.MARK:
                self._funding.mark(instrument, int(event["price"]))
            elif kind == EventKind.FUNDING:
                self._fund(instrument, event)
            elif kind == EventKind.STATUS:
                self._follow_status(instrument, int(event["aux"]))

    def _fund(self, instrument: int, event: Record) -> None:
        """Book the settlement that an announcement shows to have passed."""
        state, now = self._state, int(event["time"]) or self._state.now
        due = self._funding.announce(instrument, int(event["price"]), int(event["aux"]), now)
        payment = state.account.fund(instrument, due, state.now) if due is not None else None
        if due is not None and payment is not None:
            self._ordering.say(funding_note(state.instruments[instrument], payment, due.rate))

    def _follow_status(self, instrument: int, code: int) -> None:
        """Hold orders to what the venue lets anybody do with an instrument."""
        statuses, state = tuple(InstrumentStatus), self._state
        status = statuses[code] if 0 <= code < len(statuses) else InstrumentStatus.UNKNOWN
        if status is not state.gate.status(instrument):
            state.gate.set_status(instrument, status)
            self._ordering.say(status_note(state.instruments[instrument], status, state.now))

    def alarm(self, instrument: int, alarms: OrderAlarm) -> None:
        """Stop new risk where evidence on an order does not fit."""
        names = ", ".join(each.name.lower() for each in OrderAlarm if each & alarms and each.name)
        self.trip(
            BreakerVerdict(
                breaker="order_evidence",
                effect=BreakerEffect.BLOCK_OPEN,
                scope=BreakerScope.SESSION,
                instrument=InstrumentId(instrument),
                time=Nanoseconds(self._state.now),
                reason=names,
            )
        )

    def _stand_back(self, instrument: int, effect: int, now: int) -> None:
        """Leave nothing working on an instrument that may not be quoted now."""
        ordering = self._state.ordering
        if self._desks["working"][instrument]:
            broken = effect >= CANCEL_ALL
            reason, spared = ("breaker", 0) if broken else ("the book is not live", KEEP_LINKED)
            ordering.cancel_all(instrument, reason, now, spared | NOT_AGAIN)
        elif effect == FLATTEN:
            held = self._state.account.ledger.sizes[instrument]
            ordering.flatten(instrument, held, "breaker: flatten", now)

    def _ask(self, instrument: int, now: int) -> None:
        """Ask strategy and sizer in their own forms, and bring the orders in line."""
        state, ordering = self._state, self._ordering
        self._counts[DECISIONS] += 1
        calling = CALLING_STRATEGY
        try:
            count = state.strategy.decide[instrument]()
            if count:
                calling = CALLING_SIZER
                state.sizer.size_all(count, instrument)
                calling = CALLING_STRATEGY
                if state.strategy.linking:
                    state.links.take_over(instrument, state.strategy, state.sizer.sized, now)
                code = ordering.order(self._handle, instrument, count, now)
                calling = ordering.culprit(code)
                ordering.finish(code, instrument, now)
        except Exception as error:  # noqa: BLE001 - whatever a foreign part raises
            self._strike(error, now, calling)
        if self._counts[ACTIONS]:
            ordering.drain(REQUOTE)

    def _lost_book(self, instrument: int, wanted: int, now: int) -> None:
        """Ask for a snapshot after a gap."""
        state = self._state
        self._desks["wanted_snapshots"][instrument] = wanted
        last = int(state.books.rows[instrument]["last"])
        note = gap_note(state.instruments[instrument], last, now)
        self._ordering.say(note, Resync(instrument, now))

    def _tripped(self, verdicts: list[BreakerVerdict]) -> None:
        state = self._state
        self._ordering.say(*(trip_note(verdict, state.instruments) for verdict in verdicts))
        state.links.look_again()
        for instrument, effect in enumerate(state.panel.effects):
            if effect:
                spared = 0 if effect >= CANCEL_ALL else REDUCE_ONLY
                state.ordering.cancel_all(instrument, "breaker", state.now, spared)

    def _note_strikes(self) -> None:
        strikes = self._state.panel.strikes
        self._ordering.say(*map(strike_note, strikes))
        strikes.clear()

    def _strike(self, error: Exception, now: int, calling: int) -> None:
        """Count an error of a part that orders are made by; after three, ask for none any more."""
        part = self._ordering.part_name(calling)
        self._strikes[part] += 1
        out = self._strikes[part] >= STRIKES
        strike = Strike(
            part=part,
            count=self._strikes[part],
            disabled=out,
            time=Nanoseconds(now),
            error=f"{type(error).__name__}: {error}",
        )
        self._ordering.say(strike_note(strike))
        if out:
            self._state.close()
            for number in range(len(self._state.instruments)):
                reason = f"{part} is disabled"
                self._state.ordering.cancel_all(number, reason, now, KEEP_LINKED)
