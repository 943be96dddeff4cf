"""A small matching engine beside its slow twin."""

from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tests.reference.matching_engine import SlowEngine

from bot4_core.domain_types.records import (
    INTENT_DTYPE,
    EventFlag,
    EventKind,
    OrderFlag,
    OrderType,
    Side,
    TimeInForce,
)
from bot4_core.kernels.matching_state import TERMS_DTYPE
from bot4_plugins.exchange_sim.client import client_cancel, client_order
from bot4_plugins.exchange_sim.engine import (
    ASK,
    BACKGROUND,
    BID,
    CAPACITY,
    FIRST,
    ID,
    INDEX,
    LAST,
    LEVEL_COUNT,
    LEVEL_WORDS,
    LEVELS_AT,
    LIVE,
    LIVE_AT,
    NEXT,
    OCCUPIED,
    OPEN,
    OUT,
    OWNER,
    PLACE,
    POSITION,
    PREVIOUS,
    SIDE,
    SIZE,
    Words,
    match,
    new_engine,
    new_order,
    release,
    remove,
    rest,
    waiting_events,
)

TICK, LOT, ORIGIN, LEVELS, ORDERS = 5, 2, 80, 40, 48
KINDS = {
    EventKind.TRADE: "trade",
    EventKind.ORDER_ACCEPTED: "accepted",
    EventKind.ORDER_FILLED: "filled",
    EventKind.ORDER_CANCELED: "canceled",
    EventKind.ORDER_REJECTED: "rejected",
    EventKind.ORDER_EXPIRED: "expired",
    EventKind.CANCEL_REJECTED: "cancel_rejected",
}


def small_terms() -> np.void:
    """Return rules with a minimum, a maximum, a maker rebate and a taker fee."""
    terms: np.void = np.zeros(1, TERMS_DTYPE)[0]
    terms["tick"], terms["lot"] = TICK, LOT
    terms["min_size"], terms["max_size"], terms["min_notional"] = 4, 60, 1_700
    terms["maker"], terms["taker"], terms["fee_unit"] = -1, 3, 100
    return terms


def wish_words(number: int, **fields: Any) -> NDArray[np.int64]:
    """Return a client's limit order: four bought at 100 ticks unless told otherwise."""
    wanted = {
        "number": number,
        "side": Side.BUY,
        "type": OrderType.LIMIT,
        "time_in_force": TimeInForce.GTC,
        "price": 100 * TICK,
        "size": 4,
        **fields,
    }
    row = np.zeros(1, INTENT_DTYPE)
    for name, value in wanted.items():
        row[name] = value
    return row.view(np.int64)


