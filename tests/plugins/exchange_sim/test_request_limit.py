"""A venue that counts requests, and a client that stays within its budget."""

import itertools
import json

import pytest

from bot4_core.domain_types.canonical_types import Nanoseconds
from bot4_core.domain_types.rate_limits import RateLimit, RateRequest, RateSettings, RequestPriority
from bot4_core.domain_types.records import EventKind
from bot4_core.orders.rate_budget import RateBudget
from bot4_plugins.exchange_sim.requests import (
    cancel_text,
    query_text,
    snapshot_text,
    subscribe_text,
)
from bot4_plugins.exchange_sim.settings import SimSettings
from bot4_plugins.exchange_sim.venue import SimVenue

SYMBOL = "BTC-USD-PERP"
SECOND = 1_000_000_000
STEP = 5_000_000
PER_SECOND = 12
ORDER_FIELDS = {"d": "buy", "y": "limit", "v": "gtc", "p": "59000.00", "q": "0.1", "f": 0}


def venue() -> SimVenue:
    settings = SimSettings(symbols=(SYMBOL,), requests_per_second=PER_SECOND, latency_ns=STEP)
    return SimVenue(settings)


def order(number: int) -> bytes:
    return json.dumps({"op": "place", "n": number, "s": SYMBOL} | ORDER_FIELDS).encode()


@pytest.mark.parametrize("hurry", [1, 3, 40])
def test_i44_the_venue_never_refuses_what_the_budget_lets_out(hurry: int) -> None:
    """Requests of all kinds, as fast as the budget lets them go, in bursts and steadily."""
    limit = RateLimit(name="requests", limit=PER_SECOND, span=Nanoseconds(SECOND))
    budget = RateBudget(RateSettings(limits=(limit,), slack=Nanoseconds(0)))
    server, sent = venue(), 0
    for at in range(500):
        now = server.now
        for priority in itertools.islice(itertools.cycle(RequestPriority), at % hurry + 1):
            if budget.take(RateRequest(priority=priority), now).granted:
                sent += 1
                body = {
                    RequestPriority.CANCEL: cancel_text(sent - 1, SYMBOL),
                    RequestPriority.QUERY: query_text(sent - 1, SYMBOL),
                    RequestPriority.ORDER: order(sent),
                    RequestPriority.DATA: snapshot_text(SYMBOL),
                }
                server.receive(body[priority], now)
        server.step(now + STEP)
    assert server.throttled == 0
    assert sent >= 2 * PER_SECOND


def test_a_client_without_a_budget_is_refused_and_its_orders_rejected() -> None:
    server = venue()
    server.receive(subscribe_text([SYMBOL]), server.now)
    for number in range(PER_SECOND):
        server.receive(order(number), server.now)
    server.receive(query_text(0, SYMBOL), server.now)
    messages = [json.loads(text) for _, text in server.step(server.now + 2 * STEP)]
    assert server.throttled == 2
    rejected = [each for each in messages if each.get("e") == EventKind.ORDER_REJECTED]
    assert [each["n"] for each in rejected] == [PER_SECOND - 1]
