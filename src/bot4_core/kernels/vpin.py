"""Volume-synchronised probability of informed trading (VPIN): how one-sided the flow is.

Volume is cut into buckets of one size; a trade or bar that crosses an edge is split there, and a
large one fills many. Volumes are whole lots, so no edge is missed by a rounding error. The VPIN
is the mean, over the last n buckets, of ``|bought - sold| / bucket``.

The memory of one instrument is three arrays that belong to the caller: ``ring`` (the imbalances
of the last n buckets), ``flow`` (what the last bucket and the last bar left) and ``cursor``.

References
----------
.. [1] Easley, D., Lopez de Prado, M. M. and O'Hara, M. (2012). Flow toxicity and liquidity in a
   high-frequency world. Review of Financial Studies 25(5), 1457-1493. doi:10.1093/rfs/hhs053.
.. [2] Easley, D., Lopez de Prado, M. M. and O'Hara, M. (2012). Bulk classification of trading
   activity. Johnson School research paper 8-2012 (Student's t with 0.25 degrees of freedom).
"""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bot4_core.jit import kernel
from bot4_core.kernels import normal, student_t
from bot4_core.kernels.lanes import sum_of_values
from bot4_core.kernels.volatility import ewma_step

__all__ = [
    "BOUGHT",
    "CAPACITY",
    "CLOSE",
    "COMPLETED",
    "CURSOR_SLOTS",
    "DECAY",
    "FILLED",
    "FLOW_SLOTS",
    "FREEDOM",
    "RULE_SLOTS",
    "SIGMA",
    "VALUE",
    "VARIANCE",
    "add_bar",
    "add_bars",
    "add_trades",
    "add_volume",
    "bought_share",
    "share_at_most",
]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

FLOW_SLOTS: Final = 4
BOUGHT: Final = 0  # lots of the open bucket counted as bought
CLOSE: Final = 1  # last close, NaN before the first bar
VARIANCE: Final = 2  # forecast of the squared change, NaN before the first change
VALUE: Final = 3  # VPIN, NaN until n buckets are full
CURSOR_SLOTS: Final = 5
CAPACITY: Final = 0  # lots in a bucket
FILLED: Final = 1  # lots in the open bucket
COMPLETED: Final = 2  # buckets so far
PLACE: Final = 3  # of the ring where the next imbalance goes
ROW: Final = 4  # of the output where the next bucket goes
RULE_SLOTS: Final = 3
SIGMA: Final = 0  # standard deviation of a bar's change; NaN follows them by EWMA
DECAY: Final = 1  # of that EWMA
FREEDOM: Final = 2  # degrees of freedom of the classifier, 0 for the normal law


@kernel()
def bought_share(change: float, sigma: float, freedom: float) -> float:
    """Return the share of a bar's volume that counts as bought (bulk volume classification).

    Parameters
    ----------
    change : float
        Of the close from bar to bar.
    sigma : float
        Standard deviation of such changes; at 0 the sign decides: 1, 0 or one half.
    freedom : float
        Degrees of freedom of Student's t, 0 for the normal law.
    """
    if not sigma > 0.0:
        return 1.0 if change > 0.0 else 0.0 if change < 0.0 else 0.5
    score = change / sigma
    return student_t.cumulative(score, freedom) if freedom > 0.0 else normal.cumulative(score)


@kernel()
def _close_bucket(ring: Floats, flow: Floats, cursor: Integers) -> None:
    """Enter the full bucket's imbalance and average; the ring is added up anew, without drift."""
    capacity, place = float(cursor[CAPACITY]), int(cursor[PLACE])
    ring[place] = abs(2.0 * flow[BOUGHT] - capacity) / capacity
    cursor[PLACE] = place + 1 if place + 1 < len(ring) else 0
    cursor[COMPLETED] += 1
    if cursor[COMPLETED] >= len(ring):
        flow[VALUE] = sum_of_values(ring) / len(ring)


