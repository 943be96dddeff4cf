"""A named connection that is kept open: sockets come and go, the line stays."""

import asyncio
from collections import deque
from typing import Final, Protocol

from bot4_core.errors import VenueError, VenueRefusedError
from bot4_core.plugins.exchange import Connection, Outbound
from bot4_plugins.venue_toolkit.backoff import Backoff, HostGates
from bot4_plugins.venue_toolkit.connection_health import ConnectionHealth
from bot4_plugins.venue_toolkit.pace import Pace
from bot4_plugins.venue_toolkit.transports import Socket, Transport

__all__ = ["Line", "LineOwner", "Link"]

SECOND: Final = 1_000_000_000
EARLIEST, LATEST = 0.92, 0.97
"""Between these shares of its lifetime a socket is replaced; drawn, so that they do not all go."""
ANSWERED: Final = 30 * SECOND
"""After which an order sent over a socket is asked about by its owner, if nothing was heard."""
PATIENCE: Final = 10 * SECOND
"""How long a successor may bring no data before it is given up."""
MOST_WAITING: Final = 1000


class LineOwner(Protocol):
    """Whom a line tells what happens on it; called from the event loop."""

    def line_opened(self, line: "Line", link: "Link") -> None:
        """Send first what belongs on a fresh socket."""

    def line_message(self, line: "Line", link: "Link", data: bytes) -> None:
        """Take a message."""

    def line_closed(self, line: "Line", unanswered: list[Outbound]) -> None:
        """Take note of a loss; these orders may or may not have arrived."""

    def line_notice(self, line: "Line", text: str) -> None:
        """Take note of something."""


class Link:
    """One socket of a line; listens to it."""

    def __init__(self, line: "Line", now: int) -> None:
        self._line = line
        self.socket: Socket | None = None
        self.opened = now
        self.heard = now
        self.fresh = True
        """Whether it has brought no data yet."""
        self.pinged = False
        self.sent: deque[int] = deque()
        self.early: list[bytes] = []
        """What came while the line did not know the socket yet."""

    def on_message(self, data: bytes) -> None:
        """Hand a message on."""
        self.pinged = False
        self._line.take(self, data)

    def on_alive(self) -> None:
        """Take note that the other side lives."""
        self._line.note_alive(self)

    def on_close(self, reason: str) -> None:
        """Take note of the end."""
        self._line.lose(self, reason)


