"""Exact products, and the limit check against its twin in fractions."""

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from math import ceil, floor

import attrs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.reference import limits_twin
from tests.reference.limits_twin import Held, Money, Wish

from bot4_core.domain_types.canonical_types import Rounding, Symbol, VenueName, divide_rounded
from bot4_core.domain_types.instruments import Instrument, InstrumentKind, Settlement
from bot4_core.domain_types.records import INTENT_DTYPE, VIEW_DTYPE, BookState, OrderFlag, OrderType
from bot4_core.domain_types.risk_limits import RiskLimits
from bot4_core.kernels.limits import UNMEASURED, LimitCode
from bot4_core.kernels.limits_money import (
    LARGEST,
    TOO_LARGE,
    even_ratio,
    exact_ratio,
    notional,
    wide_product,
    wide_quotient,
    worth,
)
from bot4_core.risk.limits import LimitCheck, money_scale

NUMBERS = st.integers(0, LARGEST)
POSITIVE = st.integers(1, LARGEST)


@given(NUMBERS, NUMBERS)
def test_wide_product_is_the_product(a: int, b: int) -> None:
    high, low = wide_product(a, b)
    assert int(high) * 2**62 + int(low) == a * b
    assert 0 <= low <= LARGEST


@given(NUMBERS, NUMBERS, POSITIVE)
def test_wide_quotient_is_the_quotient(high: int, low: int, divisor: int) -> None:
    high %= divisor
    quotient, rest = wide_quotient(high, low, divisor)
    assert (int(quotient), int(rest)) == divmod(high * 2**62 + low, divisor)


@given(NUMBERS, NUMBERS, POSITIVE, st.integers(0, 1))
def test_exact_ratio_is_exact_or_says_that_it_is_too_large(
    a: int, b: int, divisor: int, up: int
) -> None:
    expected = (ceil if up else floor)(Fraction(a * b, divisor))
    found = exact_ratio(a, b, divisor, up)
    assert found == (expected if expected <= LARGEST else TOO_LARGE)


@pytest.mark.parametrize(("up", "expected"), [(0, 3), (1, 4)])
def test_exact_ratio_rounds_as_told(up: int, expected: int) -> None:
    assert exact_ratio(7, 1, 2, up) == expected


@given(st.integers(0, LARGEST), st.integers(0, LARGEST), st.integers(1, LARGEST))
def test_even_ratio_rounds_halves_to_even_or_says_that_it_is_too_large(
    a: int, b: int, divisor: int
) -> None:
    exact = divide_rounded(a * b, divisor, Rounding.HALF_EVEN)
    assert even_ratio(a, b, divisor) == (exact if exact <= LARGEST else TOO_LARGE)


@pytest.mark.parametrize(("a", "expected"), [(1, 0), (3, 2), (5, 2), (7, 4)])
def test_a_half_goes_to_the_even_neighbour(a: int, expected: int) -> None:
    assert even_ratio(a, 1, 2) == expected


def test_exact_ratio_just_above_the_range_is_too_large() -> None:
    assert exact_ratio(LARGEST, 3, 2, 1) == TOO_LARGE
    assert exact_ratio(LARGEST, 2, 2, 1) == LARGEST


@pytest.mark.parametrize("inverse", [0, 1])
def test_worth_beyond_the_range_is_too_large(inverse: int) -> None:
    assert worth(LARGEST, 2, (2, 1, inverse), 1) == TOO_LARGE
    assert worth(LARGEST + 1, 2, (1, 1, inverse), 1) == TOO_LARGE
    assert worth(1, LARGEST + 1, (1, 1, inverse), 1) == TOO_LARGE


def test_inverse_worth_without_a_price_is_too_large() -> None:
    assert worth(1, 0, (1, 1, 1), 1) == TOO_LARGE
    assert worth(1, LARGEST, (1, 2, 1), 1) == TOO_LARGE


def test_a_bitcoin_at_eight_decimals_each_is_not_too_large() -> None:
    scale = money_scale(instrument(price_exponent=-8, size_exponent=-8), -8)
    value = notional(10**8, 2 * 60_000 * 10**8, scale)
    assert value == 60_000 * 10**8


# -- the whole check ------------------------------------------------------------------------------


def instrument(symbol: str = "BTCUSDT", **changes: object) -> Instrument:
    made = Instrument(
        venue=VenueName("test"),
        market="usdm",
        symbol=Symbol(symbol),
        base="BTC",
        quote="USDT",
        kind=InstrumentKind.PERPETUAL,
        settlement=Settlement.LINEAR,
        price_exponent=-2,
        size_exponent=-3,
        tick=10,
        lot=1,
    )
    return attrs.evolve(made, **changes)  # type: ignore[arg-type]  # any field, by name


