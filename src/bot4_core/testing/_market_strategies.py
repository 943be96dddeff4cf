"""Strategies for instruments and for what venues publish."""

from decimal import Decimal

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from bot4_core.domain_types.canonical_types import (
    InstrumentId,
    Nanoseconds,
    Price,
    Quantity,
    Symbol,
    VenueName,
)
from bot4_core.domain_types.instruments import (
    FeeSchedule,
    Instrument,
    InstrumentKind,
    InstrumentStatus,
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
from bot4_core.domain_types.records import (
    EVENT_DTYPE,
    BookState,
    ChainRule,
    EventFlag,
    EventKind,
    Side,
)
from bot4_core.testing._number_strategies import (
    STEPS,
    decimals,
    instrument_ids,
    names,
    nanoseconds,
    prices,
    quantities,
    sides,
)

__all__ = [
    "book_levels",
    "book_snapshots",
    "candles",
    "event_batches",
    "fee_schedules",
    "fundings",
    "instruments",
    "mark_prices",
    "quotes",
    "trades",
]


def fee_schedules() -> st.SearchStrategy[FeeSchedule]:
    """Draw fees between a rebate of 0.1 % and 1 %."""
    fee = decimals("-0.001", "0.01")
    return st.builds(FeeSchedule, maker=fee, taker=fee)


@st.composite
def instruments(draw: st.DrawFn, kind: InstrumentKind | None = None) -> Instrument:
    """Draw instruments of one kind, or of any.

    Parameters
    ----------
    kind : InstrumentKind, optional
        Spot, perpetual or dated future.
    """
    chosen = draw(st.sampled_from(InstrumentKind)) if kind is None else kind
    spot = chosen is InstrumentKind.SPOT
    contract = st.sampled_from([Settlement.LINEAR, Settlement.INVERSE])
    base, quote = draw(st.lists(names(), min_size=2, max_size=2, unique=True))
    lot, least = draw(st.sampled_from([1, 5, 10, 1000])), draw(st.integers(0, 100))
    return Instrument(
        venue=VenueName(draw(names())),
        market=draw(st.sampled_from(["spot", "usdm", "coinm"])),
        symbol=Symbol(base + quote),
        base=base,
        quote=quote,
        kind=chosen,
        settlement=Settlement.SPOT if spot else draw(contract),
        price_exponent=draw(st.integers(-8, 2)),
        size_exponent=draw(st.integers(-8, 0)),
        tick=draw(st.sampled_from([1, 5, 10, 25])),
        lot=lot,
        min_size=least * lot,
        max_size=draw(st.sampled_from([0, STEPS * lot])),
        min_notional=draw(decimals("0", "10")),
        multiplier=Decimal(1) if spot else draw(decimals("0.0001", "100")),
        fees=draw(fee_schedules()),
        status=draw(st.sampled_from(InstrumentStatus)),
        expiry=Nanoseconds(draw(st.integers(1, 2**62)))
        if chosen is InstrumentKind.FUTURE
        else None,
        chain=draw(st.sampled_from(ChainRule)),
        depth=draw(st.sampled_from([0, 10, 1000])),
        version=draw(st.integers(1, 5)),
        from_data=draw(st.booleans()),
    )


def trades(instrument: Instrument) -> st.SearchStrategy[Trade]:
    """Draw prints of an instrument."""
    return st.builds(
        Trade,
        instrument=instrument_ids(),
        time=nanoseconds(),
        received=nanoseconds(),
        price=_prices(instrument),
        size=_sizes(instrument),
        aggressor=sides(),
        trade_id=st.integers(0, 2**62),
    )


@st.composite
def quotes(draw: st.DrawFn, instrument: Instrument) -> Quote:
    """Draw best bids and asks of an instrument, never crossed."""
    bid = draw(_prices(instrument))
    spread = draw(st.integers(1, 1000)) * instrument.tick_size
    return Quote(
        instrument=draw(instrument_ids()),
        time=draw(nanoseconds()),
        received=draw(nanoseconds()),
        bid=bid,
        bid_size=draw(_sizes(instrument)),
        ask=bid + spread,
        ask_size=draw(_sizes(instrument)),
    )


def book_levels(instrument: Instrument) -> st.SearchStrategy[BookLevel]:
    """Draw levels of an instrument."""
    return st.builds(BookLevel, price=_prices(instrument), size=_sizes(instrument))


@st.composite
def book_snapshots(draw: st.DrawFn, instrument: Instrument, levels: int = 8) -> BookSnapshot:
    """Draw LIVE books of up to ``levels`` levels a side."""
    steps = sorted(draw(st.sets(st.integers(1, STEPS), max_size=2 * levels)))
    least = max(len(steps) - levels, 0)
    split = draw(st.integers(least, min(levels, len(steps))))
    sizes = draw(st.lists(_sizes(instrument), min_size=len(steps), max_size=len(steps)))
    found = tuple(
        BookLevel(price=Price(step * instrument.tick, instrument.price_exponent), size=size)
        for step, size in zip(steps, sizes, strict=True)
    )
    return BookSnapshot(
        instrument=draw(instrument_ids()),
        sequence=draw(st.integers(0, 2**62)),
        state=BookState.LIVE,
        bids=found[:split][::-1],
        asks=found[split:],
    )


@st.composite
def candles(draw: st.DrawFn, instrument: Instrument) -> Candle:
    """Draw candles of one minute."""
    low, first, second, high = sorted(
        draw(st.lists(_prices(instrument), min_size=4, max_size=4)),
    )
    ends = draw(st.permutations([first, second]))
    return Candle(
        instrument=draw(instrument_ids()),
        opens=Nanoseconds(draw(st.integers(0, 10**9)) * 60 * 10**9),
        interval=Nanoseconds(60 * 10**9),
        open=ends[0],
        high=high,
        low=low,
        close=ends[1],
        volume=draw(_sizes(instrument)),
        closed=draw(st.booleans()),
    )


def mark_prices(instrument: Instrument) -> st.SearchStrategy[MarkPrice]:
    """Draw fair prices, with or without the index under them."""
    return st.builds(
        MarkPrice,
        instrument=instrument_ids(),
        time=nanoseconds(),
        mark=_prices(instrument),
        index=st.none() | _prices(instrument),
    )


def fundings() -> st.SearchStrategy[Funding]:
    """Draw funding rates of up to 3 % either way."""
    return st.builds(
        Funding,
        instrument=instrument_ids(),
        time=nanoseconds(),
        rate_e12=st.integers(-3 * 10**10, 3 * 10**10),
        settles=nanoseconds(),
    )


@st.composite
def event_batches(draw: st.DrawFn, instruments: int = 2, messages: int = 12) -> NDArray[np.void]:
    """Draw whole messages as event records, in order of receipt.

    Book messages start with a snapshot for each instrument and keep an unbroken chain, in which
    every delta's ids are ``link + 1 .. sequence``; trades and quotes stand between them. Bids lie
    below and asks above one price, so that no book is crossed.

    Parameters
    ----------
    instruments : int
        Rows of the instrument table that occur.
    messages : int
        Most messages after the snapshots.

    Returns
    -------
    (n,) EVENT_DTYPE
    """
    last = [draw(st.integers(1, 10**6)) for _ in range(instruments)]
    rows: list[_Row] = []
    for place in range(instruments):
        rows += _book_message(draw, InstrumentId(place), (last[place], -1, -1), EventFlag.SNAPSHOT)
    for _ in range(draw(st.integers(0, messages))):
        place = draw(st.integers(0, instruments - 1))
        kind = draw(st.sampled_from([EventKind.BOOK_SET, EventKind.TRADE, EventKind.QUOTE]))
        if kind is EventKind.BOOK_SET:
            before, last[place] = last[place], last[place] + draw(st.integers(1, 5))
            ids = (last[place], before + 1, before)
            rows += _book_message(draw, InstrumentId(place), ids, EventFlag.NONE)
        else:
            rows.append(_single_record(draw, InstrumentId(place), kind))
    batch = np.zeros(len(rows), EVENT_DTYPE)
    for place, row in enumerate(rows):
        batch[place] = (place + 1, place + 1, *row)
    return batch


_Row = tuple[int, int, int, int, int, int, int, int, int]
_MIDDLE = 10_000


def _book_message(
    draw: st.DrawFn, instrument: InstrumentId, ids: tuple[int, int, int], flags: EventFlag
) -> list[_Row]:
    """Return one level record each and the end of the message."""
    snapshot = flags is EventFlag.SNAPSHOT
    found: list[_Row] = []
    if snapshot:
        found.append((0, 0, *ids, instrument, EventKind.BOOK_CLEAR, Side.NONE, flags))
    for side in (Side.BUY, Side.SELL):
        for away in draw(st.lists(st.integers(1, 500), max_size=5, unique=True)):
            size = draw(st.integers(int(snapshot), 10**6))
            price = _MIDDLE - side * away
            found.append((price, size, *ids, instrument, EventKind.BOOK_SET, side, flags))
    count = len(found) - int(snapshot)
    end = flags | EventFlag.LAST
    found.append((0, count, *ids, instrument, EventKind.BOOK_END, Side.NONE, end))
    return found


def _single_record(draw: st.DrawFn, instrument: InstrumentId, kind: EventKind) -> _Row:
    price, size = draw(st.integers(1, 2 * _MIDDLE)), draw(st.integers(1, 10**6))
    sequence = draw(st.integers(1, 10**9))
    if kind is EventKind.TRADE:
        side = draw(sides())
        return (price, size, sequence, -1, -1, instrument, kind, side, EventFlag.LAST)
    ask, ask_size = price + draw(st.integers(1, 100)), draw(st.integers(1, 10**6))
    return (price, size, sequence, ask, ask_size, instrument, kind, Side.NONE, EventFlag.LAST)


def _prices(instrument: Instrument) -> st.SearchStrategy[Price]:
    return prices(instrument.price_exponent, instrument.tick)


def _sizes(instrument: Instrument) -> st.SearchStrategy[Quantity]:
    return quantities(instrument.size_exponent, instrument.lot)
