"""Adapters for tests, and what one message does to them."""

from typing import NamedTuple

import attrs
from tests.instruments import perpetual
from tests.plugins.exchange_binance.binance_messages import SYMBOL

from bot4_core.domain_types.canonical_types import Nanoseconds, Symbol
from bot4_core.domain_types.records import ChainRule
from bot4_core.errors import PrecisionGrew
from bot4_core.market.event_batch import EventBatch
from bot4_plugins.exchange_binance.adapter import BinanceExchange, BinanceSettings

RECEIVED = Nanoseconds(1_723_161_255_030_314_667)

BITCOIN = perpetual(SYMBOL, chain=ChainRule.LINK)


def adapter(market: str = "usdm", *, from_data: bool = False) -> BinanceExchange:
    """Return an adapter that knows one instrument."""
    bitcoin = attrs.evolve(BITCOIN, market=market, from_data=from_data)
    return BinanceExchange(BinanceSettings(market=market), (bitcoin,))


class Outcome(NamedTuple):
    """All that a message changes."""

    events: bytes
    quarantined: int
    reasons: tuple[str, ...]
    symbols: tuple[Symbol, ...]
    grew: tuple[str, int, int] | None


def outcome(exchange: BinanceExchange, data: bytes, *, slowly: bool) -> Outcome:
    """Decode one message into a small batch."""
    batch = EventBatch(4)
    decode = exchange.decode_carefully if slowly else exchange.decode
    grew = None
    try:
        made = decode(data, RECEIVED, batch)
        assert made == batch.count
    except PrecisionGrew as grown:
        grew = (grown.symbol, grown.price_exponent, grown.size_exponent)
    return Outcome(
        batch.events.tobytes(),
        exchange.quarantined,
        tuple(message.reason for message in exchange.quarantine),
        tuple(item.symbol for item in exchange.instruments),
        grew,
    )


def decoded(exchange: BinanceExchange, data: bytes) -> EventBatch:
    """Decode one message that must be good."""
    batch = EventBatch()
    assert exchange.decode(data, RECEIVED, batch) == batch.count
    assert exchange.quarantined == 0, exchange.quarantine[-1].reason
    return batch
