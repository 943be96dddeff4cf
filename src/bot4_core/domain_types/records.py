"""Integer codes and record layouts shared by kernels, recordings and domain types.

This module sees only numpy and the standard library, so that compiled functions may read it.
All prices and sizes in records are scaled integers at the instrument's exponents; all times are
UTC nanoseconds, with 0 for "not known".
"""

from enum import IntEnum, IntFlag
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "EVENT_DTYPE",
    "INSTRUMENT_DTYPE",
    "INTENT_DTYPE",
    "PARAMS_DTYPE",
    "SIGNAL_DTYPE",
    "STATE_DTYPE",
    "VIEW_DTYPE",
    "BookState",
    "BreakerEffect",
    "ChainRule",
    "EventFlag",
    "EventKind",
    "Feature",
    "OrderFlag",
    "OrderReason",
    "OrderStatus",
    "OrderType",
    "Record",
    "Records",
    "Side",
    "SignalAction",
    "TimeInForce",
]


class EventKind(IntEnum):
    """What one 64-byte event record says; the table below gives the meaning of each field.

    ==================== =========== =========== ============ ============== ===============
    kind                 price       size        sequence     aux            link
    ==================== =========== =========== ============ ============== ===============
    BOOK_CLEAR           --          --          last id      first id       previous id
    BOOK_SET             level       new size    last id      first id       previous id
    BOOK_END             checksum    level count last id      first id       previous id
    TRADE                price       size        trade id     maker order    taker order
    QUOTE                best bid    bid size    update id    best ask       ask size
    MARK, INDEX          price * 1e8 --          --           --             --
    FUNDING              rate * 1e12 --          --           settles at ns  --
    LIQUIDATION          price       size        --           --             --
    CANDLE               close       volume      low          open           high
    STATUS               --          --          --           status code    --
    GAP                  --          --          seen id      expected id    --
    TIMER                --          --          timer id     --             --
    ORDER_ACCEPTED       limit price open size   venue order  --             order number
    ORDER_FILLED         fill price  fill size   trade id     fee            order number
    ORDER_CANCELED       --          open size   venue order  reason code    order number
    ORDER_REJECTED       --          --          --           reason code    order number
    ORDER_EXPIRED        --          open size   venue order  reason code    order number
    CANCEL_REJECTED      --          --          venue order  reason code    order number
    ORDER_NOT_FOUND      --          --          --           --             order number
    ORDER_IN_DOUBT       --          --          --           reason code    order number
    ORDER_UNTRIGGERED    trigger     open size   venue order  --             order number
    CANCEL_PENDING       --          open size   venue order  --             order number
    REPLACE_PENDING      --          open size   venue order  --             order number
    TRADE_BUSTED         fill price  fill size   trade id     --             order number
    TRADE_CORRECTED      new price   new size    trade id     new fee        order number
    ==================== =========== =========== ============ ============== ===============

    The checksum of ``BOOK_END`` counts where a flag says how it was made.
    An id that a venue does not send is -1, and so is the number of an order that is not ours.
    ``ORDER_NOT_FOUND`` answers a query by client id; its ``time`` is the venue's clock then.
    ``ORDER_IN_DOUBT`` is an answer that is no acceptance and no definitive refusal. Of two
    corrections of one trade the later ``time`` counts; a bust is final. ``side`` is the level's
    side, or the aggressor of a trade, or the side of an order. ``fee`` is scaled at the settlement
    exponent; positive is paid.
    A status code is the place of the status in ``InstrumentStatus``.
    """

    BOOK_CLEAR = 1
    BOOK_SET = 2
    BOOK_END = 3
    TRADE = 4
    QUOTE = 5
    MARK = 6
    INDEX = 7
    FUNDING = 8
    LIQUIDATION = 9
    CANDLE = 10
    STATUS = 11
    GAP = 12
    TIMER = 13
    ORDER_ACCEPTED = 20
    ORDER_FILLED = 21
    ORDER_CANCELED = 22
    ORDER_REJECTED = 23
    ORDER_EXPIRED = 24
    CANCEL_REJECTED = 25
    ORDER_NOT_FOUND = 26
    ORDER_UNTRIGGERED = 27  # accepted, and waits for its trigger
    CANCEL_PENDING = 28
    REPLACE_PENDING = 29
    TRADE_BUSTED = 30
    TRADE_CORRECTED = 31
    ORDER_IN_DOUBT = 32


