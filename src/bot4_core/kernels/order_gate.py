"""The gate: an order judged by limits, breakers and status; reserved and recorded, or kept back."""

from enum import IntEnum
from typing import Final

import numpy as np

from bot4_core.domain_types.records import (
    INTENT_DTYPE,
    SIGNAL_DTYPE,
    STATE_DTYPE,
    VIEW_DTYPE,
    BreakerEffect,
    OrderFlag,
)
from bot4_core.jit import kernel
from bot4_core.kernels.equity import roll_day
from bot4_core.kernels.limits import (
    ACCOUNT_DTYPE,
    LIMITS_DTYPE,
    SCALE_DTYPE,
    SHAPE,
    LimitCode,
    check_limits,
)
from bot4_core.kernels.order_desk import create, file_sent
from bot4_core.kernels.order_rows import (
    ACTION_DTYPE,
    BREAKER_DTYPE,
    BREAKER_VALUES,
    CONDUCT_DTYPE,
    DESK_DTYPE,
    FULL_STATUS,
    MEASURED_DTYPE,
    NOBODY,
    ORDER_DTYPE,
    PASSIVE_STATUS,
    SIZED_DTYPE,
    TALLY_DTYPE,
    Action,
    Slot,
)
from bot4_core.kernels.tables import TableSet, table_at
from bot4_core.kernels.trace import trace_words

__all__ = ["LIMIT_NUMBERS", "NUMBER_DTYPE", "Refused", "judge", "let_rest", "verdict"]

Row = np.void


class Refused(IntEnum):
    """Bits above those of ``LimitCode``: why the gate keeps an order back."""

    STATUS = 24
    BREAKER = 25
    AUDIT = 26


LIMIT_NUMBERS: Final = 2 * len(LimitCode)
NUMBER_DTYPE: Final = np.dtype("<i8")
POST_ONLY: Final = int(OrderFlag.POST_ONLY)
REDUCE_ONLY: Final = int(OrderFlag.REDUCE_ONLY)
BLOCK_OPEN: Final = int(BreakerEffect.BLOCK_OPEN)
FLATTEN: Final = int(BreakerEffect.FLATTEN)
PLACE_ACTION: Final = int(Action.PLACE)
REFUSE_ACTION: Final = int(Action.REFUSE)
NOT_TRADING: Final = 1 << int(Refused.STATUS)
HELD_BACK: Final = 1 << int(Refused.BREAKER)
UNWRITTEN: Final = 1 << int(Refused.AUDIT)

ORDERS: Final = int(Slot.ORDERS)
DESKS: Final = int(Slot.DESKS)
TALLY: Final = int(Slot.TALLY)
VIEWS: Final = int(Slot.VIEWS)
SCALES: Final = int(Slot.SCALES)
LIMITS: Final = int(Slot.LIMITS)
ACCOUNT: Final = int(Slot.ACCOUNT)
TIMES: Final = int(Slot.TIMES)
FOUND: Final = int(Slot.FOUND)
CONDUCT: Final = int(Slot.CONDUCT)
SIGNALS: Final = int(Slot.SIGNALS)
SIZED: Final = int(Slot.SIZED)
ACTIONS: Final = int(Slot.ACTIONS)
NUMBERS: Final = int(Slot.NUMBERS)
INTENTS: Final = int(Slot.INTENTS)
BREAKERS: Final = int(Slot.BREAKERS)
BREAKER_MEMORY: Final = int(Slot.BREAKER_MEMORY)
HELD: Final = int(Slot.HELD)
SHOWN_VIEWS: Final = int(Slot.SHOWN_VIEWS)
SHOWN_SIGNALS: Final = int(Slot.SHOWN_SIGNALS)
SHOWN_SIZED: Final = int(Slot.SHOWN_SIZED)
SHOWN_BREAKERS: Final = int(Slot.SHOWN_BREAKERS)


