"""Strategies for accounts, limits, decisions and audit records."""

from hypothesis import strategies as st

from bot4_core.domain_types.accounts import (
    Balance,
    FundingPayment,
    Position,
    ProfitAndLoss,
    Transfer,
)
from bot4_core.domain_types.audit_records import AuditKind, AuditRecord
from bot4_core.domain_types.canonical_types import Money, Nanoseconds, Quantity, VenueName
from bot4_core.domain_types.decisions import (
    BreakerEffect,
    BreakerScope,
    BreakerVerdict,
    ChildOrder,
    Exits,
    Signal,
)
from bot4_core.domain_types.instruments import Instrument
from bot4_core.domain_types.records import SignalAction
from bot4_core.domain_types.risk_limits import LimitsPreset, RiskLimits
from bot4_core.testing._number_strategies import (
    STEPS,
    decimals,
    instrument_ids,
    moneys,
    named_numbers,
    names,
    nanoseconds,
    prices,
    quantities,
    sides,
)

__all__ = [
    "audit_records",
    "balances",
    "breaker_verdicts",
    "child_orders",
    "exits",
    "funding_payments",
    "positions",
    "profits",
    "risk_limits",
    "signals",
    "transfers",
]


@st.composite
def balances(draw: st.DrawFn) -> Balance:
    """Draw balances of one asset."""
    exponent = draw(st.integers(-8, 0))
    reserved = draw(st.integers(0, STEPS))
    return Balance(
        asset=draw(names()),
        total=draw(moneys(exponent)),
        reserved=Money(reserved, exponent),
    )


@st.composite
def positions(draw: st.DrawFn, instrument: Instrument) -> Position:
    """Draw long, short and flat positions in an instrument."""
    sign = draw(st.sampled_from([-1, 0, 1]))
    size = draw(quantities(instrument.size_exponent, instrument.lot))
    average = draw(prices(instrument.price_exponent, 1))
    return Position(
        instrument=draw(instrument_ids()),
        size=sign * size,
        average_price=average if sign else None,
        realised=draw(moneys(instrument.settlement_exponent)),
        fees=draw(moneys(instrument.settlement_exponent)),
    )


def funding_payments() -> st.SearchStrategy[FundingPayment]:
    """Draw payments in either direction."""
    return st.builds(
        FundingPayment,
        instrument=instrument_ids(),
        amount=moneys(-8),
        asset=names(),
        time=nanoseconds(),
    )


def transfers() -> st.SearchStrategy[Transfer]:
    """Draw amounts that came or went."""
    return st.builds(Transfer, asset=names(), amount=moneys(-8), time=nanoseconds())


@st.composite
def profits(draw: st.DrawFn) -> ProfitAndLoss:
    """Draw profits and losses whose parts add up."""
    exponent = draw(st.integers(-8, 0))
    parts = st.integers(-STEPS, STEPS).map(lambda value: Money(value, exponent))
    realised, unrealised, fees, funding = (draw(parts) for _ in range(4))
    return ProfitAndLoss(
        asset=draw(names()),
        realised=realised,
        unrealised=unrealised,
        fees=fees,
        funding=funding,
        net=realised + unrealised - fees + funding,
    )


def risk_limits() -> st.SearchStrategy[RiskLimits]:
    """Draw presets scaled to accounts of 100 to 1,000,000."""
    equity = decimals("100", "1000000")
    return st.builds(RiskLimits.preset, st.sampled_from(LimitsPreset), equity)


def breaker_verdicts() -> st.SearchStrategy[BreakerVerdict]:
    """Draw verdicts of every effect and scope."""
    return st.builds(
        BreakerVerdict,
        breaker=names(),
        effect=st.sampled_from(BreakerEffect),
        scope=st.sampled_from(BreakerScope),
        instrument=instrument_ids(),
        time=nanoseconds(),
        reason=names(),
        values=named_numbers(),
    )


def exits(instrument: Instrument) -> st.SearchStrategy[Exits]:
    """Draw ways to close what a signal opens."""
    price = st.none() | prices(instrument.price_exponent, instrument.tick)
    return st.builds(Exits, target=price, stop=price, trail=price)


def signals(instrument: Instrument) -> st.SearchStrategy[Signal]:
    """Draw signals to quote, take or cancel in an instrument."""
    return st.builds(
        Signal,
        instrument=instrument_ids(),
        action=st.sampled_from(SignalAction),
        side=sides(),
        price=prices(instrument.price_exponent, instrument.tick),
        horizon=st.integers(0, 10**12).map(Nanoseconds),
        strength=st.floats(0, 1),
        edge=st.floats(-1, 1),
        variance=st.floats(0, 1),
        reason=names(),
        values=named_numbers(),
        exits=st.none() | exits(instrument),
    )


@st.composite
def child_orders(draw: st.DrawFn, instrument: Instrument) -> ChildOrder:
    """Draw children at a price or at market."""
    size: Quantity = draw(quantities(instrument.size_exponent, instrument.lot))
    price = draw(prices(instrument.price_exponent, instrument.tick))
    return ChildOrder(
        venue=VenueName(draw(names())),
        instrument=draw(instrument_ids()),
        size=size.value,
        price=draw(st.sampled_from([0, price.value])),
        reason=draw(names()),
    )


def audit_records() -> st.SearchStrategy[AuditRecord]:
    """Draw single records; their digests are of nothing, and no chain holds them."""
    digest = st.binary(min_size=32, max_size=32)
    return st.builds(
        AuditRecord,
        sequence=st.integers(0, 2**62),
        wall_time=nanoseconds(),
        event_time=nanoseconds(),
        run=names(),
        kind=st.sampled_from(AuditKind),
        actor=names(),
        correlation=names(),
        payload=st.binary(max_size=64),
        previous=digest,
        digest=digest,
    )
