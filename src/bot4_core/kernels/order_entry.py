"""From a missing quote or a trade to a judged order: fitted, routed, sent to the gate."""

from typing import Final

import numpy as np

from bot4_core.domain_types.records import (
    INTENT_DTYPE,
    PARAMS_DTYPE,
    STATE_DTYPE,
    VIEW_DTYPE,
    BreakerEffect,
    OrderFlag,
    OrderType,
    TimeInForce,
)
from bot4_core.jit import kernel
from bot4_core.kernels.limits import LIMITS_DTYPE, SCALE_DTYPE
from bot4_core.kernels.order_desk import NO_ORDER_ROOM, find
from bot4_core.kernels.order_gate import NUMBER_DTYPE, judge
from bot4_core.kernels.order_rows import (
    CALLING_ROUTER,
    CONDUCT_DTYPE,
    DESK_DTYPE,
    MOST_ACTIONS,
    NOBODY,
    ORDER_DTYPE,
    TALLY_DTYPE,
    WANTED_DTYPE,
    Slot,
)
from bot4_core.kernels.quoting import (
    DONE,
    MISSING,
    OPEN,
    cancel,
    lowest_wanted,
    plan,
    quantised,
    restrict,
    same_as_before,
    size_worth,
    want,
)
from bot4_core.kernels.tables import TableSet, call_at, table_at

__all__ = [
    "BAD_ROUTE",
    "BAD_SIGNALS",
    "BY_HAND",
    "DIRECT",
    "KEEP_LINKED",
    "MOST_CHILDREN",
    "NOT_AGAIN",
    "NO_ACTION_ROOM",
    "cancel_order",
    "cancel_working",
    "next_order",
    "order",
    "send",
    "send_wanted",
]

Row = np.void

MOST_CHILDREN: Final = 16
DIRECT: Final = 0
"""In place of a router's address: orders go to their own instrument."""
BY_HAND: Final = -1
"""In place of a router's address: the caller routes."""
KEEP_LINKED: Final = 1 << 30
"""Beside the flags that ``cancel_working`` spares."""
BAD_ROUTE: Final = -1
BAD_SIGNALS: Final = -5
NO_ACTION_ROOM: Final = -6  # what was asked for has to be taken before more can be
NOT_AGAIN: Final = 1 << 29
"""Beside those flags: a cancel that the venue just refused is not asked for again for a while."""

LIMIT: Final = int(OrderType.LIMIT)
AT_MARKET: Final = int(OrderType.MARKET)
GTC: Final = int(TimeInForce.GTC)
IOC: Final = int(TimeInForce.IOC)
POST_ONLY: Final = int(OrderFlag.POST_ONLY)
REDUCE_ONLY: Final = int(OrderFlag.REDUCE_ONLY)
BLOCK_OPEN: Final = int(BreakerEffect.BLOCK_OPEN)

ORDERS: Final = int(Slot.ORDERS)
DESKS: Final = int(Slot.DESKS)
TALLY: Final = int(Slot.TALLY)
VIEWS: Final = int(Slot.VIEWS)
SCALES: Final = int(Slot.SCALES)
LIMITS: Final = int(Slot.LIMITS)
CONDUCT: Final = int(Slot.CONDUCT)
WANTED: Final = int(Slot.WANTED)
INTENTS: Final = int(Slot.INTENTS)
CHILDREN: Final = int(Slot.CHILDREN)
FUNCTIONS: Final = int(Slot.FUNCTIONS)
ROUTER_STATES: Final = int(Slot.ROUTER_STATES)
ROUTER_PARAMS: Final = int(Slot.ROUTER_PARAMS)


@kernel(inline=True)
def resting(desk: Row, side: int, now: int) -> bool:
    """Tell whether a side waits after a refusal or a reject."""
    return bool(now < (desk["rest_buy"] if side > 0 else desk["rest_sell"]))


@kernel(inline=True)
def position_room(tables: TableSet, instrument: int, side: int, twice_price: int) -> int:
    """Return the largest size that may still be added to a side's worst-case position."""
    view = table_at(tables, VIEWS, VIEW_DTYPE)[instrument]
    scale = table_at(tables, SCALES, SCALE_DTYPE)[instrument]
    most = int(table_at(tables, LIMITS, LIMITS_DTYPE)[0]["position"])
    working = int(view["open_buy"]) if side > 0 else int(view["open_sell"])
    room = size_worth(scale, twice_price, most) - int(view["position"]) * side - working
    return room if room >= max(1, int(scale["min_size"])) else 0


@kernel(inline=True)
def fitting(tables: TableSet, instrument: int, side: int, price: int, size: int) -> int:
    """Cut a size to what is left of the position limit; what reduces is left as it is."""
    view = table_at(tables, VIEWS, VIEW_DTYPE)[instrument]
    if int(view["position"]) * side + size <= 0:
        return size
    twice = max(int(view["bid"]) + int(view["ask"]), 2 * price)
    room = position_room(tables, instrument, side, twice)
    return quantised(min(size, room), int(view["lot"]))


