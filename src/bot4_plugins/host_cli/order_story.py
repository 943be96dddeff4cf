"""Tell from audit records why an order was sent and what became of it, for people."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from bot4_core.domain_types.audit_records import AuditKind, AuditRecord
from bot4_core.domain_types.decisions import BreakerScope
from bot4_core.domain_types.records import BookState, OrderReason
from bot4_plugins.host_cli.output import without_zeros

__all__ = [
    "event",
    "headline",
    "moment",
    "order_story",
    "outline",
    "tripped",
    "verdict",
]

Line = tuple[str, str]
Payload = Mapping[str, Any]
DECIDED: Final = frozenset({AuditKind.INTENT, AuditKind.REFUSAL})
LEAST: Final = frozenset({"min_size", "min_notional"})
"""Limits from below: the first number is the least, the second the order's own."""


def moment(time: int) -> str:
    """Write UTC nanoseconds to the microsecond."""
    return datetime.fromtimestamp(time // 1_000 / 1e6, UTC).strftime("%Y-%m-%d %H:%M:%S.%f")


def order_story(
    records: Sequence[AuditRecord], trips: Sequence[AuditRecord] = ()
) -> Iterator[Line]:
    """Yield labelled lines: signal, market, size, limits, breakers, route, then what happened.

    ``trips`` are the run's records of breakers that tripped; they tell why one held the order.
    """
    begin = records[0].event_time
    for record in records:
        payload = json.loads(record.payload)
        if record.kind in DECIDED:
            begin = record.event_time
            yield "order", f"{headline(payload)}, decided {moment(begin)}"
            earlier = [trip for trip in trips if trip.sequence < record.sequence]
            yield from grounds(payload, [json.loads(trip.payload) for trip in earlier])
        else:
            after = f"+{(record.event_time - begin) / 1e6:,.3f} ms"
            yield record.kind.value, f"{after:<14}{event(record.kind, payload)}"


def headline(payload: Payload) -> str:
    """Write what was ordered."""
    order = payload["order"]
    flags = "".join(f" {flag}" for flag in order["flags"])
    return (
        f"{order['side']} {order['size']} {order['instrument']} at {order['price']} "
        f"({order['type']}, {order['time_in_force']}{flags})"
    )


def grounds(payload: Payload, trips: Sequence[Payload]) -> Iterator[Line]:
    """Yield why an order was wanted and whether it was let out."""
    yield from signal(payload["signal"])
    yield from market(payload["view"])
    size = payload["size"]
    yield "size", f"{size['wanted']} by {size['sizer']}{numbers(size['values'])}"
    yield from limits(payload["limits"])
    for name, breaker in payload["breakers"].items():
        state = "tripped" if breaker["holds"] else "armed"
        yield "breaker", f"{name} {state}{numbers(breaker['values'])}"
        if breaker["holds"]:
            yield from cause(name, payload["order"]["instrument"], trips)
    yield "route", payload["route"] or "as wanted"
    yield "gate", verdict(payload)


def verdict(payload: Payload) -> str:
    """Write whether the gate let an order out."""
    refusals = ", ".join(f"{code} {text}" for code, text in payload["refusals"])
    return "let out" if payload["allowed"] else f"kept back: {refusals}"


def cause(breaker: str, symbol: str, trips: Sequence[Payload]) -> Iterator[Line]:
    """Yield why a breaker holds an instrument back: the last trip that reached it."""
    for trip in reversed(trips):
        near = trip["instrument"] == symbol or trip["scope"] != BreakerScope.INSTRUMENT
        if trip["breaker"] == breaker and near:
            yield "", f"{trip['effect'].replace('_', ' ')} since: {trip['reason']}"
            return


def tripped(payload: Payload) -> str:
    """Write what a breaker did, and why."""
    effect = payload["effect"].replace("_", " ")
    return f"{effect} on {payload['instrument']}: {payload['reason']}{numbers(payload['values'])}"


def signal(said: Payload) -> Iterator[Line]:
    """Yield what the strategy wanted, how sure it was, and its numbers."""
    if "action" in said:
        yield "signal", f"{said['action']} {said['side']} at {said['price']}: {said['reason']}"
        measures = {name: said[name] for name in ("strength", "edge", "variance")}
        seconds = f", horizon {said['horizon_ns'] / 1e9:g} s"
        yield "", numbers(measures).lstrip("; ") + seconds
    else:
        yield "signal", said["reason"]
    if said["values"]:
        yield "", numbers(said["values"]).lstrip("; ")


def market(view: Payload) -> Iterator[Line]:
    """Yield what the strategy saw."""
    bid, ask = (f"{view[side]} x {view[f'{side}_size']}" for side in ("bid", "ask"))
    yield "market", f"{view['state']}, bid {bid}, ask {ask}"
    names = ("mid", "microprice", "imbalance", "flow", "volatility")
    yield "", numbers({name: view[name] for name in names}).lstrip("; ")
    working = f"{view['open_buy']} to buy and {view['open_sell']} to sell working"
    yield "", f"position {view['position']}, {working}, equity {short(view['equity'])}"


def limits(uses: Mapping[str, Sequence[str]]) -> Iterator[Line]:
    """Yield each limit with what was used and what is allowed."""
    label = "limits"
    for name, (used, allowed, verdict) in uses.items():
        if name == "reference":
            text = f"book {BookState(int(used)).name.lower()}, must be live"
        elif name in LEAST:
            text = f"{without_zeros(allowed)} of at least {without_zeros(used)}"
        else:
            text = f"{without_zeros(used)} of {without_zeros(allowed)}"
        yield label, f"{name:<18}{text}{' BROKEN' if verdict == 'broken' else ''}"
        label = ""


def event(kind: AuditKind, payload: Payload) -> str:
    """Write what happened to an order."""
    if kind is AuditKind.SEND:
        reason = f" ({payload['reason']})" if payload.get("reason") else ""
        return f"{payload['what']} left{reason}"
    if kind is AuditKind.FILL:
        role = "maker" if payload["maker"] else "taker"
        fee = f"fee {payload['fee']} {payload['fee_asset']}"
        text = f"{payload['side']} {payload['size']} at {payload['price']}, {fee}, {role}"
        return f"{text}, trade {payload['trade']}, then {payload['status']}"
    if "filled" in payload:
        reason = f", {reason_name(payload['reason'])}" if payload.get("reason", 0) > 0 else ""
        return f"{payload['status']}, {without_zeros(payload['filled'])} filled{reason}"
    return outline(payload)


def reason_name(code: int) -> str:
    """Name a venue's reason."""
    known = {reason.value: reason.name.lower().replace("_", " ") for reason in OrderReason}
    return known.get(code, f"reason {code}")


def outline(payload: Payload) -> str:
    """Write a payload on one line, its numbers and texts only."""
    return ", ".join(f"{name} {value}" for name, value in flat(payload.items()))


def flat(items: Iterable[tuple[str, Any]]) -> Iterator[tuple[str, Any]]:
    """Yield the leaves of nested mappings by their own names."""
    for name, value in items:
        if isinstance(value, Mapping):
            yield from flat(value.items())
        elif isinstance(value, list):
            yield name, " ".join(map(str, value)) or "none"
        elif value != "":
            yield name, value


def numbers(values: Mapping[str, str]) -> str:
    """Write named numbers after a semicolon; nothing without any."""
    if not values:
        return ""
    return "; " + ", ".join(f"{name} {short(value)}" for name, value in values.items())


def short(value: str) -> str:
    """Write a float's text with few digits; the log keeps them all."""
    return f"{float(value):.7g}"
