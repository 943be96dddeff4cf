"""Linked orders on a venue that fills, refuses, loses and delays as hypothesis likes."""

import attrs
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from bot4_core.domain_types.records import OrderStatus, OrderType, Side
from bot4_core.errors import OrderError, ValidationError
from bot4_core.orders.linked import (
    CancelChild,
    ChildRole,
    LinkedAction,
    LinkedOrder,
    PlaceChild,
)
from bot4_core.orders.linked_plans import LinkedForm, LinkedKind, LinkedPlan, form_at

OCO = LinkedPlan(side=Side.SELL, size=10, target=110, stop=95)
BRACKET = LinkedPlan(side=Side.SELL, size=10, entry=100, target=110, stop=95)
TRAIL = LinkedPlan(side=Side.SELL, size=10, trail=5)
ICEBERG = LinkedPlan(side=Side.SELL, size=10, target=110, visible=4)
ALL_ROLES = list(ChildRole)


def placed(actions: list[LinkedAction]) -> list[tuple[ChildRole, int, int]]:
    return [(each.role, each.price, each.size) for each in actions if isinstance(each, PlaceChild)]


def test_an_oco_rests_its_target_and_keeps_the_stop_back() -> None:
    order = LinkedOrder(OCO)
    assert placed(order.decide(100, 101, 0)) == [(ChildRole.TARGET, 110, 10)]
    assert order.decide(96, 97, 1) == []
    order.update(0, OrderStatus.FILLED, 10, 0, 2)
    assert order.finished
    assert order.decide(90, 91, 3) == []


def test_a_stop_goes_to_market_with_what_the_target_surely_left() -> None:
    order = LinkedOrder(OCO)
    order.decide(100, 101, 0)
    order.update(0, OrderStatus.PARTIAL, 3, 7, 1)
    assert order.decide(95, 96, 2) == [CancelChild(0)]
    order.update(0, OrderStatus.UNKNOWN, 3, 7, 3)
    assert order.decide(94, 95, 4) == []
    order.update(0, OrderStatus.CANCELED, 5, 0, 5)
    (stop,) = order.decide(97, 98, 6)
    assert isinstance(stop, PlaceChild)
    assert (stop.role, stop.type, stop.size) == (ChildRole.STOP, OrderType.MARKET, 5)
    order.update(1, OrderStatus.FILLED, 5, 0, 7)
    assert order.finished


def test_a_bracket_protects_what_its_entry_has_filled_piece_by_piece() -> None:
    order = LinkedOrder(attrs.evolve(BRACKET, smallest=2))
    (entry,) = order.decide(100, 101, 0)
    assert isinstance(entry, PlaceChild)
    assert (entry.role, entry.side, entry.price) == (ChildRole.ENTRY, Side.BUY, 100)
    assert order.decide(94, 95, 1) == []  # nothing to protect yet
    order.update(0, OrderStatus.PARTIAL, 4, 6, 2)
    assert placed(order.decide(100, 101, 2)) == [(ChildRole.TARGET, 110, 4)]
    order.update(0, OrderStatus.PARTIAL, 5, 5, 3)
    assert order.decide(100, 101, 3) == []  # the venue takes no order of one
    order.update(0, OrderStatus.CANCELED, 5, 0, 4)
    assert placed(order.decide(100, 101, 4)) == [(ChildRole.TARGET, 110, 1)]


def test_a_bracket_whose_entry_is_refused_is_over() -> None:
    order = LinkedOrder(BRACKET)
    order.decide(100, 101, 0)
    order.update(0, OrderStatus.REJECTED, 0, 0, 1)
    assert order.finished
    assert order.decide(100, 101, 2) == []


@pytest.mark.parametrize("side", [Side.SELL, Side.BUY])
def test_a_trailing_stop_follows_the_touch_and_never_moves_back(side: Side) -> None:
    order = LinkedOrder(attrs.evolve(TRAIL, side=side))
    way = [100, 104, 102, 110, 106]
    if side is Side.BUY:
        way = [200 - price for price in way]
    triggers = []
    for touch in way:
        assert order.decide(touch, touch, 0) == []
        triggers.append(order.trigger)
    assert [(each - triggers[0]) * -side for each in triggers] == [0, 4, 4, 10, 10]
    assert order.decide(0, 0, 1) == []  # a book that is not LIVE starts nothing
    assert placed(order.decide(triggers[-1], triggers[-1], 2)) == [(ChildRole.STOP, 0, 10)]


def test_stop_and_trail_together_start_at_the_nearer_one() -> None:
    order = LinkedOrder(attrs.evolve(TRAIL, stop=97))
    assert order.trigger == 97
    order.decide(100, 101, 0)
    assert order.trigger == 97
    order.decide(104, 105, 0)
    assert order.trigger == 99


def test_an_iceberg_shows_one_slice_after_the_other() -> None:
    order = LinkedOrder(ICEBERG)
    sizes = []
    for child in range(3):
        ((_, price, size),) = placed(order.decide(100, 101, child))
        assert order.decide(100, 101, child) == []
        assert price == 110
        sizes.append(size)
        order.update(child, OrderStatus.FILLED, size, 0, child)
    assert sizes == [4, 4, 2]
    assert order.finished


