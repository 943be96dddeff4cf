"""The order desk: orders made, evidence filed, reservations and working orders kept up to date."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from bot4_core.domain_types.order_codes import LocalEvidence
from bot4_core.domain_types.records import VIEW_DTYPE, EventKind
from bot4_core.jit import kernel
from bot4_core.kernels.order_evidence import (
    ACCEPTED,
    ALREADY,
    IS_CREATED,
    IS_FILLED,
    IS_UNKNOWN,
    KIND_CANCEL_REQUESTED,
    KIND_NOT_FOUND,
    KIND_REPLACE_REQUESTED,
    KIND_SENT,
    SAYS_NOTHING,
    absorb,
    alarms_of,
    evidence_of,
    fact_of,
    settle,
)
from bot4_core.kernels.order_fills import (
    ALARMED,
    CHANGED,
    NO_FILL_ROOM,
    OUTCOMES,
    UNCHANGED,
    Outcome,
    file_execution,
)
from bot4_core.kernels.order_rows import (
    DESK_DTYPE,
    FILL_DTYPE,
    NOBODY,
    ORDER_DTYPE,
    TALLY_DTYPE,
    Slot,
)
from bot4_core.kernels.tables import TableSet, table_at
from bot4_core.kernels.trace import trace_words

__all__ = [
    "ALARMED",
    "CHANGED",
    "NO_FILL_ROOM",
    "NO_ORDER_ROOM",
    "OUTCOMES",
    "STRANGER",
    "STRANGE_FILL",
    "STRANGE_KIND",
    "UNCHANGED",
    "alarms_at",
    "create",
    "create_first",
    "file_event",
    "file_evidence",
    "file_local",
    "file_sent",
    "find",
    "resettle",
]

Row = np.void

STRANGER: Final = 2  # no order of this run, or not of what it says
STRANGE_KIND: Final = -1  # says nothing of orders
STRANGE_FILL: Final = -2  # a fill without trade id or size
NO_ORDER_ROOM: Final = -4  # the row that the order would take is still working

ROW: Final = int(Outcome.ROW)
BEFORE: Final = int(Outcome.BEFORE)
AFTER: Final = int(Outcome.AFTER)
ALARMS: Final = int(Outcome.ALARMS)
BOOKED: Final = int(Outcome.BOOKED)
TAKEN_BACK: Final = int(Outcome.TAKEN_BACK)
ORDERS: Final = int(Slot.ORDERS)
FILLS: Final = int(Slot.FILLS)
DESKS: Final = int(Slot.DESKS)
TALLY: Final = int(Slot.TALLY)
VIEWS: Final = int(Slot.VIEWS)
KIND_FILLED: Final = int(EventKind.ORDER_FILLED)
KIND_BUSTED: Final = int(EventKind.TRADE_BUSTED)
KIND_CORRECTED: Final = int(EventKind.TRADE_CORRECTED)
FIRST_LOCAL: Final = int(min(LocalEvidence))
REQUESTS: Final = (KIND_SENT, KIND_CANCEL_REQUESTED, KIND_REPLACE_REQUESTED)


@kernel()
def find(tables: TableSet, number: int) -> int:
    """Return the row of an order, -1 where it is not (or no longer) kept."""
    orders = table_at(tables, ORDERS, ORDER_DTYPE)
    place = number & (len(orders) - 1)
    return place if number > 0 and orders[place]["number"] == number else NOBODY


@kernel()
def reserve(tables: TableSet, order: Row, size: int) -> None:
    """Add to what an order's side has at stake."""
    view = table_at(tables, VIEWS, VIEW_DTYPE)[order["instrument"]]
    if order["side"] > 0:
        view["open_buy"] += size
    else:
        view["open_sell"] += size


@kernel()
def enlist(tables: TableSet, place: int) -> None:
    """Put an order at the end of its instrument's chain of working orders."""
    orders = table_at(tables, ORDERS, ORDER_DTYPE)
    order = orders[place]
    desk = table_at(tables, DESKS, DESK_DTYPE)[order["instrument"]]
    order["working"] = 1
    order["newer"] = NOBODY
    order["older"] = desk["newest"]
    if desk["newest"] == NOBODY:
        desk["oldest"] = place
    else:
        orders[desk["newest"]]["newer"] = place
    desk["newest"] = place
    desk["working"] += 1
    table_at(tables, TALLY, TALLY_DTYPE)[0]["open"] += 1


@kernel(inline=True)
def strike_off(tables: TableSet, place: int) -> None:
    """Take an order out of its instrument's chain."""
    orders = table_at(tables, ORDERS, ORDER_DTYPE)
    order = orders[place]
    desk = table_at(tables, DESKS, DESK_DTYPE)[order["instrument"]]
    older, newer = int(order["older"]), int(order["newer"])
    if older == NOBODY:
        desk["oldest"] = newer
    else:
        orders[older]["newer"] = newer
    if newer == NOBODY:
        desk["newest"] = older
    else:
        orders[newer]["older"] = older
    order["working"] = 0
    desk["working"] -= 1
    table_at(tables, TALLY, TALLY_DTYPE)[0]["open"] -= 1