@kernel(inline=True)
def taking(tables: TableSet, instrument: int, side: int) -> bool:
    """Tell whether a taking order of an instrument's decision is still on its way, anywhere."""
    orders = table_at(tables, ORDERS, ORDER_DTYPE)
    desks = table_at(tables, DESKS, DESK_DTYPE)
    for number in range(len(desks)):
        place = int(desks[number]["oldest"])
        while place != NOBODY:
            order = orders[place]
            mine = order["decided_on"] == instrument and order["side"] == side
            if mine and order["time_in_force"] == IOC:
                return True
            place = int(order["newer"])
    return False


@kernel()
def next_wanted(tables: TableSet) -> int:
    """Return the wanted row to order next: missing buys, missing sells, trades; -1 for none."""
    for side in (1, -1):
        place = lowest_wanted(tables, side, MISSING)
        if place != NOBODY:
            return place
    wanted = table_at(tables, WANTED, WANTED_DTYPE)
    for place in range(table_at(tables, TALLY, TALLY_DTYPE)[0]["wanted"]):
        if wanted[place]["take"] and wanted[place]["stage"] == OPEN:
            return place
    return NOBODY


@kernel(inline=True)
def write_intent(tables: TableSet, instrument: int, row: Row, size: int, now: int) -> None:
    """Write the order for a wanted row as the one intent."""
    intent = table_at(tables, INTENTS, INTENT_DTYPE)[0]
    effect = table_at(tables, DESKS, DESK_DTYPE)[instrument]["effect"]
    flags = 0
    if row["take"] == 0 and table_at(tables, CONDUCT, CONDUCT_DTYPE)[0]["post_only"]:
        flags |= POST_ONLY
    if effect == BLOCK_OPEN:
        flags |= REDUCE_ONLY
    intent["number"] = 0
    intent["instrument"] = instrument
    intent["side"] = row["side"]
    intent["type"] = LIMIT if row["price"] else AT_MARKET
    intent["time_in_force"] = IOC if row["take"] else GTC
    intent["flags"] = flags
    intent["price"] = row["price"]
    intent["size"] = size
    intent["time"] = now


@kernel()
def next_order(tables: TableSet, instrument: int, now: int) -> int:
    """Write the next order that a decision wants as the one intent.

    Returns
    -------
    int
        Its wanted row, or -1 when nothing is left to order (or no room for it now).
    """
    wanted = table_at(tables, WANTED, WANTED_DTYPE)
    desk = table_at(tables, DESKS, DESK_DTYPE)[instrument]
    while table_at(tables, TALLY, TALLY_DTYPE)[0]["actions"] < MOST_ACTIONS - MOST_CHILDREN:
        place = next_wanted(tables)
        if place == NOBODY:
            break
        row = wanted[place]
        row["stage"] = DONE
        side = int(row["side"])
        if resting(desk, side, now) or (row["take"] and taking(tables, instrument, side)):
            continue
        size = fitting(tables, instrument, side, int(row["price"]), int(row["size"]))
        if size > 0:
            write_intent(tables, instrument, row, size, now)
            return place
    return NOBODY


@kernel(inline=True)
def fair_route(tables: TableSet, count: int, size: int) -> bool:
    """Tell whether children are orders of known instruments that add up to no more than a size.

    What reduces a position stays where the position is.
    """
    children = table_at(tables, CHILDREN, INTENT_DTYPE)
    intent = table_at(tables, INTENTS, INTENT_DTYPE)[0]
    known = len(table_at(tables, VIEWS, VIEW_DTYPE))
    if count < 0 or count > len(children):
        return False
    left = size
    for place in range(count):
        child = children[place]
        if child["size"] <= 0 or child["size"] > left:
            return False
        if child["instrument"] < 0 or child["instrument"] >= known:
            return False
        if intent["flags"] & REDUCE_ONLY and child["instrument"] != intent["instrument"]:
            return False
        left -= int(child["size"])
    return True


@kernel()
def route(tables: TableSet, instrument: int, signal: int, wish: int) -> int:
    """Let the compiled router split the one intent, and judge every child; 0 or a code."""
    intent = table_at(tables, INTENTS, INTENT_DTYPE)[0]
    children = table_at(tables, CHILDREN, INTENT_DTYPE)
    table_at(tables, TALLY, TALLY_DTYPE)[0]["calling"] = CALLING_ROUTER
    count = call_at(
        table_at(tables, FUNCTIONS, NUMBER_DTYPE)[2],
        intent,
        table_at(tables, VIEWS, VIEW_DTYPE),
        table_at(tables, ROUTER_STATES, STATE_DTYPE)[instrument],
        table_at(tables, ROUTER_PARAMS, PARAMS_DTYPE)[0],
        children,
    )
    if not fair_route(tables, count, int(intent["size"])):
        return BAD_ROUTE
    worst = 0
    for place in range(count):
        intent["number"] = 0
        intent["instrument"] = children[place]["instrument"]
        intent["price"] = children[place]["price"]
        intent["size"] = children[place]["size"]
        worst = min(worst, judge(tables, instrument, signal, wish))
    return worst


