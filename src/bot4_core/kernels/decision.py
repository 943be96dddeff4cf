"""A decision as one call: breakers observe, a strategy is asked, its orders are made and judged."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from bot4_core.domain_types.records import (
    INTENT_DTYPE,
    PARAMS_DTYPE,
    SIGNAL_DTYPE,
    STATE_DTYPE,
    VIEW_DTYPE,
    BookState,
    BreakerEffect,
    SignalAction,
)
from bot4_core.jit import kernel
from bot4_core.kernels.equity import revalue
from bot4_core.kernels.order_entry import order, send_wanted
from bot4_core.kernels.order_gate import NUMBER_DTYPE, judge
from bot4_core.kernels.order_rows import (
    BREAKER_DTYPE,
    CALLING_SIZER,
    CALLING_STRATEGY,
    CONDUCT_DTYPE,
    DESK_DTYPE,
    SIZED_DTYPE,
    TALLY_DTYPE,
    Slot,
)
from bot4_core.kernels.order_waits import is_late
from bot4_core.kernels.step import MARKET, ORDER, OTHER, next_message, take_found
from bot4_core.kernels.tables import TableSet, call_at, table_at
from bot4_core.kernels.trace import trace_events

__all__ = [
    "ACT",
    "ALONE",
    "BY_PYTHON",
    "DECIDED",
    "DUE",
    "FIRST_BREAKER",
    "GO_ON",
    "NO_BOOK_ROOM",
    "OBSERVE_AND_ACT",
    "READY",
    "SEND",
    "STAND_BACK",
    "TRIPPED",
    "decide",
    "follow",
    "never",
    "take_in",
    "think",
]

Row = np.void
Rows = NDArray[np.void]

DECIDED: Final = 0
READY: Final = 10  # a decision is due
NO_BOOK_ROOM: Final = 11  # the book has to grow before it can take in all of the message
ALONE: Final = 12  # no decision: orders, other events, or a book that was lost
TRIPPED: Final = 13  # a breaker wants more than it holds (see OBSERVED)
STAND_BACK: Final = 14  # nothing may stand on the instrument now
BY_PYTHON: Final = 15  # a part has to be called from Python
DUE: Final = 16  # an order is late, or linked orders want to be looked at; then a decision is due

OBSERVE_AND_ACT: Final = 0
ACT: Final = 1
SEND: Final = 2
GO_ON: Final = 3

FIRST_BREAKER: Final = 3
"""The first breaker among ``FUNCTIONS``, after strategy, sizer and router."""
LIVE: Final = int(BookState.LIVE)
CANCEL_ALL: Final = int(BreakerEffect.CANCEL_ALL)
FLATTEN: Final = int(BreakerEffect.FLATTEN)
QUOTE: Final = int(SignalAction.QUOTE)
TAKE: Final = int(SignalAction.TAKE)

DESKS: Final = int(Slot.DESKS)
TALLY: Final = int(Slot.TALLY)
VIEWS: Final = int(Slot.VIEWS)
CONDUCT: Final = int(Slot.CONDUCT)
INTENTS: Final = int(Slot.INTENTS)
SIGNALS: Final = int(Slot.SIGNALS)
SIZED: Final = int(Slot.SIZED)
FUNCTIONS: Final = int(Slot.FUNCTIONS)
STRATEGY_STATES: Final = int(Slot.STRATEGY_STATES)
STRATEGY_PARAMS: Final = int(Slot.STRATEGY_PARAMS)
SIZER_STATES: Final = int(Slot.SIZER_STATES)
SIZER_PARAMS: Final = int(Slot.SIZER_PARAMS)
BREAKERS: Final = int(Slot.BREAKERS)
BREAKER_MEMORY: Final = int(Slot.BREAKER_MEMORY)
HELD: Final = int(Slot.HELD)
OBSERVED: Final = int(Slot.OBSERVED)


@kernel(inline=True)
def ask(tables: TableSet, instrument: int) -> int:
    """Ask a compiled strategy, and a compiled sizer for each of its signals; return their count."""
    functions = table_at(tables, FUNCTIONS, NUMBER_DTYPE)
    terms = table_at(tables, CONDUCT, CONDUCT_DTYPE)[0]
    signals = table_at(tables, SIGNALS, SIGNAL_DTYPE)
    sizes = table_at(tables, SIZED, SIZED_DTYPE)
    view = table_at(tables, VIEWS, VIEW_DTYPE)[instrument]
    state = table_at(tables, SIZER_STATES, STATE_DTYPE)[instrument]
    params = table_at(tables, SIZER_PARAMS, PARAMS_DTYPE)[0]
    tally = table_at(tables, TALLY, TALLY_DTYPE)[0]
    tally["calling"] = CALLING_STRATEGY
    count: int = call_at(
        functions[0],
        view,
        table_at(tables, STRATEGY_STATES, STATE_DTYPE)[instrument],
        table_at(tables, STRATEGY_PARAMS, PARAMS_DTYPE)[0],
        signals,
    )
    if count < 0 or count > len(signals):
        return -1
    tally["calling"] = CALLING_SIZER
    for place in range(count):
        action = signals[place]["action"]
        if action in (QUOTE, TAKE):
            row = sizes[place]
            row["size"] = call_at(functions[1], signals[place], view, state, params)
            for each in range(terms["values"]):
                row["values"][each] = state["f"][terms["first_value"] + each]
    return count


@kernel()
def decide(tables: TableSet, instrument: int, now: int) -> int:
    """Ask compiled parts about an instrument and bring its orders in line; as ``order``."""
    count = ask(tables, instrument)
    return order(tables, instrument, count, now) if count != 0 else 0


@kernel()
def never(view: Row, state: Row, params: Row) -> int:
    """Observe nothing, in place of a breaker that is out."""
    return 0


@kernel()
def observe(tables: TableSet, instrument: int) -> bool:
    """Show every compiled breaker the view; tell whether one wants more than it holds."""
    breakers = table_at(tables, BREAKERS, BREAKER_DTYPE)
    functions = table_at(tables, FUNCTIONS, NUMBER_DTYPE)
    memory = table_at(tables, BREAKER_MEMORY, NUMBER_DTYPE)
    held = table_at(tables, HELD, NUMBER_DTYPE)
    observed = table_at(tables, OBSERVED, NUMBER_DTYPE)
    views = table_at(tables, VIEWS, VIEW_DTYPE)
    tally = table_at(tables, TALLY, TALLY_DTYPE)[0]
    tripped = False
    for number in range(len(breakers)):
        if number >= tally["first_breaker"]:
            observed[number] = 0
    for number in range(tally["first_breaker"], len(breakers)):
        tally["observing"] = number + 1
        effect = call_at(
            functions[FIRST_BREAKER + number],
            views[instrument],
            table_at(memory, 2 * number, STATE_DTYPE)[instrument],
            table_at(memory, 2 * number + 1, PARAMS_DTYPE)[0],
        )
        observed[number] = effect
        tripped = tripped or effect > held[number * len(views) + instrument]
    tally["observing"] = 0
    return tripped


@kernel()
def act(tables: TableSet, head: NDArray[np.int64]) -> int:
    """Decide upon a message's instrument after breakers have observed; as ``think``."""
    instrument = int(head[0])
    desk = table_at(tables, DESKS, DESK_DTYPE)[instrument]
    if head[4] != LIVE or desk["effect"] >= CANCEL_ALL:
        held = table_at(tables, VIEWS, VIEW_DTYPE)[instrument]["position"]
        closing = desk["effect"] == FLATTEN and held != 0
        return STAND_BACK if desk["working"] > 0 or closing else DECIDED
    if not table_at(tables, CONDUCT, CONDUCT_DTYPE)[0]["asking"]:
        return DECIDED
    tally = table_at(tables, TALLY, TALLY_DTYPE)[0]
    tally["decisions"] += 1
    return decide(tables, instrument, int(tally["now"]))


