"""From sized signals to wanted quotes, and from these to the fewest cancels and new orders.

A market moves at every message; orders must not. A standing order is left alone while it lies
within a few ticks of the wanted price and holds roughly the wanted size, because each replacement
costs its place in the queue, two requests of the venue's budget and a moment without a quote.
"""

from typing import Final

import numpy as np

from bot4_core.domain_types.order_codes import LocalEvidence
from bot4_core.domain_types.records import (
    SIGNAL_DTYPE,
    VIEW_DTYPE,
    BreakerEffect,
    OrderStatus,
    OrderType,
    SignalAction,
    TimeInForce,
)
from bot4_core.jit import kernel
from bot4_core.kernels.limits import LIMITS_DTYPE, SCALE_DTYPE
from bot4_core.kernels.limits_money import LARGEST, TOO_LARGE, exact_ratio
from bot4_core.kernels.order_desk import file_evidence
from bot4_core.kernels.order_rows import (
    ACTION_DTYPE,
    CONDUCT_DTYPE,
    DESK_DTYPE,
    MOST_ACTIONS,
    NOBODY,
    ORDER_DTYPE,
    SIZED_DTYPE,
    TALLY_DTYPE,
    WANTED_DTYPE,
    Action,
    Slot,
)
from bot4_core.kernels.tables import TableSet, table_at
from bot4_core.kernels.trace import trace_words

__all__ = ["MISSING", "OPEN", "cancel", "plan", "restrict", "same_as_before", "size_worth", "want"]

Row = np.void

NO_ACTION: Final = int(SignalAction.NONE)
QUOTE: Final = int(SignalAction.QUOTE)
TAKE: Final = int(SignalAction.TAKE)
WITHDRAW: Final = int(SignalAction.CANCEL)
LIMIT: Final = int(OrderType.LIMIT)
GTC: Final = int(TimeInForce.GTC)
GTD: Final = int(TimeInForce.GTD)
UNKNOWN: Final = int(OrderStatus.UNKNOWN)
PENDING_CANCEL: Final = int(OrderStatus.PENDING_CANCEL)
PENDING_REPLACE: Final = int(OrderStatus.PENDING_REPLACE)
CANCEL_REQUESTED: Final = int(LocalEvidence.CANCEL_REQUESTED)
BLOCK_OPEN: Final = int(BreakerEffect.BLOCK_OPEN)
CANCEL_ACTION: Final = int(Action.CANCEL)

OPEN: Final = 0  # stages of a wanted quote: not looked at,
DONE: Final = 1  # kept, waiting, or nothing to do,
MISSING: Final = 2  # to be ordered
SHORT: Final = 1 << 31

ORDERS: Final = int(Slot.ORDERS)
DESKS: Final = int(Slot.DESKS)
TALLY: Final = int(Slot.TALLY)
VIEWS: Final = int(Slot.VIEWS)
SCALES: Final = int(Slot.SCALES)
LIMITS: Final = int(Slot.LIMITS)
CONDUCT: Final = int(Slot.CONDUCT)
SIGNALS: Final = int(Slot.SIGNALS)
SIZED: Final = int(Slot.SIZED)
WANTED: Final = int(Slot.WANTED)
ACTIONS: Final = int(Slot.ACTIONS)


@kernel()
def size_worth(scale: Row, twice_price: int, money: int) -> int:
    """Return the largest size whose notional, rounded up, is at most an amount."""
    numerator, divisor = int(scale["numerator"]), int(scale["divisor"])
    if twice_price <= 0:
        return 0
    if scale["inverse"]:
        if twice_price > LARGEST // divisor:
            return 0
        size = exact_ratio(money, twice_price * divisor, numerator, 0)
    else:
        if twice_price > LARGEST // numerator:
            return 0
        size = exact_ratio(money, divisor, numerator * twice_price, 0)
    return LARGEST if size == TOO_LARGE else size