LIMITS = RiskLimits(
    max_position_notional=Decimal(50_000),
    max_order_notional=Decimal(10_000),
    max_gross_notional=Decimal(80_000),
    max_open_orders=3,
    max_orders_per_second=4,
    price_collar=Decimal("0.05"),
    max_leverage=Decimal("1.5"),
    max_daily_loss=Decimal(3_000),
    max_drawdown=Decimal("0.1"),
)
CASH = 100_000 * 10**8
CALM = Money(equity=CASH, peak=CASH, day_start=CASH)
FLAT = Held(bid=5_999_990, ask=6_000_010)


def checked(
    wish: Wish,
    instruments: Sequence[Instrument],
    held: Sequence[Held],
    limits: RiskLimits = LIMITS,
    account: Money = CALM,
) -> LimitCheck:
    views = np.zeros(len(held), VIEW_DTYPE)
    for view, rules, each in zip(views, instruments, held, strict=True):
        view["state"] = BookState.LIVE if each.live else BookState.STALE
        view["tick"], view["lot"], view["last_price"] = rules.tick, rules.lot, each.last
        for name in ("position", "open_buy", "open_sell", "bid", "ask"):
            view[name] = getattr(each, name)
    check = LimitCheck(limits, instruments, views, -8, account.equity)
    check.account["peak"], check.account["day_start"] = account.peak, account.day_start
    for number, time in enumerate(account.times):
        check.times[number % len(check.times)] = time
    check.account["sent"], check.account["open_orders"] = len(account.times), account.open_orders
    return check


def intent(wish: Wish) -> np.ndarray[tuple[int], np.dtype[np.void]]:
    rows = np.zeros(1, INTENT_DTYPE)
    flags = OrderFlag.REDUCE_ONLY if wish.reduce_only else OrderFlag.NONE
    kind = OrderType.LIMIT if wish.price else OrderType.MARKET
    fields = (1, wish.instrument, wish.side, kind, 1, flags, wish.price, wish.size, wish.time)
    rows[0] = fields
    return rows


def found_by_kernel(
    wish: Wish,
    instruments: Sequence[Instrument],
    held: Sequence[Held],
    limits: RiskLimits = LIMITS,
    account: Money = CALM,
) -> set[LimitCode]:
    bits = checked(wish, instruments, held, limits, account).check(intent(wish))
    return {code for code in LimitCode if bits >> code & 1}


