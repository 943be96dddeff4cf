"""The breaker panel: latches, scopes, strikes, re-arms."""

from collections.abc import Callable

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    rule,
    run_state_machine_as_test,
)
from tests.core.kernels.test_limits import instrument

from bot4_core.domain_types.canonical_types import InstrumentId, Nanoseconds, VenueName
from bot4_core.domain_types.decisions import BreakerEffect, BreakerScope, BreakerVerdict
from bot4_core.errors import ValidationError
from bot4_core.risk.panel import BreakerPanel, Observer

INSTRUMENTS = (
    instrument("A"),
    instrument("B"),
    instrument("C", venue=VenueName("other")),
)


class Scripted:
    """A breaker that says what it is told to."""

    def __init__(self, name: str = "scripted", scope: BreakerScope = BreakerScope.INSTRUMENT):
        self.effect: int | Exception = 0
        self.forgotten: list[int] = []
        self.observer = Observer(
            name=name,
            scope=scope,
            observe=[self.ask(number) for number in range(len(INSTRUMENTS))],
            explain=lambda number: ("told to", (("number", float(number)),)),
            forget=self.forgotten.append,
            measure=lambda number: b"\x01",
            read=lambda numbers: (("score", float(numbers[0])),),
        )

    def ask(self, number: int) -> Callable[[], int]:
        def observe() -> int:
            if isinstance(self.effect, Exception):
                raise self.effect
            return self.effect

        return observe


def panel_of(*breakers: Scripted) -> BreakerPanel:
    return BreakerPanel([each.observer for each in breakers], INSTRUMENTS)


def outside(effect: BreakerEffect, scope: BreakerScope = BreakerScope.SESSION) -> BreakerVerdict:
    return BreakerVerdict(
        breaker="operator",
        effect=effect,
        scope=scope,
        instrument=InstrumentId(0),
        time=Nanoseconds(1),
        reason="by hand",
    )


def test_quiet_breakers_trip_nothing() -> None:
    panel = panel_of(Scripted())
    assert panel.observe(0, 1) is None
    assert panel.effects == [0, 0, 0]


def test_a_trip_latches_and_says_why() -> None:
    breaker = Scripted()
    panel = panel_of(breaker)
    breaker.effect = BreakerEffect.CANCEL_ALL
    verdicts = panel.observe(1, 7)
    assert verdicts is not None
    assert (verdicts[0].reason, verdicts[0].values) == ("told to", (("number", 1.0),))
    breaker.effect = 0
    assert panel.observe(1, 8) is None
    assert panel.effects == [0, BreakerEffect.CANCEL_ALL, 0]
    assert panel.holding(1) == (("scripted", BreakerEffect.CANCEL_ALL),)


@pytest.mark.parametrize(
    ("scope", "effects"),
    [
        (BreakerScope.INSTRUMENT, [2, 0, 0]),
        (BreakerScope.VENUE, [2, 2, 0]),
        (BreakerScope.SESSION, [2, 2, 2]),
    ],
)
def test_a_trip_reaches_as_far_as_its_scope(scope: BreakerScope, effects: list[int]) -> None:
    breaker = Scripted(scope=scope)
    panel = panel_of(breaker)
    breaker.effect = BreakerEffect.BLOCK_ALL
    panel.observe(0, 1)
    assert panel.effects == effects


def test_a_stronger_effect_replaces_a_milder_one_and_not_the_other_way_round() -> None:
    breaker = Scripted()
    panel = panel_of(breaker)
    for effect in (BreakerEffect.BLOCK_OPEN, BreakerEffect.FLATTEN, BreakerEffect.BLOCK_ALL):
        breaker.effect = effect
        panel.observe(0, 1)
    assert panel.effects[0] == BreakerEffect.FLATTEN
    assert [trip.effect for trip in panel.trips] == [
        BreakerEffect.BLOCK_OPEN,
        BreakerEffect.FLATTEN,
    ]


def test_two_breakers_may_trip_at_one_observation() -> None:
    first, second = Scripted("first"), Scripted("second")
    panel = panel_of(first, second)
    first.effect = second.effect = BreakerEffect.BLOCK_OPEN
    verdicts = panel.observe(0, 1)
    assert verdicts is not None
    assert [each.breaker for each in verdicts] == ["first", "second"]


def test_rearm_loosens_only_its_own_breaker() -> None:
    first, second = Scripted("first"), Scripted("second")
    panel = panel_of(first, second)
    first.effect, second.effect = BreakerEffect.FLATTEN, BreakerEffect.BLOCK_OPEN
    panel.observe(0, 1)
    first.effect = 0
    entry = panel.rearm("first", actor="anna", reason="checked", time=5)
    assert entry.instruments == (0,)
    assert panel.effects[0] == BreakerEffect.BLOCK_OPEN
    assert first.forgotten == [0]
    assert panel.rearms == [entry]


def test_rearm_of_one_instrument_leaves_the_others_held() -> None:
    panel = panel_of()
    panel.trip(outside(BreakerEffect.BLOCK_ALL))
    panel.rearm("operator", actor="anna", reason="checked", time=5, instrument=1)
    assert panel.effects == [2, 0, 2]


