"""Memory of the paper matcher: our orders, their queues, and what we already took.

Everything lives in one array of 64-bit words, the *desk*, which keeps compilation short: every
function takes it and a few integers. An order is named by the place of its row, 0 for none.

====================== ==========================================================================
words                  content
====================== ==========================================================================
head                   ``HEAD`` words, named by the constants below
terms                  one row an instrument: its rules, our best orders there, our position
orders                 one row an open order; free rows form a list
taken                  what we took at displayed levels, oldest first
extra                  latencies to draw from, fee tiers
requests               a ring of requests on their way to the venue
out                    answers that wait: event records of eight words
====================== ==========================================================================
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from bot4_core.domain_types.records import EVENT_DTYPE, EventFlag
from bot4_core.jit import kernel
from bot4_core.kernels.matching_latency import WAY_BACK, latency

__all__ = [
    "TERMS_DTYPE",
    "Desk",
    "charge",
    "emit",
    "event_rows",
    "exact_fee",
    "fee_of",
    "grow_desk",
    "new_desk",
    "unlink",
]

Desk = NDArray[np.int64]

FREE: Final = 0
FLYING: Final = 1  # on its way to the venue
RESTING: Final = 2

EXPIRE_TAKER: Final = 0  # what happens where an order of ours would meet another of ours
EXPIRE_MAKER: Final = 1
EXPIRE_BOTH: Final = 2

AS_TAKER: Final = 0
AS_MAKER: Final = 1

# head
NOW: Final = 0  # venue clock: receive time of what was last matched
LAST_ARRIVAL: Final = 1
LATENCY_OUT: Final = 2
LATENCY_BACK: Final = 3
QUEUE_MODEL: Final = 4
QUEUE_POWER: Final = 5
VENUE_ORDERS: Final = 6  # accepted so far
TRADES: Final = 7
REQUEST_FIRST: Final = 8
REQUESTS: Final = 9
OUT: Final = 10  # answers waiting
FREE_ORDER: Final = 11  # first free row
OPEN_ORDERS: Final = 12
TAKEN: Final = 13
FORGOTTEN: Final = 14  # taken levels dropped because the memory was full
INSTRUMENTS: Final = 15
TERMS_AT: Final = 16
ORDERS_AT: Final = 17
TAKEN_AT: Final = 18
REQUESTS_AT: Final = 19
OUT_AT: Final = 20
ORDER_ROOM: Final = 21  # rows, requests, answers
TAKEN_ROOM: Final = 22
REQUEST_ROOM: Final = 23
OUT_ROOM: Final = 24
# 25 to 34 are those of ``matching_latency``
LAST_ANSWER: Final = 35  # when the last answer made reaches us
SELF_TRADE: Final = 36
EXTRA_AT: Final = 37
TIERS: Final = 38  # rows of fee tiers, and where they are
TIERS_AT: Final = 39
TIER: Final = 40  # tiers reached
VOLUME: Final = 41  # filled so far, at the settlement exponent
HEAD: Final = 48

TERMS_DTYPE: Final = np.dtype(
    [
        ("tick", "<i8"),
        ("lot", "<i8"),
        ("min_size", "<i8"),
        ("max_size", "<i8"),
        ("min_notional", "<i8"),  # least price * size
        ("trading", "<i8"),
        ("inverse", "<i8"),
        ("maker", "<i8"),  # fee = price * size * maker / fee_unit (linear)
        ("taker", "<i8"),
        ("fee_unit", "<i8"),
        ("first_bid", "<i8"),  # our best resting order, 0 for none
        ("first_ask", "<i8"),
        ("position", "<i8"),
        ("size_scale", "<i8"),  # sizes in one base unit
        ("one", "<i8"),  # the rate of which a fee is the notional itself
        ("highest", "<i8"),  # no rate is further from 0
    ]
)
"""What the matcher knows of one instrument; row number = instrument id."""

# an instrument's row
TICK: Final = 0
LOT: Final = 1
MIN_SIZE: Final = 2
MAX_SIZE: Final = 3
MIN_NOTIONAL: Final = 4
TRADING: Final = 5
INVERSE: Final = 6
MAKER_RATE: Final = 7
TAKER_RATE: Final = 8
FEE_UNIT: Final = 9
FIRST_BID: Final = 10
FIRST_ASK: Final = 11
POSITION: Final = 12
SIZE_SCALE: Final = 13
ONE_RATE: Final = 14
HIGHEST_RATE: Final = 15
TERM_WORDS: Final = 16

# an order's row; the first eight words are those of an INTENT_DTYPE row
NUMBER: Final = 0
INSTRUMENT: Final = 1
SIDE: Final = 2
TYPE: Final = 3
TIME_IN_FORCE: Final = 4
FLAGS: Final = 5
PRICE: Final = 6
SIZE: Final = 7
OPEN: Final = 8
AHEAD: Final = 9  # displayed size that trades before us
LEVEL: Final = 10  # displayed size at our price when last seen
TRADED: Final = 11  # traded at our price since then
VENUE_ID: Final = 12
STATE: Final = 13
NEXT: Final = 14  # next of our orders on this side, in priority
ORDER_WORDS: Final = 15
INTENT_WORDS: Final = 8

# a taken level's row
TAKEN_INSTRUMENT: Final = 0
TAKEN_SIDE: Final = 1
TAKEN_PRICE: Final = 2
TAKEN_SHOWN: Final = 3  # the level's size when we took from it
TAKEN_SIZE: Final = 4
TAKEN_WORDS: Final = 5

# a request's row
ARRIVES: Final = 0
IS_CANCEL: Final = 1
OF_ORDER: Final = 2  # 0 where there was no row for it
OF_NUMBER: Final = 3
OF_INSTRUMENT: Final = 4
OF_SIDE: Final = 5
REQUEST_WORDS: Final = 6

# an answer's words
EVENT_WORDS: Final = 8
EVENT_TIME: Final = 0
EVENT_RECEIVED: Final = 1
EVENT_PRICE: Final = 2
EVENT_SIZE: Final = 3
EVENT_SEQUENCE: Final = 4
EVENT_AUX: Final = 5
EVENT_LINK: Final = 6
EVENT_CODES: Final = 7  # instrument, kind << 32, side << 40, flags << 48
OURS: Final = int(EventFlag.SIMULATED | EventFlag.LAST)


def new_desk(
    terms: NDArray[np.void],
    orders: int = 1024,
    taken: int = 256,
    requests: int = 256,
    out: int = 1024,
    extra: int = 0,
) -> Desk:
    """Return an empty desk for instruments with the given terms.

    Parameters
    ----------
    terms : (instruments,) TERMS_DTYPE
    orders, taken, requests, out : int
        Capacities: open orders, remembered levels, requests under way, answers waiting.
    extra : int
        Words for latencies and fee tiers, at ``EXTRA_AT``.
    """
    parts = (HEAD, len(terms) * TERM_WORDS, orders * ORDER_WORDS, taken * TAKEN_WORDS, extra)
    ends = np.cumsum(parts).tolist()
    desk = np.zeros(ends[-1] + requests * REQUEST_WORDS + out * EVENT_WORDS, np.int64)
    desk[INSTRUMENTS] = len(terms)
    desk[TERMS_AT], desk[ORDERS_AT], desk[TAKEN_AT], desk[EXTRA_AT], desk[REQUESTS_AT] = ends
    desk[OUT_AT] = ends[-1] + requests * REQUEST_WORDS
    desk[ORDER_ROOM], desk[TAKEN_ROOM] = orders, taken
    desk[REQUEST_ROOM], desk[OUT_ROOM] = requests, out
    desk[ends[0] : ends[1]] = np.ascontiguousarray(terms).view(np.int64)
    rows = desk[ends[1] : ends[2]].reshape(orders, ORDER_WORDS)
    rows[:-1, NEXT] = ends[1] + ORDER_WORDS * np.arange(1, orders)
    desk[FREE_ORDER] = ends[1]
    return desk


def grow_desk(desk: Desk) -> Desk:
    """Return the desk with twice the room for requests and answers; orders keep their places."""
    first, count, room = (int(desk[at]) for at in (REQUEST_FIRST, REQUESTS, REQUEST_ROOM))
    start, out_at, out_room = (int(desk[at]) for at in (REQUESTS_AT, OUT_AT, OUT_ROOM))
    ring = desk[start:out_at].reshape(room, REQUEST_WORDS)
    new_out = start + 2 * room * REQUEST_WORDS
    grown = np.zeros(new_out + 2 * out_room * EVENT_WORDS, np.int64)
    grown[:start] = desk[:start]
    waiting = ring[(first + np.arange(count)) % room]
    grown[start : start + count * REQUEST_WORDS] = waiting.reshape(-1)
    words = int(desk[OUT]) * EVENT_WORDS
    grown[new_out : new_out + words] = desk[out_at : out_at + words]
    grown[REQUEST_FIRST], grown[REQUEST_ROOM] = 0, 2 * room
    grown[OUT_AT], grown[OUT_ROOM] = new_out, 2 * out_room
    return grown


def event_rows(words: NDArray[np.int64], start: int, count: int) -> NDArray[np.void]:
    """Return event records that lie in an array of words, as a view."""
    return words[start : start + EVENT_WORDS * count].view(EVENT_DTYPE)


def waiting_answers(desk: Desk) -> NDArray[np.void]:
    """Return the answers that wait, as a view."""
    return event_rows(desk, int(desk[OUT_AT]), int(desk[OUT]))


@kernel()
def terms_of(desk: Desk, instrument: int) -> int:
    """Return the place of an instrument's row."""
    return int(desk[TERMS_AT] + TERM_WORDS * instrument)


