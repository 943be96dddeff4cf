"""No limit of a venue is ever passed, and a cancel always has room."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from tests.reference.rate_budget import SlowMeter, most_in_a_window

from bot4_core.domain_types.canonical_types import Nanoseconds
from bot4_core.domain_types.rate_limits import (
    RateKind,
    RateLimit,
    RateRequest,
    RateScope,
    RateSettings,
    RateUnit,
    RequestPriority,
)
from bot4_core.errors import ValidationError
from bot4_core.orders.rate_budget import NEVER, RateBudget

SECOND = Nanoseconds(1_000_000_000)
CANCEL, QUERY, ORDER, DATA = RequestPriority
LAVISH = Decimal(0)


def limit(name: str, count: int, span: int, **others: object) -> RateLimit:
    return RateLimit(name=name, limit=count, span=Nanoseconds(span), **others)  # type: ignore[arg-type]  # keywords pass through


def unreserved(*limits: RateLimit, slack: int = 0) -> RateSettings:
    return RateSettings(
        limits=limits,
        cancel_reserve=LAVISH,
        query_reserve=LAVISH,
        order_reserve=LAVISH,
        slack=Nanoseconds(slack),
    )


VENUES = {
    "binance spot": (
        limit("weight-1m", 6000, 60 * SECOND, unit=RateUnit.WEIGHT),
        limit("raw-5m", 300_000, 300 * SECOND),
    ),
    "binance usdm": (
        limit("weight-1m", 2400, 60 * SECOND, unit=RateUnit.WEIGHT),
        limit("orders-10s", 300, 10 * SECOND, unit=RateUnit.ORDERS, scope=RateScope.ACCOUNT),
        limit("orders-1m", 1200, 60 * SECOND, unit=RateUnit.ORDERS, scope=RateScope.ACCOUNT),
    ),
    "bybit": (
        limit("requests-5s", 600, 5 * SECOND),
        limit("orders-1s", 10, SECOND, unit=RateUnit.ORDERS, scope=RateScope.ACCOUNT),
    ),
    "okx": (limit("orders-2s", 60, 2 * SECOND, unit=RateUnit.ORDERS, scope=RateScope.INSTRUMENT),),
    "kraken": (
        limit("rest", 20, 40 * SECOND, kind=RateKind.DRAINING, scope=RateScope.ACCOUNT),
        limit(
            "trading",
            125,
            53_418_803_419,  # falls by 2.34 a second
            kind=RateKind.DRAINING,
            unit=RateUnit.ORDERS,
            scope=RateScope.INSTRUMENT,
        ),
    ),
    "coinbase": (
        limit("private", 30, SECOND, scope=RateScope.ACCOUNT),
        limit("public", 10, SECOND),
    ),
}
requests = st.builds(
    RateRequest,
    priority=st.sampled_from(RequestPriority),
    weight=st.integers(0, 7),
    orders=st.integers(0, 2),
    account=st.integers(0, 1),
    instrument=st.integers(-1, 1),
)


@given(
    st.integers(1, 12),
    st.integers(1, 40),
    st.integers(0, 15),
    st.lists(st.tuples(st.integers(0, 20), st.integers(1, 6), st.integers(0, 15)), max_size=60),
)
def test_i44_no_window_at_the_venue_ever_holds_more_than_the_limit(
    count: int, span: int, slack: int, tries: list[tuple[int, int, int]]
) -> None:
    """Requests travel for different times, up to the slack longer than the fastest."""
    sliding = limit("weight", count, span, unit=RateUnit.WEIGHT)
    budget = RateBudget(unreserved(sliding, slack=slack))
    arrivals = []
    now = 0
    for step, weight, longer in tries:
        now += step
        if budget.take(RateRequest(priority=CANCEL, weight=weight), now).granted:
            arrivals.append((now + min(longer, slack), weight))
    assert most_in_a_window(arrivals, span) <= count


def test_i44_a_window_across_two_fixed_ones_is_counted_as_well() -> None:
    budget = RateBudget(unreserved(limit("requests", 2, 10)))
    request = RateRequest(priority=ORDER)
    granted = [budget.take(request, time).granted for time in (8, 9, 10, 17, 18, 19)]
    assert granted == [True, True, False, False, True, True]


class BudgetMachine(RuleBasedStateMachine):
    """A budget of every kind of limit, and the same as lists of all spends."""

    LIMITS = (
        limit("weight", 9, 50, unit=RateUnit.WEIGHT),
        limit("requests", 6, 30, scope=RateScope.ACCOUNT),
        limit("orders", 4, 20, unit=RateUnit.ORDERS, scope=RateScope.INSTRUMENT),
        limit("counter", 7, 31, kind=RateKind.DRAINING, scope=RateScope.ACCOUNT),
    )

    @initialize(slack=st.integers(0, 3), reserve=st.sampled_from(["0", "0.05", "0.15"]))
    def open(self, slack: int, reserve: str) -> None:
        share = Decimal(reserve)
        self.rates = RateSettings(
            limits=self.LIMITS,
            cancel_reserve=share,
            query_reserve=share,
            order_reserve=share,
            slack=Nanoseconds(slack),
        )
        self.budget = RateBudget(self.rates, instruments=2, accounts=2)
        self.meters = {
            (each.name, account, instrument): SlowMeter(
                each.limit,
                self.rates.held_for(each),
                self.rates.ceilings(each),
                each.kind is RateKind.DRAINING,
            )
            for each in self.LIMITS
            for account in range(2)
            for instrument in range(2)
        }
        self.now = 0
        self.closed = 0

    def meter(self, each: RateLimit, account: int, instrument: int) -> SlowMeter:
        own = each.scope is not RateScope.ADDRESS
        by_instrument = each.scope is RateScope.INSTRUMENT
        return self.meters[each.name, own * account, by_instrument * instrument]

    def charges(self, request: RateRequest) -> list[tuple[SlowMeter, int]]:
        found = []
        for each in self.LIMITS:
            costs = {RateUnit.WEIGHT: request.weight, RateUnit.ORDERS: request.orders}
            cost = costs.get(each.unit, 1)
            if cost and (each.scope is not RateScope.INSTRUMENT or request.instrument >= 0):
                found.append((self.meter(each, request.account, request.instrument), cost))
        return found

    @rule(step=st.integers(0, 25))
    def wait(self, step: int) -> None:
        self.now += step

    @rule(request=requests, back=st.integers(0, 1))
    def request(self, request: RateRequest, back: int) -> None:
        priority = int(request.priority)
        times = [meter.earliest(cost, priority, self.now) for meter, cost in self.charges(request)]
        known = [time for time in times if time is not None]
        expected = max([*known, self.now, self.closed]) if len(known) == len(times) else NEVER
        assert self.budget.ask(request, self.now) == (expected <= self.now, expected)
        assert self.budget.take(request, self.now - back) == (expected <= self.now, expected)
        if expected <= self.now:
            for meter, cost in self.charges(request):
                meter.spends.append((self.now, Fraction(cost)))

    @rule(
        each=st.sampled_from(LIMITS),
        used=st.integers(0, 12),
        account=st.integers(0, 1),
        instrument=st.integers(0, 1),
    )
    def hear(self, each: RateLimit, used: int, account: int, instrument: int) -> None:
        self.budget.observe(each.name, used, self.now, account=account, instrument=instrument)
        self.meter(each, account, instrument).observe(used, self.now)

    @precondition(lambda self: self.closed <= self.now)
    @rule(pause=st.integers(0, 30))
    def close(self, pause: int) -> None:
        self.closed = self.now + pause
        self.budget.close(self.closed)
        assert self.budget.closed_until == self.closed

    @rule(each=st.sampled_from(LIMITS), pause=st.integers(0, 30), account=st.integers(0, 1))
    def close_limit(self, each: RateLimit, pause: int, account: int) -> None:
        self.budget.close_limit(each.name, self.now + pause, account=account, instrument=1)
        meter = self.meter(each, account, 1)
        meter.closed = max(meter.closed, self.now + pause)

    @invariant()
    def the_same_is_used(self) -> None:
        for each in self.LIMITS:
            for account in range(2):
                used = self.budget.used(each.name, self.now, account=account, instrument=1)
                assert used - 1 < self.meter(each, account, 1).used(self.now) <= used


TestI44BudgetMachine = pytest.mark.filterwarnings("error")(BudgetMachine.TestCase)
TestI44BudgetMachine.settings = settings(stateful_step_count=30)


@pytest.mark.parametrize("venue", VENUES)
def test_t11_a_cancel_has_room_when_everything_else_has_none(venue: str) -> None:
    budget = RateBudget(RateSettings(limits=VENUES[venue]), instruments=1)
    for priority in (DATA, ORDER, QUERY):
        request = RateRequest(priority=priority, orders=1, instrument=0)
        while budget.take(request, 0).granted:
            pass
        assert budget.take(request, 0).not_before > 0
        assert all(
            budget.ask(RateRequest(priority=higher, orders=1, instrument=0), 0).granted
            for higher in RequestPriority
            if higher < priority
        )


@pytest.mark.parametrize("venue", VENUES)
def test_a_request_goes_at_the_time_it_was_told_and_not_before(venue: str) -> None:
    budget = RateBudget(RateSettings(limits=VENUES[venue]), instruments=1)
    request = RateRequest(priority=ORDER, orders=1, weight=1, instrument=0)
    while budget.take(request, 5).granted:
        pass
    told = budget.ask(request, 5).not_before
    assert not budget.ask(request, told - 1).granted
    assert budget.take(request, told).granted


def test_a_request_larger_than_its_share_never_goes() -> None:
    budget = RateBudget(unreserved(limit("weight", 5, 10, unit=RateUnit.WEIGHT)))
    assert budget.take(RateRequest(priority=DATA, weight=6), 0) == (False, NEVER)


def test_what_the_venue_says_is_used_only_ever_raises_the_account() -> None:
    budget = RateBudget(unreserved(limit("weight", 10, 100, unit=RateUnit.WEIGHT)))
    assert budget.take(RateRequest(priority=DATA, weight=4), 0).granted
    budget.observe("weight", 2, 1)
    assert budget.used("weight", 1) == 4
    budget.observe("weight", 7, 2)
    assert budget.used("weight", 2) == 7
    assert budget.ask(RateRequest(priority=DATA, weight=4), 3).not_before == 100


def test_t11_a_ban_holds_everything_back_and_is_not_shortened() -> None:
    budget = RateBudget(unreserved(limit("requests", 10, 100)))
    budget.close(50)
    budget.close(20)
    free = RateRequest(priority=CANCEL)
    assert budget.take(free, 49) == (False, 50)
    assert budget.used("requests", 49) == 0
    assert budget.take(free, 50).granted


def test_limits_of_instruments_do_not_count_requests_without_one() -> None:
    budget = RateBudget(RateSettings(limits=VENUES["okx"]), instruments=1)
    assert budget.take(RateRequest(priority=DATA, orders=90), 0).granted


def test_an_unknown_account_or_instrument_is_an_error() -> None:
    budget = RateBudget(RateSettings(limits=VENUES["okx"]), instruments=2)
    with pytest.raises(IndexError, match="instrument 2, there are 2"):
        budget.take(RateRequest(priority=ORDER, orders=1, instrument=2), 0)
    with pytest.raises(IndexError, match="account 1, there are 1"):
        budget.take(RateRequest(priority=ORDER, orders=1, instrument=1, account=1), 0)


def test_all_faults_of_the_settings_are_told_at_once() -> None:
    with pytest.raises(ValidationError) as caught:
        RateSettings(
            limits=(
                limit("a", 0, 5),
                limit("a", 1, 5 * SECOND),
                limit("b", 2**40, 2**40),
                limit("", 10, 0),
            ),
            slack=Nanoseconds(-1),
        )
    paths = [path for path, _ in caught.value.faults]
    assert paths == [
        "slack",
        "limits[0]",
        "limits[1].name",
        "limits[1]",
        "limits[2]",
        "limits[3].name",
        "limits[3]",
    ]


@pytest.mark.parametrize("reserve", ["-0.1", "1", "NaN"])
def test_a_reserve_that_is_no_fraction_is_refused(reserve: str) -> None:
    with pytest.raises(ValidationError, match="query_reserve"):
        RateSettings(limits=VENUES["okx"], query_reserve=Decimal(reserve))


def test_charges_are_the_same_however_many_kinds_of_requests_went_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("bot4_core.orders.rate_budget.KNOWN", 2)
    budget = RateBudget(unreserved(limit("weight", 100, 10, unit=RateUnit.WEIGHT)))
    for weight in (1, 2, 3, 1, 2, 3):
        assert budget.take(RateRequest(priority=DATA, weight=weight), 0).granted
    assert budget.used("weight", 0) == 12
