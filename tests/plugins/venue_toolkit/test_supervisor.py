"""Connections that fail in every way, over real sockets; time passes when a test says so."""

import asyncio

import attrs
import pytest
from tests.plugins.venue_toolkit.tiny_venue import CANCEL, FEED, ORDER, OWN, SECOND, TinyExchange
from tests.plugins.venue_toolkit.venue_cases import played, until
from tests.plugins.venue_toolkit.watched import watched

from bot4_core.domain_types.canonical_types import Nanoseconds
from bot4_core.errors import VenueRefusedError
from bot4_core.plugins.interfaces import Outbound
from bot4_plugins.venue_toolkit.loopback.faults import ScriptedFault, ScriptedKind


@played
async def test_instruments_come_first_and_snapshots_after_the_subscriptions() -> None:
    down = ScriptedFault(kind=ScriptedKind.STATUS, where="/info", value=503, count=2)
    async with watched(down, ready=False) as scene:
        await until(lambda: scene.venue.requests)
        assert scene.venue.connects == 0
        await scene.until_passing(lambda: scene.count("WHOLE") == 2)
        asked = [each.path for each in scene.venue.requests if each.path != "/time"]
        assert asked == ["/info"] * 3 + ["/depth"] * 2
        assert scene.protocol.heard[:2] == [b"+A", b"+B"]
        assert [each.target for each in scene.venue.requests if "depth" in each.target] == [
            "/depth?A",
            "/depth?B",
        ]
        scene.protocol.update("A")
        await until(lambda: scene.updates() == [1])
        (health,) = scene.supervisor.health()
        assert health.is_open
        assert (health.messages, health.opened, health.lost) == (3, 1, 0)
        assert health.bytes == len(b"ok Aok BA 1")
        assert scene.supervisor.is_complete
        assert scene.exchange.begun == ["feed"]


@pytest.mark.parametrize("kind", [ScriptedKind.DROP, ScriptedKind.RESET])
def test_t01_a_drop_makes_gaps_at_once_and_a_new_subscription(kind: ScriptedKind) -> None:
    async def scene() -> None:
        async with watched(ScriptedFault(kind=kind, where="A", nth=2)) as scene:
            for _ in range(2):
                scene.protocol.update("A")
            await until(lambda: scene.count("GAP") == 2)
            assert scene.updates() == [1]
            await scene.until_passing(lambda: len(scene.protocol.heard) == 4)
            scene.protocol.update("A")
            await until(lambda: scene.updates() == [1, 3])
            (health,) = scene.supervisor.health()
            assert (health.opened, health.lost) == (2, 1)
            assert health.reason

    asyncio.run(scene())


@played
async def test_t01_waits_between_attempts_grow_with_jitter_and_are_capped() -> None:
    async with watched() as scene:
        scene.venue.plan.add(ScriptedFault(kind=ScriptedKind.REFUSE, value=503, count=12))
        scene.venue.drop_all()
        await until(lambda: scene.count("GAP") == 2)
        before = len(scene.pace.waits)
        await scene.until_passing(lambda: scene.venue.connects == 14, seconds=400)
        waits = [each for each in scene.pace.waits[before:] if each != 1.0]
        drawn = [0.5 * min(30.0, 0.25 * 2.0**n) for n in range(12)]
        assert [each for each in drawn if each != 1.0 and each not in waits] == []


@played
async def test_t02_a_half_open_socket_is_pinged_and_then_closed_hard() -> None:
    async with watched() as scene:
        scene.venue.peers[0].freeze()
        await scene.pass_seconds(15)
        assert scene.count("GAP") == 0
        await scene.until_passing(lambda: scene.count("GAP") == 2)
        assert "nothing came for 21 s" in scene.texts
        await scene.until_passing(lambda: scene.venue.connects == 2)


@played
async def test_t02_a_quiet_socket_that_answers_pings_stays() -> None:
    async with watched() as scene:
        await scene.pass_seconds(50)
        assert scene.count("GAP") == 0
        assert scene.venue.connects == 1