@kernel()
def exact_fee(notional: int, rate: int, unit: int) -> int:
    """Return ``notional * rate / unit`` rounded up (a rebate down), without leaving 64 bits.

    ``rate * unit`` must fit into 63 bits (see ``session.paper.matching_terms``).
    """
    return int((notional // unit) * rate - ((-(notional % unit) * rate) // unit))


@kernel(inline=True)
def fee_of(desk: Desk, terms: int, price: int, size: int, role: int) -> int:
    """Return the fee of a fill at the settlement exponent, rounded up (a rebate down).

    Linear: ``price * size * rate / unit``. Inverse: ``size * rate / (unit * price)``.
    """
    rate = desk[terms + MAKER_RATE] if role == AS_MAKER else desk[terms + TAKER_RATE]
    return charge(desk, terms, price, size, int(rate))


@kernel()
def charge(desk: Desk, terms: int, price: int, size: int, rate: int) -> int:
    """Return what a rate makes of a fill's notional, as ``fee_of``."""
    unit = desk[terms + FEE_UNIT]
    if desk[terms + INVERSE]:
        return int(-((-size * rate) // (unit * price)))
    return exact_fee(price * size, rate, unit)


@kernel()
def answer(desk: Desk, codes: int, instrument: int, side: int, number: int) -> int:
    """Append an answer, stamped with the venue clock and the time it reaches us.

    Answers reach us in the order in which they were given.

    Parameters
    ----------
    codes : int
        Kind + (flags << 16).

    Returns
    -------
    int
        Its place; price, size and ``aux`` are 0, the venue's id is -1.
    """
    at = int(desk[OUT_AT] + EVENT_WORDS * desk[OUT])
    desk[OUT] += 1
    desk[at + EVENT_TIME] = desk[NOW]
    arrival = desk[NOW] + latency(desk, WAY_BACK, int(desk[LATENCY_BACK]))
    desk[LAST_ANSWER] = max(arrival, desk[LAST_ANSWER])
    desk[at + EVENT_RECEIVED] = desk[LAST_ANSWER]
    desk[at + EVENT_PRICE] = 0
    desk[at + EVENT_SIZE] = 0
    desk[at + EVENT_SEQUENCE] = -1
    desk[at + EVENT_AUX] = 0
    desk[at + EVENT_LINK] = number
    flags = (codes >> 16) | OURS
    kind = codes & 0xFFFF
    word = (instrument & 0xFFFFFFFF) | (kind << 32) | ((side & 255) << 40) | (flags << 48)
    desk[at + EVENT_CODES] = word
    return at


@kernel()
def emit(desk: Desk, codes: int, order: int, price: int, size: int) -> int:
    """Append an answer about an order, with the venue's order id, and return its place."""
    number, instrument, side = desk[order], desk[order + INSTRUMENT], desk[order + SIDE]
    at = answer(desk, codes, instrument, side, number)
    desk[at + EVENT_PRICE] = price
    desk[at + EVENT_SIZE] = size
    desk[at + EVENT_SEQUENCE] = desk[order + VENUE_ID]
    return at


@kernel()
def chain_of(desk: Desk, order: int) -> int:
    """Return the place of the word that names the first order of an order's chain."""
    terms = terms_of(desk, desk[order + INSTRUMENT])
    return terms + (FIRST_BID if desk[order + SIDE] > 0 else FIRST_ASK)


@kernel()
def unlink(desk: Desk, order: int) -> None:
    """Take an order out of its chain (if it rests) and free its row."""
    if desk[order + STATE] == RESTING:
        link = chain_of(desk, order)
        while desk[link] != order:
            link = desk[link] + NEXT
        desk[link] = desk[order + NEXT]
    desk[order + STATE] = FREE
    desk[order + NEXT] = desk[FREE_ORDER]
    desk[FREE_ORDER] = order
    desk[OPEN_ORDERS] -= 1
