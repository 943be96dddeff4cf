"""Memory of the paper matcher: our orders, their queues, and what we already took."""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bot4_core.domain_types.records import EVENT_DTYPE, EventFlag
from bot4_core.jit import kernel

__all__ = [
    "ACTION_DTYPE",
    "AS_MAKER",
    "AS_TAKER",
    "CANCEL",
    "DESK_DTYPE",
    "FLYING",
    "FREE",
    "PLACE",
    "PROBABILITY",
    "RESTING",
    "RISK_AVERSE",
    "TAKEN_DTYPE",
    "TERMS_DTYPE",
    "WORKING_DTYPE",
    "Desk",
    "emit",
    "exact_fee",
    "fee_of",
    "new_desk",
    "unlink",
]

FREE: Final = 0
FLYING: Final = 1  # on its way to the venue
RESTING: Final = 2

PLACE: Final = 0
CANCEL: Final = 1

AS_TAKER: Final = 0
AS_MAKER: Final = 1

OURS: Final = int(EventFlag.SIMULATED | EventFlag.LAST)

RISK_AVERSE: Final = 0
PROBABILITY: Final = 1

DESK_DTYPE: Final = np.dtype(
    [
        ("now", "<i8"),  # venue clock: receive time of what was last matched
        ("last_arrival", "<i8"),
        ("latency_out", "<i8"),
        ("latency_back", "<i8"),
        ("queue_model", "<i8"),
        ("queue_power", "<i8"),
        ("next_order", "<i8"),
        ("next_trade", "<i8"),
        ("action_first", "<i8"),
        ("action_count", "<i8"),
        ("out_count", "<i8"),
        ("orders_used", "<i8"),  # slots below this were used at least once
        ("open_count", "<i8"),  # slots that are not free
        ("taken_count", "<i8"),
        ("forgotten", "<i8"),  # taken levels dropped because the memory was full
    ]
)

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
        ("first_bid", "<i8"),  # slot of our best resting order, -1 for none
        ("first_ask", "<i8"),
        ("position", "<i8"),
    ]
)
"""What the matcher knows of one instrument; row number = instrument id."""

WORKING_DTYPE: Final = np.dtype(
    [
        ("number", "<i8"),
        ("instrument", "<i8"),
        ("side", "<i8"),
        ("type", "<i8"),
        ("time_in_force", "<i8"),
        ("flags", "<i8"),
        ("price", "<i8"),
        ("size", "<i8"),
        ("open", "<i8"),
        ("ahead", "<i8"),  # displayed size that trades before us
        ("level", "<i8"),  # displayed size at our price when last seen
        ("traded", "<i8"),  # traded at our price since then
        ("venue_id", "<i8"),
        ("state", "<i8"),
        ("next", "<i8"),  # next of our orders on this side, in priority
    ]
)

ACTION_DTYPE: Final = np.dtype(
    [
        ("time", "<i8"),
        ("kind", "<i8"),
        ("slot", "<i8"),
        ("number", "<i8"),
        ("instrument", "<i8"),
        ("side", "<i8"),
    ]
)
"""A request under way to the venue; a ring, in order of arrival."""

TAKEN_DTYPE: Final = np.dtype(
    [
        ("instrument", "<i8"),
        ("side", "<i8"),
        ("price", "<i8"),
        ("shown", "<i8"),  # the level's size when we took from it
        ("size", "<i8"),  # what we took
    ]
)


class Desk(NamedTuple):
    """All arrays of one paper matcher."""

    head: NDArray[np.void]  # (1,) DESK_DTYPE
    terms: NDArray[np.void]
    orders: NDArray[np.void]
    actions: NDArray[np.void]
    taken: NDArray[np.void]
    out: NDArray[np.void]  # EVENT_DTYPE, waiting to be handed over


def new_desk(terms: NDArray[np.void], orders: int = 64, taken: int = 256, out: int = 1024) -> Desk:
    """Return an empty desk for instruments with the given terms.

    Parameters
    ----------
    terms : (instruments,) TERMS_DTYPE
        Copied; positions and chains start empty.
    orders, taken, out : int
        Capacities: open orders, remembered levels, events waiting.
    """
    own = terms.copy()
    own["first_bid"] = -1
    own["first_ask"] = -1
    head = np.zeros(1, DESK_DTYPE)
    head["next_order"] = 1
    head["next_trade"] = 1
    return Desk(
        head=head,
        terms=own,
        orders=np.zeros(orders, WORKING_DTYPE),
        actions=np.zeros(2 * orders, ACTION_DTYPE),
        taken=np.zeros(taken, TAKEN_DTYPE),
        out=np.zeros(out, EVENT_DTYPE),
    )


@kernel()
def exact_fee(notional: int, rate: int, unit: int) -> int:
    """Return ``notional * rate / unit`` rounded up (a rebate down), without leaving 64 bits.

    ``rate * unit`` must fit into 63 bits (see ``session.paper.matching_terms``).
    """
    return int((notional // unit) * rate - ((-(notional % unit) * rate) // unit))


@kernel()
def fee_of(terms: np.void, price: int, size: int, role: int) -> int:
    """Return the fee of a fill at the settlement exponent, rounded up (a rebate down).

    Linear: ``price * size * rate / unit``. Inverse: ``size * rate / (unit * price)``.
    """
    rate = terms["maker"] if role == AS_MAKER else terms["taker"]
    if terms["inverse"]:
        return int(-((-size * rate) // (terms["fee_unit"] * price)))
    return exact_fee(price * size, rate, terms["fee_unit"])


@kernel()
def emit(  # noqa: PLR0917 - one argument for each field that differs
    desk: Desk, kind: int, slot: int, price: int, size: int, sequence: int, aux: int, flags: int
) -> None:
    """Append one order event, stamped with the venue clock and the time it reaches us."""
    head = desk.head[0]
    order = desk.orders[slot]
    row = desk.out[head["out_count"]]
    head["out_count"] += 1
    row["time"] = head["now"]
    row["received"] = head["now"] + head["latency_back"]
    row["price"] = price
    row["size"] = size
    row["sequence"] = sequence
    row["aux"] = aux
    row["link"] = order["number"]
    row["instrument"] = order["instrument"]
    row["kind"] = kind
    row["side"] = order["side"]
    row["flags"] = flags | OURS


@kernel()
def unlink(desk: Desk, slot: int) -> None:
    """Take an order out of its chain (if it rests) and free its slot."""
    order = desk.orders[slot]
    if order["state"] == RESTING:
        terms = desk.terms[order["instrument"]]
        at = terms["first_bid"] if order["side"] > 0 else terms["first_ask"]
        if at == slot:
            if order["side"] > 0:
                terms["first_bid"] = order["next"]
            else:
                terms["first_ask"] = order["next"]
        else:
            while desk.orders[at]["next"] != slot:
                at = desk.orders[at]["next"]
            desk.orders[at]["next"] = order["next"]
    order["state"] = FREE
    desk.head[0]["open_count"] -= 1
