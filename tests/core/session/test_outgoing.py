"""What leaves for a venue keeps to its limits: orders now or not at all, the rest in its turn."""

from pathlib import Path
from typing import Final

import pytest
from tests.core.session.scripted_market import Ticking
from tests.core.session.session_world import SECOND, START
from tests.core.session.test_simulated_market import full_host, simulated

from bot4_core.audit import AuditLog, AuditQuery, search
from bot4_core.domain_types.audit_records import AuditKind
from bot4_core.domain_types.canonical_types import Nanoseconds
from bot4_core.domain_types.rate_limits import (
    RateLimit,
    RateRequest,
    RateSettings,
    RateUnit,
    RequestPriority,
)
from bot4_core.plugins.exchange import Outbound
from bot4_core.session.building import build_market, build_parts
from bot4_core.session.config import QuotingConfig, VenueConfig
from bot4_core.session.markets import SimulatedMarket
from bot4_core.session.outgoing import Outgoing
from bot4_core.session.runner import SessionRunner
from bot4_core.session.session import Session

LIMITS: Final = RateSettings(limits=(RateLimit(name="all", limit=10, span=Nanoseconds(SECOND)),))


def outbound(priority: RequestPriority, number: int = -1, weight: int = 1) -> Outbound:
    cost = RateRequest(priority=priority, weight=weight)
    return Outbound(connection="x", cost=cost, order=number)


class Wire:
    """Keeps what was sent."""

    def __init__(self, limits: RateSettings | None = LIMITS) -> None:
        self.sent: list[tuple[RequestPriority, int]] = []
        self.outgoing = Outgoing(limits, self.send, 1)

    def send(self, request: Outbound, now: int) -> None:
        self.sent.append((request.cost.priority, request.order))

    def fill(self, now: int) -> None:
        """Use up what orders may."""
        while not self.outgoing.order(outbound(RequestPriority.ORDER), now):
            pass
        self.sent.clear()


def test_an_order_without_room_does_not_leave_and_says_why() -> None:
    wire = Wire()
    wire.fill(START)
    why = wire.outgoing.order(outbound(RequestPriority.ORDER, 9), START)
    assert why == "rate limit: no room for 1100 ms"
    assert wire.sent == []
    assert wire.outgoing.order(outbound(RequestPriority.ORDER, 9), START + 2 * SECOND) == ""


def test_an_order_larger_than_its_share_is_told_so() -> None:
    limit = RateLimit(name="weight", limit=10, span=Nanoseconds(SECOND), unit=RateUnit.WEIGHT)
    wire = Wire(RateSettings(limits=(limit,)))
    why = wire.outgoing.order(outbound(RequestPriority.ORDER, 1, weight=11), START)
    assert "more than its share" in why


def test_cancels_have_room_when_orders_have_none_and_wait_for_more() -> None:
    wire = Wire()
    wire.fill(START)
    for number in range(1, 5):
        wire.outgoing.request(outbound(RequestPriority.QUERY, number), START)
        wire.outgoing.request(outbound(RequestPriority.CANCEL, number), START)
    assert wire.sent == [(RequestPriority.QUERY, 1), (RequestPriority.CANCEL, 1)]
    wire.outgoing.request(outbound(RequestPriority.CANCEL, 2), START)  # it waits already
    assert (wire.outgoing.waiting, wire.outgoing.delayed) == (6, 6)
    wire.sent.clear()
    wire.outgoing.release(START + SECOND // 2)
    assert wire.sent == []
    wire.outgoing.release(START + 2 * SECOND)
    cancels = [(RequestPriority.CANCEL, number) for number in (2, 3, 4)]
    assert wire.sent == cancels + [(RequestPriority.QUERY, number) for number in (2, 3, 4)]
    assert wire.outgoing.waiting == 0


def test_what_the_limits_did_is_told() -> None:
    wire = Wire()
    assert list(wire.outgoing.warnings) == []
    wire.fill(START)
    for number in range(3):
        wire.outgoing.request(outbound(RequestPriority.DATA, number), START)
    assert list(wire.outgoing.warnings) == [
        "rate limits of the venue kept 1 orders back",
        "rate limits of the venue made 3 cancels and queries wait",
        "3 requests were still waiting for room at the end",
    ]


def test_a_venue_without_limits_takes_everything_at_once() -> None:
    wire = Wire(None)
    for number in range(99):
        assert wire.outgoing.order(outbound(RequestPriority.ORDER, number), START) == ""
        wire.outgoing.request(outbound(RequestPriority.CANCEL, number), START)
    wire.outgoing.release(START)
    assert len(wire.sent) == 198


@pytest.mark.parametrize("most", [2, 12])
def test_i44_a_session_is_never_refused_by_a_venue_that_counts(tmp_path: Path, most: int) -> None:
    venue = VenueConfig(
        plugin="sim",
        market="sim",
        symbols=("BTC-USD-PERP",),
        settings={"requests_per_second": most},
    )
    config = simulated(tmp_path, venue=venue, quoting=QuotingConfig(retry_ms=1))
    host = full_host()
    market = build_market(config, host)
    assert isinstance(market, SimulatedMarket)
    parts = build_parts(config, host, market.instruments)
    session = Session(config, market.instruments, market.table, parts)
    path = tmp_path / "audit.sqlite"
    log = AuditLog.open(path, run="limited", wall_time=START)
    report = SessionRunner(session, market, Ticking(), log=log).run()
    log.close()
    assert market._venue.throttled == 0  # type: ignore[attr-defined]
    assert report.warnings[0].startswith("rate limits of the venue kept ")
    rejects = list(search(path, AuditQuery(kinds=(AuditKind.REJECT,))))
    assert all(b'"withheld":"rate limit: no room for ' in each.payload for each in rejects)
    assert len(rejects) == report.orders["rejected"] > 0
    session.state.account.orders.check()
