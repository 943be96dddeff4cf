"""Table sets: arrays found by slot, functions called by address."""

import numpy as np
import pytest
from numpy.typing import NDArray

from bot4_core.domain_types.records import VIEW_DTYPE
from bot4_core.jit import is_compiling, kernel
from bot4_core.kernels.tables import Tables, TableSet, call_at, part_address, table_at

NUMBERS = np.dtype("<i8")


@kernel()
def highest_bid(tables: TableSet) -> int:
    """Return the largest bid of the views in slot 1."""
    best = 0
    views = table_at(tables, 1, VIEW_DTYPE)
    for number in range(len(views)):
        best = max(best, int(views[number]["bid"]))
    return best


@kernel()
def raise_bids(tables: TableSet, by: int) -> None:
    """Add to every bid."""
    views = table_at(tables, 1, VIEW_DTYPE)
    for number in range(len(views)):
        views[number]["bid"] += by


@kernel()
def nested_sum(tables: TableSet) -> int:
    """Add the numbers of the first table of the set within slot 0."""
    inner = table_at(tables, 0, NUMBERS)
    total = 0
    for number in table_at(inner, 0, NUMBERS):
        total += int(number)
    return total


@kernel()
def doubled(view: np.void, numbers: NDArray[np.int64]) -> int:
    """Return twice the bid plus the first number."""
    if view["bid"] < 0:
        raise ValueError("below 0")
    return 2 * int(view["bid"]) + int(numbers[0])


@kernel()
def third(view: np.void, numbers: NDArray[np.int64]) -> int:
    """Return three times the bid."""
    return 3 * int(view["bid"])


@kernel()
def half(view: np.void, numbers: NDArray[np.int64]) -> float:
    """Return what no part may: a fraction."""
    return 0.5 * float(view["bid"])


@kernel()
def call_part(tables: TableSet, place: int) -> int:
    """Call the function in slot 2 on the first view."""
    views, numbers = table_at(tables, 1, VIEW_DTYPE), table_at(tables, 3, NUMBERS)
    result: int = call_at(table_at(tables, 2, NUMBERS)[place], views[0], numbers)
    return result


def tables_with(*bids: int) -> Tables:
    tables = Tables(4)
    views = np.zeros(len(bids), VIEW_DTYPE)
    views["bid"] = bids
    tables.put(1, views)
    return tables


def test_kernels_read_and_write_the_arrays_of_a_set() -> None:
    tables = tables_with(3, 7, 5)
    assert highest_bid(tables.handle) == 7
    raise_bids(tables.handle, 10)
    assert tables[1]["bid"].tolist() == [13, 17, 15]


def test_an_array_may_be_replaced_behind_the_same_handle() -> None:
    tables = tables_with(3)
    handle = tables.handle
    tables.put(1, tables_with(3, 40)[1])
    assert highest_bid(handle) == 40


def test_a_set_may_stand_within_a_set() -> None:
    inner, outer = Tables(1), Tables(1)
    inner.put(0, np.array([3, 4], np.int64))
    outer.nest(0, inner)
    assert nested_sum(outer.handle) == 7


@pytest.mark.parametrize("array", [np.zeros((2, 2), np.int64), np.zeros(8, np.int64)[::2]])
def test_what_is_no_row_of_records_is_refused(array: NDArray[np.int64]) -> None:
    with pytest.raises(ValueError, match="no contiguous row"):
        Tables(1).put(0, array)


def parts_table(*functions: int) -> NDArray[np.int64]:
    """Addresses; uncompiled the functions themselves."""
    return np.array(functions, np.int64 if is_compiling() else object)


def test_functions_of_one_signature_are_called_by_address() -> None:
    tables = tables_with(20)
    numbers = np.array([1], np.int64)
    example = (tables[1][0], numbers)
    tables.put(2, parts_table(part_address(doubled, *example), part_address(third, *example)))
    tables.put(3, numbers)
    assert [call_part(tables.handle, place) for place in (0, 1)] == [41, 60]
    tables[1]["bid"] = -1
    with pytest.raises(ValueError, match="below 0"):
        call_part(tables.handle, 0)


@pytest.mark.skipif(not is_compiling(), reason="plain functions return what they like")
def test_a_part_that_gives_no_whole_number_is_refused() -> None:
    with pytest.raises(TypeError, match="half returns float64"):
        part_address(half, tables_with(1)[1][0], np.zeros(1, np.int64))  # type: ignore[arg-type]  # the fault
