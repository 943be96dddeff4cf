"""Keeps everything open that an adapter wants open, and carries its messages."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Sequence
from typing import Any, Final

import attrs

from bot4_core.domain_types.canonical_types import InstrumentId, Nanoseconds
from bot4_core.errors import VenueError, VenueRefusedError
from bot4_core.plugins.exchange import Connection, Exchange, Outbound, Reply
from bot4_core.plugins.interfaces import Records
from bot4_plugins.venue_toolkit.backoff import HostGates, ResyncPacing
from bot4_plugins.venue_toolkit.connection_health import ConnectionHealth, Notices
from bot4_plugins.venue_toolkit.event_sink import MessageSink
from bot4_plugins.venue_toolkit.lines import Line, Link
from bot4_plugins.venue_toolkit.pace import Pace, SystemPace
from bot4_plugins.venue_toolkit.send_lane import SendLane, is_plain, is_question
from bot4_plugins.venue_toolkit.stream_watch import Remedy, StreamWatch
from bot4_plugins.venue_toolkit.timekeeper import Timekeeper
from bot4_plugins.venue_toolkit.transports import Transport

__all__ = ["Supervisor", "SupervisorSettings"]

SECOND: Final = 1_000_000_000
SOCKETS: Final = ("wss://", "ws://")
CLIENT_ERROR: Final = 400
SERVER_ERROR: Final = 500
FORBIDDEN: Final = 403
REPEATABLE: Final = frozenset({FORBIDDEN, 408, 418, 429})


@attrs.frozen(kw_only=True)
class SupervisorSettings:
    """How a supervisor watches.

    Parameters
    ----------
    overlap : int
        How far back before a loss private connections are asked for what they missed, ns.
    settle : float
        Seconds after which they are asked again: what happened while they logged in.
    clock_every : int
        Seconds between questions for the venue's time.
    most_refused : int
        Messages a minute that could not be read, above which a connection is opened anew.
    """

    overlap: int = 60 * SECOND
    settle: float = 5.0
    clock_every: int = 60
    most_refused: int = 20


class Supervisor:
    """Runs the connections of one adapter in the running event loop.

    Parameters
    ----------
    exchange : Exchange
        Authorised already, if private connections are wanted.
    transport : Transport
    sink : MessageSink
        Takes what comes in.
    pace : Pace, optional
    settings : SupervisorSettings, optional

    Attributes
    ----------
    clock : ClockOffset
        The venue's clock against ours.
    notices : Notices
        Losses, silences, limits: what somebody may want to know.
    """

    def __init__(
        self,
        exchange: Exchange,
        transport: Transport,
        sink: MessageSink,
        pace: Pace | None = None,
        settings: SupervisorSettings | None = None,
    ) -> None:
        self.exchange = exchange
        self.notices = Notices()
        self._transport = transport
        self._sink = sink
        self._pace: Pace = pace or SystemPace()
        self._settings = settings or SupervisorSettings()
        self._gates = HostGates(self._pace)
        self._lines: dict[str, Line] = {}
        self._hosts: dict[str, Connection] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._group: asyncio.TaskGroup | None = None
        self._first: list[Outbound] = []
        self._welcome: set[str] = set()
        self._streams = StreamWatch(exchange)
        self._lane = SendLane(exchange, self._pace, self._dispatch, self.say)
        self._resyncs = ResyncPacing(self._pace)
        self._refused: dict[str, tuple[int, int]] = {}
        self._since: dict[str, int] = {}
        self._timekeeper = Timekeeper(exchange, transport, self._pace, self._settings.clock_every)
        self.clock = self._timekeeper.clock

    # -- what is open -----------------------------------------------------------------------------

    async def run(self) -> None:
        """Keep everything open until cancelled.

        Raises
        ------
        VenueRefusedError
            If the venue will not have us.
        """
        try:
            async with asyncio.TaskGroup() as group:
                self._group = group
                group.create_task(self._lane.keep())
                group.create_task(self._tick())
                self._refresh()
        except* VenueRefusedError as errors:
            raise errors.exceptions[0] from None
        finally:
            self._group = None
            for line in self._lines.values():
                line.close()
            await self._transport.close()

    def health(self) -> tuple[ConnectionHealth, ...]:
        """Return what each socket connection did so far."""
        return tuple(line.health for line in self._lines.values())

    @property
    def is_complete(self) -> bool:
        """Whether every wanted socket is open."""
        return bool(self._lines) and all(line.current for line in self._lines.values())

    def _refresh(self) -> None:
        """Open what is wanted and not open, move what has another address, end the rest.

        Request hosts come first: what they tell of instruments must be known before the first
        market data is read.
        """
        wanted = {each.name: each for each in self.exchange.connections()}
        for connection in wanted.values():
            if not connection.url.startswith(SOCKETS):
                self._meet(connection)
        if self._first:
            return
        for name, connection in wanted.items():
            if not connection.url.startswith(SOCKETS):
                continue
            if name not in self._lines:
                self._add(connection)
            elif self._lines[name].connection != connection:
                self._lines[name].move(connection)
        for name in [each for each in self._lines if each not in wanted]:
            self._lines.pop(name)
            self._tasks.pop(name).cancel()
            self._streams.disarm(name)

    def _meet(self, host: Connection) -> None:
        """Take note of a request host, and ask a new one what there is to ask first."""
        known = host.name in self._hosts
        self._hosts[host.name] = host
        if not known:
            first = list(self.exchange.opened(host.name, self._now()))
            self._first += [each for each in first if is_question(each)]
            self._submit_all(first)

    def _add(self, connection: Connection) -> None:
        line = Line(connection, self, self._transport, self._gates, self._pace)
        self._lines[connection.name] = line
        self._tasks[connection.name] = self._start(line.keep())

    def _start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        if self._group is None:
            work.close()
            raise VenueError("the supervisor does not run")
        return self._group.create_task(work)

    # -- LineOwner --------------------------------------------------------------------------------

    def line_opened(self, line: Line, link: Link) -> None:
        """Subscribe, and ask for what was missed."""
        name = line.connection.name
        for outbound in self.exchange.opened(name, self._now()):
            self._send_from(outbound, line, link)
        self._streams.arm(name, self.exchange.streams(name), self._pace.elapsed())
        if line.connection.private and name in self._since:
            self._start(self._back_fill(name))

    def line_message(self, line: Line, link: Link, data: bytes) -> None:
        """Hand a message in, and do what the adapter wants done because of it."""
        exchange, name = self.exchange, line.connection.name
        try:
            if link.fresh and exchange.carries_data(data):
                exchange.began(name)
                line.promote(link)
            before = exchange.quarantined
            self._sink.message(name, data, self._pace.now())
            for outbound in exchange.wanted():
                self._send_from(outbound, line, link)
            for ending in exchange.ending():
                self._lines[ending].replace("the venue announced its end")
        except Exception as error:  # noqa: BLE001 - one message must not end all connections
            self.say(f"a message could not be taken: {type(error).__name__}: {error}", name)
            self._count_refused(line, link)
        else:
            if exchange.quarantined > before:
                self._count_refused(line, link)

    def line_closed(self, line: Line, unanswered: list[Outbound]) -> None:
        """Tell the adapter, and what became of orders that were on their way."""
        name = line.connection.name
        self._streams.disarm(name)
        self._since.setdefault(name, line.health.last_received or self._pace.now())
        self._sink.closed(name, self._pace.now())
        for outbound in unanswered:
            self._sink.undelivered(outbound, self._pace.now())

    def line_notice(self, line: Line, text: str) -> None:
        """Take note."""
        self.say(text, line.connection.name)

    def _count_refused(self, line: Line, link: Link) -> None:
        """Open a connection anew that brings too much that cannot be read."""
        name, minute = line.connection.name, self._pace.elapsed() // (60 * SECOND)
        begun, count = self._refused.get(name, (minute, 0))
        count = count + 1 if begun == minute else 1
        self._refused[name] = (minute, count)
        if count > self._settings.most_refused:
            self._refused[name] = (minute, 0)
            line.kill(link, f"{count} messages a minute cannot be read")

    # -- sending ----------------------------------------------------------------------------------

    def submit(self, outbound: Outbound) -> bool:
        """Send as the venue's limits allow; False if it will never be sent."""
        return self._lane.submit(outbound)

    async def ask(self, outbound: Outbound) -> Reply:
        """Send a request when the limits allow, and return its reply; nobody else sees it.

        Raises
        ------
        VenueError
            If no reply came, or the venue refused.
        """
        while not self._lane.admit(outbound):
            await self._pace.sleep(0.25)
        reply = await self._transport.request(self._host(outbound.connection), outbound)
        self._lane.heed(reply)
        if reply.status >= CLIENT_ERROR:
            path = outbound.path.partition("?")[0]
            raise VenueError(f"{path}: status {reply.status}")
        return attrs.evolve(reply, received=self._now())

    def _submit_all(self, outbounds: Iterable[Outbound]) -> None:
        for outbound in outbounds:
            self._lane.submit(outbound)

    def _send_from(self, outbound: Outbound, line: Line, link: Link) -> None:
        """Send on the socket that gave rise to it, if it is for that connection."""
        if outbound.connection == line.connection.name and is_plain(outbound):
            line.send(outbound, link)
        else:
            self._lane.submit(outbound)

    def _dispatch(self, outbound: Outbound) -> bool:
        if outbound.method:
            self._start(self._carry(outbound))
            return True
        line = self._lines.get(outbound.connection)
        if line is None:
            self.say("nothing of this name is open", outbound.connection)
            return False
        return line.send(outbound)

    def _host(self, name: str) -> Connection:
        """Return where requests go; adapters may name addresses that they do not list."""
        return self._hosts.get(name) or Connection(name=name, url=name)

    async def _carry(self, outbound: Outbound) -> None:
        """Send one request and hand its reply in."""
        try:
            reply = await self._transport.request(self._host(outbound.connection), outbound)
        except VenueRefusedError:
            raise
        except VenueError as error:
            self.say(str(error), outbound.connection)
            self._sink.undelivered(outbound, self._pace.now())
            self._ask_again(outbound)
            return
        reply = attrs.evolve(reply, received=self._now())
        self._require_welcome(outbound, reply)
        self._lane.heed(reply)
        if is_question(outbound) and (reply.status in REPEATABLE or reply.status >= SERVER_ERROR):
            self._ask_again(outbound)
            return
        self._take_reply(outbound, reply)

    def _require_welcome(self, outbound: Outbound, reply: Reply) -> None:
        """Tell a place that is blocked from a ban, which comes later."""
        if reply.status != FORBIDDEN:
            self._welcome.add(outbound.connection)
        elif outbound.connection not in self._welcome and is_question(outbound):
            path = outbound.path.partition("?")[0]
            raise VenueRefusedError(f"{path}: the venue answers 403 from the first request on")

    def _take_reply(self, outbound: Outbound, reply: Reply) -> None:
        try:
            self._sink.reply(outbound, reply)
            for each in self.exchange.wanted():
                line = self._lines.get(each.connection)
                if line is not None and line.successor is not None:  # whose token it was
                    self._send_from(each, line, line.successor)
                else:
                    self._lane.submit(each)
        except Exception as error:  # noqa: BLE001 - one reply must not end all connections
            name = outbound.connection
            self.say(f"a reply could not be taken: {type(error).__name__}: {error}", name)
        self._first = [each for each in self._first if each is not outbound]
        self._refresh()

    def _ask_again(self, outbound: Outbound) -> None:
        """Repeat a question about the market, never anything else."""
        if is_question(outbound):
            self._start(self._later(1.0 + self._pace.draw(), lambda: [outbound]))

    async def _later(self, seconds: float, what: Callable[[], Sequence[Outbound]]) -> None:
        await self._pace.sleep(seconds)
        self._submit_all(what())

    async def _back_fill(self, name: str) -> None:
        """Ask for what a private connection did not tell, now and when it has settled."""
        since = self._since.pop(name) - self._settings.overlap
        for wait in (0.0, self._settings.settle):
            if wait:
                await self._pace.sleep(wait)
            self._submit_all(self.exchange.missed(Nanoseconds(since), self._now()))

    def resync(self, instrument: int) -> None:
        """Ask for a book whole; the more often in a row, the later."""
        wait = self._resyncs.wait(instrument)
        if wait is None:
            return
        number = InstrumentId(instrument)
        if wait:
            self._start(self._later(wait, lambda: self.exchange.resync(number)))
        else:
            self._submit_all(self.exchange.resync(number))

    # -- time -------------------------------------------------------------------------------------

    def note(self, records: Records) -> None:
        """Take note of events that were made: which streams brought something, how late."""
        self._streams.note(records, self._pace.elapsed())

    async def _tick(self) -> None:
        while True:
            await self._pace.sleep(1.0)
            for line in list(self._lines.values()):
                line.tick()
            self._submit_all(self.exchange.due(self._now()))
            for connection, stream, remedy in self._streams.silent(self._pace.elapsed()):
                self._mend(connection, stream.symbol, stream.requests, remedy)
            self._ask_for_time()

    def _mend(
        self, connection: str, symbol: str, requests: Sequence[Outbound], remedy: Remedy
    ) -> None:
        """Do something about a stream that is confirmed and silent."""
        line = self._lines[connection]
        line.health.silent_streams += 1
        self.say(f"{symbol}: subscribed and silent; {remedy.name.lower()}", connection)
        if remedy is Remedy.RESUBSCRIBE and requests:
            self._submit_all(requests)
        elif line.current is not None:
            line.kill(line.current, f"{symbol} is silent")

    def _ask_for_time(self) -> None:
        """Ask for the venue's time, where it can be asked and it is time to."""
        request = self._timekeeper.due()
        if request is not None and self._lane.admit(request):
            host = self._host(request.connection)
            self._start(self._timekeeper.measure(request, host, self.say))

    def _now(self) -> Nanoseconds:
        return Nanoseconds(self._pace.now())

    def say(self, text: str, connection: str = "") -> None:
        """Take note of something that somebody may want to know."""
        self.notices.add(self._pace.now(), connection, text)
