"""A server on 127.0.0.1 for WebSockets and HTTP, whose failures are scripted."""

import asyncio
import socket
import ssl
import struct
from collections.abc import Iterable
from types import TracebackType
from typing import Final, Self

import attrs

from bot4_plugins.venue_toolkit.loopback.faults import FaultScript, ScriptedFault, ScriptedKind
from bot4_plugins.venue_toolkit.loopback.http_text import (
    HttpAnswer,
    HttpRequest,
    answer_bytes,
    read_request,
)
from bot4_plugins.venue_toolkit.loopback.peers import ServedPeer
from bot4_plugins.venue_toolkit.loopback.venue_protocol import VenueProtocol
from bot4_plugins.venue_toolkit.loopback.websocket_frames import ClientFrames, Opcode, accept_key

__all__ = ["LoopbackVenue"]

CHUNK: Final = 1 << 16
REQUESTS: Final = (ScriptedKind.STATUS, ScriptedKind.LOST_ANSWER, ScriptedKind.LOST_REQUEST)
PUSHES: Final = (
    ScriptedKind.GAP,
    ScriptedKind.DUPLICATE,
    ScriptedKind.REORDER,
    ScriptedKind.SILENCE,
    ScriptedKind.DROP,
    ScriptedKind.RESET,
    ScriptedKind.FREEZE,
)
RESET_AT_ONCE: Final = struct.pack("ii", 1, 0)


@attrs.frozen
class _Late:
    """A message that comes after so many others."""

    peer: ServedPeer
    payload: bytes
    after: int


class LoopbackVenue:
    """One venue on a port of its own; an async context manager.

    Parameters
    ----------
    protocol : VenueProtocol
    faults : iterable of ScriptedFault
    context : ssl.SSLContext, optional
        A certificate, to be spoken to by ``wss`` and ``https``.

    Attributes
    ----------
    plan : FaultScript
    peers : list of ServedPeer
        Open sockets, oldest first.
    connects : int
        Sockets opened so far.
    requests : list of HttpRequest
        What was asked, in order.
    split : int
        Where to cut every frame in two writes; 0 for one write.
    """

    def __init__(
        self,
        protocol: VenueProtocol,
        faults: Iterable[ScriptedFault] = (),
        context: ssl.SSLContext | None = None,
    ) -> None:
        self.protocol = protocol
        self.plan = FaultScript(faults)
        self.peers: list[ServedPeer] = []
        self.connects = 0
        self.requests: list[HttpRequest] = []
        self.split = 0
        self._context = context
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._late: list[_Late] = []
        protocol.attach(self)

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(
            self._accepted, "127.0.0.1", 0, ssl=self._context, limit=CHUNK
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._server is not None:
            self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def port(self) -> int:
        """Where it listens."""
        if self._server is None:
            return 0
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    def hosts(self, *origins: str) -> dict[str, str]:
        """Return addresses here in place of a venue's ``scheme://host:port``."""
        secure = "s" if self._context else ""
        return {
            origin: f"{'ws' if origin.startswith('ws') else 'http'}{secure}://127.0.0.1:{self.port}"
            for origin in origins
        }

    def publish(self, stream: str, payload: bytes) -> None:
        """Push a message to every socket that is subscribed to a stream."""
        late = [each for each in self._late if each.after <= 1]
        self._late = [
            attrs.evolve(each, after=each.after - 1) for each in self._late if each.after > 1
        ]
        fault = self.plan.strikes(stream, *PUSHES)
        for peer in [each for each in self.peers if stream in each.streams]:
            if fault is None:
                peer.send(payload)
            else:
                self._spoil(peer, payload, fault)
        for each in late:
            each.peer.send(each.payload)

    def _spoil(self, peer: ServedPeer, payload: bytes, fault: ScriptedFault) -> None:
        kind = fault.kind
        if kind is ScriptedKind.DUPLICATE:
            peer.send(payload)
            peer.send(payload)
        elif kind is ScriptedKind.REORDER:
            self._late.append(_Late(peer, payload, max(fault.value, 1)))
        elif kind is ScriptedKind.DROP:
            peer.drop()
        elif kind is ScriptedKind.RESET:
            self._reset(peer)
        elif kind is ScriptedKind.FREEZE:
            peer.freeze()

    def _reset(self, peer: ServedPeer) -> None:
        """Break a connection without a word, as a crashing machine does."""
        own: socket.socket = peer.writer.get_extra_info("socket")
        own.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_AT_ONCE)
        peer.writer.transport.abort()

    def strikes_stale(self, path: str) -> bool:
        """Tell whether a snapshot asked for now should be an old one."""
        return self.plan.strikes(path, ScriptedKind.STALE) is not None

    def announce_restart(self) -> None:
        """Say that sockets will be closed soon, as the venue says it."""
        _, payload = self.protocol.farewell()
        for peer in self.peers:
            peer.send(payload)

    def drop_all(self) -> None:
        """Close every socket."""
        for peer in list(self.peers):
            peer.drop()

    async def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        try:
            await self._serve(reader, writer)
        except (ConnectionError, asyncio.CancelledError, ssl.SSLError):
            pass
        finally:
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while (request := await read_request(reader)) is not None:
            if "sec-websocket-key" in request.headers:
                await self._upgrade(request, reader, writer)
                return
            self.requests.append(request)
            answer = self._answer(request)
            if answer is None:
                return
            writer.write(answer_bytes(answer))
            await writer.drain()

    def _answer(self, request: HttpRequest) -> HttpAnswer | None:
        """Return the answer; None to cut the connection."""
        fault = self.plan.strikes(request.target, *REQUESTS)
        if fault is None:
            return self.protocol.reply(request)
        if fault.kind is ScriptedKind.STATUS:
            headers = (("Retry-After", str(fault.seconds)),) if fault.seconds else ()
            if fault.location:
                headers = (*headers, ("Location", fault.location))
            return HttpAnswer(b'{"code":0,"msg":"scripted"}', fault.value, headers)
        if fault.kind is ScriptedKind.LOST_ANSWER:
            self.protocol.reply(request)
        return None

    async def _upgrade(
        self, request: HttpRequest, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.connects += 1
        fault = self.plan.strikes(request.target, ScriptedKind.REFUSE)
        if fault is not None:
            headers = (("Location", fault.location),) if fault.location else ()
            writer.write(answer_bytes(HttpAnswer(b"{}", fault.value, headers)))
            await writer.drain()
            return
        key = accept_key(request.headers["sec-websocket-key"])
        writer.write(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Accept: {key}\r\n\r\n".encode()
        )
        peer = ServedPeer(request.target, writer, lambda: self.split)
        self.peers.append(peer)
        try:
            await self._talk(peer, reader)
        finally:
            self.peers.remove(peer)
            await peer.finish()

    async def _talk(self, peer: ServedPeer, reader: asyncio.StreamReader) -> None:
        for payload in self.protocol.opened(peer):
            peer.send(payload)
        frames = ClientFrames()
        while data := await reader.read(CHUNK):
            for frame in frames.feed(data):
                if peer.frozen:
                    continue
                if frame.opcode is Opcode.CLOSE:
                    peer.send(frame.payload, Opcode.CLOSE)
                    return
                if frame.opcode is Opcode.PING:
                    peer.send(frame.payload, Opcode.PONG)
                elif frame.opcode is Opcode.TEXT:
                    for payload in self.protocol.answers(peer, frame.payload):
                        peer.send(payload)
