"""Ladders against a sorted dict, with every invariant asserted after every operation."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from tests.reference.book_invariants import check_ladder

from bot4_core.kernels.book_ladder import (
    DONE,
    MISFIT,
    ORPHAN,
    best_price,
    best_size,
    count_levels,
    depth_cost,
    level_size,
    put_level,
    trim_ladder,
    walk_levels,
    worst_price,
)
from bot4_core.kernels.book_state import common_grain
from bot4_core.kernels.book_window import (
    BASE,
    CAPACITY,
    GRAIN,
    INSIDE,
    LAST,
    OUTSIDE,
    Words,
    clear_ladder,
    copy_ladder,
    highest_bit,
    ladder_words,
    lowest_bit,
    new_ladder,
    next_occupied,
    recentre,
    set_grain,
)

WINDOW = 4096
ROOM = 64
LOWEST, HIGHEST = -(2**63), 2**63 - 1


def fresh(mask: int, grain: int = 1, capacity: int = ROOM, window: int = WINDOW) -> Words:
    memory = np.zeros(int(ladder_words(window, capacity)), np.int64)
    new_ladder(memory, 0, window, capacity, mask)
    set_grain(memory, 0, grain)
    return memory


def walk(memory: Words, depth: int = 4 * ROOM) -> list[tuple[int, int]]:
    prices, sizes = np.zeros(depth, np.int64), np.zeros(depth, np.int64)
    count = int(walk_levels(memory, 0, prices, sizes))
    return [(int(p), int(s)) for p, s in zip(prices[:count], sizes[:count], strict=True)]


@pytest.mark.parametrize("position", range(64))
def test_bit_scans_find_the_ends_of_any_word(position: int) -> None:
    word = int(np.int64(1) << position)
    assert lowest_bit(word) == position
    assert highest_bit(word) == position
    if position < 63:
        assert highest_bit(word | 1) == position
        assert lowest_bit(word | LOWEST) == position


@pytest.mark.parametrize("price", [LOWEST, LOWEST + 1, -1, 0, 1, 6_170_000, HIGHEST - 1, HIGHEST])
@pytest.mark.parametrize("mask", [-1, 0])
@pytest.mark.parametrize("grain", [1, 10, 2**40, 2**61, HIGHEST])
def test_any_price_of_64_bits_has_a_place(price: int, mask: int, grain: int) -> None:
    memory = fresh(mask, grain)
    price = price // grain * grain
    if price < LOWEST:
        price += grain
    assert put_level(memory, 0, price, 7) == DONE
    assert check_ladder(memory, 0) == {price: 7}
    assert best_price(memory, 0) == price


@pytest.mark.parametrize("mask", [-1, 0])
def test_both_ends_of_64_bits_fit_into_one_ladder(mask: int) -> None:
    memory = fresh(mask)
    for price in (0, LOWEST, HIGHEST, 5, -5):
        assert put_level(memory, 0, price, 1) == DONE
        check_ladder(memory, 0)
    ordered = sorted([0, LOWEST, HIGHEST, 5, -5], reverse=mask == -1)
    assert [price for price, _ in walk(memory)] == ordered
    assert best_price(memory, 0) == ordered[0]
    assert worst_price(memory, 0) == ordered[-1]


def test_price_between_two_ticks_is_a_misfit_and_changes_nothing() -> None:
    memory = fresh(0, 10)
    put_level(memory, 0, 1000, 5)
    for price in (1001, 1_000_001, -999):
        assert put_level(memory, 0, price, 5) == MISFIT
        assert level_size(memory, 0, price) == 0
    assert check_ladder(memory, 0) == {1000: 5}


def test_removing_an_absent_level_is_an_orphan() -> None:
    memory = fresh(0)
    put_level(memory, 0, 1000, 5)
    for price in (1001, 500, 9_999_999, -7):
        assert put_level(memory, 0, price, 0) == ORPHAN
    assert check_ladder(memory, 0) == {1000: 5}


def test_scan_of_the_last_ticks_finds_the_end() -> None:
    memory = fresh(0)
    assert next_occupied(memory, 0, WINDOW - 1) == WINDOW


def test_level_of_the_overflow_can_change_its_size() -> None:
    memory = fresh(0)
    for size in (1, 2):
        put_level(memory, 0, 1000, size)
        put_level(memory, 0, 10**6, size)
    assert check_ladder(memory, 0) == {1000: 2, 10**6: 2}


def test_level_goes_from_the_middle_of_the_overflow() -> None:
    memory = fresh(0)
    far = [10**6 * i for i in range(1, 6)]
    for price in (1000, *far):
        put_level(memory, 0, price, price)
    assert put_level(memory, 0, far[1], 0) == DONE
    assert check_ladder(memory, 0) == {price: price for price in (1000, *far) if price != far[1]}


def test_window_follows_when_its_last_level_goes() -> None:
    memory = fresh(0)
    put_level(memory, 0, 1000, 5)
    put_level(memory, 0, 1_000_000, 6)
    assert (int(memory[INSIDE]), int(memory[OUTSIDE])) == (1, 1)
    put_level(memory, 0, 1000, 0)
    assert (int(memory[INSIDE]), int(memory[OUTSIDE])) == (1, 0)
    assert memory[BASE] <= 1_000_000 <= memory[LAST]
    assert check_ladder(memory, 0) == {1_000_000: 6}


def test_scan_skips_empty_groups_of_the_summary() -> None:
    memory = fresh(0, window=4 * WINDOW)
    for price in (0, 4000, 12_000):
        put_level(memory, 0, price, 1)
    first = int(next_occupied(memory, 0, 0))
    assert next_occupied(memory, 0, first + 1) == first + 4000
    assert next_occupied(memory, 0, first + 4001) == first + 12_000
    assert next_occupied(memory, 0, first + 12_001) == 4 * WINDOW
    assert next_occupied(memory, 0, 4 * WINDOW) == 4 * WINDOW


def test_worst_level_is_found_and_trimmed_in_any_group_of_the_summary() -> None:
    memory = fresh(0, window=4 * WINDOW)
    for price in (0, 300, 12_000, 10**6):
        put_level(memory, 0, price, 1)
    for depth, worst in ((4, 10**6), (3, 12_000), (2, 300), (1, 0)):
        trim_ladder(memory, 0, depth)
        assert worst_price(memory, 0) == worst
        assert len(check_ladder(memory, 0)) == depth


def test_grain_refines_without_losing_levels() -> None:
    memory = fresh(-1, 1_000_000)
    for i in range(20):
        put_level(memory, 0, (61_700 - i) * 1_000_000, i + 1)
    before = walk(memory)
    set_grain(memory, 0, 10_000)
    check_ladder(memory, 0)
    assert walk(memory) == before


def test_empty_ladder_forgets_its_window_with_its_grain() -> None:
    memory = fresh(0, 10)
    put_level(memory, 0, 1000, 1)
    clear_ladder(memory, 0)
    set_grain(memory, 0, 3)
    assert put_level(memory, 0, 999, 1) == DONE
    assert check_ladder(memory, 0) == {999: 1}


def test_larger_copy_holds_the_same_levels() -> None:
    memory = np.zeros(200_000, np.int64)
    new_ladder(memory, 0, WINDOW, ROOM, 0)
    set_grain(memory, 0, 1)
    for i in range(40):
        put_level(memory, 0, i * 400, i + 1)
    before = check_ladder(memory, 0)
    target = 100_000
    new_ladder(memory, target, 4 * WINDOW, 2 * ROOM, 0)
    copy_ladder(memory, 0, target)
    assert check_ladder(memory, target) == before
    assert memory[target + OUTSIDE] < 40


@pytest.mark.parametrize("grain", [0, 1, 7, 10, 2**40])
@pytest.mark.parametrize("price", [LOWEST, -30, -1, 0, 1, 30, 6_180_020, HIGHEST])
def test_common_grain_divides_both(grain: int, price: int) -> None:
    found = int(common_grain(grain, price))
    assert found > 0
    assert price % found == 0
    assert grain % found == 0


def test_depth_cost_stops_at_the_size_or_at_the_end_of_the_book() -> None:
    memory = fresh(0)
    for price, size in ((10, 5), (11, 20), (1_000_000, 3)):
        put_level(memory, 0, price, size)
    assert depth_cost(memory, 0, 3) == (30.0, 3)
    assert depth_cost(memory, 0, 10) == (105.0, 10)
    assert depth_cost(memory, 0, 26) == (1_000_270.0, 26)
    assert depth_cost(memory, 0, 99) == (3_000_270.0, 28)
    assert depth_cost(fresh(0), 0, 1) == (0.0, 0)


def test_walk_stops_where_the_output_is_full() -> None:
    memory = fresh(-1)
    for price in (100, 99, 98, -1_000_000, -2_000_000):
        put_level(memory, 0, price, 1)
    assert [price for price, _ in walk(memory, 2)] == [100, 99]
    assert [price for price, _ in walk(memory, 4)] == [100, 99, 98, -1_000_000]
    assert walk(memory, 0) == []


near = st.integers(-3000, 3000).map(lambda x: x + 61_700)
far = st.integers(-(10**6), 10**6)
anywhere = st.integers(LOWEST, HIGHEST)
scaled_prices = st.one_of(near, near, far, anywhere)


class LadderMachine(RuleBasedStateMachine):
    """Any operations on one ladder, against a dict."""

    @initialize(mask=st.sampled_from([-1, 0]), grain=st.sampled_from([1, 2, 5, 100]))
    def start(self, mask: int, grain: int) -> None:
        self.mask = mask
        self.memory = fresh(mask, grain)
        self.model: dict[int, int] = {}

    def ordered(self) -> list[int]:
        return sorted(self.model, key=lambda price: price ^ self.mask)

    @rule(price=scaled_prices, size=st.integers(1, HIGHEST), snap=st.booleans())
    @precondition(lambda self: len(self.model) < ROOM)
    def put(self, price: int, size: int, snap: bool) -> None:
        grain = int(self.memory[GRAIN])
        if snap and price // grain * grain >= LOWEST:
            price = price // grain * grain
        code = put_level(self.memory, 0, price, size)
        assert code == (DONE if price % grain == 0 else MISFIT)
        if code == DONE:
            self.model[price] = size

    @rule(data=st.data())
    @precondition(lambda self: bool(self.model))
    def remove(self, data: st.DataObject) -> None:
        price = data.draw(st.sampled_from(self.ordered()))
        assert put_level(self.memory, 0, price, 0) == DONE
        del self.model[price]

    @rule()
    @precondition(lambda self: bool(self.model))
    def remove_best(self) -> None:
        price = self.ordered()[0]
        assert put_level(self.memory, 0, price, 0) == DONE
        del self.model[price]

    @rule(price=scaled_prices)
    def remove_absent(self, price: int) -> None:
        if price not in self.model:
            assert put_level(self.memory, 0, price, 0) in {ORPHAN, MISFIT}

    @rule(depth=st.integers(1, 20))
    def trim(self, depth: int) -> None:
        gone = self.ordered()[depth:]
        assert trim_ladder(self.memory, 0, depth) == len(gone)
        for price in gone:
            del self.model[price]

    @rule(price=scaled_prices)
    def refine(self, price: int) -> None:
        set_grain(self.memory, 0, common_grain(int(self.memory[GRAIN]), price))

    @rule(data=st.data())
    @precondition(lambda self: bool(self.model))
    def move_window(self, data: st.DataObject) -> None:
        price = data.draw(st.sampled_from(self.ordered()[:3]))
        if price == self.ordered()[0]:
            recentre(self.memory, 0, price ^ self.mask)

    @rule()
    def clear(self) -> None:
        clear_ladder(self.memory, 0)
        self.model.clear()

    @invariant()
    def _check(self) -> None:
        if not hasattr(self, "model"):
            return
        assert check_ladder(self.memory, 0) == self.model
        ordered = self.ordered()
        assert walk(self.memory) == [(price, self.model[price]) for price in ordered]
        assert count_levels(self.memory, 0) == len(ordered)
        assert self.memory[CAPACITY] == ROOM
        if ordered:
            assert best_price(self.memory, 0) == ordered[0]
            assert best_size(self.memory, 0) == self.model[ordered[0]]
            assert worst_price(self.memory, 0) == ordered[-1]
            assert level_size(self.memory, 0, ordered[-1]) == self.model[ordered[-1]]


TestLadder = LadderMachine.TestCase


@given(start=st.integers(-(10**5), 10**5), steps=st.lists(st.integers(-9000, 9000), max_size=40))
def test_one_level_that_jumps_about_is_always_the_best(start: int, steps: list[int]) -> None:
    memory = fresh(-1)
    price = start
    put_level(memory, 0, price, 1)
    for step in steps:
        if step == 0:
            continue
        put_level(memory, 0, price + step, 1)
        put_level(memory, 0, price, 0)
        price += step
        assert check_ladder(memory, 0) == {price: 1}
