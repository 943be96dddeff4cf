"""A market whose orders are matched on paper, wherever its events come from."""

from collections.abc import Iterator, Sequence
from typing import Final

from bot4_core.domain_types.canonical_types import Nanoseconds
from bot4_core.domain_types.instruments import Instrument
from bot4_core.errors import RecordingError
from bot4_core.orders import Orders
from bot4_core.plugins.interfaces import Records
from bot4_core.session.paper import PaperSettings, PaperVenue
from bot4_core.session.state import SessionState

__all__ = ["PaperMarket"]

NEVER: Final = 2**63 - 1


class PaperMarket:
    """What markets of recorded events share: a paper venue that takes the orders.

    Parameters
    ----------
    instruments : sequence of Instrument
    table : (n,) INSTRUMENT_DTYPE
    matching : PaperSettings
    """

    def __init__(
        self, instruments: Sequence[Instrument], table: Records, matching: PaperSettings
    ) -> None:
        self.instruments = tuple(instruments)
        self.table = table
        self._matching = matching
        self._venue: PaperVenue | None = None
        self._orders: Orders | None = None

    @property
    def venue(self) -> PaperVenue:
        """The paper venue; there is one once the market is attached to a session."""
        if self._venue is None:
            raise RecordingError("the market is not attached to a session")
        return self._venue

    @property
    def paper(self) -> PaperVenue:
        """The paper venue, for the fused driver."""
        return self.venue

    def attach(self, state: SessionState) -> None:
        """Match orders against the books of a session."""
        seed = state.config.seed
        self._venue = PaperVenue(self.table, self.instruments, self._matching, state.books, seed)
        self._orders = state.account.orders

    def before(self, now: int) -> Records:
        """Return the venue's answers due by now."""
        return self.venue.due(now)

    def after(self, records: Records, start: int, stop: int, now: int) -> Records:
        """Match one message."""
        return self.venue.on_market(records, start, stop, now)

    def place(self, intents: Records, time: Nanoseconds) -> None:
        """Send an order to the paper venue."""
        self.venue.place(intents[0])

    def cancel(self, number: int, time: Nanoseconds) -> None:
        """Send a cancellation to the paper venue."""
        of = self._orders.terms(number) if self._orders is not None else None
        self.venue.cancel(number, time, of)

    def query(self, number: int, time: Nanoseconds) -> None:
        """Do nothing: the paper venue loses no answer, so one that is late is on its way."""

    def account(self, time: Nanoseconds) -> None:
        """Return nothing: the paper venue begins with the session."""
        return

    def resync(self, instrument: int, time: int) -> None:
        """Do nothing: a recording holds the snapshots that it holds."""

    def settle(self) -> Iterator[Records]:
        """Let what is on its way arrive."""
        yield self.venue.due(NEVER)
