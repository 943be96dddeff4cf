"""Runs tasks with hftbacktest, in its own environment: a line of JSON in, a line out.

Written from hftbacktest's documentation. Imports nothing of ours but the names in ``task``.
"""

import json
import sys
import time
from typing import Any

import numpy as np
from hftbacktest import (  # type: ignore[import-not-found]  # lives in another environment
    BUY_EVENT,
    EXCH_EVENT,
    GTC,
    LIMIT,
    LOCAL_EVENT,
    SELL_EVENT,
    BacktestAsset,
    HashMapMarketDepthBacktest,
    ROIVectorMarketDepthBacktest,
)
from hftbacktest.types import event_dtype  # type: ignore[import-not-found]  # as above
from numba import njit  # type: ignore[attr-defined]  # our stubs hold what we call

from benchmarks.peers.task import (
    LATENCY_NS,
    PAUSE_NS,
    POWER,
    REST_EVERY,
    SIZE_LOTS,
    Outcome,
    Task,
)

FOREVER = 2**62
NO_WAIT = False
FED = 2
END = 1
DECISIONS, ORDERS, CODE = range(3)
QUEUES: dict[str, tuple[str, tuple[int, ...]]] = {
    "risk_averse": ("risk_adverse_queue_model", ()),
    "power": ("power_prob_queue_model", (POWER,)),
    "power_of_whole": ("power_prob_queue_model2", (POWER,)),
    "power_ahead": ("power_prob_queue_model3", (POWER,)),
    "log": ("log_prob_queue_model", ()),
    "log_of_whole": ("log_prob_queue_model2", ()),
}
BUILDERS = {"roivec": ROIVectorMarketDepthBacktest, "hashmap": HashMapMarketDepthBacktest}


@njit  # type: ignore[untyped-decorator]  # as above
def play(hbt: Any) -> Any:
    """Let all data pass without a strategy."""
    return hbt.elapse(FOREVER)


@njit  # type: ignore[untyped-decorator]  # as above
def quote(hbt: Any, offset: int, lot: float, counts: Any) -> None:
    """Keep one bid and one ask some ticks behind the touch."""
    wanted = np.zeros(2, np.int64)
    moved = np.zeros(2, np.int64)
    last = np.zeros(2, np.int64)
    tick = hbt.depth(0).tick_size
    orders_sent = 0
    messages = 0
    while True:
        counts[CODE] = hbt.wait_next_feed(NO_WAIT, FOREVER)
        if counts[CODE] != FED:
            break
        messages += 1
        if messages % REST_EVERY == 0:
            continue
        counts[DECISIONS] += 1
        depth = hbt.depth(0)
        bid, ask = depth.best_bid_tick, depth.best_ask_tick
        now = hbt.current_timestamp
        orders = hbt.orders(0)
        hbt.clear_inactive_orders(0)
        for place in range(2):
            standing = orders.get(last[place]) if last[place] in orders else None
            price = bid - offset if place == 0 else ask + offset
            late = now - moved[place] >= PAUSE_NS
            if standing is None or (late and price != wanted[place]):
                wanted[place] = price
                moved[place] = now
            price = wanted[place]
            if standing is not None:
                if standing.price_tick == price or not standing.cancellable:
                    continue
                hbt.cancel(0, last[place], NO_WAIT)
            orders_sent += 1
            last[place] = orders_sent
            counts[ORDERS] += 1
            if place == 0:
                hbt.submit_buy_order(0, orders_sent, price * tick, lot, GTC, LIMIT, NO_WAIT)
            else:
                hbt.submit_sell_order(0, orders_sent, price * tick, lot, GTC, LIMIT, NO_WAIT)


@njit  # type: ignore[untyped-decorator]  # as above
def sizes(hbt: Any, low: int, out: Any) -> None:
    """Read the size at every price of a range."""
    depth = hbt.depth(0)
    for place in range(out.shape[1]):
        out[0, place] = depth.bid_qty_at_tick(low + place)
        out[1, place] = depth.ask_qty_at_tick(low + place)


