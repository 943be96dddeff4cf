"""Fees, event rows and order chains of the paper matcher."""

from fractions import Fraction
from math import ceil

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from bot4_core.domain_types.records import EventFlag, EventKind
from bot4_core.kernels.matching_state import (
    AS_MAKER,
    AS_TAKER,
    TERMS_DTYPE,
    emit,
    exact_fee,
    fee_of,
    new_desk,
)


@given(
    notional=st.integers(0, 2**62),
    rate=st.integers(-(2**31), 2**31),
    unit=st.integers(1, 2**31),
)
def test_fee_equals_the_fraction_rounded_up(notional: int, rate: int, unit: int) -> None:
    exact = ceil(Fraction(notional) * rate / unit)
    if abs(exact) < 2**63:
        assert exact_fee(notional, rate, unit) == exact


@given(price=st.integers(1, 2**31), size=st.integers(0, 2**31), rate=st.integers(-999, 999))
def test_inverse_fee_equals_the_fraction_rounded_up(price: int, size: int, rate: int) -> None:
    terms = np.zeros(1, TERMS_DTYPE)[0]
    terms["inverse"], terms["maker"], terms["taker"], terms["fee_unit"] = 1, rate, -rate, 7
    for role, sign in ((AS_MAKER, 1), (AS_TAKER, -1)):
        exact = ceil(Fraction(size * rate * sign, 7 * price))
        assert fee_of(terms, price, size, role) == exact


def test_fee_of_a_textbook_fill() -> None:
    # 2 base units at 30,000.00 quote, 0.02 % maker and 0.05 % taker, in cents
    terms = np.zeros(1, TERMS_DTYPE)[0]
    terms["maker"], terms["taker"], terms["fee_unit"] = 2, 5, 10_000
    assert fee_of(terms, 3_000_000, 2, AS_MAKER) == 12_00
    assert fee_of(terms, 3_000_000, 2, AS_TAKER) == 30_00


def test_event_row_carries_both_clocks_and_the_order() -> None:
    desk = new_desk(np.zeros(1, TERMS_DTYPE))
    desk.head["now"], desk.head["latency_back"] = 100, 7
    desk.orders[3]["number"], desk.orders[3]["side"] = 42, -1
    emit(desk, EventKind.ORDER_FILLED, 3, 11, 22, 33, 44, EventFlag.MAKER)
    row = desk.out[0]
    names = ("time", "received", "price", "size", "sequence", "aux", "link", "kind", "side")
    assert [int(row[name]) for name in names] == [100, 107, 11, 22, 33, 44, 42, 21, -1]
    assert int(row["flags"]) == EventFlag.MAKER | EventFlag.LAST | EventFlag.SIMULATED