@kernel()
def send(tables: TableSet, instrument: int, signal: int, wish: int) -> int:
    """Route the one intent, if there is a compiled router, and judge what comes of it."""
    if table_at(tables, FUNCTIONS, NUMBER_DTYPE)[2] == DIRECT:
        return judge(tables, instrument, signal, wish)
    return route(tables, instrument, signal, wish)


@kernel(inline=True)
def prepare(tables: TableSet, instrument: int, now: int) -> bool:
    """Plan what is wanted; False where nothing changes for any order."""
    restrict(tables, instrument)
    if same_as_before(tables, instrument):
        return False
    tally = table_at(tables, TALLY, TALLY_DTYPE)[0]
    before = int(tally["actions"])
    plan(tables, instrument, now)
    nothing = tally["actions"] == before and next_wanted(tables) == NOBODY
    table_at(tables, DESKS, DESK_DTYPE)[instrument]["settled"] = 1 if nothing else 0
    return not nothing


@kernel()
def has_room(tables: TableSet) -> bool:
    """Tell whether every order that the next wanted row may become finds a row of its own."""
    orders = table_at(tables, ORDERS, ORDER_DTYPE)
    direct = table_at(tables, FUNCTIONS, NUMBER_DTYPE)[2] == DIRECT
    last = int(table_at(tables, TALLY, TALLY_DTYPE)[0]["last_number"])
    for ahead in range(1, 2 if direct else MOST_CHILDREN + 1):
        if orders[(last + ahead) & (len(orders) - 1)]["working"]:
            return False
    return True


@kernel()
def send_wanted(tables: TableSet, instrument: int, now: int) -> int:
    """Order what is still wanted; called again it goes on from there.

    Returns
    -------
    int
        0, ``BAD_ROUTE``, or ``NO_ORDER_ROOM`` and ``NO_ACTION_ROOM``: then there has to be room
        before it can go on.
    """
    while next_wanted(tables) != NOBODY:
        if not has_room(tables):
            return NO_ORDER_ROOM
        place = next_order(tables, instrument, now)
        if place == NOBODY:
            break
        row = table_at(tables, WANTED, WANTED_DTYPE)[place]
        code = send(tables, instrument, int(row["signal"]), int(row["size"]))
        if code < 0:
            return code
    return 0 if next_wanted(tables) == NOBODY else NO_ACTION_ROOM


@kernel(inline=True)
def order(tables: TableSet, instrument: int, count: int, now: int) -> int:
    """Bring the orders of an instrument in line with sized signals.

    Cancels and judged orders are left as actions. With a router that must be called from Python
    only the cancels are; ``next_order`` and ``judge`` then do the rest.

    Returns
    -------
    int
        0, ``BAD_SIGNALS``, or as ``send_wanted``.
    """
    if not want(tables, instrument, count):
        return BAD_SIGNALS
    if not prepare(tables, instrument, now):
        return 0
    router = table_at(tables, FUNCTIONS, NUMBER_DTYPE)[2]
    if router == BY_HAND:
        return 0
    return send_wanted(tables, instrument, now)


@kernel()
def cancel_order(tables: TableSet, number: int, now: int) -> bool:
    """Ask for the cancellation of one order; False where none may be asked for now."""
    place = find(tables, number)
    return place != NOBODY and cancel(tables, place, now)


@kernel()
def is_spared(tables: TableSet, order: Row, now: int, spared: int) -> bool:
    """Tell whether an order stays when all that works is cancelled but for some."""
    if order["flags"] & spared or (spared & KEEP_LINKED and order["linked"] > 0):
        return True
    pause = int(table_at(tables, CONDUCT, CONDUCT_DTYPE)[0]["rest"])
    refused = int(order["cancel_refused"])
    return bool(spared & NOT_AGAIN and refused >= 0 and now < refused + pause)


@kernel()
def cancel_working(tables: TableSet, instrument: int, now: int, spared: int) -> bool:
    """Ask for the cancellation of what works on an instrument; True where more is left.

    Orders with one of the ``spared`` flags stay; so do children of linked orders with
    ``KEEP_LINKED``, and what refused a cancel just now with ``NOT_AGAIN``.
    """
    orders = table_at(tables, ORDERS, ORDER_DTYPE)
    tally = table_at(tables, TALLY, TALLY_DTYPE)[0]
    table_at(tables, DESKS, DESK_DTYPE)[instrument]["settled"] = 0
    place = int(table_at(tables, DESKS, DESK_DTYPE)[instrument]["oldest"])
    while place != NOBODY:
        if tally["actions"] >= MOST_ACTIONS:
            return True
        following = int(orders[place]["newer"])
        if not is_spared(tables, orders[place], now, spared):
            cancel(tables, place, now)
        place = following
    return False