class EventFlag(IntFlag):
    """Bits of an event record's ``flags``."""

    NONE = 0
    SNAPSHOT = 1  # the book message replaces the book
    LAST = 2  # the last record of its message
    MAKER = 4  # our fill added liquidity
    CLOSED = 8  # the candle is final
    SIMULATED = 16  # made by a matching model, not by a venue
    THIRD_ASSET_FEE = 32  # the fee is not in the settlement asset
    LIQUIDATED = 64  # our fill; the venue made the order to close what we could not hold
    DELEVERAGED = 128  # our fill; the venue closed it against somebody's liquidation
    SETTLED = 256  # our fill; the contract was settled or delivered
    DIGITS_CHECKED = 512  # the closing record has a checksum of the best levels' digits (Kraken)
    PAIRS_CHECKED = 1024  # ... of the best levels' texts in pairs (OKX)


class Side(IntEnum):
    """Direction of an order, a level or the aggressor of a trade; the value is its sign."""

    SELL = -1
    NONE = 0
    BUY = 1


class BookState(IntEnum):
    """How far an order book may be trusted."""

    SYNCING = 0  # waiting for a snapshot, deltas are kept
    LIVE = 1  # equal to the venue's book at the last sequence number
    STALE = 2  # a gap or a silence was seen
    CROSSED = 3  # best bid at or above best ask after a complete message


class ChainRule(IntEnum):
    """How a venue lets its clients prove that no book update is missing."""

    NONE = 0
    RANGE = 1  # first <= last local + 1 <= last (Binance spot)
    LINK = 2  # previous id equals the last local id (Binance futures, OKX)
    STEP = 3  # ids rise by one (Bybit)
    CHECKSUM = 4  # no ids: every message carries a checksum of the best levels (Kraken)


class OrderType(IntEnum):
    """How an order's price is made."""

    MARKET = 1
    LIMIT = 2
    STOP = 3
    STOP_LIMIT = 4
    TAKE_PROFIT = 5
    TAKE_PROFIT_LIMIT = 6
    TRAILING_STOP = 7
    TRAILING_STOP_LIMIT = 8
    ICEBERG = 9


class TimeInForce(IntEnum):
    """How long an order works."""

    GTC = 1
    IOC = 2
    FOK = 3
    GTD = 4


class OrderFlag(IntFlag):
    """Conditions on an order that are neither its type nor its time in force."""

    NONE = 0
    POST_ONLY = 1
    REDUCE_ONLY = 2
    CLOSE_POSITION = 4


class OrderReason(IntEnum):
    """Why an order ended or was refused; ``aux`` of the order events that say so."""

    NONE = 0
    REQUESTED = 1  # we asked for the cancellation
    WOULD_TAKE = 2  # post-only, and the price crosses the book
    UNFILLED = 3  # the rest of a market, IOC or FOK order that found no counterpart
    BOOK_NOT_LIVE = 4
    UNKNOWN_INSTRUMENT = 5
    NOT_TRADING = 6
    BAD_PRICE = 7  # not positive, or not a multiple of the tick
    BAD_SIZE = 8  # not positive, not a multiple of the lot, or above the maximum
    BELOW_MINIMUM = 9  # of size or of notional
    WOULD_INCREASE = 10  # reduce-only, and there is nothing (left) to reduce
    SELF_TRADE = 11  # it would have met our own resting order
    UNSUPPORTED = 12  # type or time in force
    NOT_OPEN = 13  # a cancel for an order that no longer (or never) worked
    DUPLICATE = 14  # the order number was used before: the venue has an order of this number
    TOO_MANY = 15  # the venue keeps no more open orders for one client
    VENUE = 16  # the venue's own reason, kept as text in the audit


class OrderStatus(IntEnum):
    """Life of an order as far as evidence shows it."""

    CREATED = 0  # the intent is recorded, nothing was sent
    SUBMITTED = 1
    OPEN = 2
    TRIGGER_PENDING = 3
    PARTIAL = 4
    PENDING_CANCEL = 5
    PENDING_REPLACE = 6
    UNKNOWN = 7  # sent, and no evidence of what became of it
    FILLED = 8
    CANCELED = 9
    EXPIRED = 10
    REJECTED = 11


class BreakerEffect(IntEnum):
    """What a tripped breaker forbids or starts, mildest first."""

    NONE = 0
    BLOCK_OPEN = 1  # nothing that adds exposure
    BLOCK_ALL = 2  # cancels only
    CANCEL_ALL = 3  # and cancel what works
    FLATTEN = 4  # and close what is held


class Feature(IntFlag):
    """Fields of a view that cost time at every message, and are filled where a part reads them."""

    NONE = 0
    FLOW = 1  # flow
    VOLATILITY = 2  # volatility
    DEPTH = 4  # vwap_bid and vwap_ask
    ALL = 7


