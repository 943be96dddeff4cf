"""Hypothesis strategies for every value and record type.

Everything drawn satisfies ``domain_types.validation``; what is drawn for an instrument stands on
its price and size grid.
"""

from bot4_core.testing._decision_strategies import (
    audit_records,
    balances,
    breaker_verdicts,
    child_orders,
    funding_payments,
    positions,
    profits,
    risk_limits,
    signals,
    transfers,
)
from bot4_core.testing._market_strategies import (
    book_levels,
    book_snapshots,
    candles,
    event_batches,
    fee_schedules,
    fundings,
    instruments,
    mark_prices,
    quotes,
    trades,
)
from bot4_core.testing._number_strategies import (
    decimals,
    exponents,
    instrument_ids,
    moneys,
    named_numbers,
    names,
    nanoseconds,
    prices,
    quantities,
    sides,
)
from bot4_core.testing._order_strategies import (
    client_order_ids,
    fills,
    order_intents,
    order_links,
    order_numbers,
    orders,
)
from bot4_core.testing._venue_strategies import (
    capabilities,
    rate_limits,
    rate_requests,
    rate_settings,
)

__all__ = [
    "audit_records",
    "balances",
    "book_levels",
    "book_snapshots",
    "breaker_verdicts",
    "candles",
    "capabilities",
    "child_orders",
    "client_order_ids",
    "decimals",
    "event_batches",
    "exponents",
    "fee_schedules",
    "fills",
    "funding_payments",
    "fundings",
    "instrument_ids",
    "instruments",
    "mark_prices",
    "moneys",
    "named_numbers",
    "names",
    "nanoseconds",
    "order_intents",
    "order_links",
    "order_numbers",
    "orders",
    "positions",
    "prices",
    "profits",
    "quantities",
    "quotes",
    "rate_limits",
    "rate_requests",
    "rate_settings",
    "risk_limits",
    "sides",
    "signals",
    "trades",
    "transfers",
]