@kernel(inline=True)
def is_worth_less(scale: Row, twice_price: int, money: int, size: int) -> bool:
    """Tell, where it is quickly told, that a size's notional is at most an amount."""
    if scale["inverse"] or not 0 < twice_price < SHORT or not 0 < scale["numerator"] < SHORT:
        return False
    unit = twice_price * int(scale["numerator"])
    return bool(size <= LARGEST // unit and size * unit // int(scale["divisor"]) < money)


@kernel()
def quantised(size: int, lot: int) -> int:
    """Round a size down to the lot."""
    return size - size % max(1, lot)


@kernel(inline=True)
def sized(scale: Row, view: Row, cap: int, size: int, price: int) -> int:
    """Cut a wanted size to what one order may be worth, and to the lot."""
    twice = max(int(view["bid"]) + int(view["ask"]), 2 * price)
    if size >= scale["min_size"] and is_worth_less(scale, twice, cap, size):
        return quantised(size, int(view["lot"]))
    room = size_worth(scale, twice, cap)
    if room < scale["min_size"]:
        return 0
    return quantised(min(size, room), int(view["lot"]))


@kernel(inline=True)
def on_grid(side: int, price: int, tick: int) -> int:
    """Round a buy price down to the tick, a sell price up."""
    return price - price % tick if side > 0 else price + -price % tick


@kernel(inline=True)
def want(tables: TableSet, instrument: int, count: int) -> bool:
    """Turn sized signals into wanted quotes and trades, never at more risk than asked.

    Buy prices round down to the tick, sell prices up, sizes down to the lot and to what one order
    may be worth. A post-only quote stays a tick from the other side's best price. False where
    the signals are none: too many, of no side, or of no action.
    """
    view = table_at(tables, VIEWS, VIEW_DTYPE)[instrument]
    scale = table_at(tables, SCALES, SCALE_DTYPE)[instrument]
    cap = int(table_at(tables, LIMITS, LIMITS_DTYPE)[0]["order"])
    passive = table_at(tables, CONDUCT, CONDUCT_DTYPE)[0]["post_only"]
    signals = table_at(tables, SIGNALS, SIGNAL_DTYPE)
    sizes = table_at(tables, SIZED, SIZED_DTYPE)
    wanted = table_at(tables, WANTED, WANTED_DTYPE)
    tick = max(1, int(view["tick"]))
    found = 0
    table_at(tables, TALLY, TALLY_DTYPE)[0]["wanted"] = 0
    if count < 0 or count > len(signals):
        return False
    for place in range(count):
        action, side = signals[place]["action"], int(signals[place]["side"])
        if action == NO_ACTION:
            continue
        if action not in (QUOTE, TAKE, WITHDRAW) or side not in (1, -1):
            return False
        row = wanted[found]
        found += 1
        row["side"] = side
        row["signal"] = place
        row["take"] = int(action == TAKE)
        row["stage"] = OPEN
        row["price"] = 0
        row["size"] = 0
        if action == WITHDRAW:
            continue
        price = on_grid(side, int(signals[place]["price"]), tick)
        if action == QUOTE and passive:
            price = min(price, view["ask"] - tick) if side > 0 else max(price, view["bid"] + tick)
        row["price"] = price
        if price > 0 or action == TAKE:
            row["size"] = sized(scale, view, cap, int(sizes[place]["size"]), price)
    table_at(tables, TALLY, TALLY_DTYPE)[0]["wanted"] = found
    return True


@kernel(inline=True)
def restrict(tables: TableSet, instrument: int) -> None:
    """Cut wanted quotes down to what the breaker that holds the instrument allows.

    Under ``BLOCK_OPEN`` only what reduces the position is wanted, for no more than is held. Under
    everything stronger nothing is.
    """
    effect = table_at(tables, DESKS, DESK_DTYPE)[instrument]["effect"]
    if effect == 0:
        return
    position = int(table_at(tables, VIEWS, VIEW_DTYPE)[instrument]["position"])
    wanted = table_at(tables, WANTED, WANTED_DTYPE)
    for place in range(table_at(tables, TALLY, TALLY_DTYPE)[0]["wanted"]):
        row = wanted[place]
        held = -position * int(row["side"])
        allowed = held if effect == BLOCK_OPEN and held > 0 else 0
        row["size"] = min(int(row["size"]), allowed)


@kernel(inline=True)
def same_as_before(tables: TableSet, instrument: int) -> bool:
    """Remember the wanted quotes; tell whether the same ones are settled and nothing is to take."""
    desk = table_at(tables, DESKS, DESK_DTYPE)[instrument]
    wanted = table_at(tables, WANTED, WANTED_DTYPE)
    count = int(table_at(tables, TALLY, TALLY_DTYPE)[0]["wanted"])
    targets, takes = 0, 0
    same = desk["settled"] == 1
    last = desk["last_targets"]
    for place in range(count):
        row = wanted[place]
        if row["take"]:
            takes += 1
            continue
        slot = 3 * targets
        same = same and (
            last[slot] == row["side"]
            and last[slot + 1] == row["price"]
            and last[slot + 2] == row["size"]
        )
        last[slot] = row["side"]
        last[slot + 1] = row["price"]
        last[slot + 2] = row["size"]
        targets += 1
    same = same and targets == desk["targets"]
    desk["targets"] = targets
    desk["settled"] = 1 if same else 0
    return bool(same and takes == 0)


@kernel()
def is_quote(order: Row) -> bool:
    """Tell whether an order is one that quoting may replace; children of linked orders are not."""
    resting = order["time_in_force"] in (GTC, GTD)
    return bool(order["type"] == LIMIT and resting and order["linked"] == 0)


@kernel()
def is_free(order: Row) -> bool:
    """Tell whether an order may be matched or cancelled: its fate is known, no cancel is out."""
    status = order["status"]
    return bool(status < UNKNOWN and status not in (PENDING_CANCEL, PENDING_REPLACE))


@kernel()
def fits(order: Row, target: Row, terms: Row, tick: int) -> bool:
    """Tell whether a standing order does for a wanted one."""
    eagerness = (int(order["price"]) - int(target["price"])) * int(target["side"])
    if eagerness > terms["ahead"] * tick or -eagerness > terms["behind"] * tick:
        return False
    lacking = abs(int(order["size"]) - int(order["executed"]) - int(target["size"]))
    allowed = exact_ratio(int(target["size"]), int(terms["size_percent"]), 100, 0)
    return bool(lacking <= allowed or allowed == TOO_LARGE)


@kernel()
def lowest_wanted(tables: TableSet, side: int, stage: int) -> int:
    """Return the wanted quote of a side at a stage with the lowest price, the first of equals."""
    wanted = table_at(tables, WANTED, WANTED_DTYPE)
    best = NOBODY
    for place in range(table_at(tables, TALLY, TALLY_DTYPE)[0]["wanted"]):
        row = wanted[place]
        mine = row["side"] == side and row["stage"] == stage and row["take"] == 0
        if mine and (best == NOBODY or row["price"] < wanted[best]["price"]):
            best = place
    return best


@kernel(inline=True)
def lowest_fitting(tables: TableSet, instrument: int, target: Row, stamp: int) -> int:
    """Return the cheapest standing order that does for a target, the oldest of equals."""
    orders = table_at(tables, ORDERS, ORDER_DTYPE)
    terms = table_at(tables, CONDUCT, CONDUCT_DTYPE)[0]
    tick = max(1, int(table_at(tables, VIEWS, VIEW_DTYPE)[instrument]["tick"]))
    best = NOBODY
    place = int(table_at(tables, DESKS, DESK_DTYPE)[instrument]["oldest"])
    while place != NOBODY:
        order = orders[place]
        mine = order["side"] == target["side"] and order["kept"] != stamp
        cheaper = best == NOBODY or order["price"] < orders[best]["price"]
        mine = mine and cheaper and is_quote(order) and is_free(order)
        if mine and fits(order, target, terms, tick):
            best = place
        place = int(order["newer"])
    return best


@kernel()
def cancel(tables: TableSet, place: int, now: int) -> bool:
    """Ask for an order's cancellation; False where none may be asked for, or no room is left."""
    order = table_at(tables, ORDERS, ORDER_DTYPE)[place]
    tally = table_at(tables, TALLY, TALLY_DTYPE)[0]
    if not is_free(order) or tally["actions"] >= MOST_ACTIONS:
        return False
    file_evidence(tables, place, CANCEL_REQUESTED, now, (-1, -1, -1))
    action = table_at(tables, ACTIONS, ACTION_DTYPE)[tally["actions"]]
    tally["actions"] += 1
    action["kind"] = CANCEL_ACTION
    action["number"] = order["number"]
    action["instrument"] = order["instrument"]
    action["side"] = order["side"]
    action["time"] = now
    trace_words(tables, CANCEL_ACTION, int(order["number"]), now, int(order["instrument"]))
    return True


@kernel(inline=True)
def match_side(tables: TableSet, instrument: int, side: int, stamp: int) -> int:
    """Pair wanted quotes of one side with standing orders; return how many were wanted at all."""
    orders = table_at(tables, ORDERS, ORDER_DTYPE)
    wanted = table_at(tables, WANTED, WANTED_DTYPE)
    count = 0
    place = lowest_wanted(tables, side, OPEN)
    while place != NOBODY:
        count += 1
        kept = lowest_fitting(tables, instrument, wanted[place], stamp)
        if kept != NOBODY:
            orders[kept]["kept"] = stamp
            wanted[place]["stage"] = DONE
        else:
            wanted[place]["stage"] = MISSING if wanted[place]["size"] > 0 else DONE
        place = lowest_wanted(tables, side, OPEN)
    return count


@kernel(inline=True)
def cancel_unkept(tables: TableSet, instrument: int, side: int, stamp: int, now: int) -> bool:
    """Cancel what no wanted quote kept; tell whether new orders may go out on the side.

    They wait while an order of unknown fate stands there, or more cancels are unanswered than
    the terms let be.
    """
    orders = table_at(tables, ORDERS, ORDER_DTYPE)
    cancelling, unknown = 0, False
    place = int(table_at(tables, DESKS, DESK_DTYPE)[instrument]["oldest"])
    while place != NOBODY:
        order = orders[place]
        following = int(order["newer"])
        if order["side"] == side and is_quote(order) and order["kept"] != stamp:
            if order["status"] == UNKNOWN:
                unknown = True
            elif order["status"] < UNKNOWN:
                cancelling += 1
                cancel(tables, place, now)
        place = following
    return not unknown and cancelling <= table_at(tables, CONDUCT, CONDUCT_DTYPE)[0]["in_flight"]


@kernel(inline=True)
def hold_back(tables: TableSet, side: int) -> None:
    """Let the missing quotes of a side wait."""
    place = lowest_wanted(tables, side, MISSING)
    while place != NOBODY:
        table_at(tables, WANTED, WANTED_DTYPE)[place]["stage"] = DONE
        place = lowest_wanted(tables, side, MISSING)


@kernel(inline=True)
def plan(tables: TableSet, instrument: int, now: int) -> None:
    """Compare wanted quotes with the working orders; cancel what no longer fits.

    Only sides with a wanted quote are touched, and on them only resting limit orders. Orders that
    are being cancelled, or of which nothing is known, are never matched. Wanted quotes that need
    an order end at stage ``MISSING``. Matching is maximal for one tolerance, so no other plan
    keeps more orders at these prices.
    """
    tally = table_at(tables, TALLY, TALLY_DTYPE)[0]
    tally["stamp"] += 1
    stamp = int(tally["stamp"])
    for side in (1, -1):
        if match_side(tables, instrument, side, stamp) == 0:
            continue
        if not cancel_unkept(tables, instrument, side, stamp, now):
            hold_back(tables, side)
