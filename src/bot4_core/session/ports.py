"""What a running session needs from outside: clocks, a place for orders, somebody to tell."""

from collections.abc import Iterator
from typing import NamedTuple, Protocol

from bot4_core.domain_types.canonical_types import Nanoseconds
from bot4_core.domain_types.instruments import Instrument
from bot4_core.orders.reconciliation import VenueAccount
from bot4_core.plugins.interfaces import Exchange, Records
from bot4_core.session.config import SessionConfig
from bot4_core.session.paper import PaperVenue
from bot4_core.session.state import SessionState

__all__ = ["Clock", "Connect", "Market", "Progress", "RunProgress", "Stop"]


class Clock(Protocol):
    """The outside's clocks; the module ``time`` is one."""

    def time_ns(self) -> int:
        """Return UTC time."""
        raise NotImplementedError

    def perf_counter_ns(self) -> int:
        """Return a time that never goes back."""
        raise NotImplementedError


class RunProgress(NamedTuple):
    """How far a run has come; ``share`` is of the whole, from 0 to 1."""

    stage: str
    share: float
    messages: int
    detail: str = ""


class Progress(Protocol):
    """Told how far a run has come; must not block."""

    def __call__(self, progress: RunProgress, /) -> None:
        """Take note."""


class Stop(Protocol):
    """Asked now and then whether a run should end before its market does."""

    def __call__(self) -> str:
        """Return the reason, or nothing to go on."""
        raise NotImplementedError


class Market(Protocol):
    """A source of events that also takes orders."""

    @property
    def instruments(self) -> tuple[Instrument, ...]:
        """What is traded; the position is the instrument id."""
        raise NotImplementedError

    @property
    def table(self) -> Records:
        """The instruments as INSTRUMENT rows."""
        raise NotImplementedError

    @property
    def share(self) -> float:
        """How much of the whole has happened, from 0 to 1."""
        raise NotImplementedError

    @property
    def quarantined(self) -> int:
        """Messages that were applied nowhere."""
        raise NotImplementedError

    @property
    def warnings(self) -> tuple[str, ...]:
        """What could not be read."""
        raise NotImplementedError

    @property
    def paper(self) -> PaperVenue | None:
        """The paper venue that takes the orders, if the fused driver may play this market."""
        raise NotImplementedError

    def attach(self, state: SessionState) -> None:
        """Serve a session, before its first event."""

    def batches(self) -> Iterator[Records]:
        """Yield event records, whole messages, in the order they are received."""
        raise NotImplementedError

    def before(self, now: int) -> Records:
        """Return order events due before a message received at ``now`` is taken in."""
        raise NotImplementedError

    def after(self, records: Records, start: int, stop: int, now: int) -> Records:
        """Match a message that the books have taken in; return order events due."""
        raise NotImplementedError

    def place(self, intents: Records, time: Nanoseconds) -> str | None:
        """Send the one INTENT row; return why it cannot leave (a rate limit), if so."""
        raise NotImplementedError

    def cancel(self, number: int, time: Nanoseconds) -> None:
        """Send a cancellation."""

    def query(self, number: int, time: Nanoseconds) -> None:
        """Ask what became of an order; the answer comes as order events."""

    def account(self, time: Nanoseconds) -> VenueAccount | None:
        """Return what the venue says of the account now; None where there is nobody to ask."""
        raise NotImplementedError

    def resync(self, instrument: int, time: int) -> None:
        """Ask for a snapshot."""

    def settle(self) -> Iterator[Records]:
        """Let everything on its way arrive."""
        raise NotImplementedError


class Connect(Protocol):
    """Opens the live market of an adapter; the host has the sockets, the loop and the keys."""

    def __call__(self, config: SessionConfig, exchange: Exchange) -> Market:
        """Return the market once it knows its instruments.

        Raises
        ------
        VenueError
            If the venue cannot be reached.
        """
        raise NotImplementedError
