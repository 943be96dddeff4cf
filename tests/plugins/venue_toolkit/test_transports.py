"""Sockets and requests over real connections to a server on this machine."""

import asyncio
import ssl
import subprocess
from pathlib import Path

import pytest
from tests.plugins.venue_toolkit.venue_cases import (
    REST_URL,
    STREAM_URL,
    EchoProtocol,
    Heard,
    played,
    until,
)

from bot4_core.errors import ConfigError, VenueError, VenueRefusedError
from bot4_core.plugins.exchange import Connection, Outbound
from bot4_plugins.venue_toolkit.loopback.faults import ScriptedFault, ScriptedKind
from bot4_plugins.venue_toolkit.loopback.server import LoopbackVenue
from bot4_plugins.venue_toolkit.loopback.websocket_frames import Opcode, frame_bytes
from bot4_plugins.venue_toolkit.network import NetworkTransport
from bot4_plugins.venue_toolkit.transports import require_safe, rerouted, verified_context

STREAM = Connection(name="stream", url=f"{STREAM_URL}/ws?x=1", largest=1 << 12)
REST = Connection(name="rest", url=REST_URL, headers=(("X-Key", "of the connection"),))


def network(venue: LoopbackVenue, context: ssl.SSLContext | None = None) -> NetworkTransport:
    return NetworkTransport(venue.hosts(STREAM_URL, REST_URL), context)


@played
async def test_what_is_sent_comes_back_and_pings_are_answered() -> None:
    async with LoopbackVenue(EchoProtocol()) as venue:
        heard = Heard()
        socket = await network(venue).open(STREAM, heard)
        socket.send(b"hello")
        socket.ping()
        await until(lambda: heard.messages and heard.alive)
        assert heard.messages == [b"hello"]
        assert venue.peers[0].path == "/ws?x=1"
        assert socket.is_open
        socket.close()
        await until(lambda: not socket.is_open and not venue.peers)
        assert heard.closed == []


@played
async def test_t01_drops_of_every_kind_are_told_once() -> None:
    async with LoopbackVenue(EchoProtocol()) as venue:
        transport = network(venue)
        for kind in (ScriptedKind.DROP, ScriptedKind.RESET):
            heard = Heard()
            socket = await transport.open(STREAM, heard)
            socket.send(b"+trades")
            await heard.something()
            venue.plan.add(ScriptedFault(kind=kind))
            venue.publish("trades", b"1")
            await heard.end()
            assert len(heard.closed) == 1
            assert not socket.is_open
            venue.plan.heal()
        heard = Heard()
        await transport.open(STREAM, heard)
        venue.peers[0].drop(1012)
        await until(lambda: heard.closed)
        assert heard.closed == ["the venue closed (1012)"]


