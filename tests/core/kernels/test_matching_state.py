"""Fees, event rows and order chains of the paper matcher."""

from fractions import Fraction
from math import ceil

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from bot4_core.domain_types.records import EVENT_DTYPE, INTENT_DTYPE, EventFlag, EventKind
from bot4_core.kernels.book_state import BOOK_DTYPE
from bot4_core.kernels.matching import send
from bot4_core.kernels.matching_state import (
    AS_MAKER,
    AS_TAKER,
    EVENT_AUX,
    EVENT_CODES,
    EVENT_SEQUENCE,
    EVENT_WORDS,
    FEE_UNIT,
    FIRST_ASK,
    FREE_ORDER,
    INSTRUMENT,
    INTENT_WORDS,
    LATENCY_BACK,
    NOW,
    NUMBER,
    OF_NUMBER,
    OUT_ROOM,
    POSITION,
    REQUEST_FIRST,
    REQUEST_ROOM,
    REQUEST_WORDS,
    REQUESTS,
    REQUESTS_AT,
    SIDE,
    TERM_WORDS,
    TERMS_DTYPE,
    TICK,
    Desk,
    emit,
    exact_fee,
    fee_of,
    grow_desk,
    new_desk,
    terms_of,
    waiting_answers,
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


def desk_with(**fields: int) -> Desk:
    """Return a desk of one instrument."""
    terms = np.zeros(1, TERMS_DTYPE)
    for name, value in fields.items():
        terms[name] = value
    return new_desk(terms)


@given(price=st.integers(1, 2**31), size=st.integers(0, 2**31), rate=st.integers(-999, 999))
def test_inverse_fee_equals_the_fraction_rounded_up(price: int, size: int, rate: int) -> None:
    desk = desk_with(inverse=1, maker=rate, taker=-rate, fee_unit=7)
    for role, sign in ((AS_MAKER, 1), (AS_TAKER, -1)):
        exact = ceil(Fraction(size * rate * sign, 7 * price))
        assert fee_of(desk, terms_of(desk, 0), price, size, role) == exact


def test_fee_of_a_textbook_fill() -> None:
    # 2 base units at 30,000.00 quote, 0.02 % maker and 0.05 % taker, in cents
    desk = desk_with(maker=2, taker=5, fee_unit=10_000)
    assert fee_of(desk, terms_of(desk, 0), 3_000_000, 2, AS_MAKER) == 12_00
    assert fee_of(desk, terms_of(desk, 0), 3_000_000, 2, AS_TAKER) == 30_00


def test_answer_carries_both_clocks_and_the_order() -> None:
    desk = desk_with()
    desk[NOW], desk[LATENCY_BACK] = 100, 7
    order = int(desk[FREE_ORDER])
    desk[order + NUMBER], desk[order + SIDE], desk[order + INSTRUMENT] = 42, -1, 9
    place = emit(desk, EventKind.ORDER_FILLED + (EventFlag.MAKER << 16), order, 11, 22)
    desk[place + EVENT_SEQUENCE], desk[place + EVENT_AUX] = 33, 44
    (row,) = waiting_answers(desk)
    names = ("time", "received", "price", "size", "sequence", "aux", "link", "kind", "side")
    assert [int(row[name]) for name in names] == [100, 107, 11, 22, 33, 44, 42, 21, -1]
    assert int(row["instrument"]) == 9
    assert int(row["flags"]) == EventFlag.MAKER | EventFlag.LAST | EventFlag.SIMULATED


def test_words_of_an_order_begin_as_an_intent_does() -> None:
    names = INTENT_DTYPE.names or ()
    assert names[:INTENT_WORDS] == (
        *("number", "instrument", "side", "type", "time_in_force", "flags", "price", "size"),
    )
    assert all(INTENT_DTYPE[name] == np.int64 for name in names)


def test_words_of_an_instrument_are_named_in_order() -> None:
    names = TERMS_DTYPE.names or ()
    named = {"tick": TICK, "fee_unit": FEE_UNIT, "first_ask": FIRST_ASK, "position": POSITION}
    assert len(names) == TERM_WORDS
    assert {name: names.index(name) for name in named} == named


def test_words_of_an_event_are_those_of_its_record() -> None:
    names = EVENT_DTYPE.names or ()
    assert names[:EVENT_CODES] == (
        *("time", "received", "price", "size", "sequence", "aux", "link"),
    )
    assert EVENT_DTYPE.itemsize == 8 * EVENT_WORDS


def test_every_word_of_a_book_row_is_an_integer() -> None:
    assert all(BOOK_DTYPE[name] == np.int64 for name in BOOK_DTYPE.names or ())


def test_grown_desk_holds_what_it_held() -> None:
    desk = new_desk(np.zeros(2, TERMS_DTYPE), orders=3, taken=2, requests=4, out=2)
    order = int(desk[FREE_ORDER])
    for time in (5, 6, 7, 8):
        desk[send(desk, time) + OF_NUMBER] = time
    assert send(desk, 9) == 0
    desk[REQUEST_FIRST], desk[REQUESTS] = 2, 4
    emit(desk, EventKind.ORDER_CANCELED, order, 1, 2)
    grown = grow_desk(desk)
    rows = grown[grown[REQUESTS_AT] :].reshape(-1)[: 8 * REQUEST_WORDS].reshape(8, REQUEST_WORDS)
    assert rows[:4, OF_NUMBER].tolist() == [7, 8, 5, 6]
    assert np.array_equal(waiting_answers(grown), waiting_answers(desk))
    assert grown[REQUEST_ROOM] == 8
    assert grown[OUT_ROOM] == 4
    assert send(grown, 9) != 0