@kernel()
def let_rest(tables: TableSet, instrument: int, side: int, now: int) -> None:
    """Make a side wait before it is tried again."""
    desk = table_at(tables, DESKS, DESK_DTYPE)[instrument]
    until = now + int(table_at(tables, CONDUCT, CONDUCT_DTYPE)[0]["rest"])
    if side > 0:
        desk["rest_buy"] = until
    else:
        desk["rest_sell"] = until


@kernel(inline=True)
def beyond_limits(tables: TableSet, intent: Row) -> int:
    """Return why the gate keeps an order back, limits apart: bits of ``Refused``."""
    desk = table_at(tables, DESKS, DESK_DTYPE)[intent["instrument"]]
    reducing = intent["flags"] & REDUCE_ONLY != 0
    passive = intent["flags"] & POST_ONLY != 0
    bits = 0
    status, effect = desk["open_status"], desk["effect"]
    if status != FULL_STATUS and not (status == PASSIVE_STATUS and passive):
        bits |= NOT_TRADING
    if effect != 0 and not (reducing and (effect in (BLOCK_OPEN, FLATTEN))):
        bits |= HELD_BACK
    if not reducing and not table_at(tables, CONDUCT, CONDUCT_DTYPE)[0]["healthy"]:
        bits |= UNWRITTEN
    return bits


