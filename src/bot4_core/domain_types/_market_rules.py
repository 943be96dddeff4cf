"""Rules of instruments and of what venues publish."""

from collections.abc import Callable
from decimal import Decimal
from itertools import pairwise
from typing import Final, Never

from bot4_core.domain_types._rule import Faults, broken
from bot4_core.domain_types.instruments import (
    FeeSchedule,
    Instrument,
    InstrumentKind,
    Settlement,
)
from bot4_core.domain_types.market_data import (
    BookLevel,
    BookSnapshot,
    Candle,
    Funding,
    MarkPrice,
    Quote,
    Trade,
)
from bot4_core.domain_types.records import BookState, Side

__all__ = ["MARKET_RULES"]

_INSTRUMENT_EXPONENT: Final = 18  # what the smallest unit of any listed asset needs
_RATE_ONE: Final = 10**12


def fee_rules(value: FeeSchedule) -> Faults:
    """Check that fees are fractions, not percentages."""
    for name, fee in (("maker", value.maker), ("taker", value.taker)):
        if abs(fee) >= 1:
            yield name, f"{fee} is no fraction of notional; write 0.1 % as 0.001"


def instrument_rules(value: Instrument) -> Faults:
    """Check that steps and limits are positive, and the kind agrees with settlement and expiry."""
    yield from broken(
        *_exponent_rules("price_exponent", value.price_exponent),
        *_exponent_rules("size_exponent", value.size_exponent),
        (value.tick <= 0, "tick", f"{value.tick} is not above zero"),
        (value.lot <= 0, "lot", f"{value.lot} is not above zero"),
        (value.min_size < 0, "min_size", f"{value.min_size} is below zero"),
        (
            value.max_size != 0 and value.max_size < max(value.min_size, 1),
            "max_size",
            f"{value.max_size} is below min_size {value.min_size}; 0 means no maximum",
        ),
        (value.min_notional < 0, "min_notional", f"{value.min_notional} is below zero"),
        (value.multiplier <= 0, "multiplier", f"{value.multiplier} is not above zero"),
        (value.depth < 0, "depth", f"{value.depth} is below zero; 0 means all levels"),
        (value.version < 1, "version", f"{value.version} is below 1"),
    )
    yield from _name_rules(value)
    yield from _kind_rules(value)


def _exponent_rules(path: str, exponent: int) -> tuple[tuple[bool, str, str]]:
    limit = _INSTRUMENT_EXPONENT
    return ((abs(exponent) > limit, path, f"{exponent} is not within ±{limit}"),)


def _name_rules(value: Instrument) -> Faults:
    for name in ("venue", "market", "symbol", "base", "quote"):
        if not getattr(value, name):
            yield name, "is empty"


def _kind_rules(value: Instrument) -> Faults:
    spot = value.kind is InstrumentKind.SPOT
    dated = value.kind is InstrumentKind.FUTURE
    yield from broken(
        (
            spot != (value.settlement is Settlement.SPOT),
            "settlement",
            f"{value.settlement} does not go with kind {value.kind}",
        ),
        (dated and value.expiry is None, "expiry", "is missing; a dated future needs one"),
        (
            not dated and value.expiry is not None,
            "expiry",
            f"{value.expiry} does not go with kind {value.kind}; only a dated future has one",
        ),
        (
            value.expiry is not None and value.expiry <= 0,
            "expiry",
            f"{value.expiry} is no time after 1970",
        ),
        (
            spot and value.multiplier != Decimal(1),
            "multiplier",
            f"{value.multiplier} does not go with kind spot; 1 does",
        ),
    )


def trade_rules(value: Trade) -> Faults:
    """Check that a trade has a positive price and size, and somebody crossed the spread."""
    yield from broken(
        (value.price.value <= 0, "price", f"{value.price} is not above zero"),
        (value.size.value <= 0, "size", f"{value.size} is not above zero"),
        (value.aggressor is Side.NONE, "aggressor", "is none, expected buy or sell"),
        *_time_rules("time", value.time),
        *_time_rules("received", value.received),
    )


def quote_rules(value: Quote) -> Faults:
    """Check that a quote's bid is below its ask."""
    yield from broken(
        (value.bid.value <= 0, "bid", f"{value.bid} is not above zero"),
        (value.ask <= value.bid, "ask", f"{value.ask} is not above the bid {value.bid}"),
        (value.bid_size.value <= 0, "bid_size", f"{value.bid_size} is not above zero"),
        (value.ask_size.value <= 0, "ask_size", f"{value.ask_size} is not above zero"),
        *_time_rules("time", value.time),
        *_time_rules("received", value.received),
    )


def level_rules(value: BookLevel) -> Faults:
    """Check that a level has a positive price and size."""
    yield from broken(
        (value.price.value <= 0, "price", f"{value.price} is not above zero"),
        (value.size.value <= 0, "size", f"{value.size} is not above zero"),
    )


def snapshot_rules(value: BookSnapshot) -> Faults:
    """Check that levels run outwards, each price once, and that a LIVE book is not crossed."""
    for place, (near, far) in enumerate(pairwise(value.bids), 1):
        if far.price >= near.price:
            yield f"bids[{place}].price", f"{far.price} is not below {near.price} before it"
    for place, (near, far) in enumerate(pairwise(value.asks), 1):
        if far.price <= near.price:
            yield f"asks[{place}].price", f"{far.price} is not above {near.price} before it"
    if value.state is BookState.LIVE and value.bids and value.asks:
        bid, ask = value.bids[0].price, value.asks[0].price
        if bid >= ask:
            yield "state", f"is live with best bid {bid} not below best ask {ask}"


def candle_rules(value: Candle) -> Faults:
    """Check that the high and the low enclose open and close."""
    prices = (value.open, value.close, value.high, value.low)
    yield from broken(
        (value.low.value <= 0, "low", f"{value.low} is not above zero"),
        (value.high < max(prices), "high", f"{value.high} is below {max(prices)}"),
        (value.low > min(prices), "low", f"{value.low} is above {min(prices)}"),
        (value.volume.value < 0, "volume", f"{value.volume} is below zero"),
        (value.interval <= 0, "interval", f"{value.interval} ns is not above zero"),
        *_time_rules("opens", value.opens),
    )


def mark_rules(value: MarkPrice) -> Faults:
    """Check that marks and indices are positive."""
    index = value.index
    yield from broken(
        (value.mark.value <= 0, "mark", f"{value.mark} is not above zero"),
        (index is not None and index.value <= 0, "index", f"{index} is not above zero"),
        *_time_rules("time", value.time),
    )


def funding_rules(value: Funding) -> Faults:
    """Check that a funding rate is a fraction scaled by 1e12."""
    rate = value.rate_e12
    yield from broken(
        (abs(rate) >= _RATE_ONE, "rate_e12", f"{rate} is 100 % or more; scale 1 as {_RATE_ONE}"),
        *_time_rules("time", value.time),
        *_time_rules("settles", value.settles),
    )


def _time_rules(path: str, time: int) -> tuple[tuple[bool, str, str]]:
    return ((time < 0, path, f"{time} ns is before 1970; 0 means unknown"),)


MARKET_RULES: Final[tuple[Callable[[Never], Faults], ...]] = (
    fee_rules,
    instrument_rules,
    trade_rules,
    quote_rules,
    level_rules,
    snapshot_rules,
    candle_rules,
    mark_rules,
    funding_rules,
)