@played
async def test_t07_a_message_above_the_limit_ends_the_connection_whole_or_in_fragments() -> None:
    async with LoopbackVenue(EchoProtocol()) as venue:
        transport = network(venue)
        half = bytes(STREAM.largest // 2 + 1)
        for frames in (
            [frame_bytes(half + half)],
            [frame_bytes(half, final=False), frame_bytes(half, Opcode.CONTINUATION)],
        ):
            heard = Heard()
            await transport.open(STREAM, heard)
            for frame in frames:
                venue.peers[-1].write(frame)
            await heard.end()
            assert [len(each) for each in heard.messages] == []


@played
async def test_fragments_are_put_together() -> None:
    async with LoopbackVenue(EchoProtocol()) as venue:
        heard = Heard()
        await network(venue).open(STREAM, heard)
        parts = [(b"one ", Opcode.TEXT), (b"two ", Opcode.CONTINUATION)]
        for part, opcode in parts:
            venue.peers[0].write(frame_bytes(part, opcode, final=False))
        venue.peers[0].write(frame_bytes(b"", Opcode.PING))
        venue.peers[0].write(frame_bytes(b"three", Opcode.CONTINUATION))
        venue.peers[0].send(b"next")
        await until(lambda: len(heard.messages) == 2)
        assert heard.messages == [b"one two three", b"next"]


@played
async def test_frames_split_at_every_byte_arrive_whole() -> None:
    async with LoopbackVenue(EchoProtocol()) as venue:
        heard = Heard()
        await network(venue).open(STREAM, heard)
        payload = bytes(range(32, 127)) * 2
        size = len(frame_bytes(payload))
        for place in range(1, size):
            venue.split = place
            venue.peers[0].send(payload)
        await until(lambda: len(heard.messages) == size - 1)
        assert set(heard.messages) == {payload}


@played
async def test_t13_a_redirected_or_blocked_socket_does_not_open() -> None:
    async with LoopbackVenue(EchoProtocol()) as venue:
        for status, kind in ((302, VenueRefusedError), (451, VenueRefusedError), (503, VenueError)):
            away = "http://127.0.0.1:1/elsewhere" if status == 302 else ""
            venue.plan.heal()
            venue.plan.add(ScriptedFault(kind=ScriptedKind.REFUSE, value=status, location=away))
            with pytest.raises(VenueError) as caught:
                await network(venue).open(STREAM, Heard())
            assert type(caught.value) is kind
            assert "stream" in str(caught.value)
        assert venue.connects == 3


@played
async def test_requests_carry_headers_and_body_and_bring_status_and_headers() -> None:
    async with LoopbackVenue(EchoProtocol()) as venue:
        transport = network(venue)
        asked = Outbound(
            connection="rest", method="POST", path="/v3/order?a=%20b&c", body=b"{}", headers=()
        )
        reply = await transport.request(REST, asked)
        assert reply.status == 200
        assert reply.body == (
            b'{"method": "POST", "target": "/v3/order?a=%20b&c", "body": "{}", '
            b'"key": "of the connection"}'
        )
        assert dict(reply.headers)["x-used"] == "7"
        venue.plan.add(ScriptedFault(kind=ScriptedKind.STATUS, value=429, seconds=3))
        refused = await transport.request(REST, asked)
        assert refused.status == 429
        assert dict(refused.headers)["retry-after"] == "3"
        await transport.close()


@played
async def test_o01_a_lost_answer_is_an_error_and_nothing_is_sent_again() -> None:
    async with LoopbackVenue(EchoProtocol()) as venue:
        transport = network(venue)
        asked = Outbound(connection="rest", method="POST", path="/order", creates=True)
        for kind in (ScriptedKind.LOST_ANSWER, ScriptedKind.LOST_REQUEST):
            venue.plan.add(ScriptedFault(kind=kind))
            with pytest.raises(VenueError, match="POST /order"):
                await transport.request(REST, asked)
            venue.plan.heal()
        assert len(venue.requests) == 2
        await transport.close()


@played
async def test_t13_redirects_of_requests_are_not_followed() -> None:
    async with LoopbackVenue(EchoProtocol()) as venue:
        transport = network(venue)
        asked = Outbound(connection="rest", method="GET", path="/order?signature=secret")
        away = f"http://127.0.0.1:{venue.port}/elsewhere"
        for status in (301, 302, 307, 308, 451):
            venue.plan.add(ScriptedFault(kind=ScriptedKind.STATUS, value=status, location=away))
            with pytest.raises(VenueRefusedError) as caught:
                await transport.request(REST, asked)
            assert "secret" not in str(caught.value)
            venue.plan.heal()
        assert [request.path for request in venue.requests] == ["/order"] * 5
        await transport.close()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("tls")
    key, own = folder / "key.pem", folder / "own.pem"
    command = "openssl req -x509 -nodes -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -days 2"
    names = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    files = ["-keyout", str(key), "-out", str(own)]
    subprocess.run([*command.split(), *names, *files], check=True, capture_output=True)
    return key, own


def test_t08_a_certificate_of_nobody_known_is_refused_and_nothing_is_sent_in_the_clear(
    certificate: tuple[Path, Path],
) -> None:
    key, own = certificate
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(own, key)
    asked = Outbound(connection="rest", method="GET", path="/time")

    async def scene() -> None:
        async with LoopbackVenue(EchoProtocol(), context=server) as venue:
            stranger, friend = network(venue), network(venue, verified_context(str(own)))
            with pytest.raises(VenueError, match="CERTIFICATE_VERIFY_FAILED"):
                await stranger.open(STREAM, Heard())
            with pytest.raises(VenueError, match="CERTIFICATE_VERIFY_FAILED"):
                await stranger.request(REST, asked)
            assert venue.connects == 0
            assert venue.requests == []
            socket = await friend.open(STREAM, Heard())
            assert (await friend.request(REST, asked)).status == 200
            socket.close()
            await each_closed(stranger, friend)

    asyncio.run(scene())


async def each_closed(*transports: NetworkTransport) -> None:
    for transport in transports:
        await transport.close()


def test_t08_addresses_in_the_clear_are_for_this_machine_only() -> None:
    for url in (
        "wss://venue.test/ws",
        "https://venue.test",
        "ws://127.0.0.1:1",
        "http://localhost",
    ):
        require_safe(url)
    for url in ("ws://venue.test/ws", "http://10.0.0.1", "ftp://127.0.0.1"):
        with pytest.raises(ConfigError, match="not encrypted"):
            require_safe(url)


def test_only_this_machine_can_stand_in_for_a_venue() -> None:
    hosts = {"wss://venue.test": "ws://127.0.0.1:9", "https://venue.test": "https://evil.test"}
    assert rerouted("wss://venue.test/ws?a=1", hosts) == "ws://127.0.0.1:9/ws?a=1"
    assert rerouted("wss://other.test/ws", hosts) == "wss://other.test/ws"
    with pytest.raises(ConfigError, match="not on this machine"):
        rerouted("https://venue.test/order", hosts)


def test_t08_a_venue_that_is_not_there_is_an_error_of_the_venue() -> None:
    hosts = {STREAM_URL: "ws://127.0.0.1:9", REST_URL: "http://127.0.0.1:9"}

    async def scene() -> None:
        transport = NetworkTransport(hosts)
        with pytest.raises(VenueError):
            await transport.open(STREAM, Heard())
        with pytest.raises(VenueError):
            await transport.request(REST, Outbound(connection="rest", method="GET", path="/"))
        await transport.close()

    asyncio.run(scene())
