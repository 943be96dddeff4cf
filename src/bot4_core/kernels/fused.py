"""Recorded messages and the paper venue in one compiled loop, until something needs Python.

A message is followed in phases: answers of the paper venue that are due before it, the message
itself with the decision upon it, its effect on our resting orders, and the answers due after it.
Where a phase needs Python the loop returns and says why; called again it goes on from there.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from bot4_core.domain_types.records import EVENT_DTYPE, EventKind, OrderStatus
from bot4_core.jit import kernel
from bot4_core.kernels.decision import DECIDED, OBSERVE_AND_ACT, READY, follow, think
from bot4_core.kernels.holdings import book_ahead
from bot4_core.kernels.matching import (
    advance,
    match_events,
    minds_market,
    submit,
    submit_cancel,
)
from bot4_core.kernels.matching_sight import Sight
from bot4_core.kernels.matching_state import (
    EVENT_RECEIVED,
    EVENT_WORDS,
    HIGHEST_RATE,
    INVERSE,
    OUT,
    OUT_AT,
    REQUEST_ROOM,
    REQUESTS,
    Desk,
    terms_of,
)
from bot4_core.kernels.order_desk import ALARMED, CHANGED, STRANGER, file_event
from bot4_core.kernels.order_fills import Outcome
from bot4_core.kernels.order_gate import NUMBER_DTYPE, let_rest
from bot4_core.kernels.order_rows import (
    ACTION_DTYPE,
    CONDUCT_DTYPE,
    DESK_DTYPE,
    MOST_ACTIONS,
    NOBODY,
    ORDER_DTYPE,
    TALLY_DTYPE,
    Action,
    Slot,
)
from bot4_core.kernels.sampling import is_sample_due, take_sample
from bot4_core.kernels.step import next_message
from bot4_core.kernels.tables import TableSet, table_at
from bot4_core.kernels.wire_bytes import borrowed

__all__ = [
    "ACTIONS_DUE",
    "ALARM",
    "ANSWERS_DUE",
    "BEFORE",
    "ENDED",
    "FILL_DUE",
    "LEFT",
    "MATCH",
    "NO_DESK_ROOM",
    "PAUSED",
    "PHASE",
    "SAMPLE_DUE",
    "START",
    "THINKING",
    "UNSAFE_FEE",
    "run_ahead",
]

Rows = NDArray[np.void]

PHASE: Final = 10  # slots of the head, beyond those of ``kernels.step``
START: Final = 11  # of the message at hand
LEFT: Final = 12  # messages that may be taken before the next pause

BEFORE: Final = 0
STEP: Final = 1
THINKING: Final = 2
MATCH: Final = 3
SETTLE: Final = 4

ENDED: Final = 0
NO_DESK_ROOM: Final = 20  # the paper venue has to grow
ANSWERS_DUE: Final = 21  # answers that Python has to take in
ACTIONS_DUE: Final = 22  # a decision asks for something that is to be spelled out
ALARM: Final = 23  # evidence on an order does not fit; the rest of the answers still waits
SAMPLE_DUE: Final = 24
PAUSED: Final = 25
UNSAFE_FEE: Final = 26
FILL_DUE: Final = 27  # a fill was filed and has to be booked

GO_ON: Final = (NO_DESK_ROOM, FILL_DUE)
"""What a phase goes on from, once it was seen to."""
REVISIONS: Final = (int(EventKind.TRADE_BUSTED), int(EventKind.TRADE_CORRECTED))
"""Answers that Python takes in, because they take back what was booked."""
BOOKED: Final = int(Outcome.BOOKED)
ROW: Final = int(Outcome.ROW)
AFTER: Final = int(Outcome.AFTER)
ALARMS: Final = int(Outcome.ALARMS)
PLACE: Final = int(Action.PLACE)
CANCEL: Final = int(Action.CANCEL)
IS_REJECTED: Final = int(OrderStatus.REJECTED)
IS_EXPIRED: Final = int(OrderStatus.EXPIRED)
PRODUCT_LIMIT: Final = 2**62

ORDERS: Final = int(Slot.ORDERS)
DESKS: Final = int(Slot.DESKS)
TALLY: Final = int(Slot.TALLY)
CONDUCT: Final = int(Slot.CONDUCT)
ACTIONS: Final = int(Slot.ACTIONS)
REQUEST: Final = int(Slot.REQUEST)
ANSWERS: Final = int(Slot.ANSWERS)
ANSWER_HEAD: Final = int(Slot.ANSWER_HEAD)
OUTCOME: Final = int(Slot.OUTCOME)
BOOKING: Final = int(Slot.BOOKING)


@kernel(inline=True)
def has_safe_fee(desk: Desk, instrument: int, size: int) -> bool:
    """Tell whether the fee of an order stays within 64 bits at any price."""
    terms = terms_of(desk, instrument)
    rate = max(desk[terms + HIGHEST_RATE], 1)
    return bool(desk[terms + INVERSE] == 0 or size <= PRODUCT_LIMIT // rate)


@kernel(inline=True)
def drop_answers(desk: Desk, count: int) -> None:
    """Forget the first waiting answers, which were taken in."""
    desk[OUT] -= count
    first, shift = int(desk[OUT_AT]), EVENT_WORDS * count
    for word in range(first, first + EVENT_WORDS * desk[OUT]):
        desk[word] = desk[word + shift]


@kernel(inline=True)
def request(tables: TableSet, desk: Desk) -> bool:
    """Send what a decision asks for to the paper venue; False where a fee could leave 64 bits."""
    tally = table_at(tables, TALLY, TALLY_DTYPE)[0]
    actions = table_at(tables, ACTIONS, ACTION_DTYPE)
    words = table_at(tables, REQUEST, NUMBER_DTYPE)
    for place in range(tally["actions"]):
        action = actions[place]
        number, instrument = int(action["number"]), int(action["instrument"])
        side, time = int(action["side"]), int(action["time"])
        if action["kind"] == CANCEL:
            submit_cancel(desk, number, instrument, side, time)
        elif action["kind"] == PLACE:
            words[0], words[1], words[2] = number, instrument, side
            words[3], words[4] = action["type"], action["time_in_force"]
            words[5], words[6], words[7] = action["flags"], action["price"], action["size"]
            if not has_safe_fee(desk, instrument, int(action["size"])):
                return False
            submit(desk, words, time)
    tally["actions"] = 0
    return True


@kernel(inline=True)
def file_answer(tables: TableSet, answers: Rows, place: int) -> int:
    """File what the paper venue says of an order; ``ALARM`` where it does not fit.

    A new fill that cannot be booked here is left for Python, which then looks for alarms itself.
    """
    outcome = table_at(tables, OUTCOME, NUMBER_DTYPE)
    code = file_event(tables, answers, place, outcome)
    if code == STRANGER:
        table_at(tables, TALLY, TALLY_DTYPE)[0]["orphans"] += 1
    if code not in (CHANGED, ALARMED):
        return ENDED
    instrument = int(answers[place]["instrument"])
    table_at(tables, DESKS, DESK_DTYPE)[instrument]["settled"] = 0
    if outcome[AFTER] in (IS_REJECTED, IS_EXPIRED):
        side = int(table_at(tables, ORDERS, ORDER_DTYPE)[outcome[ROW]]["side"])
        let_rest(tables, instrument, side, int(table_at(tables, TALLY, TALLY_DTYPE)[0]["now"]))
    if outcome[BOOKED] and not book_ahead(tables, answers, place):
        table_at(tables, BOOKING, EVENT_DTYPE)[0] = answers[place]
        return FILL_DUE
    return ALARM if outcome[ALARMS] else ENDED


@kernel(inline=True)
def take_answers(
    rows: Rows, sight: Sight, tables: TableSet, states: Rows, desk: Desk, now: int
) -> int:
    """Take in the answers due by a time, as far as they need no Python."""
    answers = table_at(tables, ANSWERS, EVENT_DTYPE)
    head = table_at(tables, ANSWER_HEAD, NUMBER_DTYPE)
    waiting, done, code = int(desk[OUT]), 0, ENDED
    while done < waiting and code == ENDED and answers[done]["received"] <= now:
        full = table_at(tables, TALLY, TALLY_DTYPE)[0]["free_fill"] == NOBODY
        if full or answers[done]["kind"] in REVISIONS:
            code = ANSWERS_DUE
            break
        next_message(answers, done, done + 1, head)
        follow(rows, sight.words, answers, done, tables, states, head)
        code = file_answer(tables, answers, done)
        done += 1
    drop_answers(desk, done)
    return code


@kernel(inline=True)
def let_arrive(
    rows: Rows, sight: Sight, tables: TableSet, states: Rows, desk: Desk, now: int
) -> int:
    """Let requests reach the paper venue and its answers reach us."""
    if desk[REQUESTS] > 0 and not advance(desk, sight, now):
        return NO_DESK_ROOM
    if desk[OUT] == 0 or desk[desk[OUT_AT] + EVENT_RECEIVED] > now:
        return ENDED
    conduct = table_at(tables, CONDUCT, CONDUCT_DTYPE)[0]
    if conduct["spelled"] or conduct["links"] > 0:
        return ANSWERS_DUE
    return take_answers(rows, sight, tables, states, desk, now)


@kernel(inline=True)
def decide_upon(
    rows: Rows,
    memory: NDArray[np.int64],
    records: Rows,
    tables: TableSet,
    states: Rows,
    head: NDArray[np.int64],
    desk: Desk,
) -> int:
    """Take the message at hand in and decide upon it; the phase says how far it came."""
    code = follow(rows, memory, records, int(head[START]), tables, states, head)
    if code == READY:
        head[PHASE] = THINKING
        code = think(tables, head, OBSERVE_AND_ACT)
    head[PHASE] = MATCH
    if code != DECIDED:
        return code
    head[8] = head[START]
    if table_at(tables, TALLY, TALLY_DTYPE)[0]["actions"] == 0:
        return ENDED
    if table_at(tables, CONDUCT, CONDUCT_DTYPE)[0]["spelled"]:
        return ACTIONS_DUE
    return ENDED if request(tables, desk) else UNSAFE_FEE


@kernel(inline=True)
def reach_orders(sight: Sight, records: Rows, head: NDArray[np.int64], desk: Desk) -> bool:
    """Let the message at hand reach our resting orders; False where the desk has to grow first."""
    if not minds_market(desk):
        return True
    head[8] = match_events(desk, sight, records, int(head[8]), int(head[9]))
    return bool(head[8] == head[9])


@kernel(inline=True)
def begin(
    rows: Rows,
    sight: Sight,
    records: Rows,
    stop: int,
    tables: TableSet,
    states: Rows,
    head: NDArray[np.int64],
    desk: Desk,
) -> int:
    """Find the next message, and let happen what is due before it."""
    if head[LEFT] == 0:
        return PAUSED
    next_message(records, int(head[START]), stop, head)
    if desk[REQUEST_ROOM] - desk[REQUESTS] < MOST_ACTIONS:
        return NO_DESK_ROOM
    code = let_arrive(rows, sight, tables, states, desk, int(head[2]))
    if code not in GO_ON:
        head[LEFT] -= 1
        head[PHASE] = STEP
    return code


@kernel(inline=True)
def finish(
    rows: Rows,
    sight: Sight,
    records: Rows,
    tables: TableSet,
    states: Rows,
    head: NDArray[np.int64],
    desk: Desk,
) -> int:
    """Let the message at hand reach our orders, and let happen what is due after it."""
    if head[PHASE] == MATCH:
        if not reach_orders(sight, records, head, desk):
            return NO_DESK_ROOM
        head[PHASE] = SETTLE
    code = let_arrive(rows, sight, tables, states, desk, int(head[2]))
    if code in GO_ON:
        return code
    head[START] = head[9]
    head[PHASE] = BEFORE
    now = int(head[2])
    if code == ENDED and is_sample_due(tables, now) and not take_sample(tables, now):
        return SAMPLE_DUE
    return code


@kernel()
def run_ahead(
    rows: Rows,
    sight: Sight,
    records: Rows,
    stop: int,
    tables: TableSet,
    states: Rows,
    head: NDArray[np.int64],
    desk: Desk,
) -> int:
    """Follow whole messages from ``head[START]`` on, until the end or until Python is needed.

    Parameters
    ----------
    rows, states : arrays
        As ``kernels.step`` has them.
    sight : Sight
        The books as the paper venue sees them; its words are their memory.
    records : (n,) EVENT
    stop : int
        End of the last message.
    tables : TableSet
    head : (HEAD_SLOTS,) int64
    desk : Desk
        Of the paper venue; ``ANSWERS`` among the tables are its waiting answers.

    Returns
    -------
    int
        ``ENDED``, or why Python is needed; a code of ``think`` or ``follow`` is one of a message
        whose decision Python has to finish.
    """
    code = ENDED
    books, seen = borrowed(rows), Sight(borrowed(sight.rows), borrowed(sight.words))
    events, memory, slots = borrowed(records), borrowed(states), borrowed(head)
    venue, session = borrowed(desk), borrowed(tables)
    while code == ENDED and slots[START] < stop:
        if slots[PHASE] == BEFORE:
            code = begin(books, seen, events, stop, session, memory, slots, venue)
        if code == ENDED and slots[PHASE] == STEP:
            code = decide_upon(books, seen.words, events, session, memory, slots, venue)
        if code == ENDED and slots[PHASE] >= MATCH:
            code = finish(books, seen, events, session, memory, slots, venue)
    return code
