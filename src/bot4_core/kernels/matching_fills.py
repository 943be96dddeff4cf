"""Fills of our orders: taking from the displayed book, and being taken from while resting."""

from typing import Final

from bot4_core.domain_types.records import EventFlag, EventKind, OrderFlag, OrderReason
from bot4_core.jit import kernel
from bot4_core.kernels.matching_sight import Sight, best_price, next_price, size_at
from bot4_core.kernels.matching_state import AS_MAKER, PROBABILITY, Desk, emit, fee_of, unlink

__all__ = ["available", "fill", "forget_refreshed", "on_trade", "requeue", "take"]

MAKER: Final = int(EventFlag.MAKER)
FILLED: Final = int(EventKind.ORDER_FILLED)
EXPIRED: Final = int(EventKind.ORDER_EXPIRED)
REDUCE_ONLY: Final = int(OrderFlag.REDUCE_ONLY)
WOULD_INCREASE: Final = int(OrderReason.WOULD_INCREASE)
MOST_LEVELS: Final = 256  # one order walks no further


@kernel()
def fill(desk: Desk, slot: int, price: int, size: int, role: int) -> int:
    """Fill an order up to a size; a reduce-only order never beyond the position.

    Returns
    -------
    int
        The size filled. An order without open size left is freed.
    """
    order = desk.orders[slot]
    terms = desk.terms[order["instrument"]]
    side = order["side"]
    done = min(size, order["open"])
    reducing = (order["flags"] & REDUCE_ONLY) != 0
    if reducing:
        done = min(done, max(-side * terms["position"], 0))
    if done > 0:
        head = desk.head[0]
        order["open"] -= done
        terms["position"] += side * done
        fee = fee_of(terms, price, done, role)
        emit(desk, FILLED, slot, price, done, head["next_trade"], fee, MAKER * role)
        head["next_trade"] += 1
    if order["open"] == 0:
        unlink(desk, slot)
    elif reducing and side * terms["position"] >= 0:
        emit(desk, EXPIRED, slot, 0, order["open"], order["venue_id"], WOULD_INCREASE, 0)
        unlink(desk, slot)
    return int(done)


@kernel()
def find_taken(desk: Desk, instrument: int, side: int, price: int) -> int:
    """Return the row that remembers what we took at a level, -1 for none."""
    for at in range(desk.head[0]["taken_count"]):
        row = desk.taken[at]
        if row["price"] == price and row["instrument"] == instrument and row["side"] == side:
            return at
    return -1


@kernel()
def available(desk: Desk, sight: Sight, instrument: int, side: int, price: int) -> int:
    """Return the displayed size at a level, less what we took since it last changed."""
    shown = size_at(sight, instrument, side, price)
    at = find_taken(desk, instrument, side, price)
    if at >= 0 and desk.taken[at]["shown"] == shown:
        return int(max(shown - desk.taken[at]["size"], 0))
    return shown


@kernel()
def remember_taken(desk: Desk, sight: Sight, slot: int, price: int, size: int) -> None:
    """Note what an order took at a level; when the memory is full the oldest note goes."""
    head = desk.head[0]
    instrument, side = desk.orders[slot]["instrument"], -desk.orders[slot]["side"]
    shown = size_at(sight, instrument, side, price)
    at = find_taken(desk, instrument, side, price)
    if at >= 0:
        row = desk.taken[at]
        row["size"] = size + (row["size"] if row["shown"] == shown else 0)
        row["shown"] = shown
        return
    if head["taken_count"] == len(desk.taken):
        drop_taken(desk, 0)
        head["forgotten"] += 1
    row = desk.taken[head["taken_count"]]
    head["taken_count"] += 1
    row["instrument"] = instrument
    row["side"] = side
    row["price"] = price
    row["shown"] = shown
    row["size"] = size


@kernel()
def drop_taken(desk: Desk, at: int) -> None:
    """Forget one taken level, keeping the others in order."""
    head = desk.head[0]
    for later in range(at + 1, head["taken_count"]):
        desk.taken[later - 1] = desk.taken[later]
    head["taken_count"] -= 1


@kernel()
def forget_refreshed(desk: Desk, sight: Sight, instrument: int) -> None:
    """Forget what we took at levels of an instrument whose displayed size has changed since."""
    at = 0
    while at < desk.head[0]["taken_count"]:
        row = desk.taken[at]
        if row["instrument"] == instrument and row["shown"] != size_at(
            sight, instrument, row["side"], row["price"]
        ):
            drop_taken(desk, at)
        else:
            at += 1


@kernel()
def take(desk: Desk, sight: Sight, slot: int, limit: int, role: int) -> int:
    """Fill an order from the opposite side, best level first, until its limit.

    Parameters
    ----------
    role : int
        ``AS_TAKER`` fills at the levels' prices. ``AS_MAKER`` fills at the limit, because the
        market came to our resting price.

    Returns
    -------
    int
        The size filled.
    """
    order = desk.orders[slot]
    instrument, side = order["instrument"], order["side"]
    price = best_price(sight, instrument, -side)
    filled = 0
    for _ in range(MOST_LEVELS):
        if price == 0 or (price - limit) * side > 0 or order["open"] == 0:
            break
        size = available(desk, sight, instrument, -side, price)
        done = 0
        if size > 0:
            done = fill(desk, slot, limit if role == AS_MAKER else price, size, role)
        if done > 0:
            remember_taken(desk, sight, slot, price, done)
        filled += done
        if done < size:
            break
        price = next_price(sight, instrument, -side, price)
    return filled


@kernel()
def on_trade(desk: Desk, instrument: int, side: int, price: int, size: int) -> None:
    """Let a public trade reach our resting orders of one side, best first.

    A trade at our price first consumes the queue before us, then us; a trade beyond our price
    consumes us alone. Our orders together never get more than was traded.
    """
    terms = desk.terms[instrument]
    slot = terms["first_bid"] if side > 0 else terms["first_ask"]
    rest = size
    while slot >= 0 and rest > 0:
        order = desk.orders[slot]
        after = order["next"]
        beyond = (order["price"] - price) * side
        if beyond < 0:
            break
        queue = 0
        if beyond == 0:
            queue = min(order["ahead"], rest)
            order["ahead"] -= queue
            order["traded"] += rest
        if rest > queue:
            rest -= fill(desk, slot, order["price"], rest - queue, AS_MAKER)
        slot = after


@kernel()
def requeue(desk: Desk, slot: int, shown: int) -> None:
    """Move an order's queue position to the newly displayed size of its level.

    Risk-averse: only trades bring us forward, and never more is before us than is displayed.
    Probability: what left the level without a trade left from before us and from behind us in
    the proportion ``before ** n : behind ** n`` (as the power models of hftbacktest's
    documentation). Single float64 operations only, so the bits are the same everywhere.
    """
    order = desk.orders[slot]
    head = desk.head[0]
    gone = order["level"] - order["traded"] - shown
    ahead = order["ahead"]
    if head["queue_model"] == PROBABILITY and gone > 0 and ahead > 0:
        behind = max(shown + gone - ahead, 0)
        before_weight, behind_weight = 1.0, 1.0
        for _ in range(head["queue_power"]):
            before_weight *= float(ahead)
            behind_weight *= float(behind)
        share = behind_weight / (before_weight + behind_weight)
        ahead -= gone - min(int(share * float(gone)), behind)
    order["ahead"] = max(min(ahead, shown), 0)
    order["level"] = shown
    order["traded"] = 0