@kernel(inline=True)
def verdict(tables: TableSet) -> int:
    """Judge the one intent; 0 lets it out, else bits of ``LimitCode`` and ``Refused``."""
    intents = table_at(tables, INTENTS, INTENT_DTYPE)
    account = table_at(tables, ACCOUNT, ACCOUNT_DTYPE)
    roll_day(tables, int(intents[0]["time"]))
    account[0]["open_orders"] = table_at(tables, TALLY, TALLY_DTYPE)[0]["open"]
    found = table_at(tables, FOUND, NUMBER_DTYPE).reshape(LIMIT_NUMBERS // 2, 2)
    broken = check_limits(
        intents,
        table_at(tables, VIEWS, VIEW_DTYPE),
        table_at(tables, SCALES, SCALE_DTYPE),
        table_at(tables, LIMITS, LIMITS_DTYPE),
        account,
        table_at(tables, TIMES, NUMBER_DTYPE),
        found,
    )
    if broken >> SHAPE & 1:
        return broken
    return broken | beyond_limits(tables, intents[0])


@kernel(inline=True)
def note_order(tables: TableSet, now: int) -> None:
    """Count an order that leaves towards the order rate."""
    account = table_at(tables, ACCOUNT, ACCOUNT_DTYPE)[0]
    times = table_at(tables, TIMES, NUMBER_DTYPE)
    times[account["sent"] % len(times)] = now
    account["sent"] += 1


@kernel(inline=True)
def show_grounds(tables: TableSet, place: int, instrument: int, signal: int) -> None:
    """Copy all that a decision on an instrument looked at beside an action."""
    table_at(tables, SHOWN_VIEWS, VIEW_DTYPE)[place] = table_at(tables, VIEWS, VIEW_DTYPE)[
        instrument
    ]
    if signal >= 0:
        signals = table_at(tables, SIGNALS, SIGNAL_DTYPE)
        sizes = table_at(tables, SIZED, SIZED_DTYPE)
        table_at(tables, SHOWN_SIGNALS, SIGNAL_DTYPE)[place] = signals[signal]
        table_at(tables, SHOWN_SIZED, SIZED_DTYPE)[place] = sizes[signal]
    shown = table_at(tables, SHOWN_BREAKERS, MEASURED_DTYPE)[place]
    breakers = table_at(tables, BREAKERS, BREAKER_DTYPE)
    memory = table_at(tables, BREAKER_MEMORY, NUMBER_DTYPE)
    held = table_at(tables, HELD, NUMBER_DTYPE)
    instruments = len(table_at(tables, DESKS, DESK_DTYPE))
    for number in range(len(breakers)):
        shown["held"][number] = held[number * instruments + instrument]
        numbers = table_at(memory, 2 * number, STATE_DTYPE)[instrument]["f"]
        first = int(breakers[number]["first_value"])
        for each in range(breakers[number]["values"]):
            shown["values"][number * BREAKER_VALUES + each] = numbers[first + each]


@kernel()
def record(
    tables: TableSet, kind: int, instrument: int, signal: int, wish: int, refused: int
) -> None:
    """Write the one intent as an action, with every number that was looked at."""
    tally = table_at(tables, TALLY, TALLY_DTYPE)[0]
    intent = table_at(tables, INTENTS, INTENT_DTYPE)[0]
    place = int(tally["actions"])
    tally["actions"] += 1
    action = table_at(tables, ACTIONS, ACTION_DTYPE)[place]
    action["kind"] = kind
    action["number"] = intent["number"]
    action["instrument"] = intent["instrument"]
    action["side"] = intent["side"]
    action["type"] = intent["type"]
    action["time_in_force"] = intent["time_in_force"]
    action["flags"] = intent["flags"]
    action["price"] = intent["price"]
    action["size"] = intent["size"]
    action["time"] = intent["time"]
    action["signal"] = signal
    action["wish"] = wish
    action["refused"] = refused
    action["decided_on"] = instrument
    trace_order(tables, action)
    if not table_at(tables, CONDUCT, CONDUCT_DTYPE)[0]["spelled"]:
        return
    found = table_at(tables, FOUND, NUMBER_DTYPE)
    numbers = table_at(tables, NUMBERS, NUMBER_DTYPE)
    for each in range(LIMIT_NUMBERS):
        numbers[place * LIMIT_NUMBERS + each] = found[each]
    show_grounds(tables, place, instrument, signal)


@kernel(inline=True)
def trace_order(tables: TableSet, action: Row) -> None:
    """Add a judged order to the trace of the run."""
    signal = int(action["signal"])
    reason, horizon = NOBODY, NOBODY
    if signal >= 0:
        row = table_at(tables, SIGNALS, SIGNAL_DTYPE)[signal]
        reason, horizon = int(row["reason"]), int(row["horizon"])
    number, time, refused = int(action["number"]), int(action["time"]), int(action["refused"])
    trace_words(tables, int(action["kind"]), number, time, refused)
    instrument, side, price = int(action["instrument"]), int(action["side"]), int(action["price"])
    trace_words(tables, instrument, side, price, int(action["size"]))
    duration, flags, wish = int(action["time_in_force"]), int(action["flags"]), int(action["wish"])
    trace_words(tables, int(action["type"]), duration, flags, wish)
    trace_words(tables, int(action["decided_on"]), signal, reason, horizon)


@kernel()
def judge(tables: TableSet, instrument: int, signal: int, wish: int) -> int:
    """Judge the one intent; reserve and note it if it may leave, let its side rest if not.

    Returns
    -------
    int
        0, or ``NO_ORDER_ROOM``; then nothing was changed, and it is to be judged again once there
        is room.
    """
    intent = table_at(tables, INTENTS, INTENT_DTYPE)[0]
    tally = table_at(tables, TALLY, TALLY_DTYPE)[0]
    now = int(intent["time"])
    refused = verdict(tables)
    if refused == 0:
        intent["number"] = tally["last_number"] + 1
        place = create(tables, intent)
        if place < 0:
            return place
        table_at(tables, ORDERS, ORDER_DTYPE)[place]["decided_on"] = instrument
        file_sent(tables, place, now)
        note_order(tables, now)
        record(tables, PLACE_ACTION, instrument, signal, wish, refused)
    else:
        tally["refused"] += 1
        record(tables, REFUSE_ACTION, instrument, signal, wish, refused)
        resting = instrument if refused >> SHAPE & 1 else int(intent["instrument"])
        let_rest(tables, resting, int(intent["side"]), now)
    return 0
