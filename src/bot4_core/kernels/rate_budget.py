"""What of a venue's rate limits is spent: logs of spends, or counters that drain.

A *meter* is one limit for one address, account or instrument: a row of ``meters``, and for a
sliding limit a ring of ``(time, cost)`` rows in ``log``. A sliding meter counts the spends of the
last ``SPAN`` nanoseconds, whenever that span is taken to begin; a draining one is a counter that
falls by ``LIMIT`` in every span, kept in units of ``cost * SPAN`` so that it is exact.
"""

from typing import Final

from bot4_core.jit import kernel
from bot4_core.kernels.atomics import Words

__all__ = [
    "CAPACITY",
    "CEILING",
    "CLOSED",
    "COUNT",
    "DRAINS",
    "FIRST",
    "HEAD",
    "LAST",
    "LIMIT",
    "METER_WORDS",
    "NEVER",
    "PRIORITIES",
    "SPAN",
    "USED",
    "admit",
    "earliest",
    "observe",
    "release",
]

LIMIT: Final = 0
SPAN: Final = 1
DRAINS: Final = 2  # 1 for a counter that drains, 0 for a sliding window
FIRST: Final = 3  # row of the log where the meter's ring begins
CAPACITY: Final = 4
HEAD: Final = 5  # place of the oldest spend in the ring
COUNT: Final = 6
USED: Final = 7
LAST: Final = 8  # time of the latest call
CLOSED: Final = 9  # nothing is let out before this time
CEILING: Final = 10  # then, by priority, how far a request may bring the meter
PRIORITIES: Final = 4
METER_WORDS: Final = CEILING + PRIORITIES
NEVER: Final = 2**63 - 1
MOST: Final = 2**62
TIME: Final = 0
COST: Final = 1


@kernel()
def release(meters: Words, log: Words, row: int, now: int) -> None:
    """Forget what no longer counts at a time, which is never before an earlier call's."""
    meter = meters[row]
    if meter[DRAINS]:
        passed = now - meter[LAST]
        if passed > meter[USED] // meter[LIMIT]:
            meter[USED] = 0
        else:
            meter[USED] -= meter[LIMIT] * passed
    else:
        while meter[COUNT] and log[meter[FIRST] + meter[HEAD], TIME] <= now - meter[SPAN]:
            meter[USED] -= log[meter[FIRST] + meter[HEAD], COST]
            meter[HEAD] = (meter[HEAD] + 1) % meter[CAPACITY]
            meter[COUNT] -= 1
    meter[LAST] = now


@kernel()
def earliest(meters: Words, log: Words, row: int, cost: int, priority: int) -> int:
    """Return when a meter has room if nothing else is spent, from its last time on.

    Costs a step for each spend that must be forgotten first.
    """
    meter = meters[row]
    ceiling = meter[CEILING + priority]
    if cost > ceiling:
        return NEVER
    time = meter[LAST]
    if meter[DRAINS]:
        excess = meter[USED] - (ceiling - cost) * meter[SPAN]
        if excess > 0:
            time += (excess + meter[LIMIT] - 1) // meter[LIMIT]
    else:
        excess = meter[USED] - (ceiling - cost)
        place = meter[HEAD]
        while excess > 0:
            excess -= log[meter[FIRST] + place, COST]
            time = log[meter[FIRST] + place, TIME] + meter[SPAN]
            place = (place + 1) % meter[CAPACITY]
    return int(max(time, meter[CLOSED]))


@kernel()
def spend(meters: Words, log: Words, row: int, cost: int) -> None:
    """Book a cost at a meter's last time; the ring has room because no cost is below one."""
    meter = meters[row]
    if meter[DRAINS]:
        meter[USED] += cost * meter[SPAN]
        return
    newest = meter[FIRST] + (meter[HEAD] + meter[COUNT] - 1) % meter[CAPACITY]
    meter[USED] += cost
    if meter[COUNT] and log[newest, TIME] == meter[LAST]:
        log[newest, COST] += cost
        return
    place = meter[FIRST] + (meter[HEAD] + meter[COUNT]) % meter[CAPACITY]
    log[place, TIME] = meter[LAST]
    log[place, COST] = cost
    meter[COUNT] += 1


@kernel()
def admit(meters: Words, log: Words, charges: Words, priority: int, now: int, take: bool) -> int:
    """Tell when a request may go; if that is now, and it is to be taken, book it everywhere.

    Parameters
    ----------
    charges : (n, 2) int64
        Rows of ``meters``, each at most once, and what the request costs there, at least 1.
    priority : int
        Which ceilings hold for it.
    take : bool

    Returns
    -------
    int
        ``now`` if the request may go, otherwise the first time at which it may if nothing else
        goes; ``NEVER`` if it is larger than a ceiling.
    """
    time = now
    for place in range(len(charges)):
        release(meters, log, charges[place, 0], now)
        free = earliest(meters, log, charges[place, 0], charges[place, 1], priority)
        time = max(time, free)
    if take and time <= now:
        for place in range(len(charges)):
            spend(meters, log, charges[place, 0], charges[place, 1])
    return time


@kernel()
def observe(meters: Words, log: Words, row: int, used: int, now: int) -> None:
    """Raise a meter to what the venue says is used; what it knows of beyond us was spent just now.

    A sliding meter that the venue says is full becomes one spend of the whole limit, just now.
    """
    meter = meters[row]
    release(meters, log, row, now)
    if meter[DRAINS]:
        meter[USED] = max(meter[USED], min(used, MOST // meter[SPAN]) * meter[SPAN])
    elif used >= meter[LIMIT]:
        meter[USED] = meter[COUNT] = 0
        spend(meters, log, row, meter[LIMIT])
    elif used > meter[USED]:
        spend(meters, log, row, used - meter[USED])
