"""What venues publish: trades, quotes, books, candles, marks, funding."""

import attrs

from bot4_core.domain_types.canonical_types import InstrumentId, Nanoseconds, Price, Quantity
from bot4_core.domain_types.records import BookState, Side

__all__ = ["BookLevel", "BookSnapshot", "Candle", "Funding", "MarkPrice", "Quote", "Trade"]


@attrs.frozen(kw_only=True)
class Trade:
    """One print; ``aggressor`` is the side that crossed the spread."""

    instrument: InstrumentId
    time: Nanoseconds
    received: Nanoseconds
    price: Price
    size: Quantity
    aggressor: Side
    trade_id: int


@attrs.frozen(kw_only=True)
class Quote:
    """Best bid and ask."""

    instrument: InstrumentId
    time: Nanoseconds
    received: Nanoseconds
    bid: Price
    bid_size: Quantity
    ask: Price
    ask_size: Quantity


@attrs.frozen(kw_only=True)
class BookLevel:
    """All that rests at one price on one side."""

    price: Price
    size: Quantity


@attrs.frozen(kw_only=True)
class BookSnapshot:
    """A book at one sequence number, best levels first."""

    instrument: InstrumentId
    sequence: int
    state: BookState
    bids: tuple[BookLevel, ...]
    asks: tuple[BookLevel, ...]


@attrs.frozen(kw_only=True)
class Candle:
    """Open, high, low, close and volume of one interval."""

    instrument: InstrumentId
    opens: Nanoseconds
    interval: Nanoseconds
    open: Price
    high: Price
    low: Price
    close: Price
    volume: Quantity
    closed: bool


@attrs.frozen(kw_only=True)
class MarkPrice:
    """The venue's fair price and the index under it."""

    instrument: InstrumentId
    time: Nanoseconds
    mark: Price
    index: Price | None = None


@attrs.frozen(kw_only=True)
class Funding:
    """Rate paid by longs to shorts at ``settles``, as a fraction scaled by 1e12."""

    instrument: InstrumentId
    time: Nanoseconds
    rate_e12: int
    settles: Nanoseconds
