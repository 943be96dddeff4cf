"""The fused driver: recorded messages through session and paper venue in one compiled loop."""

from typing import Final, Protocol

import numpy as np

from bot4_core.domain_types.order_codes import OrderAlarm
from bot4_core.domain_types.records import EVENT_DTYPE
from bot4_core.errors import NumberOverflowError
from bot4_core.jit import entry_point
from bot4_core.kernels.fused import (
    ACTIONS_DUE,
    ALARM,
    ANSWERS_DUE,
    BEFORE,
    ENDED,
    FILL_DUE,
    LEFT,
    MATCH,
    NO_DESK_ROOM,
    PAUSED,
    PHASE,
    SAMPLE_DUE,
    START,
    THINKING,
    UNSAFE_FEE,
    run_ahead,
)
from bot4_core.kernels.order_fills import OUTCOMES, Outcome
from bot4_core.kernels.order_rows import Slot
from bot4_core.kernels.step import HEAD_SLOTS
from bot4_core.plugins.interfaces import Records
from bot4_core.session.paper import PaperVenue
from bot4_core.session.ports import Clock
from bot4_core.session.session import Session

__all__ = ["FusedDriver", "Shell"]

BETWEEN: Final = 4096
"""Messages from one that is timed to the next."""
ALARMS: Final = int(Outcome.ALARMS)


class Shell(Protocol):
    """What the driver leaves to the one who runs the session."""

    def act(self) -> None:
        """Take the session's effects and do what they want."""

    def answer(self, answers: Records) -> None:
        """Let the session take in what the paper venue says, and do what it wants."""

    def sample(self, now: int) -> None:
        """Take a sample of the session."""

    def note_latency(self, begin: int) -> None:
        """Note how long one message took that was begun at a time of the clock."""


class FusedDriver:
    """Plays batches of recorded messages as the staged driver would, at compiled speed.

    It is the same kernels in the same order; the loop leaves compiled code where a part is a
    Python one, where a booking, a trip or an error has to be seen to, and, if effects are wanted
    in words, at each message that has any.

    Parameters
    ----------
    session : Session
    venue : PaperVenue
        Takes the session's orders.
    shell : Shell
    clock : Clock
        Times single messages now and then; nothing depends on it.
    spelled : bool
        Whether somebody wants every effect in words: an audit log, for instance. Otherwise the
        compiled loop hands orders to the paper venue by itself.
    """

    def __init__(
        self, session: Session, venue: PaperVenue, shell: Shell, clock: Clock, *, spelled: bool
    ) -> None:
        self._driver = session.driver
        self._clock = clock
        self._venue = venue
        self._shell = shell
        self._head = np.zeros(HEAD_SLOTS, np.int64)
        state = session.state
        self._account = state.account
        self._books, self._features = state.books, state.features.states
        self._tables = tables = state.ordering.tables
        answered, outcome = np.zeros(HEAD_SLOTS, np.int64), np.zeros(OUTCOMES, np.int64)
        self._answered, self._outcome = answered.data, outcome.data
        self._booking = np.zeros(1, EVENT_DTYPE)
        if not spelled:
            self._account.book_ahead()
        tables.put(Slot.REQUEST, np.zeros(8, np.int64))
        tables.put(Slot.ANSWER_HEAD, answered)
        tables.put(Slot.OUTCOME, outcome)
        tables.put(Slot.BOOKING, self._booking)
        tables[Slot.CONDUCT]["spelled"] = spelled
        self._show_answers()
        nothing = np.zeros(1, EVENT_DTYPE)
        sight, desk = venue.look(), venue.desk
        books = (self._books.rows, sight, nothing, 0, tables.handle, self._features)
        self._run = entry_point(run_ahead, *books, self._head, desk)
        self._head[LEFT] = 1

    def play(self, batch: Records) -> None:
        """Take in a batch of whole messages and what they make the venue answer."""
        head = self._head
        head[START], head[PHASE] = 0, BEFORE
        stop = len(batch)
        code = self._advance(batch, stop)
        while code != ENDED:
            self._see_to(code, batch)
            code = self._advance(batch, stop)

    def _advance(self, batch: Records, stop: int) -> int:
        """Run until Python is needed; what a compiled part raises counts against it."""
        venue, tables, rows = self._venue, self._tables.handle, self._books.rows
        head, sight, features = self._head, venue.look(), self._features
        if venue.desk is not self._desk:
            self._show_answers()
        begin = self._clock.perf_counter_ns() if head[LEFT] == 1 else 0
        try:
            code = self._run(rows, sight, batch, stop, tables, features, head, venue.desk)
        except Exception as error:
            if head[PHASE] != THINKING:
                raise
            head[PHASE] = MATCH
            code = self._driver.struck(error, head) or ACTIONS_DUE
        if begin:
            self._shell.note_latency(begin)
            head[LEFT] = BETWEEN
        return code

    def _see_to(self, code: int, batch: Records) -> None:
        """Do from Python what the loop stopped for."""
        head, shell = self._head, self._shell
        if code == FILL_DUE:
            self._book()
            return
        if code == NO_DESK_ROOM:
            self._venue.grow()
        elif code == ANSWERS_DUE:
            shell.answer(self._venue.due(int(head[2])))
        elif code == ALARM:
            self._raise_alarm()
        elif code == UNSAFE_FEE:
            raise NumberOverflowError("the fee of an order leaves 64 bits")
        elif code == SAMPLE_DUE:
            shell.sample(int(head[2]))
        elif code == PAUSED:
            head[LEFT] = head[LEFT] or 1
        elif code != ACTIONS_DUE:
            self._driver.finish(code, batch, int(head[START]), head)
            shell.act()
            head[8] = head[START]
        else:
            shell.act()
            head[8] = head[START]

    def _book(self) -> None:
        """Book the fill that was filed last."""
        self._account.book_filed(self._booking)
        if self._outcome[ALARMS]:
            self._raise_alarm()

    def _raise_alarm(self) -> None:
        """Stop new risk where evidence does not fit, before the other answers are taken in."""
        rest = self._venue.ready(int(self._head[2]))
        self._driver.alarm(self._answered[0], OrderAlarm(self._outcome[ALARMS]))
        self._shell.answer(rest)

    def _show_answers(self) -> None:
        """Put the paper venue's waiting answers among the tables; they move when it grows."""
        self._desk = self._venue.desk
        self._tables.put(Slot.ANSWERS, self._venue.answers)
