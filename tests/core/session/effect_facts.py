"""What tests ask of effects, and answers of a venue to the orders among them."""

from collections.abc import Sequence
from typing import TypeVar

from tests.core.session.session_world import (
    START,
    World,
    order_event,
    touch,
)

from bot4_core.domain_types.audit_records import AuditKind
from bot4_core.domain_types.records import (
    EventKind,
)
from bot4_core.session.effects import (
    Effect,
    Note,
    SendOrder,
)

E = TypeVar("E", bound=Effect)
BID, ASK = 6_000_000, 6_000_010


def of(effects: Sequence[Effect], kind: type[E]) -> list[E]:
    return [effect for effect in effects if isinstance(effect, kind)]


def notes(effects: Sequence[Effect], kind: AuditKind) -> list[Note]:
    return [note for note in of(effects, Note) if note.kind is kind]


def sent(effects: Sequence[Effect]) -> list[tuple[int, ...]]:
    """(side, price, size) of the orders that leave."""
    rows = [effect.intent[0] for effect in of(effects, SendOrder)]
    return [(int(row["side"]), int(row["price"]), int(row["size"])) for row in rows]


def accept_all(world: World, effects: Sequence[Effect], time: int) -> list[Effect]:
    found: list[Effect] = []
    for effect in of(effects, SendOrder):
        row = effect.intent[0]
        fields = {name: int(row[name]) for name in ("instrument", "side", "price", "size")}
        event = order_event(EventKind.ORDER_ACCEPTED, effect.number, time, **fields)
        found += world.session.step(event)
    return found


def fill(world: World, effect: SendOrder, time: int, size: int, fee: int = 0) -> list[Effect]:
    row = effect.intent[0]
    fields = {name: int(row[name]) for name in ("instrument", "side")}
    price = int(row["price"]) or ASK
    event = order_event(EventKind.ORDER_FILLED, effect.number, time, **fields)
    event["price"], event["size"], event["sequence"], event["aux"] = price, size, time, fee
    return world.session.step(event)


def start(world: World, number: int = 0) -> list[Effect]:
    return world.session.step(touch(START, BID, ASK, number))
