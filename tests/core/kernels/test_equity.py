"""The equity that limits see: exact fractions, rounded against the account."""

from decimal import Decimal
from fractions import Fraction
from math import ceil, floor

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from tests.core.kernels.test_limits import FLAT, LIMITS, RULES, checked, instrument
from tests.reference.limits_twin import Wish

from bot4_core.domain_types.instruments import Instrument, InstrumentKind
from bot4_core.kernels.equity import rebase, revalue
from bot4_core.kernels.limits_money import LARGEST
from bot4_core.kernels.order_rows import Slot
from bot4_core.kernels.tables import Tables
from bot4_core.orders.order_tables import new_order_tables
from bot4_core.risk.limits import money_scale
from bot4_core.session.config import QuotingConfig
from bot4_core.session.decision_tables import place_decision_tables

DAY = 86_400_000_000_000
CASH = 10**13


def world(rules: Instrument) -> Tables:
    check = checked(Wish(), [rules], [FLAT], LIMITS)
    tables = new_order_tables(1, 4, check.views)
    place_decision_tables(tables, QuotingConfig())
    check.place(tables)
    check.account["day"] = 0
    return tables


def worth_by_hand(rules: Instrument, position: int, twice: int, cost: int) -> int:
    """What a position adds to the equity, in fractions."""
    numerator, divisor, inverse = money_scale(rules, -8)
    size = abs(position)
    value = (
        Fraction(size * numerator, twice * divisor)
        if inverse
        else Fraction(size * numerator * twice, divisor)
    )
    gains = (position > 0) != bool(inverse)
    spot = rules.kind is InstrumentKind.SPOT
    whole = floor(value) if gains else ceil(value)
    return (1 if gains else -1) * (whole - (0 if spot else cost))


@given(
    RULES,
    st.integers(-3_000, 3_000).filter(bool),
    st.integers(1, 10**7),
    st.integers(0, 10**5),
    st.integers(0, 10**12),
)
def test_a_position_is_worth_what_fractions_say(
    rules: Instrument, position: int, bid: int, spread: int, cost: int
) -> None:
    tables = world(rules)
    desk = tables[Slot.DESKS]
    desk["bid"], desk["ask"], desk["cost"] = bid, bid + spread, cost
    tables[Slot.VIEWS]["position"] = position
    rebase(tables.handle, CASH, 1)
    added = worth_by_hand(rules, position, 2 * bid + spread, cost)
    assert tables[Slot.ACCOUNT]["equity"][0] == CASH + added
    assert tables[Slot.VIEWS]["equity"][0] == (CASH + added) * 1e-8
    desk["ask"] += 2
    revalue(tables.handle, 0, 2)
    added = worth_by_hand(rules, position, 2 * bid + spread + 2, cost)
    assert tables[Slot.ACCOUNT]["equity"][0] == CASH + added


def test_a_holding_never_priced_is_worth_what_it_cost_on_spot_and_nothing_as_contract() -> None:
    for kind, added in ((InstrumentKind.SPOT, 500), (InstrumentKind.PERPETUAL, 0)):
        tables = world(instrument(kind=kind))
        tables[Slot.VIEWS]["position"], tables[Slot.DESKS]["cost"] = 10, 500
        rebase(tables.handle, CASH, 1)
        assert tables[Slot.ACCOUNT]["equity"][0] == CASH + added


def test_what_cannot_be_measured_changes_nothing() -> None:
    tables = world(instrument())
    desk = tables[Slot.DESKS]
    tables[Slot.VIEWS]["position"], desk["bid"], desk["ask"] = LARGEST, LARGEST // 2, LARGEST // 2
    desk["valued"] = 7
    rebase(tables.handle, CASH, 1)
    assert tables[Slot.ACCOUNT]["equity"][0] == CASH + 7


def test_loss_counts_from_the_start_of_the_utc_day_and_the_peak_stays() -> None:
    tables = world(instrument())
    account = tables[Slot.ACCOUNT]
    account["equity"] = account["peak"] = account["day_start"] = CASH
    seen = []
    for cash, now in ((-5, 3 * DAY + 1), (-7, 4 * DAY - 1), (-9, 4 * DAY), (3, 4 * DAY + 1)):
        rebase(tables.handle, CASH + cash, now)
        seen.append(int(account["day_start"][0]) - CASH)
    assert seen == [0, 0, -7, -7]
    rebase(tables.handle, CASH - 100, 4 * DAY + 2)
    assert account["peak"][0] == CASH + 3


def test_the_unit_of_money_is_that_of_the_limits() -> None:
    tables = world(instrument())
    rebase(tables.handle, int(Decimal("12.5").scaleb(8)), 1)
    assert np.all(tables[Slot.VIEWS]["equity"] == 12.5)
