"""Layouts of the order desk: orders, their fills, what each instrument has working, and tallies.

All of it stands in one table set (see ``kernels.tables``); the slot numbers are below. Orders are
kept by number in a ring: order ``n`` stands in row ``n % len(orders)``, so the oldest finished
ones make room for new ones.
"""

from enum import IntEnum
from typing import Final

import numpy as np

__all__ = [
    "ACTION_DTYPE",
    "BREAKER_DTYPE",
    "BREAKER_VALUES",
    "CALLING_ROUTER",
    "CALLING_SIZER",
    "CALLING_STRATEGY",
    "CONDUCT_DTYPE",
    "DESK_DTYPE",
    "FILL_DTYPE",
    "FULL_STATUS",
    "MEASURED_DTYPE",
    "MOST_ACTIONS",
    "MOST_BREAKERS",
    "MOST_SIGNALS",
    "NEVER_DUE",
    "NOBODY",
    "ORDER_DTYPE",
    "PASSIVE_STATUS",
    "SIZED_DTYPE",
    "TALLY_DTYPE",
    "WANTED_DTYPE",
    "Action",
    "Slot",
]

NOBODY: Final = -1
"""Ends a chain of rows; stands for "never" among times and "not sent" among ids."""
FULL_STATUS: Final = 2
"""``open_status`` of an instrument that takes any order."""
PASSIVE_STATUS: Final = 1
"""``open_status`` of an instrument that takes post-only orders alone."""
NEVER_DUE: Final = 2**63 - 1
"""``due`` while nothing is waited for."""
MOST_SIGNALS: Final = 16
"""Signals that a strategy may give at one decision."""
MOST_ACTIONS: Final = 64
"""What one decision may ask for before some of it has to be taken."""


CALLING_STRATEGY: Final = 0
"""``calling`` of the parts that are called when orders are made."""
CALLING_SIZER: Final = 1
CALLING_ROUTER: Final = 2
MOST_BREAKERS: Final = 8
"""Compiled breakers of one session."""
BREAKER_VALUES: Final = 8
"""Numbers that explain one compiled breaker."""


class Slot(IntEnum):
    """Where each table stands in the table set of a session."""

    ORDERS = 0
    FILLS = 1
    DESKS = 2
    TALLY = 3
    VIEWS = 4
    SCALES = 5
    LIMITS = 6
    ACCOUNT = 7
    TIMES = 8
    FOUND = 9
    CONDUCT = 10
    SIGNALS = 11
    SIZED = 12
    WANTED = 13
    ACTIONS = 14
    NUMBERS = 15
    INTENTS = 16
    CHILDREN = 17
    FUNCTIONS = 18
    STRATEGY_STATES = 19
    STRATEGY_PARAMS = 20
    SIZER_STATES = 21
    SIZER_PARAMS = 22
    ROUTER_STATES = 23
    ROUTER_PARAMS = 24
    BREAKERS = 25
    BREAKER_MEMORY = 26  # a table set: states and parameters, breaker by breaker
    HELD = 27
    OBSERVED = 28
    SHOWN_VIEWS = 29  # what each action stood on
    SHOWN_SIGNALS = 30
    SHOWN_SIZED = 31
    SHOWN_BREAKERS = 32
    TRACE = 33
    REQUEST = 34  # one INTENT on its way to the paper venue, as words
    ANSWERS = 35  # what the paper venue says of orders: its waiting events
    ANSWER_HEAD = 36
    OUTCOME = 37
    BOOKING = 38  # a fill that was filed and has to be booked
    SERIES_CURSOR = 39
    SERIES_TIMES = 40
    SERIES_ROWS = 41
    HOLDINGS = 42  # what fills booked ahead of the ledger come to
    BANK = 43
    BOOKED = 44  # those fills


class Action(IntEnum):
    """What a decision asks for."""

    CANCEL = 1
    PLACE = 2
    REFUSE = 3  # the order was judged and kept back


ORDER_DTYPE: Final = np.dtype(
    [
        (name, "<i8")
        for name in (
            "number",  # 0 where the row is empty; these nine are the INTENT
            "instrument",
            "side",
            "type",
            "time_in_force",
            "flags",
            "price",
            "size",
            "created",
            "status",  # OrderStatus, a function of the evidence below
            "facts",  # bits of Fact
            "filled",  # sum over distinct trade ids, busts and corrections considered
            "executed",  # the same without them: what can no longer work at the venue
            "venue_filled",  # the most that the venue ever said was filled
            "venue_end",  # the least that it said was filled when the order ended
            "reserved",  # size still at stake: what may yet be filled
            "sent",  # the first time
            "updated",
            "cancel_requested",
            "cancel_refused",
            "replace_requested",
            "replaces",  # the order in whose place it was put, 0 for none
            "not_found",  # the latest venue time of a query that found nothing
            "final_after",  # ns after ``sent`` from when such an answer is final
            "venue_order",
            "reason",
            "contradicted",  # 1 where a trade id came with two contents
            "working",  # 1 while in its instrument's chain
            "kept",  # stamp of the plan that last kept it
            "decided_on",  # the instrument whose decision it came from
            "linked",  # the linked order whose child it is, 0 for none
            "first_fill",  # row of the latest fill
            "older",  # neighbours in the instrument's chain
            "newer",
        )
    ]
)
"""One order and the evidence gathered about it."""