@kernel(inline=True)
def let_go(tables: TableSet, place: int) -> None:
    """Give the fills of a finished order back; its row is about to be taken."""
    order = table_at(tables, ORDERS, ORDER_DTYPE)[place]
    fills = table_at(tables, FILLS, FILL_DTYPE)
    tally = table_at(tables, TALLY, TALLY_DTYPE)[0]
    fill = int(order["first_fill"]) if order["number"] else NOBODY
    while fill != NOBODY:
        following = int(fills[fill]["next"])
        fills[fill]["next"] = tally["free_fill"]
        tally["free_fill"] = fill
        fill = following


@kernel()
def create(tables: TableSet, intent: Row) -> int:
    """Register an order and reserve its size, before anything is sent.

    Parameters
    ----------
    tables : TableSet
    intent : INTENT
        Its number must be the next one.

    Returns
    -------
    int
        The order's row, or ``NO_ORDER_ROOM``; then nothing was changed.
    """
    orders = table_at(tables, ORDERS, ORDER_DTYPE)
    tally = table_at(tables, TALLY, TALLY_DTYPE)[0]
    number = int(intent["number"])
    place = number & (len(orders) - 1)
    order = orders[place]
    if order["working"]:
        return NO_ORDER_ROOM
    let_go(tables, place)
    order["number"] = number
    order["instrument"] = intent["instrument"]
    order["side"] = intent["side"]
    order["type"] = intent["type"]
    order["time_in_force"] = intent["time_in_force"]
    order["flags"] = intent["flags"]
    order["price"] = intent["price"]
    order["size"] = intent["size"]
    order["created"] = intent["time"]
    order["decided_on"] = intent["instrument"]
    order["linked"] = 0
    clear_evidence(order)
    order["final_after"] = tally["final_after"]
    reserve(tables, order, int(order["size"]))
    enlist(tables, place)
    tally["last_number"] = number
    tally["counts"][IS_CREATED] += 1
    return place


@kernel(inline=True)
def clear_evidence(order: Row) -> None:
    """Start an order without any evidence."""
    order["status"] = IS_CREATED
    order["facts"] = 0
    order["filled"] = 0
    order["executed"] = 0
    order["venue_filled"] = 0
    order["venue_end"] = order["size"]
    order["reserved"] = order["size"]
    order["sent"] = NOBODY
    order["updated"] = order["created"]
    order["cancel_requested"] = NOBODY
    order["cancel_refused"] = NOBODY
    order["replace_requested"] = NOBODY
    order["replaces"] = 0
    order["not_found"] = NOBODY
    order["venue_order"] = NOBODY
    order["reason"] = NOBODY
    order["contradicted"] = 0
    order["kept"] = 0
    order["first_fill"] = NOBODY


@kernel()
def changed(tables: TableSet, place: int, before: int, reserved: int) -> None:
    """Follow an order's new state: reservation, counts, and whether it still works."""
    order = table_at(tables, ORDERS, ORDER_DTYPE)[place]
    tally = table_at(tables, TALLY, TALLY_DTYPE)[0]
    reserve(tables, order, int(order["reserved"]) - reserved)
    tally["counts"][before] -= 1
    tally["counts"][order["status"]] += 1
    finished = order["status"] >= IS_FILLED and order["reserved"] == 0
    if finished and order["working"]:
        strike_off(tables, place)
    elif not finished and not order["working"]:
        enlist(tables, place)


@kernel(inline=True)
def expect_answer(tables: TableSet, order: Row, kind: int, received: int) -> None:
    """Note when somebody has to look after an order whose evidence leaves a question."""
    tally = table_at(tables, TALLY, TALLY_DTYPE)[0]
    if tally["patience"] <= 0:
        return
    if kind in REQUESTS:
        tally["due"] = min(int(tally["due"]), received + int(tally["patience"]))
    elif order["status"] == IS_UNKNOWN or order["facts"] & ALREADY:
        tally["due"] = min(int(tally["due"]), received)
    elif order["venue_filled"] > order["executed"]:
        tally["due"] = min(int(tally["due"]), received + int(tally["patience"]))


@kernel()
def file_evidence(
    tables: TableSet, place: int, kind: int, received: int, told: tuple[int, int, int]
) -> int:
    """Add evidence other than an execution to the order in a row; say whether it told anything new.

    ``told`` is (open size, venue order, reason), -1 where not sent.
    """
    order = table_at(tables, ORDERS, ORDER_DTYPE)[place]
    before, reserved, known = int(order["status"]), int(order["reserved"]), evidence_of(order)
    absorb(order, kind, received, told[0], told[1], told[2])
    if evidence_of(order) == known:
        return UNCHANGED
    expect_answer(tables, order, kind, received)
    changed(tables, place, before, reserved)
    return CHANGED