@kernel(inline=True)
def think(tables: TableSet, head: NDArray[np.int64], task: int) -> int:
    """Let breakers observe a message's instrument, and decide upon it.

    All that may place orders is one kernel, so that none of it is compiled twice.

    Parameters
    ----------
    tables : TableSet
    head : (HEAD_SLOTS,) int64
        What ``take_in`` found.
    task : int
        ``OBSERVE_AND_ACT``; ``ACT`` after a trip was latched; ``SEND`` to judge the one intent as
        it is: what closes a position goes where the position is; ``GO_ON`` with what is still
        wanted, once there is room.

    Returns
    -------
    int
        ``DECIDED``, ``TRIPPED`` (then nothing was decided), ``STAND_BACK``, or what ``order``
        says.
    """
    if task == SEND:
        intent = table_at(tables, INTENTS, INTENT_DTYPE)[0]
        return judge(tables, int(intent["instrument"]), -1, int(intent["size"]))
    if task == GO_ON:
        now = int(table_at(tables, TALLY, TALLY_DTYPE)[0]["now"])
        return send_wanted(tables, int(head[0]), now)
    if task == OBSERVE_AND_ACT and observe(tables, int(head[0])):
        return TRIPPED
    return act(tables, head)


@kernel(inline=True)
def is_linked_due(desk: Row, head: NDArray[np.int64], now: int) -> bool:
    """Tell whether the linked orders of an instrument have to be looked at: new prices, or time."""
    live = head[4] == LIVE
    bid, ask = (head[5], head[6]) if live else (0, 0)
    return bool(now >= desk["links_due"] or bid != desk["links_bid"] or ask != desk["links_ask"])


