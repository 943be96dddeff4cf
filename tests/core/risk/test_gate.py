"""The gate: closed where in doubt, and able to say why."""

import attrs
import pytest
from tests.core.kernels.test_limits import FLAT, LIMITS, checked, instrument, intent
from tests.reference.limits_twin import Wish

from bot4_core.domain_types.canonical_types import InstrumentId, Nanoseconds
from bot4_core.domain_types.decisions import BreakerEffect, BreakerScope, BreakerVerdict
from bot4_core.domain_types.instruments import InstrumentStatus
from bot4_core.domain_types.records import OrderFlag
from bot4_core.kernels.limits import LimitCode
from bot4_core.kernels.order_rows import Slot
from bot4_core.orders.order_tables import new_order_tables
from bot4_core.risk.gate import Decision, Gate, Refusal
from bot4_core.risk.panel import BreakerPanel
from bot4_core.session.config import QuotingConfig
from bot4_core.session.decision_tables import place_decision_tables

ORDER = Wish(price=6_000_000, size=100)
CLOSING = Wish(side=-1, size=100, reduce_only=True)


class World:
    """A gate whose audit log can be broken."""

    def __init__(self, status: InstrumentStatus = InstrumentStatus.TRADING) -> None:
        rules = [instrument(status=status)]
        held = [attrs.evolve(FLAT, position=100)]
        limits = checked(ORDER, rules, held, LIMITS)
        self.tables = new_order_tables(1, 16, limits.views)
        place_decision_tables(self.tables, QuotingConfig())
        limits.place(self.tables)
        self.panel = BreakerPanel([], rules, self.tables[Slot.DESKS]["effect"])
        self.gate = Gate(rules, limits, self.panel, self.tables)

    def trip(self, effect: BreakerEffect) -> None:
        self.panel.trip(
            BreakerVerdict(
                breaker="operator",
                effect=effect,
                scope=BreakerScope.SESSION,
                instrument=InstrumentId(0),
                time=Nanoseconds(1),
                reason="by hand",
            )
        )

    def decide(self, wish: Wish, flags: OrderFlag = OrderFlag.NONE) -> Decision:
        rows = intent(wish)
        rows["flags"] |= flags
        return self.gate.decide(rows)


def refusals(decision: Decision) -> list[Refusal]:
    return [refusal for refusal, _ in decision.refusals]


def test_an_allowed_order_comes_with_the_numbers_that_allowed_it() -> None:
    decision = World().decide(ORDER)
    assert decision.allowed
    assert decision.numbers[LimitCode.ORDER_NOTIONAL] == [6_000 * 10**8, 10_000 * 10**8]


def test_every_reason_is_given_at_once() -> None:
    world = World(InstrumentStatus.HALTED)
    world.trip(BreakerEffect.BLOCK_ALL)
    world.gate.healthy = False
    decision = world.decide(attrs.evolve(ORDER, price=6_000_005, size=900))
    assert refusals(decision) == [
        Refusal.VALIDATION,
        Refusal.LIMIT,
        Refusal.STATUS,
        Refusal.BREAKER,
        Refusal.AUDIT,
    ]
    texts = dict(decision.refusals)
    assert texts[Refusal.VALIDATION] == "tick"
    assert texts[Refusal.LIMIT] == "order_notional, position_notional"
    assert texts[Refusal.STATUS] == "halted"
    assert texts[Refusal.BREAKER] == "operator (block_all)"


def test_what_is_no_order_is_refused_without_looking_up_its_instrument() -> None:
    decision = World().decide(attrs.evolve(ORDER, instrument=99))
    assert refusals(decision) == [Refusal.VALIDATION]


@pytest.mark.parametrize("effect", [each for each in BreakerEffect if each])
def test_no_effect_lets_new_risk_out(effect: BreakerEffect) -> None:
    world = World()
    world.trip(effect)
    assert refusals(world.decide(ORDER)) == [Refusal.BREAKER]


@pytest.mark.parametrize(
    ("effect", "allowed"),
    [
        (BreakerEffect.BLOCK_OPEN, True),
        (BreakerEffect.BLOCK_ALL, False),
        (BreakerEffect.CANCEL_ALL, False),
        (BreakerEffect.FLATTEN, True),
    ],
)
def test_what_reduces_leaves_under_the_effects_that_say_so(
    effect: BreakerEffect, allowed: bool
) -> None:
    world = World()
    world.trip(effect)
    assert world.decide(CLOSING).allowed is allowed


def test_without_an_audit_log_only_what_reduces_leaves() -> None:
    world = World()
    world.gate.healthy = False
    assert refusals(world.decide(ORDER)) == [Refusal.AUDIT]
    assert world.decide(CLOSING).allowed


@pytest.mark.parametrize(
    ("status", "flags", "allowed"),
    [
        (InstrumentStatus.TRADING, OrderFlag.NONE, True),
        (InstrumentStatus.POST_ONLY, OrderFlag.NONE, False),
        (InstrumentStatus.POST_ONLY, OrderFlag.POST_ONLY, True),
        (InstrumentStatus.CANCEL_ONLY, OrderFlag.POST_ONLY, False),
        (InstrumentStatus.UNKNOWN, OrderFlag.NONE, False),
    ],
)
def test_the_venues_status_is_respected(
    status: InstrumentStatus, flags: OrderFlag, allowed: bool
) -> None:
    assert World(status).decide(ORDER, flags).allowed is allowed


def test_admitted_orders_count_towards_the_rate() -> None:
    world = World()
    world.gate.limits.account["sent"] = LIMITS.max_orders_per_second
    assert dict(world.decide(ORDER).refusals) == {Refusal.LIMIT: "order_rate"}
