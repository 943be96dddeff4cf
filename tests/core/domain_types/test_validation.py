from collections.abc import Iterator
from decimal import Decimal

import attrs
import pytest
from tests.core.domain_types import builders
from tests.core.domain_types.builders import BOOK, INSTRUMENT, LEVEL, ORDER, POSITION

from bot4_core.domain_types import (
    BookLevel,
    FeeSchedule,
    HasRules,
    Nanoseconds,
    Order,
    Price,
    Quantity,
    Side,
    Symbol,
    faults_of,
    validate,
)
from bot4_core.errors import ValidationError

SOUND = [value for value in vars(builders).values() if attrs.has(type(value))]


@attrs.frozen
class Settings:
    """What a plugin brings."""

    level: float
    sizes: tuple[Quantity, ...] = ()
    weights: dict[str, Decimal] = attrs.field(factory=dict)

    def faults(self) -> Iterator[tuple[str, str]]:
        if self.level < 0:
            yield "level", f"{self.level} is below zero"


@pytest.mark.parametrize("value", SOUND, ids=lambda value: type(value).__name__)
def test_sound_values_pass_and_come_back_themselves(value: object) -> None:
    assert validate(value) is value


def test_all_faults_are_reported_at_once_with_paths_in_field_order() -> None:
    wrong = attrs.evolve(
        INSTRUMENT,
        tick=0,
        lot=-1,
        symbol=Symbol(""),
        fees=FeeSchedule(maker=Decimal(5)),
        expiry=Nanoseconds(0),
    )
    with pytest.raises(ValidationError) as caught:
        validate(wrong)
    assert [path for path, _ in caught.value.faults] == [
        "fees.maker",
        "tick",
        "lot",
        "symbol",
        "expiry",
        "expiry",
    ]
    assert "tick: 0 is not above zero; lot: -1 is not above zero" in str(caught.value)


def test_faults_inside_lists_and_objects_are_named_by_place() -> None:
    broken = BookLevel(price=Price(-1, 0), size=Quantity(0, 0))
    book = attrs.evolve(BOOK, bids=(LEVEL, broken))
    order = attrs.evolve(ORDER, intent=attrs.evolve(ORDER.intent, side=Side.NONE))
    found = faults_of({"books": [book], "order": order}, "session")
    assert [path for path, _ in found] == [
        "session.books[0].bids[1].price",
        "session.books[0].bids[1].size",
        "session.order.intent.side",
    ]


def test_a_field_of_the_wrong_type_is_a_fault_and_silences_rules_that_would_stumble() -> None:
    wrong = attrs.evolve(INSTRUMENT, tick="5", lot=0)  # type: ignore[arg-type]  # that is the point
    assert faults_of(wrong) == [("tick", "'5' is str, expected int")]
    inner = attrs.evolve(ORDER.intent, size=3)  # type: ignore[arg-type]  # that is the point
    assert [path for path, _ in faults_of(attrs.evolve(ORDER, intent=inner))] == ["intent.size"]


def test_faulty_parts_do_not_silence_the_rules_of_the_whole() -> None:
    intent = attrs.evolve(ORDER.intent, side=Side.NONE)
    order: Order = attrs.evolve(ORDER, intent=intent, filled=Quantity(5, 0))
    assert [path for path, _ in faults_of(order)] == ["intent.side", "filled"]


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "sNaN"])
def test_decimals_must_be_finite(number: str) -> None:
    wrong = attrs.evolve(INSTRUMENT, multiplier=Decimal(number))
    assert faults_of(wrong) == [("multiplier", f"{number} is not a finite number")]


def test_a_class_from_outside_may_bring_rules_of_its_own() -> None:
    settings = Settings(level=-1.0, weights={"a": Decimal("NaN")})
    assert isinstance(settings, HasRules)
    assert faults_of(settings, "parts[0]") == [
        ("parts[0].weights.a", "NaN is not a finite number"),
    ]
    assert faults_of(attrs.evolve(settings, weights={}), "parts[0]") == [
        ("parts[0].level", "-1.0 is below zero"),
    ]
    assert faults_of([attrs.evolve(settings, weights={})]) == [("[0].level", "-1.0 is below zero")]


def test_values_without_rules_have_no_faults() -> None:
    for value in (1, "text", None, POSITION.size, Decimal(1), (), {}, object()):
        assert faults_of(value) == []


def test_an_attrs_class_without_rules_is_checked_field_by_field() -> None:
    @attrs.frozen
    class Plain:
        size: int

    assert faults_of(Plain(3)) == []
    assert faults_of(Plain(size=True)) == [("size", "True is bool, expected int")]
