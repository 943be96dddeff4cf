"""A compiled loop over orders of evidence: what one order ends in, for each of them."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from bot4_core.domain_types.order_codes import LocalEvidence
from bot4_core.domain_types.records import VIEW_DTYPE
from bot4_core.jit import kernel
from bot4_core.kernels.order_desk import create, file_event, file_local
from bot4_core.kernels.order_evidence import alarms_of
from bot4_core.kernels.order_rows import DESK_DTYPE, FILL_DTYPE, NOBODY, ORDER_DTYPE, Slot
from bot4_core.kernels.tables import TableSet, table_at

__all__ = ["WORDS", "different_ends"]

WORDS: Final = 16
ORDERS: Final = int(Slot.ORDERS)
FILLS: Final = int(Slot.FILLS)
DESKS: Final = int(Slot.DESKS)
VIEWS: Final = int(Slot.VIEWS)
FIRST_LOCAL: Final = int(min(LocalEvidence))


@kernel()
def describe(tables: TableSet, place: int, words: NDArray[np.int64]) -> None:
    """Write everything that is known of an order, its trades as sums that no order changes."""
    order = table_at(tables, ORDERS, ORDER_DTYPE)[place]
    fills = table_at(tables, FILLS, FILL_DTYPE)
    words[0], words[1] = order["status"], order["facts"]
    words[2], words[3], words[4] = order["filled"], order["executed"], order["reserved"]
    words[5], words[6] = order["venue_filled"], order["venue_end"]
    words[7], words[8], words[9] = order["sent"], order["updated"], order["not_found"]
    words[10], words[11] = order["cancel_requested"], order["cancel_refused"]
    words[12], words[13] = order["replace_requested"], alarms_of(order)
    words[14] = table_at(tables, VIEWS, VIEW_DTYPE)[0]["open_buy"]
    words[15] = 0
    fill = int(order["first_fill"])
    while fill != NOBODY:
        trade = int(fills[fill]["trade"])
        words[15] += trade * (fills[fill]["price"] + 31 * fills[fill]["size"])
        words[15] += trade * trade * (fills[fill]["revision"] % 97 + 7 * fills[fill]["gross"])
        fill = int(fills[fill]["next"])


@kernel()
def file_piece(
    tables: TableSet, events: NDArray[np.void], at: int, outcome: NDArray[np.int64]
) -> None:
    """File one piece of evidence on order 1, whoever it is from."""
    if events[at]["kind"] >= FIRST_LOCAL:
        file_local(tables, 1, int(events[at]["kind"]), int(events[at]["received"]), outcome)
    else:
        file_event(tables, events, at, outcome)


@kernel()
def clear(tables: TableSet) -> None:
    """Strike the one order off, as if nothing had been."""
    table_at(tables, ORDERS, ORDER_DTYPE)[1]["working"] = 0
    desk = table_at(tables, DESKS, DESK_DTYPE)[0]
    desk["oldest"] = desk["newest"] = NOBODY
    view = table_at(tables, VIEWS, VIEW_DTYPE)[0]
    view["open_buy"] = 0


@kernel()
def different_ends(
    tables: TableSet,
    intents: NDArray[np.void],
    events: NDArray[np.void],
    sequences: NDArray[np.int64],
    scratch: NDArray[np.int64],
) -> int:
    """Return how many sequences of the pieces end elsewhere than the first, or are not idempotent.

    Parameters
    ----------
    tables : TableSet
        Of two order rows and one instrument.
    intents : (1,) INTENT
        Order 1.
    events : (n,) EVENT
        The pieces; local ones by their kind.
    sequences : (m, k) int64
        Places among the pieces.
    scratch : (3 * WORDS,) int64
    """
    first, once, again = scratch[:WORDS], scratch[WORDS : 2 * WORDS], scratch[2 * WORDS :]
    outcome = again
    different = 0
    for number in range(len(sequences)):
        create(tables, intents[0])
        for at in sequences[number]:
            file_piece(tables, events, at, outcome)
        describe(tables, 1, once)
        for at in sequences[number]:
            file_piece(tables, events, at, outcome)
        describe(tables, 1, again)
        wrong = once[4] != once[14]
        for word in range(WORDS):
            if number == 0:
                first[word] = once[word]
            wrong = wrong or first[word] != once[word] or again[word] != once[word]
        different += wrong
        clear(tables)
    return different