FILL_DTYPE: Final = np.dtype(
    [
        (name, "<i8")
        for name in (
            "trade",
            "price",
            "size",  # as it counts now, 0 once busted
            "fee",
            "flags",
            "revision",  # 0 as first reported, the venue's time of a correction, BUSTED
            "gross",  # the largest size that was ever reported
            "next",
        )
    ]
)
"""One execution; chained by order, and by ``next`` among the free rows."""

DESK_DTYPE: Final = np.dtype(
    [
        ("oldest", "<i8"),  # rows of the working orders' chain
        ("newest", "<i8"),
        ("working", "<i8"),
        ("rest_buy", "<i8"),  # until when a side waits after a refusal, ns
        ("rest_sell", "<i8"),
        ("effect", "<i8"),  # BreakerEffect that holds the instrument
        ("open_status", "<i8"),  # FULL_STATUS, PASSIVE_STATUS, 0 for nothing new
        ("settled", "<i8"),  # 1 while what stands is what was wanted last
        ("targets", "<i8"),
        ("cost", "<i8"),  # of the position, in money units
        ("valued", "<i8"),  # what the position adds to the equity now
        ("bid", "<i8"),  # best prices that the position was last valued at
        ("ask", "<i8"),
        ("wanted_snapshots", "<i8"),
        ("links", "<i8"),  # linked orders alive
        ("links_due", "<i8"),  # when they have to be looked at though nothing happens, ns
        ("links_bid", "<i8"),  # best prices that they were last shown, 0 while not LIVE
        ("links_ask", "<i8"),
        ("last_targets", "<i8", (MOST_SIGNALS * 3,)),
    ]
)
"""What is kept of one instrument's orders."""

TALLY_DTYPE: Final = np.dtype(
    [
        ("last_number", "<i8"),
        ("open", "<i8"),  # orders not finished
        ("duplicates", "<i8"),
        ("orphans", "<i8"),
        ("free_fill", "<i8"),  # first free row
        ("stamp", "<i8"),
        ("actions", "<i8"),
        ("wanted", "<i8"),
        ("refused", "<i8"),
        ("decisions", "<i8"),  # times that a strategy was asked
        ("messages", "<i8"),
        ("events", "<i8"),
        ("now", "<i8"),  # the latest receive time, ns
        ("observing", "<i8"),  # 1 + the breaker that is observing, 0 for none
        ("calling", "<i8"),  # which part was called last
        ("first_breaker", "<i8"),  # the first one to observe
        ("final_after", "<i8"),  # of orders made from now on, see ORDER_DTYPE
        ("patience", "<i8"),  # ns that a request may stay without an answer, 0 for ever
        ("due", "<i8"),  # when the first one is late
        ("counts", "<i8", (12,)),  # orders by present status, retired ones included
    ]
)
"""Counters of a run, and of the decision being made."""

CONDUCT_DTYPE: Final = np.dtype(
    [
        ("behind", "<i8"),  # hysteresis, see QuoteTolerance
        ("ahead", "<i8"),
        ("size_percent", "<i8"),
        ("in_flight", "<i8"),
        ("post_only", "<i8"),
        ("rest", "<i8"),  # ns that a side waits after a refusal
        ("healthy", "<i8"),  # 0 while the audit log cannot be written
        ("first_value", "<i8"),  # slots of the sizer's state that explain a size
        ("values", "<i8"),
        ("asking", "<i8"),  # 0 once nobody is to be asked for orders any more
        ("by_python", "<i8"),  # 1 where a part has to be called from Python
        ("spelled", "<i8"),  # 1 where somebody wants effects spelled out
        ("links", "<i8"),  # linked orders alive on any instrument
        ("money_unit", "<f8"),  # what one money unit is worth
    ]
)
"""How a session quotes."""

BREAKER_DTYPE: Final = np.dtype([("first_value", "<i8"), ("values", "<i8")])
"""A compiled breaker: the slots of its state that explain it."""

MEASURED_DTYPE: Final = np.dtype(
    [("held", "<i8", (MOST_BREAKERS,)), ("values", "<f8", (MOST_BREAKERS * BREAKER_VALUES,))]
)
"""What compiled breakers held back and looked at."""

SIZED_DTYPE: Final = np.dtype([("size", "<i8"), ("values", "<f8", (15,))])
"""A signal's size and the sizer's numbers behind it."""

WANTED_DTYPE: Final = np.dtype(
    [
        ("side", "<i8"),
        ("price", "<i8"),
        ("size", "<i8"),
        ("signal", "<i8"),
        ("take", "<i8"),  # 1 to trade now, 0 to keep a quote
        ("stage", "<i8"),
    ]
)
"""A wanted quote (size 0: nothing shall stand on this side) or trade (price 0: at market)."""

ACTION_DTYPE: Final = np.dtype(
    [
        ("kind", "<i8"),
        ("number", "<i8"),  # of the order; 0 where it was refused
        ("instrument", "<i8"),
        ("side", "<i8"),
        ("type", "<i8"),
        ("time_in_force", "<i8"),
        ("flags", "<i8"),
        ("price", "<i8"),
        ("size", "<i8"),
        ("time", "<i8"),
        ("signal", "<i8"),  # its row, -1 for none
        ("wish", "<i8"),  # what the sizer wanted
        ("refused", "<i8"),  # bits of LimitCode and of Refused
        ("decided_on", "<i8"),  # the instrument whose decision it was
    ]
)
"""One thing that a decision asks for."""