def test_a_rejected_target_is_tried_again_after_a_pause_and_then_given_up() -> None:
    order = LinkedOrder(attrs.evolve(OCO, tries=2, pause=10))
    order.decide(100, 101, 0)
    order.update(0, OrderStatus.REJECTED, 0, 0, 1)
    assert order.decide(100, 101, 10) == []
    assert placed(order.decide(100, 101, 11)) == [(ChildRole.TARGET, 110, 10)]
    order.update(1, OrderStatus.REJECTED, 0, 0, 12)
    assert order.decide(100, 101, 40) == []
    assert order.gave_up
    assert placed(order.decide(95, 96, 41)) == [(ChildRole.STOP, 0, 10)]


def test_a_cancel_is_asked_again_while_the_child_may_fill() -> None:
    order = LinkedOrder(attrs.evolve(OCO, pause=10))
    order.decide(100, 101, 0)
    order.cancel()
    asked = [bool(order.decide(100, 101, now)) for now in (1, 5, 11, 12)]
    assert asked == [True, False, True, False]
    order.update(0, OrderStatus.CANCELED, 2, 0, 13)
    assert order.decide(80, 81, 30) == []
    assert order.finished


def test_a_busted_entry_takes_its_target_back() -> None:
    order = LinkedOrder(BRACKET)
    order.decide(100, 101, 0)
    order.update(0, OrderStatus.FILLED, 10, 0, 1)
    order.decide(100, 101, 1)
    order.update(0, OrderStatus.FILLED, 6, 0, 2)
    assert order.decide(100, 101, 2) == [CancelChild(1)]
    order.update(1, OrderStatus.CANCELED, 0, 0, 3)
    assert placed(order.decide(100, 101, 3)) == [(ChildRole.TARGET, 110, 6)]


def test_evidence_about_no_child_and_impossible_sizes_are_errors() -> None:
    order = LinkedOrder(OCO)
    with pytest.raises(OrderError, match="child 0, there are 0"):
        order.update(0, OrderStatus.OPEN, 0, 10, 0)
    order.decide(100, 101, 0)
    with pytest.raises(OrderError, match="-1 at stake"):
        order.update(0, OrderStatus.OPEN, 0, -1, 0)


def test_all_faults_of_a_plan_are_told_at_once() -> None:
    with pytest.raises(ValidationError) as caught:
        LinkedPlan(side=Side.NONE, size=0, trail=-1, visible=3)
    assert [path for path, _ in caught.value.faults] == ["trail", "side", "size", "visible"]
    with pytest.raises(ValidationError, match="nothing would exit"):
        LinkedPlan(side=Side.SELL, size=1)
    with pytest.raises(ValidationError, match="on the target's side"):
        LinkedPlan(side=Side.BUY, size=1, target=90, stop=80)


@pytest.mark.parametrize(
    ("plan", "kind"),
    [
        (OCO, LinkedKind.OCO),
        (BRACKET, LinkedKind.BRACKET),
        (TRAIL, LinkedKind.TRAILING_STOP),
        (LinkedPlan(side=Side.SELL, size=1, stop=90), LinkedKind.STOP),
        (ICEBERG, LinkedKind.ICEBERG),
        (LinkedPlan(side=Side.SELL, size=1, target=90), LinkedKind.LIMIT),
    ],
)
def test_a_plan_is_native_where_the_venue_has_its_kind(plan: LinkedPlan, kind: LinkedKind) -> None:
    assert plan.kind is kind
    assert form_at(plan, {kind.value}) is LinkedForm.NATIVE
    assert form_at(plan, set(LinkedKind) - {kind}) is LinkedForm.EMULATED


def test_a_plan_of_two_kinds_is_the_kernels() -> None:
    for plan in (
        attrs.evolve(BRACKET, trail=5),
        attrs.evolve(OCO, visible=2),
        attrs.evolve(TRAIL, stop=90),
    ):
        assert form_at(plan, set(LinkedKind)) is LinkedForm.EMULATED


@attrs.define
class VenueChild:
    """A child as it truly is at the venue, beside what was told of it."""

    order: PlaceChild
    filled: int = 0
    over: OrderStatus | None = None