@kernel()
def add_volume(
    ring: Floats, flow: Floats, cursor: Integers, volume: int, share: float, out: Floats
) -> None:
    """Fill buckets with volume of which a share was bought; O(buckets crossed).

    Parameters
    ----------
    ring : (n,) float64
    flow : (4,) float64
    cursor : (5,) int64
    volume : int
        Lots, at least 0.
    share : float
        In [0, 1]: 1 for a buyer who took, 0 for a seller, one half where nobody knows.
    out : (k, 2) float64
        Lots bought and VPIN of each full bucket, from the cursor's row on, as far as it has rows.
    """
    capacity = int(cursor[CAPACITY])
    left = volume
    while left > 0:
        taken = min(left, capacity - int(cursor[FILLED]))
        left -= taken
        cursor[FILLED] += taken
        flow[BOUGHT] += taken * share
        if cursor[FILLED] == capacity:
            _close_bucket(ring, flow, cursor)
            row = int(cursor[ROW])
            if row < len(out):
                out[row, 0] = flow[BOUGHT]
                out[row, 1] = flow[VALUE]
                cursor[ROW] = row + 1
            cursor[FILLED] = 0
            flow[BOUGHT] = 0.0


@kernel()
def add_bar(
    ring: Floats,
    flow: Floats,
    cursor: Integers,
    rule: Floats,
    close: float,
    volume: int,
    out: Floats,
) -> float:
    """Classify a bar by the change of its close, and fill buckets with its volume.

    The first bar is only the reference. A bar without volume moves the reference.

    Parameters
    ----------
    ring : (n,) float64
    flow : (4,) float64
    cursor : (5,) int64
    rule : (3,) float64
        Sigma, decay, degrees of freedom.
    close : float
    volume : int
    out : (k, 2) float64

    Returns
    -------
    float
        The share counted as bought; NaN for the first bar.
    """
    before = float(flow[CLOSE])
    flow[CLOSE] = close
    if math.isnan(before):
        return math.nan
    change = close - before
    sigma = float(rule[SIGMA])
    if math.isnan(sigma):
        variance = float(flow[VARIANCE])
        if math.isnan(variance):
            variance = change * change
        sigma = math.sqrt(variance)
        flow[VARIANCE] = ewma_step(variance, change, float(rule[DECAY]))
    share = bought_share(change, sigma, float(rule[FREEDOM]))
    add_volume(ring, flow, cursor, volume, share, out)
    return share


@kernel()
def add_bars(
    ring: Floats,
    flow: Floats,
    cursor: Integers,
    rule: Floats,
    closes: Floats,
    volumes: Integers,
    shares: Floats,
    out: Floats,
) -> None:
    """Call `add_bar` for every bar.

    Parameters
    ----------
    ring, flow, cursor, rule, out
        As there.
    closes : (m,) float64
    volumes : (m,) int64
    shares : (m,) float64
        Out: the share of each bar counted as bought.
    """
    cursor[ROW] = 0
    for index in range(len(closes)):
        close, volume = closes[index], int(volumes[index])
        shares[index] = add_bar(ring, flow, cursor, rule, close, volume, out)


@kernel()
def add_trades(
    ring: Floats, flow: Floats, cursor: Integers, sides: Integers, volumes: Integers, out: Floats
) -> None:
    """Fill buckets with trades whose aggressors are known.

    Parameters
    ----------
    ring, flow, cursor, out
        As in `add_volume`.
    sides : (m,) int64
        1 for a buyer, -1 for a seller, 0 where nobody knows.
    volumes : (m,) int64
    """
    cursor[ROW] = 0
    for index in range(len(sides)):
        share = 0.5 + 0.5 * sides[index]
        add_volume(ring, flow, cursor, int(volumes[index]), share, out)


@kernel()
def share_at_most(history: Floats, value: float) -> float:
    """Return the share of past values that are at most a value: its empirical distribution.

    Parameters
    ----------
    history : (m,) float64
        NaN entries do not count.
    value : float

    Returns
    -------
    float
        In [0, 1]; NaN for NaN, and where no past value counts.
    """
    known, lower = 0, 0
    for index in range(len(history)):
        past = history[index]
        if not math.isnan(past):
            known += 1
            lower += 1 if past <= value else 0
    return lower / known if known > 0 and not math.isnan(value) else math.nan
