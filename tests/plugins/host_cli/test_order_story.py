"""The story of an order, from records made by hand."""

import json
from typing import Any

import attrs
import pytest

from bot4_core.domain_types.audit_records import AuditKind, AuditRecord
from bot4_core.domain_types.canonical_types import Nanoseconds
from bot4_plugins.host_cli.order_story import moment, order_story, outline, tripped

BEGIN = 1_735_689_600_123_456_789
VIEW = {
    **dict.fromkeys(("mid", "microprice", "imbalance", "flow", "volatility", "equity"), "1.5"),
    **dict.fromkeys(("bid", "ask", "bid_size", "ask_size"), "1.00"),
    **dict.fromkeys(("position", "open_buy", "open_sell"), "0.000"),
    "state": "live",
}
INTENT: dict[str, Any] = {
    "order": {
        "number": 1,
        "instrument": "BTCUSDT",
        "side": "sell",
        "type": "market",
        "time_in_force": "ioc",
        "flags": ["reduce_only"],
        "price": "market",
        "size": "0.250",
    },
    "view": VIEW,
    "signal": {"reason": "a breaker flattens", "values": {}},
    "size": {"sizer": "flatten", "wanted": "0.250", "values": {}},
    "limits": {
        "reference": ["2", "1", "broken"],
        "order_rate": ["51", "50", "broken"],
        "min_size": ["0.001", "0.250", "kept"],
    },
    "breakers": {"statistical": {"holds": 4, "values": {"score": "6.123456789"}}},
    "route": "",
    "allowed": 0,
    "refusals": [["limit", "order_rate"]],
}


def record(kind: AuditKind, after: int, payload: object) -> AuditRecord:
    return AuditRecord(
        sequence=1,
        wall_time=Nanoseconds(0),
        event_time=Nanoseconds(BEGIN + after),
        run="r",
        kind=kind,
        actor="x",
        correlation="c",
        payload=json.dumps(payload).encode(),
        previous=b"",
        digest=b"",
    )


def told(*records: AuditRecord) -> list[str]:
    return [f"{label} {text}".strip() for label, text in order_story(records)]


def test_a_refused_order_says_which_limit_broke_and_by_how_much() -> None:
    lines = told(record(AuditKind.REFUSAL, 0, INTENT))
    assert lines[0] == (
        "order sell 0.250 BTCUSDT at market (market, ioc reduce_only), "
        "decided 2025-01-01 00:00:00.123456"
    )
    assert "signal a breaker flattens" in lines
    assert "limits reference         book stale, must be live BROKEN" in lines
    assert "order_rate        51 of 50 BROKEN" in lines
    assert "min_size          0.25 of at least 0.001" in lines
    assert "breaker statistical tripped; score 6.123457" in lines
    assert "route as wanted" in lines
    assert lines[-1] == "gate kept back: limit order_rate"


@pytest.mark.parametrize(
    ("kind", "payload", "line"),
    [
        (
            AuditKind.REJECT,
            {"status": "rejected", "order": 1, "filled": "0.000", "reason": 16},
            "reject +5.000 ms     rejected, 0 filled, venue",
        ),
        (
            AuditKind.CANCEL,
            {"status": "canceled", "order": 1, "filled": "0.100", "reason": 99},
            "cancel +5.000 ms     canceled, 0.1 filled, reason 99",
        ),
        (
            AuditKind.SEND,
            {"what": "cancel", "number": 1, "reason": "requote"},
            "send +5.000 ms     cancel left (requote)",
        ),
        (
            AuditKind.OPERATOR,
            {"alarms": ["overfill", "late"]},
            "operator +5.000 ms     alarms overfill late",
        ),
    ],
)
def test_what_happens_to_an_order_stands_after_its_decision(
    kind: AuditKind, payload: object, line: str
) -> None:
    later = record(kind, 5_000_000, payload)
    assert told(record(AuditKind.INTENT, 0, INTENT), later)[-1] == line


TRIP: dict[str, Any] = {
    "breaker": "statistical",
    "effect": "cancel_all",
    "scope": "instrument",
    "instrument": "BTCUSDT",
    "reason": "z-score 3.42 beyond 3",
    "values": {"score": "3.4212345678901234"},
}


def test_an_order_that_a_breaker_holds_tells_what_tripped_it_last() -> None:
    order = attrs.evolve(record(AuditKind.REFUSAL, 0, INTENT), sequence=50)
    told_by = [
        (10, TRIP),
        (20, TRIP | {"reason": "the one before"}),
        (21, TRIP | {"breaker": "other"}),
        (22, TRIP | {"instrument": "ETHUSDT"}),
        (60, TRIP | {"reason": "later"}),
    ]
    trips = [
        attrs.evolve(record(AuditKind.BREAKER_TRIP, 0, payload), sequence=sequence)
        for sequence, payload in told_by
    ]
    lines = [text for _, text in order_story([order], trips)]
    at = lines.index("statistical tripped; score 6.123457")
    assert lines[at + 1 : at + 3] == ["cancel all since: the one before", "as wanted"]


def test_a_trip_elsewhere_tells_too_when_its_scope_reaches_the_order() -> None:
    order = attrs.evolve(record(AuditKind.REFUSAL, 0, INTENT), sequence=50)
    wide = TRIP | {"instrument": "ETHUSDT", "scope": "session"}
    trip = record(AuditKind.BREAKER_TRIP, 0, wide)
    lines = [text for _, text in order_story([order], [trip])]
    assert "cancel all since: z-score 3.42 beyond 3" in lines


def test_a_trip_is_written_with_few_digits() -> None:
    assert tripped(TRIP) == "cancel all on BTCUSDT: z-score 3.42 beyond 3; score 3.421235"


def test_moments_keep_their_microseconds() -> None:
    assert moment(BEGIN) == "2025-01-01 00:00:00.123456"


def test_an_outline_holds_the_leaves() -> None:
    assert outline({"a": {"b": 1, "c": ""}, "d": []}) == "b 1, d none"