SIZES = st.integers(0, 3_000)
HELD = st.builds(
    Held,
    position=st.integers(-2_000, 2_000),
    open_buy=SIZES,
    open_sell=SIZES,
    bid=st.sampled_from([0, 5_999_990, 6_000_000]),
    ask=st.sampled_from([0, 6_000_010, 6_100_010]),
    last=st.sampled_from([0, 6_000_000]),
    live=st.booleans(),
)
WISHES = st.builds(
    Wish,
    instrument=st.integers(0, 1),
    side=st.sampled_from([1, -1]),
    price=st.sampled_from([0, 10, 5_700_000, 5_999_995, 6_000_000, 6_300_010]),
    size=st.integers(1, 2_000),
    reduce_only=st.booleans(),
    time=st.just(10**9),
)
ACCOUNTS = st.builds(
    Money,
    equity=st.integers(-CASH // 10, 2 * CASH),
    peak=st.integers(0, 2 * CASH),
    day_start=st.integers(0, 2 * CASH),
    open_orders=st.integers(0, 5),
    times=st.lists(st.integers(-5, 10**9), max_size=6).map(lambda times: tuple(sorted(times))),
)
RULES = st.builds(
    instrument,
    kind=st.sampled_from([InstrumentKind.PERPETUAL, InstrumentKind.SPOT]),
    settlement=st.sampled_from([Settlement.LINEAR, Settlement.INVERSE]),
    multiplier=st.sampled_from([Decimal(1), Decimal(100), Decimal("0.01")]),
    lot=st.sampled_from([1, 5]),
    min_size=st.sampled_from([0, 10]),
    max_size=st.sampled_from([0, 1_000]),
    min_notional=st.sampled_from([Decimal(0), Decimal("5.5")]),
)


@given(WISHES, st.tuples(RULES, RULES), st.tuples(HELD, HELD), ACCOUNTS)
def test_kernel_and_fractions_break_the_same_limits(
    wish: Wish,
    instruments: tuple[Instrument, Instrument],
    held: tuple[Held, Held],
    account: Money,
) -> None:
    expected = limits_twin.broken(wish, instruments, held, LIMITS, account)
    assert found_by_kernel(wish, instruments, held, LIMITS, account) == expected


def test_an_ordinary_order_breaks_nothing() -> None:
    assert found_by_kernel(Wish(price=6_000_000, size=100), [instrument()], [FLAT]) == set()


def test_every_broken_limit_is_reported_with_its_numbers() -> None:
    wish = Wish(price=7_000_000, size=2_000)
    account = attrs.evolve(CALM, equity=CASH // 2, open_orders=3)
    check = checked(wish, [instrument()], [FLAT], LIMITS, account)
    bits = check.check(intent(wish))
    uses = {use.code: use for use in check.uses(bits, 0, check.found.tolist())}
    assert {code for code, use in uses.items() if use.broken} == {
        LimitCode.ORDER_NOTIONAL,
        LimitCode.POSITION_NOTIONAL,
        LimitCode.GROSS_NOTIONAL,
        LimitCode.LEVERAGE,
        LimitCode.PRICE_COLLAR,
        LimitCode.OPEN_ORDERS,
        LimitCode.DAILY_LOSS,
        LimitCode.DRAWDOWN,
    }
    assert uses[LimitCode.ORDER_NOTIONAL].used == "140000.00000000"
    assert uses[LimitCode.ORDER_NOTIONAL].allowed == "10000.00000000"
    assert (uses[LimitCode.OPEN_ORDERS].used, uses[LimitCode.OPEN_ORDERS].allowed) == ("4", "3")
    assert uses[LimitCode.PRICE_COLLAR].used == "10000.000"
    assert uses[LimitCode.DAILY_LOSS].name == "daily_loss"


def test_a_limit_reached_exactly_is_kept_and_one_unit_more_is_not() -> None:
    cheap = attrs.evolve(LIMITS, max_order_notional=Decimal("6000.01"))
    held = [attrs.evolve(FLAT, bid=6_000_000, ask=6_000_020)]
    wish = Wish(price=6_000_010, size=100)
    assert found_by_kernel(wish, [instrument()], held, cheap) == set()
    just_less = attrs.evolve(cheap, max_order_notional=Decimal("6000.00999999"))
    assert found_by_kernel(wish, [instrument()], held, just_less) == {LimitCode.ORDER_NOTIONAL}


def test_orders_working_and_unknown_count_towards_the_position() -> None:
    held = [attrs.evolve(FLAT, position=300, open_buy=450)]
    assert LimitCode.POSITION_NOTIONAL in found_by_kernel(
        Wish(price=6_000_000, size=100), [instrument()], held
    )
    assert LimitCode.POSITION_NOTIONAL not in found_by_kernel(
        Wish(side=-1, price=6_000_000, size=100), [instrument()], held
    )


@pytest.mark.parametrize(("age", "broken"), [(10**9 - 1, True), (10**9, False)])
def test_order_rate_is_counted_in_a_sliding_second(age: int, broken: bool) -> None:
    account = attrs.evolve(CALM, times=(5, 5, 5, 5))
    wish = Wish(price=6_000_000, size=100, time=5 + age)
    found = found_by_kernel(wish, [instrument()], [FLAT], LIMITS, account)
    assert (LimitCode.ORDER_RATE in found) is broken


def test_no_window_of_a_second_ever_holds_more_orders_than_allowed() -> None:
    wish = Wish(price=6_000_000, size=1)
    check = checked(wish, [instrument()], [FLAT], attrs.evolve(LIMITS, max_open_orders=10**6))
    sent: list[int] = []
    for time in range(0, 5 * 10**9, 97_000_000):
        if check.check(intent(attrs.evolve(wish, time=time))) == 0:
            check.times[len(sent) % len(check.times)] = time
            check.account["sent"] += 1
            sent.append(time)
    assert max(sum(a <= b < a + 10**9 for b in sent) for a in sent) == 4


def test_reduce_only_passes_where_new_risk_does_not() -> None:
    held = [attrs.evolve(FLAT, position=900, live=False)]
    ruined = Money(equity=0, peak=CASH, day_start=CASH, open_orders=9)
    wish = Wish(side=-1, size=900, reduce_only=True)
    assert found_by_kernel(wish, [instrument()], held, LIMITS, ruined) == set()


def test_reduce_only_may_not_turn_the_position() -> None:
    held = [attrs.evolve(FLAT, position=900, open_sell=200)]
    wish = Wish(side=-1, size=701, reduce_only=True)
    assert found_by_kernel(wish, [instrument()], held) == {LimitCode.REDUCE_ONLY}


def test_without_a_live_book_new_risk_is_refused_and_numbers_are_unknown() -> None:
    wish = Wish(size=1)
    check = checked(wish, [instrument()], [attrs.evolve(FLAT, live=False)])
    bits = check.check(intent(wish))
    uses = {use.code: use.used for use in check.uses(bits, 0, check.found.tolist()) if use.broken}
    assert uses[LimitCode.REFERENCE] == uses[LimitCode.ORDER_NOTIONAL] == "unknown"
    assert check.found[LimitCode.REFERENCE, 0] == UNMEASURED


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"min_size": 101}, LimitCode.MIN_SIZE),
        ({"max_size": 99}, LimitCode.MAX_SIZE),
        ({"min_notional": Decimal("6000.01")}, LimitCode.MIN_NOTIONAL),
        ({"lot": 7}, LimitCode.LOT),
        ({"tick": 7}, LimitCode.TICK),
    ],
)
def test_the_venues_grid_and_minimums_are_kept(changes: dict[str, object], code: LimitCode) -> None:
    wish = Wish(price=6_000_000, size=100)
    rules = attrs.evolve(instrument(), **changes)  # type: ignore[arg-type]  # any field, by name
    assert found_by_kernel(wish, [rules], [FLAT]) == {code}


