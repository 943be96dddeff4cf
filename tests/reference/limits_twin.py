"""The limit check in fractions: slow, exact, and without a thought for speed."""

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from math import ceil, floor

import attrs

from bot4_core.domain_types.instruments import Instrument, InstrumentKind, Settlement
from bot4_core.domain_types.risk_limits import RiskLimits
from bot4_core.kernels.limits import LimitCode

UNIT = Fraction(1, 10**8)


@attrs.frozen(kw_only=True)
class Held:
    """What is held and working of one instrument, and its touch; scaled."""

    position: int = 0
    open_buy: int = 0
    open_sell: int = 0
    bid: int = 0
    ask: int = 0
    last: int = 0
    live: bool = True

    @property
    def mid(self) -> Fraction | None:
        return Fraction(self.bid + self.ask, 2) if self.bid and self.ask else None

    def worst(self, side: int, added: int = 0) -> int:
        working = self.open_buy if side > 0 else self.open_sell
        return max(0, side * self.position + working + added)


@attrs.frozen(kw_only=True)
class Wish:
    """An order, scaled."""

    instrument: int = 0
    side: int = 1
    price: int = 0
    size: int = 1
    reduce_only: bool = False
    time: int = 0


@attrs.frozen(kw_only=True)
class Money:
    """The account, in money units."""

    equity: int
    peak: int
    day_start: int
    open_orders: int = 0
    times: tuple[int, ...] = ()


def exact_worth(instrument: Instrument, size: int, price: Fraction) -> Fraction:
    """Notional in money units."""
    amount = size * Fraction(10) ** instrument.size_exponent * Fraction(instrument.multiplier)
    quote = price * Fraction(10) ** instrument.price_exponent
    inverse = instrument.settlement is Settlement.INVERSE
    return (amount / quote if inverse else amount * quote) / UNIT


def worth(instrument: Instrument, size: int, price: Fraction) -> int:
    """Notional in money units, rounded up."""
    return ceil(exact_worth(instrument, size, price))


def gross(instruments: Sequence[Instrument], held: Sequence[Held], wish: Wish | None) -> int | None:
    """Worst-case notional of everything; None where a price is missing."""
    total = 0
    for number, (instrument, each) in enumerate(zip(instruments, held, strict=True)):
        mine = wish is not None and wish.instrument == number
        added = wish.size if wish is not None and mine else 0
        buy = each.worst(1, added if wish is not None and wish.side > 0 else 0)
        sell = each.worst(-1, added if wish is not None and wish.side < 0 else 0)
        price = each.mid or (Fraction(each.last) or None)
        if max(buy, sell) == 0:
            continue
        if price is None:
            return None
        total += worth(instrument, max(buy, sell), price)
    return total


def broken(
    wish: Wish,
    instruments: Sequence[Instrument],
    held: Sequence[Held],
    limits: RiskLimits,
    account: Money,
) -> set[LimitCode]:
    """Return every broken limit."""
    instrument, own = instruments[wish.instrument], held[wish.instrument]
    mid = own.mid if own.live else None
    found = shape_faults(wish, instrument, mid)
    recent = [time for time in account.times if wish.time - time < 10**9]
    if len(recent) + 1 > limits.max_orders_per_second:
        found.add(LimitCode.ORDER_RATE)
    if wish.price:
        allowed = None if mid is None else floor(2 * mid * Fraction(limits.price_collar))
        if mid is None or allowed is None or abs(2 * wish.price - 2 * mid) > allowed:
            found.add(LimitCode.PRICE_COLLAR)
    if wish.reduce_only:
        working = own.open_buy if wish.side > 0 else own.open_sell
        if wish.size > max(0, -own.position * wish.side - working):
            found.add(LimitCode.REDUCE_ONLY)
        return found
    found |= size_faults(wish, instrument, own, limits, mid)
    return found | account_faults(wish, instruments, held, limits, account)


def shape_faults(wish: Wish, instrument: Instrument, mid: Fraction | None) -> set[LimitCode]:
    """Tick, lot and the venue's minimums."""
    found = set()
    if wish.price % instrument.tick:
        found.add(LimitCode.TICK)
    if wish.size % instrument.lot:
        found.add(LimitCode.LOT)
    if wish.size < instrument.min_size:
        found.add(LimitCode.MIN_SIZE)
    if instrument.max_size and wish.size > instrument.max_size:
        found.add(LimitCode.MAX_SIZE)
    if instrument.min_notional and not wish.reduce_only:
        price = Fraction(wish.price) if wish.price else mid
        least = ceil(Fraction(instrument.min_notional) / UNIT)
        if price is None or floor(exact_worth(instrument, wish.size, price)) < least:
            found.add(LimitCode.MIN_NOTIONAL)
    return found


def size_faults(
    wish: Wish, instrument: Instrument, own: Held, limits: RiskLimits, mid: Fraction | None
) -> set[LimitCode]:
    """The order's own notional and the worst position of its side."""
    found: set[LimitCode] = set()
    if mid is None:
        return {LimitCode.REFERENCE, LimitCode.ORDER_NOTIONAL, LimitCode.POSITION_NOTIONAL}
    dearest = max(mid, Fraction(wish.price))
    if worth(instrument, wish.size, dearest) > floor(limits.max_order_notional / Decimal("1e-8")):
        found.add(LimitCode.ORDER_NOTIONAL)
    worst = own.worst(wish.side, wish.size)
    if worth(instrument, worst, dearest) > floor(limits.max_position_notional / Decimal("1e-8")):
        found.add(LimitCode.POSITION_NOTIONAL)
    free = max(0, own.position - own.open_sell)
    if instrument.kind is InstrumentKind.SPOT and wish.side < 0 and wish.size > free:
        found.add(LimitCode.SHORT_SALE)
    return found


def account_faults(
    wish: Wish,
    instruments: Sequence[Instrument],
    held: Sequence[Held],
    limits: RiskLimits,
    account: Money,
) -> set[LimitCode]:
    """What binds the whole account."""
    found: set[LimitCode] = set()
    before, after = gross(instruments, held, None), gross(instruments, held, wish)
    reach = floor(max(0, account.equity) * Fraction(limits.max_leverage))
    if after is None or before is None or after > before:
        if after is None or after > floor(limits.max_gross_notional / Decimal("1e-8")):
            found.add(LimitCode.GROSS_NOTIONAL)
        if after is None or after > reach:
            found.add(LimitCode.LEVERAGE)
    if account.open_orders + 1 > limits.max_open_orders:
        found.add(LimitCode.OPEN_ORDERS)
    if account.day_start - account.equity > floor(limits.max_daily_loss / Decimal("1e-8")):
        found.add(LimitCode.DAILY_LOSS)
    allowed = floor(max(0, account.peak) * Fraction(limits.max_drawdown))
    if account.peak - account.equity > allowed:
        found.add(LimitCode.DRAWDOWN)
    return found
