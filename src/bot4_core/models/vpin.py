"""VPIN (Easley, Lopez de Prado and O'Hara 2012): a stream of one-sidedness, bucket by bucket.

What it does not tell: it is correlated by construction with volume and volatility, adds no power
to forecast volatility once both are known, and its value depends on where the first bucket began
and on the length of the bars (Andersen and Bondarenko 2014, doi:10.1016/j.finmar.2013.05.005).
True aggressor sides beat bulk classification where a venue reports them. Compare a value with
its own past (`percentile`), not with a universal threshold.
"""

import math
from collections.abc import Iterator
from enum import Enum
from typing import Final

import attrs
import numpy as np

from bot4_core.domain_types.validation import validate
from bot4_core.kernels import vpin as kernels
from bot4_core.kernels.lanes import sum_of_distances, sum_of_squares
from bot4_core.models.inputs import LARGEST, FloatInput, Floats, Inputs, IntegerInput, Integers

__all__ = [
    "Buckets",
    "BulkRule",
    "Classifier",
    "ToxicityMeter",
    "ToxicitySettings",
    "percentile",
    "sample_sigma",
]

MOST_BUCKETS: Final = 1_000_000
"""One trade or bar may not fill more: the bucket would be absurdly small."""
FAT_TAILS: Final = 0.25


class Classifier(Enum):
    """The law that turns a bar's change of price into a share bought."""

    NORMAL = "normal"
    STUDENT_T = "student_t"


@attrs.frozen(kw_only=True)
class BulkRule:
    """How bars are split into bought and sold.

    Parameters
    ----------
    classifier : Classifier
    sigma : float
        Standard deviation of the change from close to close, at least 0; NaN follows the
        changes by EWMA, each classified by the forecast before it. `sample_sigma` gives that of
        a whole sample, which looks ahead.
    decay : float
        Of the EWMA, in (0, 1).
    freedom : float
        Degrees of freedom of Student's t, above 0.
    """

    classifier: Classifier = Classifier.NORMAL
    sigma: float = math.nan
    decay: float = 0.94
    freedom: float = FAT_TAILS

    def faults(self) -> Iterator[tuple[str, str]]:
        """Yield what is wrong."""
        if not (math.isnan(self.sigma) or 0.0 <= self.sigma < math.inf):
            yield "sigma", f"{self.sigma}, must be at least 0 and finite, or NaN for EWMA"
        if not 0.0 < self.decay < 1.0:
            yield "decay", f"{self.decay} is not in (0, 1)"
        if not 0.0 < self.freedom < math.inf:
            yield "freedom", f"{self.freedom}, must be above 0 and finite"


@attrs.frozen(kw_only=True)
class ToxicitySettings:
    """Buckets, and what bars mean.

    Parameters
    ----------
    bucket_volume : int
        Lots in a bucket; a fiftieth of the average daily volume is usual.
    buckets : int
        How many are averaged.
    rule : BulkRule
    """

    bucket_volume: int
    buckets: int = 50
    rule: BulkRule = BulkRule()

    def faults(self) -> Iterator[tuple[str, str]]:
        """Yield what is wrong."""
        if not 1 <= self.bucket_volume <= LARGEST:
            yield "bucket_volume", f"{self.bucket_volume}, must be 1 to 2**53"
        if self.buckets < 1:
            yield "buckets", f"{self.buckets}, must be at least 1"


@attrs.frozen(kw_only=True, eq=False)
class Buckets:
    """The buckets that one call completed.

    Attributes
    ----------
    bought : (k,) float64
        Lots.
    imbalances : (k,) float64
        ``|bought - sold| / bucket``, in [0, 1].
    vpin : (k,) float64
        NaN before enough buckets were full.
    shares : (m,) float64
        Share counted as bought of each bar; empty for trades.
    """

    bought: Floats
    imbalances: Floats
    vpin: Floats
    shares: Floats


