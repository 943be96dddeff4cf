"""The paper venue: orders of ours matched against the market data of somewhere else."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bot4_core.domain_types.instruments import Instrument
from bot4_core.domain_types.records import EVENT_DTYPE
from bot4_core.errors import NumberOverflowError
from bot4_core.jit import entry_point
from bot4_core.kernels.matching import (
    advance,
    match_events,
    minds_market,
    submit,
    submit_cancel,
)
from bot4_core.kernels.matching_sight import Sight, see
from bot4_core.kernels.matching_state import (
    ARRIVES,
    HIGHEST_RATE,
    INSTRUMENTS,
    INVERSE,
    OPEN_ORDERS,
    OUT,
    OUT_AT,
    OUT_ROOM,
    POSITION,
    REQUEST_FIRST,
    REQUEST_WORDS,
    REQUESTS,
    REQUESTS_AT,
    event_rows,
    grow_desk,
    terms_of,
    waiting_answers,
)
from bot4_core.market.order_book import Books
from bot4_core.plugins.interfaces import Record, Records
from bot4_core.session.paper_desk import PRODUCT_LIMIT, matching_terms, paper_desk
from bot4_core.session.paper_settings import FeeTier, PaperSettings

__all__ = ["FeeTier", "PaperSettings", "PaperVenue", "matching_terms"]

NEVER: Final = 2**63 - 1
REMEMBERED_ORDERS: Final = 65_536


class PaperVenue:
    """Match our orders against market data that somebody else makes.

    For each market message of a session: call ``due(received)`` before the books take it in,
    handle what it returns, let the books take the message in, then call ``on_market``.

    Parameters
    ----------
    table : (instruments,) INSTRUMENT_DTYPE
        Row number is the instrument id.
    instruments : sequence of Instrument
        Same order; fees, minimums and status are read here.
    settings : PaperSettings
    books : Books
        The books that the session keeps.
    seed : int
        Of drawn latencies.

    Notes
    -----
    Fees are integers at the settlement exponent, rounded up: what is paid is never understated,
    a rebate never overstated.
    """

    def __init__(
        self,
        table: Records,
        instruments: Sequence[Instrument],
        settings: PaperSettings,
        books: Books,
        seed: int = 0,
    ) -> None:
        self.settings = settings
        self._books = books
        self._seen = books.rows
        self._sight = see(books.rows, books.memory.words)
        self._desk = paper_desk(table, instruments, settings, seed)
        self._words = self._desk.data  # the same, a number of which is read for a third
        self._placed: dict[int, tuple[int, int]] = {}
        self._compile()

    def _compile(self) -> None:
        """Compile before the first event."""
        desk, sight = self._desk, self.look()
        self._submit = entry_point(submit, desk, desk, 0)
        self._submit_cancel = entry_point(submit_cancel, desk, 0, 0, 0, 0)
        self._advance = entry_point(advance, desk, sight, 0)
        self._minds_market = entry_point(minds_market, desk)
        self._match = entry_point(match_events, desk, sight, np.zeros(1, EVENT_DTYPE), 0, 0)

    @property
    def open_orders(self) -> int:
        """Orders that rest or are on their way."""
        return int(self._desk[OPEN_ORDERS])

    @property
    def next_time(self) -> int:
        """When ``due`` has something to do next if the market stays silent."""
        desk = self._desk
        first = NEVER
        if desk[REQUESTS]:
            first = int(desk[desk[REQUESTS_AT] + REQUEST_WORDS * desk[REQUEST_FIRST] + ARRIVES])
        if desk[OUT]:
            first = min(first, int(waiting_answers(desk)[0]["received"]))
        return first

    def position(self, instrument: int) -> int:
        """Return the signed scaled position that reduce-only orders are judged by."""
        return int(self._desk[terms_of(self._desk, instrument) + POSITION])

    def place(self, intent: Record) -> None:
        """Send an order at its ``time``.

        Raises
        ------
        NumberOverflowError
            If the order's fee could leave 64 bits.
        """
        number, instrument = int(intent["number"]), int(intent["instrument"])
        if 0 <= instrument < self._desk[INSTRUMENTS]:
            self._check_fee(number, instrument, int(intent["size"]))
        row = np.frombuffer(intent.tobytes(), np.int64)
        while not self._submit(self._desk, row, int(intent["time"])):
            self.grow()
        self._placed[number] = (instrument, int(intent["side"]))
        if len(self._placed) > REMEMBERED_ORDERS:
            del self._placed[next(iter(self._placed))]

    def _check_fee(self, number: int, instrument: int, size: int) -> None:
        at = int(terms_of(self._desk, instrument))
        rate = int(self._desk[at + HIGHEST_RATE])
        if self._desk[at + INVERSE] and size * rate > PRODUCT_LIMIT:
            raise NumberOverflowError(f"the fee of order {number} leaves 64 bits")

    def cancel(self, number: int, time: int, of: tuple[int, int] | None = None) -> None:
        """Send the cancellation of an order.

        Parameters
        ----------
        number : int
        time : int
        of : (instrument, side), optional
            Of an order that was not placed by ``place``.
        """
        instrument, side = of or self._placed.get(number, (0, 0))
        while not self._submit_cancel(self._desk, number, instrument, side, time):
            self.grow()

    def due(self, now: int) -> Records:
        """Let requests that arrived by now meet the books, and return the answers due by now.

        Returns
        -------
        (n,) EVENT_DTYPE
            A copy, in order of ``received``.
        """
        words = self._words
        if not words[REQUESTS] and not words[OUT]:
            return NOTHING
        if words[REQUESTS]:
            sight = self.look()
            while not self._advance(self._desk, sight, now):
                self.grow()
        return self.ready(now)

    def on_market(self, records: Records, start: int, stop: int, now: int) -> Records:
        """Match one market message, already in the books, and return the answers due by now."""
        if self._minds_market(self._desk):
            sight = self.look()
            start = self._match(self._desk, sight, records, start, stop)
            while start < stop:
                self.grow()
                start = self._match(self._desk, sight, records, start, stop)
        return self.due(now)

    @property
    def desk(self) -> NDArray[np.int64]:
        """The matcher's memory; another array after it has grown."""
        return self._desk

    @property
    def answers(self) -> Records:
        """Everything that answers may wait in, the waiting ones first; moves with the desk."""
        return event_rows(self._desk, int(self._desk[OUT_AT]), int(self._desk[OUT_ROOM]))

    def grow(self) -> None:
        """Make room for more requests and answers."""
        self._desk = grow_desk(self._desk)
        self._words = self._desk.data

    def look(self) -> Sight:
        """Return the sight of the books; a new one where they have moved."""
        if self._seen is not self._books.rows or self._sight.words is not self._books.memory.words:
            self._seen = self._books.rows
            self._sight = see(self._seen, self._books.memory.words)
        return self._sight

    def ready(self, now: int) -> Records:
        """Return the answers due by now, and nothing that happens after them."""
        if not self._words[OUT]:
            return NOTHING
        waiting = waiting_answers(self._desk)
        ready = int(np.searchsorted(waiting["received"], now, side="right"))
        answers = waiting[:ready].copy()
        left = len(waiting) - ready
        waiting[:left] = waiting[ready:].copy()
        self._desk[OUT] = left
        return answers


NOTHING: Final = np.zeros(0, EVENT_DTYPE)
NOTHING.setflags(write=False)
