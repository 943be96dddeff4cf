"""The staged driver: walks the stages of a decision from Python, message by message."""

from typing import Final

import numpy as np

from bot4_core.domain_types.canonical_types import InstrumentId, Nanoseconds
from bot4_core.domain_types.decisions import BreakerEffect, BreakerScope, BreakerVerdict
from bot4_core.domain_types.records import EVENT_DTYPE, BookState, EventKind, OrderStatus
from bot4_core.errors import ValidationError
from bot4_core.jit import entry_point
from bot4_core.kernels.book import apply_events
from bot4_core.kernels.step import HEAD_SLOTS, MARKET, ORDER, next_message, show_market
from bot4_core.orders import OrderAlarm, Target
from bot4_core.plugins.interfaces import Records
from bot4_core.risk.panel import STRIKES, Strike
from bot4_core.session.effects import Grounds, Resync
from bot4_core.session.order_notes import change_notes, gap_note, strike_note, trip_note
from bot4_core.session.ordering import AT_MARKET, GTC, IOC, LIMIT
from bot4_core.session.planner import POST_ONLY, Wanted, restrict
from bot4_core.session.state import SessionState

__all__ = ["StagedDriver"]

LIVE: Final = int(BookState.LIVE)
FIRST_ORDER: Final = int(EventKind.ORDER_ACCEPTED)
REJECTED: Final = int(EventKind.ORDER_REJECTED)
CANCEL_ALL: Final = int(BreakerEffect.CANCEL_ALL)
FLATTEN: Final = int(BreakerEffect.FLATTEN)
CLOSED: Final = frozenset({OrderStatus.REJECTED, OrderStatus.EXPIRED})