class ToxicityMeter:
    """VPIN of one instrument, from bars or from trades, in any pieces.

    Parameters
    ----------
    settings : ToxicitySettings

    Raises
    ------
    ValidationError
        If a setting breaks a rule.
    """

    def __init__(self, settings: ToxicitySettings) -> None:
        self.settings = validate(settings)
        rule = settings.rule
        fat = rule.classifier is Classifier.STUDENT_T
        self._rule = np.array([rule.sigma, rule.decay, rule.freedom if fat else 0.0], np.float64)
        self._ring = np.zeros(settings.buckets)
        self._flow = np.array([0.0, math.nan, math.nan, math.nan])
        self._cursor = np.zeros(kernels.CURSOR_SLOTS, np.int64)
        self._cursor[kernels.CAPACITY] = settings.bucket_volume

    @property
    def value(self) -> float:
        """VPIN after the last full bucket, in [0, 1]; NaN until enough are full."""
        return float(self._flow[kernels.VALUE])

    @property
    def completed(self) -> int:
        """Full buckets so far."""
        return int(self._cursor[kernels.COMPLETED])

    @property
    def open_volume(self) -> int:
        """Lots in the bucket that is not full yet."""
        return int(self._cursor[kernels.FILLED])

    def add_bars(self, closes: FloatInput, volumes: IntegerInput) -> Buckets:
        """Take in bars: the very first is only the reference of the change.

        Parameters
        ----------
        closes : (m,) float
        volumes : (m,) int
            Lots, 0 or more; such a bar still moves the reference.

        Raises
        ------
        ValidationError
            With every fault at once; nothing is then taken in.
        """
        inputs = Inputs()
        prices = inputs.vector("closes", closes)
        lots = self._lots(inputs, volumes, len(prices))
        inputs.settle()
        is_first = bool(np.isnan(self._flow[kernels.CLOSE]))
        out = self._rows(lots[1 if is_first else 0 :])
        shares = np.empty(len(prices))
        kernels.add_bars(
            self._ring, self._flow, self._cursor, self._rule, prices, lots, shares, out
        )
        return self._completed(out, shares)

    def add_trades(self, sides: IntegerInput, volumes: IntegerInput) -> Buckets:
        """Take in trades whose aggressors are known.

        Parameters
        ----------
        sides : (m,) int
            1 for a buyer, -1 for a seller, 0 where nobody knows.
        volumes : (m,) int
            Lots.

        Raises
        ------
        ValidationError
            With every fault at once; nothing is then taken in.
        """
        inputs = Inputs()
        given = np.asarray(sides)
        known = given.ndim == 1 and bool(np.isin(given, (-1, 0, 1)).all())
        inputs.require(known, "sides", "must all be -1, 0 or 1")
        signs = given.astype(np.int64) if known else np.zeros(given.size, np.int64)
        lots = self._lots(inputs, volumes, len(signs))
        inputs.settle()
        out = self._rows(lots)
        kernels.add_trades(self._ring, self._flow, self._cursor, signs, lots, out)
        return self._completed(out, np.zeros(0))

    def _lots(self, inputs: Inputs, volumes: IntegerInput, wanted: int) -> Integers:
        lots = inputs.counts("volumes", volumes)
        inputs.require(len(lots) == wanted, "volumes", f"{len(lots)}, must be {wanted}")
        total, most = sum(lots.tolist()), MOST_BUCKETS * self.settings.bucket_volume
        inputs.require(total <= most, "volumes", f"{total} lots fill over {MOST_BUCKETS} buckets")
        return lots

    def _rows(self, lots: Integers) -> Floats:
        """Return room for the buckets that lots complete."""
        volume = sum(lots.tolist())
        return np.empty(((self.open_volume + volume) // self.settings.bucket_volume, 2))

    def _completed(self, out: Floats, shares: Floats) -> Buckets:
        capacity = float(self.settings.bucket_volume)
        bought, vpin = out[:, 0].copy(), out[:, 1].copy()
        imbalances = np.abs(2.0 * bought - capacity) / capacity
        return Buckets(bought=bought, imbalances=imbalances, vpin=vpin, shares=shares)


def sample_sigma(closes: FloatInput) -> float:
    """Return the standard deviation (ddof = 1) of all changes; it knows the whole sample.

    Parameters
    ----------
    closes : (m,) float

    Returns
    -------
    float
        NaN below three closes; exactly 0.0 where no change differs.

    Raises
    ------
    ValidationError
    """
    inputs = Inputs()
    prices = inputs.vector("closes", closes)
    inputs.settle()
    changes = prices[1:] - prices[:-1]
    if len(changes) < 2:
        return math.nan
    mean = changes[0] + sum_of_distances(changes, float(changes[0])) / len(changes)
    return math.sqrt(sum_of_squares(changes, float(mean)) / (len(changes) - 1))


def percentile(history: FloatInput, value: float) -> float:
    """Return the share of past values that are at most a value.

    Parameters
    ----------
    history : (m,) float
        NaN entries, from before there was a value, do not count.
    value : float

    Returns
    -------
    float
        In [0, 1]; NaN for NaN, and where nothing counts.
    """
    return kernels.share_at_most(np.ascontiguousarray(history, np.float64), float(value))