@kernel(inline=True)
def follow(
    rows: Rows,
    memory: NDArray[np.int64],
    records: Rows,
    start: int,
    tables: TableSet,
    states: Rows,
    head: NDArray[np.int64],
) -> int:
    """Take the message at ``start``, which ``next_message`` has found; as ``take_in``."""
    views = table_at(tables, VIEWS, VIEW_DTYPE)
    tally = table_at(tables, TALLY, TALLY_DTYPE)[0]
    end = int(head[9])
    trace_events(tables, records, start, end)
    whole = take_found(rows, memory, records, start, views, states, head)
    tally["messages"] += 1
    tally["events"] += end - start
    tally["now"] = max(int(tally["now"]), int(head[2]))
    if not whole:
        return NO_BOOK_ROOM
    instrument = int(head[0])
    if head[1] & (ORDER | OTHER) or not head[1] & MARKET or instrument >= len(views):
        return ALONE
    desk = table_at(tables, DESKS, DESK_DTYPE)[instrument]
    if head[7] != desk["wanted_snapshots"]:
        return ALONE
    if head[4] == LIVE and (head[5] != desk["bid"] or head[6] != desk["ask"]):
        desk["bid"] = head[5]
        desk["ask"] = head[6]
        if views[instrument]["position"] != 0:
            revalue(tables, instrument, int(tally["now"]))
    if tally["now"] >= tally["due"] and is_late(tables):
        return DUE
    if desk["links"] > 0 and is_linked_due(desk, head, int(tally["now"])):
        return DUE
    return BY_PYTHON if table_at(tables, CONDUCT, CONDUCT_DTYPE)[0]["by_python"] else READY


@kernel()
def take_in(
    rows: Rows,
    memory: NDArray[np.int64],
    records: Rows,
    span: tuple[int, int],
    tables: TableSet,
    states: Rows,
    head: NDArray[np.int64],
) -> int:
    """Take the first message of ``span`` through its book to the view, and value what is held.

    Parameters
    ----------
    rows, memory, records, span, states, head
        As ``take_found`` has them; ``span`` is (start, stop).
    tables : TableSet

    Returns
    -------
    int
        ``READY`` for a decision, ``DUE``, ``ALONE``, ``BY_PYTHON`` or ``NO_BOOK_ROOM``.
    """
    next_message(records, span[0], span[1], head)
    return follow(rows, memory, records, span[0], tables, states, head)