@kernel(inline=True)
def file_fill(tables: TableSet, place: int, event: Row, outcome: NDArray[np.int64]) -> int:
    """Add an execution, its correction or its bust to the order in a row; as ``file_event``."""
    order = table_at(tables, ORDERS, ORDER_DTYPE)[place]
    before, reserved = int(order["status"]), int(order["reserved"])
    code = file_execution(tables, order, event, outcome)
    if code == CHANGED:
        order["facts"] |= ACCEPTED
        settle(order, int(event["received"]))
        changed(tables, place, before, reserved)
    return code


@kernel(inline=True)
def file_event(
    tables: TableSet, events: NDArray[np.void], at: int, outcome: NDArray[np.int64]
) -> int:
    """File what a venue says of an order.

    Parameters
    ----------
    tables : TableSet
    events : (n,) EVENT
    at : int
        The event to file.
    outcome : (OUTCOMES,) int64, out
        By ``Outcome``; of a change only.

    Returns
    -------
    int
        ``CHANGED``, ``UNCHANGED``, ``ALARMED``, ``STRANGER``, or one of the negative codes.
    """
    event = events[at]
    tally = table_at(tables, TALLY, TALLY_DTYPE)[0]
    kind = int(event["kind"])
    traded = kind in (KIND_FILLED, KIND_BUSTED, KIND_CORRECTED)
    if fact_of(kind) == SAYS_NOTHING or kind >= FIRST_LOCAL:
        return STRANGE_KIND
    if traded and (event["sequence"] < 0 or (event["size"] <= 0 and kind != KIND_BUSTED)):
        return STRANGE_FILL
    place = find(tables, int(event["link"]))
    if place == NOBODY:
        return STRANGER
    order = table_at(tables, ORDERS, ORDER_DTYPE)[place]
    if event["instrument"] != order["instrument"] or (traded and event["side"] != order["side"]):
        return STRANGER
    outcome[ROW], outcome[BEFORE] = place, order["status"]
    outcome[BOOKED] = outcome[TAKEN_BACK] = 0
    if traded:
        code = file_fill(tables, place, event, outcome)
    else:
        told = (int(event["size"]), int(event["sequence"]), int(event["aux"]))
        code = file_evidence(tables, place, kind, time_of(event), told)
    tally["duplicates"] += code == UNCHANGED
    outcome[AFTER], outcome[ALARMS] = order["status"], alarms_of(order)
    if code >= 0:
        trace_words(tables, int(order["number"]), code, int(outcome[AFTER]), int(outcome[ALARMS]))
    return code


@kernel(inline=True)
def time_of(event: Row) -> int:
    """Return when evidence was received; of an answer that nothing was found, when it was given."""
    if event["kind"] == KIND_NOT_FOUND and event["time"] > 0:
        return int(event["time"])
    return int(event["received"])


@kernel(inline=True)
def file_sent(tables: TableSet, place: int, now: int) -> None:
    """File that an order's bytes leave."""
    file_evidence(tables, place, KIND_SENT, now, (-1, -1, -1))


@kernel()
def file_local(
    tables: TableSet, number: int, kind: int, now: int, outcome: NDArray[np.int64]
) -> int:
    """File what we know of an order ourselves; as ``file_event``."""
    place = find(tables, number)
    if place == NOBODY:
        return STRANGER
    order = table_at(tables, ORDERS, ORDER_DTYPE)[place]
    outcome[ROW], outcome[BEFORE] = place, order["status"]
    outcome[BOOKED] = outcome[TAKEN_BACK] = 0
    code = file_evidence(tables, place, kind, now, (-1, -1, -1))
    outcome[AFTER], outcome[ALARMS] = order["status"], alarms_of(order)
    trace_words(tables, number, code, int(outcome[AFTER]), int(outcome[ALARMS]))
    return code


@kernel()
def create_first(tables: TableSet, intents: NDArray[np.void]) -> int:
    """Register the first of an array of intents; as ``create``."""
    return create(tables, intents[0])


@kernel()
def alarms_at(tables: TableSet, place: int) -> int:
    """Return what is wrong with the evidence on the order in a row."""
    return alarms_of(table_at(tables, ORDERS, ORDER_DTYPE)[place])


@kernel()
def resettle(tables: TableSet, place: int) -> None:
    """Follow evidence that was written into the order in a row."""
    order = table_at(tables, ORDERS, ORDER_DTYPE)[place]
    before, reserved = int(order["status"]), int(order["reserved"])
    settle(order, int(order["updated"]))
    changed(tables, place, before, reserved)
