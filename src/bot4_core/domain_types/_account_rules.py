"""Rules of accounts, limits, decisions and audit records."""

import math
from collections.abc import Callable
from typing import Final, Never

from bot4_core.domain_types._rule import Faults, broken, finite
from bot4_core.domain_types.accounts import (
    Balance,
    FundingPayment,
    Position,
    ProfitAndLoss,
    Transfer,
)
from bot4_core.domain_types.audit_records import AuditRecord
from bot4_core.domain_types.decisions import (
    BreakerEffect,
    BreakerVerdict,
    ChildOrder,
    Signal,
)
from bot4_core.domain_types.records import Side, SignalAction
from bot4_core.domain_types.risk_limits import RiskLimits

__all__ = ["ACCOUNT_RULES"]

_DIGEST_BYTES: Final = 32


def balance_rules(value: Balance) -> Faults:
    """Check that reservations are not negative."""
    yield from broken(
        (not value.asset, "asset", "is empty"),
        (value.reserved.value < 0, "reserved", f"{value.reserved} is below zero"),
    )


def position_rules(value: Position) -> Faults:
    """Check that an open position has an average price, a flat one has none."""
    average, flat = value.average_price, value.size.value == 0
    yield from broken(
        (not flat and average is None, "average_price", f"is missing with size {value.size}"),
        (
            flat and average is not None,
            "average_price",
            f"{average} does not go with size 0; leave it out",
        ),
        (
            average is not None and average.value <= 0,
            "average_price",
            f"{average} is not above zero",
        ),
    )


def payment_rules(value: FundingPayment) -> Faults:
    """Check that a funding payment says what was paid in, and when."""
    yield from _dated_amount_rules(value.asset, value.time)


def transfer_rules(value: Transfer) -> Faults:
    """Check that a transfer says what was moved, and when."""
    yield from _dated_amount_rules(value.asset, value.time)


def _dated_amount_rules(asset: str, time: int) -> Faults:
    yield from broken(
        (not asset, "asset", "is empty"),
        (time < 0, "time", f"{time} ns is before 1970; 0 means unknown"),
    )


def profit_rules(value: ProfitAndLoss) -> Faults:
    """Check that the parts of a profit add up."""
    gained = value.realised.fraction + value.unrealised.fraction
    sum_of = (
        f"realised {value.realised} + unrealised {value.unrealised}",
        f"- fees {value.fees} + funding {value.funding}",
    )
    net = gained - value.fees.fraction + value.funding.fraction
    yield from broken(
        (not value.asset, "asset", "is empty"),
        (
            value.net.fraction != net,
            "net",
            f"{value.net} is not {' '.join(sum_of)}",
        ),
    )


def limits_rules(value: RiskLimits) -> Faults:
    """Check that limits are positive; fractions are at most 1."""
    positive = (
        "max_position_notional",
        "max_order_notional",
        "max_gross_notional",
        "max_open_orders",
        "max_orders_per_second",
        "price_collar",
        "max_leverage",
        "max_daily_loss",
        "max_drawdown",
    )
    for name in positive:
        limit = getattr(value, name)
        if limit <= 0:
            yield name, f"{limit} is not above zero"
    for name, share in (("price_collar", value.price_collar), ("max_drawdown", value.max_drawdown)):
        if share > 1:
            yield name, f"{share} is no fraction; write 5 % as 0.05"


def verdict_rules(value: BreakerVerdict) -> Faults:
    """Check that a breaker that stops something says why."""
    yield from broken(
        (not value.breaker, "breaker", "is empty"),
        (
            value.effect is not BreakerEffect.NONE and not value.reason,
            "reason",
            f"is empty with effect {value.effect.name.lower()}",
        ),
        (value.time < 0, "time", f"{value.time} ns is before 1970"),
    )
    yield from finite(value.values)


def signal_rules(value: Signal) -> Faults:
    """Check that a signal names side, price and numbers that its action needs."""
    price, acts = value.price, value.action is not SignalAction.NONE
    yield from broken(
        (
            value.action is SignalAction.QUOTE and price is None,
            "price",
            "is missing; a quote needs one",
        ),
        (price is not None and price.value <= 0, "price", f"{price} is not above zero"),
        (acts and value.side is Side.NONE, "side", "is none, expected buy or sell"),
        (value.horizon < 0, "horizon", f"{value.horizon} ns is below zero"),
        (
            not 0 <= value.strength <= 1,
            "strength",
            f"{value.strength} is not between 0 and 1",
        ),
        (not math.isfinite(value.edge), "edge", f"{value.edge} is not a finite number"),
        (
            not 0 <= value.variance < math.inf,
            "variance",
            f"{value.variance} is not a finite number of at least 0",
        ),
        (acts and not value.reason, "reason", "is empty"),
    )
    yield from finite(value.values)


def child_rules(value: ChildOrder) -> Faults:
    """Check that a child order has somewhere to go and something to trade."""
    yield from broken(
        (not value.venue, "venue", "is empty"),
        (value.size <= 0, "size", f"{value.size} is not above zero"),
        (value.price < 0, "price", f"{value.price} is below zero; 0 means at market"),
    )


def audit_rules(value: AuditRecord) -> Faults:
    """Check that a record has its place in the chain."""
    yield from broken(
        (value.sequence < 0, "sequence", f"{value.sequence} is below zero"),
        (value.wall_time < 0, "wall_time", f"{value.wall_time} ns is before 1970"),
        (value.event_time < 0, "event_time", f"{value.event_time} ns is before 1970"),
        (not value.run, "run", "is empty"),
        (not value.actor, "actor", "is empty"),
        *_digest_rules("previous", value.previous),
        *_digest_rules("digest", value.digest),
    )


def _digest_rules(path: str, digest: bytes) -> tuple[tuple[bool, str, str]]:
    text = f"has {len(digest)} bytes, expected the {_DIGEST_BYTES} of SHA-256"
    return ((len(digest) != _DIGEST_BYTES, path, text),)


ACCOUNT_RULES: Final[tuple[Callable[[Never], Faults], ...]] = (
    balance_rules,
    position_rules,
    payment_rules,
    transfer_rules,
    profit_rules,
    limits_rules,
    verdict_rules,
    signal_rules,
    child_rules,
    audit_rules,
)