@played
async def test_t03_a_confirmed_and_silent_stream_is_resubscribed_then_reconnected() -> None:
    exchange = TinyExchange()
    exchange.silence = 10 * SECOND
    silent = ScriptedFault(kind=ScriptedKind.SILENCE, where="B", count=1000)
    async with watched(silent, exchange=exchange) as scene:
        for _ in range(40):
            scene.protocol.update("A")
            scene.protocol.update("B")
            await scene.pass_seconds(1)
            scene.sink.clear()
        said = [each for each in scene.texts if "silent" in each]
        assert said[:3] == [
            "B: subscribed and silent; resubscribe",
            "B: subscribed and silent; reconnect",
            "B is silent",
        ]
        assert scene.protocol.heard[2] == b"+B"
        assert scene.venue.connects >= 2
        assert "B: subscribed and silent; alert" in said
        assert not any(each.startswith("A:") for each in said)


@played
async def test_t04_one_host_is_connected_to_by_one_at_a_time_and_not_too_often() -> None:
    exchange = TinyExchange()
    names = [f"feed {number}" for number in range(8)]
    exchange.listed = [attrs.evolve(FEED, name=name) for name in names]
    async with watched(exchange=exchange, ready=False) as scene:
        await until(lambda: scene.venue.connects == 3)
        await scene.pace.advance(0.5)
        assert scene.venue.connects == 3
        await scene.until_passing(lambda: scene.venue.connects == 8, seconds=4)
        scene.venue.drop_all()
        await scene.until_passing(lambda: scene.venue.connects == 16, seconds=10)
        assert all(each.opened == 2 for each in scene.supervisor.health())


@played
async def test_t05_an_announced_restart_loses_nothing() -> None:
    async with watched() as scene:
        scene.protocol.update("A")
        await until(lambda: scene.updates() == [1])
        scene.venue.announce_restart()
        await scene.until_passing(lambda: scene.venue.connects == 2)
        await until(lambda: len(scene.protocol.heard) == 4)
        old = scene.venue.peers[0]
        scene.protocol.update("A")
        await until(lambda: len(scene.venue.peers) == 1)
        assert old not in scene.venue.peers
        scene.protocol.update("A")
        await until(lambda: 3 in scene.updates())
        assert sorted(set(scene.updates())) == [1, 2, 3]
        assert scene.count("GAP") == 0
        assert scene.exchange.begun == ["feed", "feed"]
        (health,) = scene.supervisor.health()
        assert (health.rotated, health.lost, health.is_open) == (1, 0, True)


@played
async def test_t05_a_socket_is_replaced_before_its_lifetime_ends() -> None:
    exchange = TinyExchange()
    exchange.silence = 3600 * SECOND
    life = attrs.evolve(FEED, lifetime=Nanoseconds(100 * SECOND))
    exchange.listed[0] = life
    async with watched(exchange=exchange) as scene:
        await scene.pass_seconds(94)
        assert scene.venue.connects == 1
        await scene.until_passing(lambda: scene.venue.connects == 2, seconds=4)
        await until(lambda: len(scene.protocol.heard) == 4)
        scene.protocol.update("A")
        await until(lambda: len(scene.venue.peers) == 1)
        assert scene.count("GAP") == 0


@played
async def test_t05_a_successor_without_data_is_given_up_and_the_socket_stays() -> None:
    async with watched() as scene:
        scene.venue.announce_restart()
        await scene.until_passing(lambda: scene.venue.connects == 2)
        await scene.until_passing(lambda: "the successor brought no data" in scene.texts)
        assert scene.supervisor.health()[0].lost == 0
        await scene.until_passing(lambda: scene.venue.connects == 3)


@played
async def test_t06_an_address_with_a_new_token_moves_the_connection() -> None:
    async with watched() as scene:
        scene.exchange.listed[0] = attrs.evolve(FEED, url=f"{FEED.url}?token=2")
        scene.supervisor.resync(0)
        await scene.until_passing(lambda: scene.venue.connects == 2)
        assert scene.venue.peers[-1].path == "/ws?token=2"
        await until(lambda: len(scene.protocol.heard) == 4)
        scene.protocol.update("A")
        await until(lambda: len(scene.venue.peers) == 1)
        assert scene.count("GAP") == 0


