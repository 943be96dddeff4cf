"""Features of each instrument: settings checked once, memory kept, views filled per message."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

import attrs
import numpy as np
from numpy.typing import NDArray

from bot4_core.domain_types.canonical_types import InstrumentId, Nanoseconds
from bot4_core.domain_types.records import VIEW_DTYPE, Feature, Records
from bot4_core.domain_types.validation import validate
from bot4_core.errors import ValidationError
from bot4_core.jit import entry_point
from bot4_core.kernels import features
from bot4_core.kernels.features import FEATURE_DTYPE, FLOW_BUCKETS, VOLATILITY_CAPACITY

__all__ = ["FeatureEngine", "FeatureSettings"]


FLOW_WINDOW: Final = Nanoseconds(10_000_000_000)
SAMPLE_INTERVAL: Final = Nanoseconds(200_000_000)


@attrs.frozen(kw_only=True)
class FeatureSettings:
    """How far back the features look.

    Parameters
    ----------
    flow_window : Nanoseconds
        Span of the order-flow imbalance; it moves in steps of a 64th.
    sample_interval : Nanoseconds
        Least time between two samples of the mid for the volatility. Sampling each tick would
        measure the bounce between bid and ask.
    sample_count : int
        Samples in the volatility window, at most 256.
    sample_minimum : int
        Samples below which there is no volatility (NaN).
    vwap_size : Decimal
        Base units (or contracts) to trade for ``vwap_bid`` and ``vwap_ask``.
    wanted : Feature
        What is filled at all.
    """

    flow_window: Nanoseconds = FLOW_WINDOW
    sample_interval: Nanoseconds = SAMPLE_INTERVAL
    sample_count: int = 150
    sample_minimum: int = 20
    vwap_size: Decimal = Decimal(1)
    wanted: Feature = Feature.ALL

    def faults(self) -> Iterator[tuple[str, str]]:
        """Yield a path and a message for every broken rule."""
        if self.flow_window < FLOW_BUCKETS:
            yield "flow_window", f"{self.flow_window} ns, must be at least {FLOW_BUCKETS} ns"
        if self.sample_interval < 1:
            yield "sample_interval", f"{self.sample_interval} ns, must be above 0"
        if not 2 <= self.sample_count <= VOLATILITY_CAPACITY:
            yield "sample_count", f"{self.sample_count}, must be 2 to {VOLATILITY_CAPACITY}"
        if not 2 <= self.sample_minimum <= self.sample_count:
            yield "sample_minimum", f"{self.sample_minimum}, must be 2 to sample_count"
        if self.vwap_size <= 0:
            yield "vwap_size", f"{self.vwap_size}, must be above 0"


class FeatureEngine:
    """The features of a session's instruments.

    Parameters
    ----------
    table : (n,) INSTRUMENT
        Read for the size exponents.
    views : (n,) VIEW
        One row an instrument, kept and written to: ``mid``, ``microprice``, ``spread``,
        ``imbalance``, ``flow``, ``volatility``, ``vwap_bid``, ``vwap_ask``. Everything else in
        it is the caller's to fill, the units too.
    settings : FeatureSettings

    Attributes
    ----------
    states : (n,) FEATURE
        Memory of each instrument, for drivers that call the kernels in one compiled loop.

    Raises
    ------
    ValidationError
        If a setting breaks a rule, or the views do not fit the table.
    """

    def __init__(
        self, table: Records, views: Records, settings: FeatureSettings | None = None
    ) -> None:
        self.settings = validate(settings if settings is not None else FeatureSettings())
        if views.dtype != VIEW_DTYPE or views.shape != table.shape or not views.flags.c_contiguous:
            text = f"{views.dtype.names} of {views.shape}, must be VIEW rows like the table's"
            raise ValidationError([("views", text)])
        self.states: Records = np.zeros(len(table), FEATURE_DTYPE)
        self._views = views
        for state, row in zip(self.states, table, strict=True):
            self._configure(state, int(row["size_exponent"]))
        self._update = entry_point(features.update_at, views, 0, self.states)
        self._reset = entry_point(features.forget_at, self.states, 0)
        self._fill_depth = features.fill_depth_at

    def _configure(self, state: np.void, size_exponent: int) -> None:
        settings = self.settings
        state["wanted"] = settings.wanted
        state["bucket_length"] = settings.flow_window // FLOW_BUCKETS
        state["sample_interval"] = settings.sample_interval
        state["sample_count"] = settings.sample_count
        state["sample_minimum"] = settings.sample_minimum
        state["vwap_size"] = max(1, int(settings.vwap_size.scaleb(-size_exponent)))

    def update(self, instrument: InstrumentId) -> None:
        """Take in the top of book that stands in the view, and fill its features; O(1).

        Call it once per message that touched the book or brought a quote.
        """
        self._update(self._views, instrument, self.states)

    def fill_depth(
        self,
        instrument: InstrumentId,
        bids: tuple[NDArray[np.int64], NDArray[np.int64]],
        asks: tuple[NDArray[np.int64], NDArray[np.int64]],
    ) -> None:
        """Fill the average prices of trading ``vwap_size`` now.

        Parameters
        ----------
        instrument : InstrumentId
        bids, asks : tuple of two (k,) int64 arrays
            Prices and sizes, scaled, best first, as ``OrderBook.scaled_levels`` gives them.
        """
        self._fill_depth(self._views, instrument, self.states, *bids, *asks)

    def is_warm(self, instrument: InstrumentId) -> bool:
        """Return whether there is a volatility: enough samples since the start or a reset."""
        return self.samples(instrument) >= self.settings.sample_minimum

    def samples(self, instrument: InstrumentId) -> int:
        """Return how many samples of the mid stand in the volatility window."""
        return int(self.states[instrument]["cursor"][0])

    def reset(self, instrument: InstrumentId) -> None:
        """Forget an instrument's past, keeping its settings."""
        self._reset(self.states, instrument)