class Line:
    """Keeps one named connection open; the only one who reopens it.

    Parameters
    ----------
    connection : Connection
    owner : LineOwner
    transport : Transport
    gates : HostGates
    pace : Pace

    Attributes
    ----------
    current : Link or None
        The socket that messages are sent to.
    successor : Link or None
        One that will take over with its first data.
    """

    def __init__(
        self,
        connection: Connection,
        owner: LineOwner,
        transport: Transport,
        gates: HostGates,
        pace: Pace,
    ) -> None:
        self.connection = connection
        self.health = ConnectionHealth(name=connection.name)
        self.current: Link | None = None
        self.successor: Link | None = None
        self._owner = owner
        self._transport = transport
        self._gates = gates
        self._pace = pace
        self._backoff = Backoff(pace)
        self._wake = asyncio.Event()
        self._wanted = False
        self._rotate_at = 0
        self._unanswered: deque[tuple[int, Outbound]] = deque()
        self._waiting: deque[Outbound] = deque(maxlen=MOST_WAITING)
        self._paced: deque[tuple[Link, Outbound]] = deque()

    async def keep(self) -> None:
        """Open the connection, and again whenever it is lost or due for a successor.

        Raises
        ------
        VenueRefusedError
            If the venue will not have us.
        """
        try:
            while True:
                self._wake.clear()
                if self.current is None or (self._wanted and self.successor is None):
                    await self._open()
                else:
                    await self._wake.wait()
        finally:
            self.close()

    async def _open(self) -> None:
        """Try once; wait first if the last try did not end well."""
        if self._backoff.attempts or self.health.opened:
            await self._pace.sleep(self._backoff.delay())
        link = Link(self, self._pace.elapsed())
        async with self._gates.turn(self.connection.url):
            try:
                link.socket = await self._transport.open(self.connection, link)
            except VenueRefusedError:
                raise
            except VenueError as error:
                self._backoff.attempts = max(self._backoff.attempts, 1)
                self._owner.line_notice(self, str(error))
                return
        if link.socket.is_open:
            self._adopt(link)
        else:
            self._backoff.attempts = max(self._backoff.attempts, 1)

    def _adopt(self, link: Link) -> None:
        """Make use of a fresh socket."""
        link.opened = link.heard = self._pace.elapsed()
        self.health.opened += 1
        if self.current is None:
            self._take_over(link)
        else:
            self.successor = link
        self._owner.line_opened(self, link)
        early, link.early = link.early, []
        for data in early:
            self.take(link, data)
        if link is self.current:
            waiting = list(self._waiting)
            self._waiting.clear()
            for each in waiting:
                self.send(each)

    def _take_over(self, link: Link) -> None:
        """Make a socket the one that messages are sent to."""
        self.current, self.successor, self._wanted = link, None, False
        self.health.is_open = True
        share = EARLIEST + (LATEST - EARLIEST) * self._pace.draw()
        self._rotate_at = link.opened + int(self.connection.lifetime * share)

    def take(self, link: Link, data: bytes) -> None:
        """Take a message of a socket."""
        if link is not self.current and link is not self.successor:
            if link.socket is None:
                link.early.append(data)
            return
        link.heard = self._pace.elapsed()
        self.health.messages += 1
        self.health.bytes += len(data)
        self.health.last_received = self._pace.now()
        self._owner.line_message(self, link, data)

    def promote(self, link: Link) -> None:
        """Let a socket that brings data take over; the one before is closed."""
        link.fresh = False
        self._backoff.reset()
        if link is self.successor:
            before = self.current
            self._take_over(link)
            self.health.rotated += 1
            if before is not None and before.socket is not None:
                before.socket.close()

    def note_alive(self, link: Link) -> None:
        """Take note that a socket lives though it says nothing."""
        link.heard, link.pinged = self._pace.elapsed(), False

    def lose(self, link: Link, reason: str) -> None:
        """Take note that a socket ended, and see to another."""
        if link is self.successor:
            self.successor = None
        elif link is self.current:
            self.current = None
            self.health.is_open = False
            self.health.lost += 1
            self._drop_successor()
            now = self._pace.elapsed()
            lost = [each for sent, each in self._unanswered if now - sent < ANSWERED]
            self._unanswered.clear()
            self._owner.line_closed(self, lost)
        else:
            return
        self.health.reason = reason
        self._owner.line_notice(self, reason)
        self._wake.set()

    def kill(self, link: Link, reason: str) -> None:
        """End a socket without asking the other side."""
        if link.socket is not None:
            link.socket.close()
        self.lose(link, reason)

    def replace(self, reason: str) -> None:
        """Open a successor, and close the current socket once that brings data."""
        if not self._wanted and self.current is not None:
            self._wanted = True
            self._owner.line_notice(self, reason)
            self._wake.set()

    def move(self, connection: Connection) -> None:
        """Take another address; the next socket opens there."""
        self.connection = connection
        self.replace("the address changed")

    def close(self) -> None:
        """Close what is open."""
        for link in (self.current, self.successor):
            if link is not None and link.socket is not None:
                link.socket.close()
        self.current = self.successor = None
        self.health.is_open = False

    def _drop_successor(self) -> None:
        link, self.successor = self.successor, None
        if link is not None and link.socket is not None:
            link.socket.close()

    # -- sending ----------------------------------------------------------------------------------

    def send(self, outbound: Outbound, link: Link | None = None) -> bool:
        """Send a frame; say whether it has left or will.

        Where nothing is open, frames that create orders do not wait, others do.
        """
        link = link or self.current
        if link is None or link.socket is None or not link.socket.is_open:
            if not outbound.creates:
                self._waiting.append(outbound)
            return not outbound.creates
        if self._is_spent(link):
            if outbound.creates:
                return False
            self._paced.append((link, outbound))
            return True
        self._put(link, outbound)
        return True

    def _put(self, link: Link, outbound: Outbound) -> None:
        now = self._pace.elapsed()
        if self.connection.frames_per_second:
            link.sent.append(now)
        if outbound.creates:
            while self._unanswered and now - self._unanswered[0][0] >= ANSWERED:
                self._unanswered.popleft()
            self._unanswered.append((now, outbound))
        if link.socket is not None:
            link.socket.send(outbound.body)
            self.health.sent += 1

    def _is_spent(self, link: Link) -> bool:
        """Tell whether the last second took all the frames that it can."""
        most = self.connection.frames_per_second
        start = self._pace.elapsed() - SECOND
        while link.sent and link.sent[0] <= start:
            link.sent.popleft()
        return bool(most) and len(link.sent) >= most

    # -- time -------------------------------------------------------------------------------------

    def tick(self) -> None:
        """See to what time alone brings about; once a second."""
        now = self._pace.elapsed()
        self._flush()
        for link in (self.current, self.successor):
            if link is not None:
                self._watch(link, now)
        successor = self.successor
        if successor is not None and now - successor.opened > PATIENCE:
            self._drop_successor()
            self._owner.line_notice(self, "the successor brought no data")
            self._wake.set()
        if self.connection.lifetime and self.current is not None and now >= self._rotate_at:
            self.replace("replaced before the venue closes it")

    def _watch(self, link: Link, now: int) -> None:
        """Ping a socket that is quiet, and end one that is dead."""
        silence, quiet = self.connection.silence, now - link.heard
        if not silence:
            return
        if quiet > silence:
            self.kill(link, f"nothing came for {quiet / 1e9:.0f} s")
        elif quiet > silence // 2 and not link.pinged and link.socket is not None:
            link.pinged = True
            link.socket.ping()

    def _flush(self) -> None:
        """Send what waited for the next second."""
        for _ in range(len(self._paced)):
            link, outbound = self._paced.popleft()
            if link is self.current or link is self.successor:
                self.send(outbound, link)