class SignalAction(IntEnum):
    """What a strategy asks for."""

    NONE = 0
    QUOTE = 1  # keep one working order on this side at this price
    TAKE = 2  # trade now, at this price or better (price 0: at market)
    CANCEL = 3  # no working order on this side


Record: TypeAlias = np.void
"""One row of a structured array (travels into compiled code as a pointer)."""
Records: TypeAlias = NDArray[np.void]
"""A structured array."""


EVENT_DTYPE: Final = np.dtype(
    [
        ("time", "<i8"),
        ("received", "<i8"),
        ("price", "<i8"),
        ("size", "<i8"),
        ("sequence", "<i8"),
        ("aux", "<i8"),
        ("link", "<i8"),
        ("instrument", "<u4"),
        ("kind", "u1"),
        ("side", "i1"),
        ("flags", "<u2"),
    ]
)
"""The event record: what a recording stores, what crosses processes, what kernels read."""

INSTRUMENT_DTYPE: Final = np.dtype(
    [
        ("price_exponent", "<i8"),
        ("size_exponent", "<i8"),
        ("tick", "<i8"),
        ("lot", "<i8"),
        ("min_size", "<i8"),
        ("chain", "<i8"),  # ChainRule
        ("depth", "<i8"),  # subscribed levels a side, 0 for all
        ("price_unit", "<f8"),  # 10 ** price_exponent
        ("size_unit", "<f8"),  # 10 ** size_exponent
        ("multiplier", "<f8"),
    ]
)
"""What kernels need to know of an instrument; row number = instrument id."""

VIEW_DTYPE: Final = np.dtype(
    [
        ("time", "<i8"),
        ("received", "<i8"),
        ("instrument", "<i8"),
        ("state", "<i8"),  # BookState
        ("bid", "<i8"),  # best prices and sizes, 0 where the side is empty
        ("bid_size", "<i8"),
        ("ask", "<i8"),
        ("ask_size", "<i8"),
        ("last_price", "<i8"),
        ("last_size", "<i8"),
        ("last_side", "<i8"),
        ("tick", "<i8"),
        ("lot", "<i8"),
        ("inverse", "<i8"),  # 1 where a contract settles in its base asset
        ("position", "<i8"),  # signed, scaled size
        ("open_buy", "<i8"),  # size of working and unknown orders
        ("open_sell", "<i8"),
        ("price_unit", "<f8"),
        ("size_unit", "<f8"),
        ("multiplier", "<f8"),
        ("mid", "<f8"),  # quote units; NaN while a side is empty
        ("microprice", "<f8"),
        ("spread", "<f8"),
        ("imbalance", "<f8"),  # (bid size - ask size) / sum, in [-1, 1]
        ("flow", "<f8"),  # order-flow imbalance over the rolling window, base units
        ("volatility", "<f8"),  # quote units per square-root second; NaN while warming up
        ("vwap_bid", "<f8"),  # average price to sell the configured size now
        ("vwap_ask", "<f8"),
        ("equity", "<f8"),  # account value in the settlement asset (an estimate for sizing)
        ("average_price", "<f8"),  # of the open position, 0 when flat
    ]
)
"""What a decision part sees of one instrument at one moment."""

SIGNAL_DTYPE: Final = np.dtype(
    [
        ("instrument", "<i8"),
        ("action", "<i8"),  # SignalAction
        ("side", "<i8"),
        ("price", "<i8"),  # scaled limit price, 0 for market
        ("horizon", "<i8"),  # ns
        ("reason", "<i8"),  # index into the strategy's reasons
        ("strength", "<f8"),  # conviction in [0, 1]
        ("edge", "<f8"),  # expected return of the trade over the horizon (fraction)
        ("variance", "<f8"),  # variance of that return
        ("values", "<f8", (4,)),  # the numbers behind the reason
    ]
)
"""What a strategy wants."""

INTENT_DTYPE: Final = np.dtype(
    [
        ("number", "<i8"),  # order number, dense from 1 within a run
        ("instrument", "<i8"),
        ("side", "<i8"),
        ("type", "<i8"),
        ("time_in_force", "<i8"),
        ("flags", "<i8"),
        ("price", "<i8"),
        ("size", "<i8"),
        ("time", "<i8"),
    ]
)
"""An order about to be checked, recorded and sent."""

STATE_DTYPE: Final = np.dtype([("i", "<i8", (32,)), ("f", "<f8", (1008,))])
"""The memory of one compiled part (8,320 bytes); a part names its slots with an IntEnum."""

PARAMS_DTYPE: Final = np.dtype([("i", "<i8", (16,)), ("f", "<f8", (48,))])
"""The parameters of one compiled part."""
