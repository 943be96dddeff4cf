"""Small orders, events and instruments for the tests of this folder."""

import numpy as np
from tests.reference.orders import FINAL_AFTER

from bot4_core.domain_types.canonical_types import Symbol, VenueName
from bot4_core.domain_types.instruments import Instrument, InstrumentKind, Settlement
from bot4_core.domain_types.records import (
    EVENT_DTYPE,
    INTENT_DTYPE,
    EventKind,
    OrderType,
    Records,
    TimeInForce,
)
from bot4_core.orders import Orders, run_tag

TAG = run_tag("a test")


def instrument(symbol: str = "BTCUSDT") -> Instrument:
    return Instrument(
        venue=VenueName("binance"),
        market="usdm",
        symbol=Symbol(symbol),
        base="BTC",
        quote="USDT",
        kind=InstrumentKind.PERPETUAL,
        settlement=Settlement.LINEAR,
        price_exponent=-1,
        size_exponent=-3,
        tick=1,
        lot=1,
    )


def intent(
    number: int = 1,
    *,
    side: int = 1,
    size: int = 10,
    price: int = 1000,
    order_type: int = OrderType.LIMIT,
    in_force: int = TimeInForce.GTC,
    of: int = 0,
) -> Records:
    rows = np.zeros(1, INTENT_DTYPE)
    row = rows[0]
    row["number"], row["instrument"], row["side"] = number, of, side
    row["type"], row["time_in_force"] = order_type, in_force
    row["price"], row["size"], row["time"] = price, size, 1
    return rows


def event(
    kind: EventKind | int,
    number: int = 1,
    *,
    size: int = -1,
    sequence: int = -1,
    aux: int = 0,
    price: int = 1000,
    received: int = 5,
    time: int = 4,
    of: int = 0,
    side: int = 1,
    flags: int = 0,
) -> Records:
    rows = np.zeros(1, EVENT_DTYPE)
    row = rows[0]
    row["kind"], row["link"], row["size"], row["sequence"] = kind, number, size, sequence
    row["aux"], row["price"], row["received"], row["time"] = aux, price, received, time
    row["instrument"], row["side"], row["flags"] = of, side, flags
    return rows


def fill(number: int = 1, trade: int = 1, size: int = 4, **fields: int) -> Records:
    return event(EventKind.ORDER_FILLED, number, size=size, sequence=trade, **fields)


def registry(count: int = 1, *, keep_finished: int = 100) -> Orders:
    instruments = [instrument(f"S{place}") for place in range(count)]
    return Orders(instruments, TAG, keep_finished=keep_finished, final_after=FINAL_AFTER)