@played
async def test_t06_o16_a_lost_private_socket_is_back_filled_with_overlap_twice() -> None:
    exchange = TinyExchange()
    exchange.listed.append(OWN)
    async with watched(exchange=exchange) as scene:
        await until(lambda: len(scene.venue.peers) == 2)
        assert exchange.missed_since == []
        lost = scene.pace.now()
        next(each for each in scene.venue.peers if each.path == "/own").drop()
        await scene.until_passing(lambda: scene.venue.connects == 3)
        await scene.until_passing(lambda: len(exchange.missed_since) == 2)
        assert exchange.missed_since == [lost - 60 * SECOND] * 2
        await until(lambda: sum(each.path == "/fills" for each in scene.venue.requests) == 2)


@played
async def test_t07_messages_that_cannot_be_read_end_nothing_until_there_are_many() -> None:
    async with watched() as scene:
        peer = scene.venue.peers[0]
        for text in (b"crash", b"\xff\xfe", b"", b"A", b"Z 1", b"A many"):
            peer.send(text)
        scene.protocol.update("A")
        await until(lambda: scene.updates() == [1])
        assert scene.venue.connects == 1
        for _ in range(20):
            peer.send(b"Z 1")
        await until(lambda: scene.count("GAP") == 2)
        assert "21 messages a minute cannot be read" in scene.texts


@played
async def test_t09_a_client_that_does_not_read_for_long_gets_everything_in_the_end() -> None:
    async with watched() as scene:
        for _ in range(500):
            scene.protocol.update("A")
        await until(lambda: len(scene.updates()) == 500)
        assert scene.updates() == list(range(1, 501))


@played
async def test_t11_after_429_nothing_is_asked_before_the_venue_allows_it() -> None:
    async with watched() as scene:
        banned = ScriptedFault(kind=ScriptedKind.STATUS, where="/depth", value=429, seconds=7)
        scene.venue.plan.add(banned)
        await scene.pass_seconds(1)
        asked = len(scene.venue.requests)
        scene.supervisor.resync(0)
        await until(lambda: len(scene.venue.requests) == asked + 1)
        await until(lambda: "the venue wants no request for 7 s (status 429)" in scene.texts)
        cancel = Outbound(connection="rest", method="DELETE", path="/order", cost=CANCEL)
        order = Outbound(
            connection="rest", method="POST", path="/order", cost=ORDER, order=1, creates=True
        )
        assert scene.supervisor.submit(cancel)
        assert not scene.supervisor.submit(order)
        await scene.pass_seconds(6)
        assert len(scene.venue.requests) == asked + 1
        await scene.until_passing(lambda: scene.count("WHOLE") == 3)
        paths = [each.method for each in scene.venue.requests[asked + 1 :]]
        assert paths == ["DELETE", "GET"]


@pytest.mark.parametrize(("status", "seconds"), [(418, 300), (403, 600), (429, 60)])
def test_t11_a_ban_without_a_word_closes_for_long(status: int, seconds: int) -> None:
    async def scene() -> None:
        async with watched() as scene:
            banned = ScriptedFault(kind=ScriptedKind.STATUS, where="/depth", value=status)
            scene.venue.plan.add(banned)
            scene.supervisor.resync(0)
            text = f"the venue wants no request for {seconds} s (status {status})"
            await until(lambda: text in scene.texts)

    asyncio.run(scene())


@played
async def test_t11_what_the_venue_says_is_used_counts() -> None:
    async with watched() as scene:
        asked = Outbound(connection="rest", method="GET", path="/used")
        scene.supervisor.submit(asked)
        await until(lambda: scene.exchange.answers.count((200, b"{}")) == 2)
        scene.supervisor.submit(asked)
        await scene.pass_seconds(3)
        assert sum(each.path == "/used" for each in scene.venue.requests) == 1


@played
async def test_t12_a_venue_in_maintenance_is_asked_again_until_it_is_back() -> None:
    down = ScriptedFault(kind=ScriptedKind.STATUS, where="/depth", value=503, count=4)
    async with watched(down, ready=False) as scene:
        await scene.until_passing(lambda: scene.count("WHOLE") == 2)
        assert {status for status, _ in scene.exchange.answers} == {200}


@pytest.mark.parametrize("status", [451, 302, 403])
def test_t13_a_venue_that_blocks_this_place_ends_the_supervisor(status: int) -> None:
    blocked = ScriptedFault(
        kind=ScriptedKind.STATUS,
        where="/info",
        value=status,
        location="https://elsewhere.test/" if status == 302 else "",
        count=9,
    )

    async def scene() -> None:
        async with watched(blocked, ready=False) as scene:
            await until(scene.task.done)
        assert isinstance(scene.failure, VenueRefusedError)

    asyncio.run(scene())