class Peer:
    """hftbacktest on one recording.

    Parameters
    ----------
    path : str
        The columns of ``same_events``, with the scales of price and size, the tick, fees and the
        range of interest.
    """

    def __init__(self, path: str) -> None:
        with np.load(path) as given:
            self._given = {name: given[name] for name in given.files}
        self._data = self._events()

    def _events(self) -> Any:
        given = self._given
        data = np.zeros(len(given["kind"]), event_dtype)
        side = np.where(given["side"] > 0, BUY_EVENT, SELL_EVENT)
        data["ev"] = given["kind"] | side | EXCH_EVENT | LOCAL_EVENT
        data["exch_ts"] = data["local_ts"] = given["time"]
        data["px"] = given["price"] / self._scale("price_scale")
        data["qty"] = given["size"] / self._scale("size_scale")
        return data

    def _scale(self, name: str) -> float:
        return float(self._given[name])

    def _asset(self, task: Task) -> Any:
        price, size = self._scale("price_scale"), self._scale("size_scale")
        asset = (
            BacktestAsset()
            .data(self._data)
            .linear_asset(1.0)
            .constant_order_latency(LATENCY_NS, LATENCY_NS)
            .trading_value_fee_model(self._scale("maker"), self._scale("taker"))
            .tick_size(self._scale("tick") / price)
            .lot_size(1.0 / size)
            .roi_lb(self._scale("low") / price)
            .roi_ub(self._scale("high") / price)
        )
        name, parameters = QUEUES[task.queue or "risk_averse"]
        asset = getattr(asset, name)(*parameters)
        return asset.partial_fill_exchange() if task.partial else asset.no_partial_fill_exchange()

    def run(self, task: Task) -> Outcome:
        """Run one task once."""
        hbt = BUILDERS[task.depth]([self._asset(task)])
        counts = np.zeros(3, np.int64)
        lot = SIZE_LOTS / self._scale("size_scale")
        begin = time.perf_counter()
        if task.queue:
            quote(hbt, task.offset, lot, counts)
        else:
            counts[CODE] = play(hbt)
        span = time.perf_counter() - begin
        outcome = self._outcome(hbt, task, span, counts)
        hbt.close()
        return outcome

    def _outcome(self, hbt: Any, task: Task, span: float, counts: Any) -> Outcome:
        tick, scale = int(self._given["tick"]), self._scale("size_scale")
        depth, state = hbt.depth(0), hbt.state_values(0)
        bids, asks = self._levels(hbt) if task.whole_depth else ((), ())
        return Outcome(
            seconds=span,
            bid=int(depth.best_bid_tick) * tick,
            ask=int(depth.best_ask_tick) * tick,
            decisions=int(counts[DECISIONS]),
            orders=int(counts[ORDERS]),
            fills=int(state.num_trades),
            error=0 if counts[CODE] == END else int(counts[CODE]),
            value=round(state.trading_value * scale * self._scale("price_scale")),
            filled=round(state.trading_volume * scale),
            position=round(state.position * scale),
            bids=bids,
            asks=asks,
        )

    def _levels(self, hbt: Any) -> tuple[Any, ...]:
        """Read the levels of the range of interest."""
        tick, scale = int(self._given["tick"]), self._scale("size_scale")
        low, high = int(self._given["low"]) // tick, int(self._given["high"]) // tick
        out = np.zeros((2, high - low))
        sizes(hbt, low, out)
        return tuple(
            tuple(
                ((low + int(place)) * tick, round(float(side[place]) * scale))
                for place in np.flatnonzero(side)
            )
            for side in out
        )


def main() -> None:
    """Answer tasks until the input ends."""
    peer = Peer(sys.argv[1])
    for line in sys.stdin:
        outcome = peer.run(Task(**json.loads(line)))
        print(json.dumps(outcome.row()), flush=True)


if __name__ == "__main__":
    main()