def test_spot_cannot_be_sold_short() -> None:
    spot = instrument(kind=InstrumentKind.SPOT, settlement=Settlement.SPOT)
    held = [attrs.evolve(FLAT, position=50)]
    wish = Wish(side=-1, price=6_000_000, size=51)
    assert found_by_kernel(wish, [spot], held) == {LimitCode.SHORT_SALE}
    assert found_by_kernel(attrs.evolve(wish, size=50), [spot], held) == set()


@pytest.mark.parametrize(
    "changes", [{"instrument": 7}, {"instrument": -1}, {"side": 0}, {"size": 0}, {"price": -1}]
)
def test_what_is_no_order_is_refused_before_anything_is_looked_up(
    changes: dict[str, int],
) -> None:
    wish = Wish(price=6_000_000, size=100)
    check = checked(wish, [instrument()], [FLAT])
    assert check.check(intent(attrs.evolve(wish, **changes))) == 1 << LimitCode.SHAPE  # type: ignore[arg-type]  # any field, by name


def test_numbers_beyond_62_bits_close_the_gate() -> None:
    wish = Wish(price=2**61 + 3, size=2**61)
    found = found_by_kernel(wish, [instrument(tick=1)], [FLAT])
    assert {LimitCode.PRICE_COLLAR, LimitCode.ORDER_NOTIONAL, LimitCode.GROSS_NOTIONAL} <= found


def test_gross_exposure_beyond_62_bits_closes_the_gate() -> None:
    wealthy = attrs.evolve(FLAT, position=2**40)
    rules = [instrument(), instrument("A"), instrument("B")]
    dear = [FLAT, *(attrs.evolve(wealthy, bid=2**40, ask=2**40 + 10) for _ in range(2))]
    found = found_by_kernel(Wish(price=6_000_000, size=100), rules, dear)
    assert LimitCode.GROSS_NOTIONAL in found


@pytest.mark.parametrize("side", [1, -1])
def test_sums_of_sizes_beyond_64_bits_break_the_limit(side: int) -> None:
    wish = Wish(side=side, price=6_000_000, size=LARGEST)
    held = [attrs.evolve(FLAT, position=side * LARGEST, open_buy=LARGEST, open_sell=LARGEST)]
    broken = found_by_kernel(wish, [instrument()], held)
    assert {LimitCode.POSITION_NOTIONAL, LimitCode.GROSS_NOTIONAL} <= broken


@pytest.mark.parametrize("side", [1, -1])
def test_no_order_opens_while_a_position_is_too_large_to_be_valued(side: int) -> None:
    huge = attrs.evolve(FLAT, position=LARGEST)
    broken = found_by_kernel(
        Wish(side=side, price=6_000_000, size=100), [instrument(), instrument()], [FLAT, huge]
    )
    assert broken == {LimitCode.GROSS_NOTIONAL, LimitCode.LEVERAGE}
    reducing = Wish(instrument=1, side=-1, price=6_000_000, size=100, reduce_only=True)
    assert found_by_kernel(reducing, [instrument(), instrument()], [FLAT, huge]) == set()