@played
async def test_m08_snapshots_are_asked_for_ever_more_slowly() -> None:
    async with watched() as scene:
        asked = len(scene.venue.requests)
        for _ in range(40):
            scene.supervisor.resync(0)
            await scene.pass_seconds(1)
        many = [each for each in scene.venue.requests[asked:] if each.path == "/depth"]
        assert 5 <= len(many) <= 12


@played
async def test_t10_a_creation_is_never_sent_again_and_its_loss_is_told() -> None:
    async with watched() as scene:
        for kind in (ScriptedKind.LOST_ANSWER, ScriptedKind.LOST_REQUEST):
            scene.venue.plan.add(ScriptedFault(kind=kind, where="/order"))
        order = Outbound(
            connection="rest", method="POST", path="/order", cost=ORDER, order=5, creates=True
        )
        assert scene.supervisor.submit(order)
        await until(lambda: scene.count("ORDER_IN_DOUBT") == 1)
        await scene.pass_seconds(30)
        assert sum(each.path == "/order" for each in scene.venue.requests) == 1


@played
async def test_o01_orders_on_a_socket_that_is_lost_are_in_doubt() -> None:
    async with watched() as scene:
        frame = Outbound(connection="feed", body=b"buy", cost=ORDER, order=3, creates=True)
        assert scene.supervisor.submit(frame)
        await until(lambda: b"buy" in scene.protocol.heard)
        scene.venue.drop_all()
        await until(lambda: scene.count("ORDER_IN_DOUBT") == 1)
        assert int(scene.batch.events[-1]["link"]) == 3
        assert not scene.supervisor.submit(frame)
        cancel = Outbound(connection="feed", body=b"cancel", cost=CANCEL, order=3)
        assert scene.supervisor.submit(cancel)
        await scene.until_passing(lambda: b"cancel" in scene.protocol.heard)
        assert scene.protocol.heard.count(b"buy") == 1
        assert scene.protocol.heard[-3:] == [b"+A", b"+B", b"cancel"]


@played
async def test_orders_that_the_limits_do_not_allow_now_are_not_sent_later() -> None:
    async with watched() as scene:
        order = Outbound(connection="feed", body=b"buy", cost=ORDER, order=1, creates=True)
        sent = [scene.supervisor.submit(order) for _ in range(6)]
        assert sent == [True, True, True, False, False, False]
        await scene.pass_seconds(5)
        assert scene.protocol.heard.count(b"buy") == 3


@played
async def test_frames_are_paced_where_the_venue_counts_them() -> None:
    exchange = TinyExchange()
    exchange.listed[0] = attrs.evolve(FEED, frames_per_second=3)
    async with watched(exchange=exchange) as scene:
        exchange.dues = [Outbound(connection="feed", body=b"%d" % each) for each in range(7)]
        await scene.pass_seconds(1)
        await until(lambda: len(scene.protocol.heard) == 5)
        await scene.pass_seconds(3)
        await until(lambda: len(scene.protocol.heard) == 9)
        assert scene.protocol.heard[2:] == [b"%d" % each for each in range(7)]


@played
async def test_what_a_message_gives_rise_to_goes_back_on_its_socket() -> None:
    async with watched() as scene:
        scene.venue.peers[0].send(b"more login")
        await until(lambda: b"login" in scene.protocol.heard)


@played
async def test_c01_the_venues_clock_is_measured_and_a_wrong_one_is_told() -> None:
    async with watched() as scene:
        supervisor = scene.supervisor
        await scene.until_passing(lambda: supervisor.clock.known)
        scene.protocol.time = scene.pace.now() + 60 * SECOND + 400_000_000
        await scene.until_passing(lambda: any("this clock is" in each for each in scene.texts), 70)


@played
async def test_x05_a_cancelled_supervisor_leaves_no_task_and_no_socket() -> None:
    before = asyncio.all_tasks()
    async with watched() as scene:
        assert len(asyncio.all_tasks()) > len(before)
        supervisor, venue = scene.supervisor, scene.venue
    await until(lambda: asyncio.all_tasks() == before)
    assert venue.peers == []
    assert not any(each.is_open for each in supervisor.health())
    assert isinstance(scene.failure, asyncio.CancelledError)