class StagedDriver:
    """Takes messages through book, view, breakers, strategy, sizer, plan and gate.

    Parameters
    ----------
    state : SessionState
    """

    def __init__(self, state: SessionState) -> None:
        self._state = state
        self._head = np.zeros(HEAD_SLOTS, np.int64)
        books, views, memory = state.books, state.views, state.features.states
        words, nothing = books.memory.words, np.zeros(1, EVENT_DTYPE)
        self._next = entry_point(next_message, nothing, 0, 1, self._head)
        self._apply = entry_point(apply_events, books.rows, words, nothing, 0, 1)
        self._show = entry_point(show_market, books.rows, words, views, memory, self._head)
        self._memory = memory
        self._known_wanted: list[int] = books.rows["wanted"].tolist()
        self._touches: list[tuple[int, int]] = [(0, 0)] * len(views)
        self._settled: list[list[Target] | None] = [None] * len(views)
        self._strikes = 0
        self._rows = views

    def run(self, records: Records, start: int, stop: int) -> None:
        """Take in whole messages from ``start`` to ``stop``."""
        state, head = self._state, self._head
        books, views, memory = state.books, self._rows, self._memory
        while start < stop:
            end = self._next(records, start, stop, head)
            done = self._apply(books.rows, books.memory.words, records, start, end)
            if done < end and books.apply(records, done, end) < end:
                fault = "the records end within a message"
                raise ValidationError([(f"records[{start}]", fault)])
            self._show(books.rows, books.memory.words, views, memory, head)
            instrument, groups, received, _, live, bid, ask, wanted = head.tolist()
            state.messages += 1
            state.events += end - start
            state.now = max(state.now, received)
            if groups & ORDER:
                self._take_orders(records, start, end)
            if groups & MARKET:
                if wanted != self._known_wanted[instrument]:
                    self._lost_book(instrument, wanted, state.now)
                self._decide(instrument, live == LIVE, (bid, ask), state.now)
            start = end

    def reconsider(self, instrument: int) -> None:
        """Plan an instrument's quotes anew, even if the same ones are wanted."""
        self._settled[instrument] = None

    def trip(self, verdict: BreakerVerdict) -> None:
        """Latch a verdict from outside the panel and do what it asks."""
        self._tripped([self._state.panel.trip(verdict)])

    def _take_orders(self, records: Records, start: int, end: int) -> None:
        state = self._state
        for place in range(start, end):
            event = records[place]
            if event["kind"] < FIRST_ORDER:
                continue
            change = state.account.apply(event, state.now)
            if change is None:
                continue
            number = int(event["link"])
            instrument = int(event["instrument"])
            self._settled[instrument] = None
            client_id = state.account.orders.client_id(number) if change.order is not None else ""
            venue = str(state.instruments[instrument].venue)
            state.ordering.effects += change_notes(change, client_id, venue, state.now)
            if change.after in CLOSED and change.order is not None:
                state.ordering.let_rest(instrument, change.order.side, state.now)
            if change.alarms:
                self._alarm(instrument, change.alarms)

    def _alarm(self, instrument: int, alarms: OrderAlarm) -> None:
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

    def _decide(self, instrument: int, live: bool, touch: tuple[int, int], now: int) -> None:
        state = self._state
        account, panel = state.account, state.panel
        if live and touch != self._touches[instrument]:
            self._touches[instrument] = touch
            if account.ledger.sizes[instrument]:
                account.revalue(instrument, *touch, now)
        tripped = panel.observe(instrument, now)
        if panel.strikes:
            self._note_strikes()
        if tripped:
            self._tripped(tripped)
        effect = panel.effects[instrument]
        if not live or effect >= CANCEL_ALL:
            self._stand_back(instrument, effect, now)
        elif self._strikes < STRIKES and not state.closing:
            self._ask(instrument, effect, touch, now)

    def _stand_back(self, instrument: int, effect: int, now: int) -> None:
        """Leave nothing working on an instrument that may not be quoted now."""
        ordering = self._state.ordering
        if self._state.account.orders.working(instrument):
            reason = "breaker" if effect >= CANCEL_ALL else "the book is not live"
            ordering.cancel_all(instrument, reason, now)
        elif effect == FLATTEN:
            view = self._rows[instrument : instrument + 1].tobytes()
            ordering.flatten(instrument, view, "breaker: flatten", now)

    def _ask(self, instrument: int, effect: int, touch: tuple[int, int], now: int) -> None:
        """Ask strategy and sizer, and bring the orders in line with the answer."""
        state = self._state
        state.decisions += 1
        try:
            count = state.strategy.decide[instrument]()
            if not count:
                return
            wanted = state.planner.wanted(count, instrument, touch)
            self._order(instrument, wanted, effect, now)
        except Exception as error:  # noqa: BLE001 - whatever a foreign part raises
            self._strike(instrument, error, now)

    def _order(self, instrument: int, wanted: Wanted, effect: int, now: int) -> None:
        state = self._state
        ordering, planner = state.ordering, state.planner
        targets, flags = wanted.targets, POST_ONLY if planner.post_only else 0
        if effect:
            targets, reduce = restrict(targets, effect, state.account.ledger.sizes[instrument])
            flags |= reduce
        if targets == self._settled[instrument] and not wanted.takes:
            return
        standing = state.account.orders.working(instrument)
        cancels, orders = planner.plan(targets, standing, instrument)
        if not cancels and not orders:
            self._settled[instrument] = targets
            if not wanted.takes:
                return
        else:
            self._settled[instrument] = None
        for order in cancels:
            ordering.cancel(order, "requote", now)
        for side, price, wish in orders:
            if ordering.resting(instrument, side, now):
                continue
            size = self._fitting(instrument, side, price, wish)
            if size > 0:
                terms = (side, LIMIT, GTC, flags, price, size)
                grounds = self._grounds(instrument, wanted.origin.get((side, price), 0), wish)
                ordering.place(instrument, terms, grounds, now)
        for take, number in wanted.takes:
            self._take_now(instrument, take, number, now)

    def _take_now(self, instrument: int, take: Target, number: int, now: int) -> None:
        """Send a taking order, unless one of its side is still on its way."""
        ordering = self._state.ordering
        side, price, wish = take
        working = self._state.account.orders.working(instrument)
        on_its_way = any(o.side == side and o.time_in_force == IOC for o in working)
        size = self._fitting(instrument, side, price, wish)
        if size <= 0 or on_its_way or ordering.resting(instrument, side, now):
            return
        kind = LIMIT if price else AT_MARKET
        grounds = self._grounds(instrument, number, wish)
        ordering.place(instrument, (side, kind, IOC, 0, price, size), grounds, now)

    def _fitting(self, instrument: int, side: int, price: int, size: int) -> int:
        """Cut a size to what is left of the position limit; what reduces is left as it is."""
        held = self._state.account.ledger.sizes[instrument] * side
        if held + size <= 0:
            return size
        twice = max(sum(self._touches[instrument]), 2 * price)
        return self._state.planner.fitting(instrument, side, size, twice)

    def _grounds(self, instrument: int, number: int, size: int) -> Grounds:
        sizer = self._state.sizer
        signal, reason, values = self._state.strategy.given(number)
        return Grounds(
            self._rows[instrument : instrument + 1].tobytes(),
            signal,
            reason,
            values,
            size,
            sizer.sizer.name,
            sizer.values(instrument),
        )

    def _lost_book(self, instrument: int, wanted: int, now: int) -> None:
        """Ask for a snapshot after a gap."""
        effects, state = self._state.ordering.effects, self._state
        self._known_wanted[instrument] = wanted
        last = int(state.books.rows[instrument]["last"])
        effects.append(gap_note(state.instruments[instrument], last, now))
        effects.append(Resync(instrument, now))

    def _tripped(self, verdicts: list[BreakerVerdict]) -> None:
        state = self._state
        for verdict in verdicts:
            state.ordering.effects.append(trip_note(verdict, state.instruments))
        for instrument, effect in enumerate(state.panel.effects):
            if effect >= CANCEL_ALL:
                state.ordering.cancel_all(instrument, "breaker", state.now)

    def _note_strikes(self) -> None:
        strikes = self._state.panel.strikes
        self._state.ordering.effects += [strike_note(strike) for strike in strikes]
        strikes.clear()

    def _strike(self, instrument: int, error: Exception, now: int) -> None:
        """Count an error of the strategy or the sizer; after three, end its orders and itself."""
        self._strikes += 1
        out = self._strikes >= STRIKES
        strike = Strike(
            part=self._state.strategy.strategy.name,
            count=self._strikes,
            disabled=out,
            time=Nanoseconds(now),
            error=f"{type(error).__name__}: {error}",
        )
        self._state.ordering.effects.append(strike_note(strike))
        if out:
            for number in range(len(self._state.instruments)):
                self._state.ordering.cancel_all(number, "the strategy is disabled", now)
