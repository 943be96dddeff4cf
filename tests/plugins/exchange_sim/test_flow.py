"""The crowd makes a market that looks like one."""

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.plugins.exchange_sim.small_venue import check_engine

from bot4_core.domain_types.records import EventKind
from bot4_core.jit import is_compiling
from bot4_plugins.exchange_sim.engine import (
    ASK,
    BID,
    CROWD_AT,
    FREE,
    LEVEL_COUNT,
    LIVE,
    NEXT,
    OUT,
    Words,
    waiting_events,
)
from bot4_plugins.exchange_sim.flow import FAIR, FRACTION, STEP_NS, gather, run_flow
from bot4_plugins.exchange_sim.listing_table import listing_table
from bot4_plugins.exchange_sim.settings import LISTINGS, SimSettings
from bot4_plugins.exchange_sim.venue import Pit

SECONDS = 60 if is_compiling() else 30
SAMPLE_NS = 100_000_000


class Watched:
    """A minute of the first listing, sampled ten times a second."""

    def __init__(self, seed: int) -> None:
        settings = SimSettings(seed=seed)
        self.words = pit_words(settings)
        self.kinds = np.zeros(32, np.int64)
        self.trades: list[NDArray[np.void]] = []
        samples = []
        now = settings.start_ns
        for _ in range(SECONDS * 10):
            now += SAMPLE_NS
            while not run_flow(self.words, now):
                self._take()
            self._take()
            samples.append((int(self.words[BID]), int(self.words[ASK])))
        self.bids, self.asks = np.array(samples).T

    def _take(self) -> None:
        events = waiting_events(self.words)
        self.kinds += np.bincount(events["kind"], minlength=32)
        self.trades.append(events[events["kind"] == EventKind.TRADE].copy())
        self.words[OUT] = 0


def pit_words(settings: SimSettings, which: int = 0) -> Words:
    """Return the engine of one listing."""
    listing = LISTINGS[which]
    return Pit(listing, settings, listing_table([listing])).words


@pytest.fixture(scope="module")
def watched() -> Watched:
    """Return a watched minute."""
    return Watched(seed=1)


def returns(watched: Watched, every: int) -> NDArray[np.float64]:
    """Return differences of the mid price, in ticks."""
    return np.diff(((watched.bids + watched.asks) / 2)[::every])


def test_book_is_never_crossed_and_rarely_wide(watched: Watched) -> None:
    spread = watched.asks - watched.bids
    assert spread.min() >= 1
    assert 1 <= np.median(spread) <= 4
    assert np.quantile(spread, 0.99) <= 15


def test_both_sides_are_deep(watched: Watched) -> None:
    assert watched.bids.min() > 0
    assert watched.asks.max() < watched.words[LEVEL_COUNT]
    assert watched.words[LIVE] > 100


def test_returns_have_fat_tails(watched: Watched) -> None:
    moves = returns(watched, 5)
    assert (moves**4).mean() / (moves**2).mean() ** 2 > 3.5


def test_volatility_clusters(watched: Watched) -> None:
    size = abs(returns(watched, 1))
    size = size - size.mean()
    assert (size[1:] * size[:-1]).mean() / (size**2).mean() > 0.1
    assert (size[5:] * size[:-5]).mean() / (size**2).mean() > 0.05


def test_returns_themselves_are_hardly_predictable(watched: Watched) -> None:
    moves = returns(watched, 10)
    assert abs((moves[1:] * moves[:-1]).mean() / (moves**2).mean()) < 0.35


def test_trades_come_in_bursts_and_in_both_directions(watched: Watched) -> None:
    trades = np.concatenate(watched.trades)
    buys = (trades["side"] > 0).mean()
    assert 0.3 < buys < 0.7
    counts = np.bincount((trades["time"] - trades["time"].min()) // SAMPLE_NS)
    assert counts.var() > 1.5 * counts.mean()  # 1 for independent arrivals


def test_trade_sizes_have_a_heavy_tail(watched: Watched) -> None:
    sizes = np.concatenate(watched.trades)["size"]
    assert sizes.max() > 10 * np.median(sizes)


def test_enough_happens_for_a_quickstart(watched: Watched) -> None:
    messages = watched.kinds[[EventKind.TRADE, EventKind.BOOK_END, EventKind.QUOTE]].sum()
    assert messages > 100 * SECONDS


def test_engine_stays_sound(watched: Watched) -> None:
    check_engine(watched.words)


def test_perpetual_and_spot_see_one_fair_price() -> None:
    settings = SimSettings(seed=4)
    spot, perpetual = pit_words(settings, 0), pit_words(settings, 2)
    fair = [int(words[int(words[CROWD_AT]) + FAIR]) for words in (spot, perpetual)]
    assert fair[0] == fair[1] != int(spot[LEVEL_COUNT] // 2) << FRACTION


def test_full_engine_still_runs() -> None:
    words = pit_words(SimSettings())
    for _ in range(4_096 // 600 + 1):
        gather(words)
    assert words[words[FREE] + NEXT] == 0
    run_flow(words, SimSettings().start_ns + 200 * STEP_NS)
    check_engine(words)


def test_lost_crowd_comes_back() -> None:
    words = pit_words(SimSettings())
    for _ in range(5):
        empty(words)
        run_flow(words, int(words[0]) + 4_000 * STEP_NS)
        words[OUT] = 0
    assert words[BID] >= 0
    assert words[ASK] < words[LEVEL_COUNT]
    check_engine(words)


def empty(words: Words) -> None:
    """Remove every order of the crowd."""
    from bot4_plugins.exchange_sim.engine import LIVE_AT, remove

    while words[LIVE]:
        remove(words, int(words[words[LIVE_AT]]))