class LinkedMachine(RuleBasedStateMachine):
    """A venue whose news comes late, partly, or as a lost reply, in any order of children."""

    @initialize(
        side=st.sampled_from([Side.SELL, Side.BUY]),
        entry=st.booleans(),
        exits=st.sampled_from(["target", "stop", "trail", "both", "all"]),
        visible=st.integers(0, 4),
        smallest=st.integers(1, 3),
    )
    def open(self, side: Side, entry: bool, exits: str, visible: int, smallest: int) -> None:
        resting = exits in ("target", "both", "all")
        self.plan = LinkedPlan(
            side=side,
            size=12,
            entry=100 if entry else 0,
            target=100 - 10 * side if resting else 0,
            stop=100 + 5 * side if exits in ("stop", "both", "all") else 0,
            trail=6 if exits in ("trail", "all") else 0,
            visible=visible if resting and visible >= smallest else 0,
            smallest=smallest,
            pause=5,
        )
        self.order = LinkedOrder(self.plan)
        self.children: list[VenueChild] = []
        self.now = 0
        self.extremes: list[int] = []

    def act(self, actions: list[LinkedAction]) -> None:
        for action in actions:
            if isinstance(action, PlaceChild):
                assert action.child == len(self.children)
                self.children.append(VenueChild(action))
            else:
                child = self.children[action.child]
                child.over = child.over or OrderStatus.CANCELED

    def tell(self, number: int) -> None:
        child = self.children[number]
        left = child.order.size - child.filled
        status = child.over or (OrderStatus.PARTIAL if child.filled else OrderStatus.OPEN)
        if not left:
            status = OrderStatus.FILLED
        at_stake = 0 if child.over else left
        self.order.update(number, status, child.filled, at_stake, self.now)

    @rule(touch=st.integers(85, 115), live=st.booleans(), step=st.integers(0, 6))
    def see(self, touch: int, live: bool, step: int) -> None:
        self.now += step
        self.act(self.order.decide(touch if live else 0, touch if live else 0, self.now))
        if self.order.extreme:
            self.extremes.append(self.order.extreme)

    @precondition(lambda self: self.children)
    @rule(data=st.data(), size=st.integers(1, 12))
    def fill(self, data: st.DataObject, size: int) -> None:
        child = data.draw(st.sampled_from(self.children))
        if child.over is None:
            child.filled = min(child.filled + size, child.order.size)

    @precondition(lambda self: self.children)
    @rule(
        data=st.data(),
        end=st.sampled_from([OrderStatus.REJECTED, OrderStatus.EXPIRED, OrderStatus.CANCELED]),
    )
    def end(self, data: st.DataObject, end: OrderStatus) -> None:
        child = data.draw(st.sampled_from(self.children))
        if child.over is None and not (end is OrderStatus.REJECTED and child.filled):
            child.over = end

    @precondition(lambda self: self.children)
    @rule(data=st.data())
    def hear(self, data: st.DataObject) -> None:
        self.tell(data.draw(st.integers(0, len(self.children) - 1)))

    @precondition(lambda self: self.children)
    @rule(data=st.data())
    def lose(self, data: st.DataObject) -> None:
        """The reply is lost: nobody knows, so everything unfilled is at stake."""
        number = data.draw(st.integers(0, len(self.children) - 1))
        known = self.order._children[number]
        if known.status < OrderStatus.FILLED:
            rest = known.size - known.filled
            self.order.update(number, OrderStatus.UNKNOWN, known.filled, rest, self.now)

    def sums(self) -> tuple[int, int, int]:
        """Return what entry and exits have filled, and what exits can still fill."""
        entries = [each for each in self.children if each.order.role is ChildRole.ENTRY]
        exits = [each for each in self.children if each.order.role is not ChildRole.ENTRY]
        entered = sum(each.filled for each in entries) if self.plan.entry else self.plan.size
        left = sum(each.order.size - each.filled for each in exits if each.over is None)
        return entered, sum(each.filled for each in exits), left

    @invariant()
    def exits_never_close_more_than_was_entered(self) -> None:
        entered, closed, left = self.sums()
        assert closed + left <= entered

    @invariant()
    def a_trail_never_moves_back(self) -> None:
        assert sorted(self.extremes, key=lambda price: -price * self.plan.side) == self.extremes

    @invariant()
    def an_iceberg_shows_one_slice(self) -> None:
        targets = [each for each in self.children if each.order.role is ChildRole.TARGET]
        if self.plan.visible:
            assert sum(each.over is None and each.filled < each.order.size for each in targets) <= 1
            assert all(each.order.size <= self.plan.visible for each in targets)

    def teardown(self) -> None:
        """All news arrives and a last touch starts the stop: everything entered is closed."""
        if not hasattr(self, "order"):
            return
        worst = 500 if self.plan.side > 0 else 1
        for _ in range(8):
            self.now += 5
            for number in range(len(self.children)):
                self.tell(number)
            self.act(self.order.decide(worst, worst, self.now))
            for child in self.children:
                if child.order.role is ChildRole.STOP and child.over is None:
                    child.filled = child.order.size
        entered, closed, left = self.sums()
        if self.plan.stop or (self.plan.trail and self.order.stopped):
            assert (closed, left) == (entered, 0)
            entries = [each for each in self.children if each.order.role is ChildRole.ENTRY]
            assert self.order.finished or any(each.over is None for each in entries)
        elif not self.order.gave_up and not self.plan.visible and self.plan.target:
            assert closed + left == entered


TestLinkedMachine = LinkedMachine.TestCase
TestLinkedMachine.settings = settings(stateful_step_count=30)