class SmallVenue:
    """The engine under test and its twin, always told the same."""

    def __init__(self) -> None:
        self.words: Words = new_engine(small_terms(), ORIGIN, LEVELS, ORDERS)
        self.twin = SlowEngine(
            tick=TICK,
            lot=LOT,
            min_size=4,
            max_size=60,
            min_notional=1_700,
            maker=Fraction(-1, 100),
            taker=Fraction(3, 100),
            lowest=ORIGIN * TICK,
            highest=(ORIGIN + LEVELS - 1) * TICK,
        )
        self.said: list[tuple[str, int, int, int, int, int, int, bool]] = []

    def crowd_rests(self, side: int, price: int, size: int) -> None:
        """Let the crowd place an order, moved so that it does not cross."""
        index = price // TICK - ORIGIN
        bid, ask = int(self.words[BID]), int(self.words[ASK])
        index = min(index, ask - 1) if side > 0 else max(index, bid + 1)
        if 0 <= index < LEVELS:
            rest(self.words, new_order(self.words, side, index, size, BACKGROUND))
            self.twin.crowd_rests(side, (ORIGIN + index) * TICK, size)
        self.take_events()

    def crowd_takes(self, side: int, price: int, size: int) -> None:
        """Let the crowd take up to a price."""
        limit = price // TICK - ORIGIN
        order = new_order(self.words, side, limit, size, BACKGROUND)
        match(self.words, order, limit)
        release(self.words, order)
        self.twin.crowd_takes(side, price, size)
        self.take_events()

    def crowd_cancels(self, place: int) -> None:
        """Cancel one of the crowd's orders, by arrival."""
        count = int(self.words[LIVE])
        start = int(self.words[LIVE_AT])
        rows = sorted(self.words[start : start + count], key=lambda row: self.words[row + ID])
        if rows:
            remove(self.words, int(rows[place % count]))
        self.twin.crowd_cancels(place)
        self.take_events()

    def place(self, number: int, **fields: Any) -> None:
        """Let the client place an order."""
        words = wish_words(number, **fields)
        client_order(self.words, words)
        row = words.view(INTENT_DTYPE)[0]
        flags = int(row["flags"])
        wish: dict[str, Any] = {
            **{name: int(row[name]) for name in ("number", "side", "price", "size")},
            "type": OrderType(int(row["type"])).name.lower(),
            "time_in_force": TimeInForce(int(row["time_in_force"])).name.lower(),
            "post_only": flags & OrderFlag.POST_ONLY,
            "reduce_only": flags & OrderFlag.REDUCE_ONLY,
        }
        self.twin.client_places(wish)
        self.take_events()

    def cancel(self, number: int) -> None:
        """Let the client cancel an order."""
        client_cancel(self.words, number)
        self.twin.client_cancels(number)
        self.take_events()

    def take_events(self) -> None:
        """Note what the engine said since the last time."""
        names = ("price", "size", "sequence", "aux", "link")
        for row in waiting_events(self.words):
            assert int(row["flags"]) & EventFlag.LAST
            price, size, sequence, aux, link = (int(row[name]) for name in names)
            self.said.append(
                (
                    KINDS[EventKind(int(row["kind"]))],
                    int(row["side"]),
                    price,
                    size,
                    sequence,
                    aux,
                    link,
                    bool(int(row["flags"]) & EventFlag.MAKER),
                )
            )
        self.words[OUT] = 0

    def levels(self, side: int) -> dict[int, int]:
        """Return size by price, best first."""
        rows = _level_rows(self.words)
        mine = [
            at for at in range(LEVELS) if rows[at, SIZE] and (at <= self.words[BID]) == (side > 0)
        ]
        return {
            (ORIGIN + at) * TICK: int(rows[at, SIZE])
            for at in sorted(mine, key=lambda at: -at * side)
        }

    def check(self) -> None:
        """Assert that engine and twin agree, and every invariant of the engine's memory."""
        assert self.said == self.twin.events
        for side in (1, -1):
            assert self.levels(side) == self.twin.levels(side)
        assert self.words[POSITION] == self.twin.position
        check_engine(self.words)


def _level_rows(words: Words) -> NDArray[np.int64]:
    start, count = int(words[LEVELS_AT]), int(words[LEVEL_COUNT])
    return words[start : start + LEVEL_WORDS * count].reshape(count, LEVEL_WORDS)


def check_engine(words: Words) -> None:
    """Assert that the book is not crossed, and that queues, sizes and lists fit together."""
    assert words[BID] < words[ASK]
    rows = _level_rows(words)
    resting: dict[int, int] = {}
    occupied = np.flatnonzero(rows[:, FIRST])
    assert not rows[rows[:, FIRST] == 0, SIZE].any()
    assert len(occupied) == words[OCCUPIED]
    for index in occupied.tolist():
        side = 1 if index <= words[BID] else -1
        assert index <= words[BID] or index >= words[ASK]
        order, before, total, youngest = int(rows[index, FIRST]), 0, 0, 0
        while order != 0:
            assert words[order + INDEX] == index
            assert words[order + SIDE] == side
            assert words[order + OPEN] > 0
            assert words[order + PREVIOUS] == before
            assert words[order + ID] > youngest
            total += int(words[order + OPEN])
            youngest = int(words[order + ID])
            resting[order] = int(words[order + OWNER])
            order, before = int(words[order + NEXT]), order
        assert total == rows[index, SIZE]
        assert before == rows[index, LAST]
    for owner in (0, 1):
        start = int(words[LIVE_AT] + owner * words[CAPACITY])
        listed = words[start : start + int(words[LIVE + owner])].tolist()
        assert sorted(listed) == sorted(row for row, who in resting.items() if who == owner)
        assert [int(words[row + PLACE]) for row in listed] == list(range(len(listed)))