@pytest.mark.parametrize(
    ("breaker", "actor", "reason", "paths"),
    [
        ("scripted", " ", "because", ["actor"]),
        ("scripted", "anna", "", ["reason"]),
        ("scirpted", "", "", ["actor", "reason", "breaker"]),
    ],
)
def test_i43_rearm_needs_an_actor_a_reason_and_a_breaker(
    breaker: str, actor: str, reason: str, paths: list[str]
) -> None:
    scripted = Scripted()
    panel = panel_of(scripted)
    scripted.effect = BreakerEffect.CANCEL_ALL
    panel.observe(0, 1)
    with pytest.raises(ValidationError) as caught:
        panel.rearm(breaker, actor=actor, reason=reason, time=1)
    assert [path for path, _ in caught.value.faults] == paths
    assert panel.effects == [BreakerEffect.CANCEL_ALL, 0, 0]
    assert (panel.rearms, scripted.forgotten) == ([], [])


def test_a_breaker_that_raises_is_struck_and_the_others_still_run() -> None:
    broken, sound = Scripted("broken"), Scripted("sound")
    panel = panel_of(broken, sound)
    broken.effect, sound.effect = RuntimeError("oops"), BreakerEffect.BLOCK_ALL
    verdicts = panel.observe(0, 1)
    assert verdicts is not None
    assert [each.breaker for each in verdicts] == ["sound"]
    assert [(each.count, each.disabled, each.error) for each in panel.strikes] == [
        (1, False, "RuntimeError: oops")
    ]


@pytest.mark.parametrize("scope", list(BreakerScope))
def test_three_strikes_put_a_breaker_out_and_block_all_that_it_watched(scope: BreakerScope) -> None:
    broken = Scripted("broken", scope)
    panel = panel_of(broken)
    broken.effect = RuntimeError("oops")
    assert [panel.observe(0, time) is None for time in (1, 2, 3)] == [True, True, False]
    assert panel.effects == [BreakerEffect.BLOCK_OPEN] * 3
    assert panel.strikes[-1].disabled
    broken.effect = BreakerEffect.FLATTEN
    assert panel.observe(0, 4) is None


def test_measured_names_every_breaker_with_its_numbers() -> None:
    panel = panel_of(Scripted())
    panel.trip(outside(BreakerEffect.BLOCK_ALL))
    assert panel.measured(0) == (
        ("scripted", 0, b"\x01"),
        ("operator", BreakerEffect.BLOCK_ALL, b""),
    )
    assert panel.read("scripted", b"\x01") == (("score", 1.0),)
    assert panel.read("operator", b"") == ()
    assert panel.outside(0) == (("operator", BreakerEffect.BLOCK_ALL),)


SCOPE_NAMES = st.sampled_from([each.value for each in BreakerScope])
EFFECTS = st.lists(st.sampled_from([int(each) for each in BreakerEffect]), min_size=3, max_size=3)


class PanelMachine(RuleBasedStateMachine):
    """What is held never falls but by a re-arm that somebody signs."""

    def __init__(self) -> None:
        super().__init__()
        self.breakers = [Scripted(scope.value, scope) for scope in BreakerScope]
        self.panel = panel_of(*self.breakers)
        self.held = [0, 0, 0]
        self.rearmed = False

    @rule(
        which=st.integers(0, 2),
        effect=st.sampled_from([int(each) for each in BreakerEffect]),
        instrument=st.integers(0, 2),
    )
    def observe(self, which: int, effect: int, instrument: int) -> None:
        self.breakers[which].effect = effect
        self.panel.observe(instrument, 1)
        self.breakers[which].effect = 0
        assert which in self.panel.out() or self.panel.effects[instrument] >= effect

    @rule(which=st.integers(0, 2), instrument=st.integers(0, 2))
    def fail(self, which: int, instrument: int) -> None:
        self.breakers[which].effect = RuntimeError("oops")
        self.panel.observe(instrument, 1)
        self.breakers[which].effect = 0

    @rule(effects=EFFECTS, instrument=st.integers(0, 2))
    def latch(self, effects: list[int], instrument: int) -> None:
        self.panel.latch(instrument, effects, 1)

    @rule(effect=st.sampled_from(BreakerEffect), scope=st.sampled_from(BreakerScope))
    def halt(self, effect: BreakerEffect, scope: BreakerScope) -> None:
        self.panel.trip(outside(effect, scope))

    @rule(which=SCOPE_NAMES, actor=st.sampled_from(["", " \t"]))
    def rearm_by_nobody(self, which: str, actor: str) -> None:
        with pytest.raises(ValidationError):
            self.panel.rearm(which, actor=actor, reason="checked", time=1)

    @rule(which=SCOPE_NAMES)
    def rearm(self, which: str) -> None:
        self.rearmed = True
        entry = self.panel.rearm(which, actor="anna", reason="checked", time=1)
        assert (self.panel.rearms[-1], entry.actor) == (entry, "anna")
        assert which not in {name for number in range(3) for name, _ in self.panel.holding(number)}

    @invariant()
    def effects_are_the_strongest_held(self) -> None:
        for number in range(3):
            held = [effect for _, effect in self.panel.holding(number)]
            assert self.panel.effects[number] == max(held, default=0)

    @invariant()
    def only_a_rearm_loosens(self) -> None:
        fell = any(now < old for now, old in zip(self.panel.effects, self.held, strict=True))
        assert self.rearmed or not fell
        self.held, self.rearmed = list(self.panel.effects), False


def test_i43_breakers_loosen_only_by_a_rearm_that_somebody_signs() -> None:
    run_state_machine_as_test(PanelMachine)
