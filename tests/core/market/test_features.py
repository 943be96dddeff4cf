"""The feature engine: settings checked at the edge, memory kept for each instrument."""

import math
from decimal import Decimal

import numpy as np
import pytest
from numpy.typing import NDArray

from bot4_core.domain_types.canonical_types import InstrumentId, Nanoseconds
from bot4_core.domain_types.records import INSTRUMENT_DTYPE, VIEW_DTYPE, BookState
from bot4_core.errors import ValidationError
from bot4_core.market.features import FeatureEngine, FeatureSettings

FIRST, SECOND = InstrumentId(0), InstrumentId(1)
SETTINGS = FeatureSettings(
    sample_interval=Nanoseconds(100), sample_count=4, sample_minimum=3, vwap_size=Decimal("0.01")
)


def table() -> NDArray[np.void]:
    rows = np.zeros(2, INSTRUMENT_DTYPE)
    rows["size_exponent"] = [-3, 0]
    return rows


def views() -> NDArray[np.void]:
    rows = np.zeros(2, VIEW_DTYPE)
    rows["state"], rows["price_unit"], rows["size_unit"] = BookState.LIVE, 0.5, 0.001
    rows["bid"], rows["ask"], rows["bid_size"], rows["ask_size"] = 100, 102, 3, 1
    return rows


def test_update_fills_the_view_of_one_instrument() -> None:
    rows = views()
    FeatureEngine(table(), rows).update(SECOND)
    assert (rows[1]["mid"], rows[1]["microprice"], rows[1]["imbalance"]) == (50.5, 50.75, 0.5)
    assert rows[0]["mid"] == 0.0


def test_volatility_appears_after_enough_samples() -> None:
    rows = views()
    engine = FeatureEngine(table(), rows, SETTINGS)
    told = []
    for place in range(6):
        rows["received"][0] = 1000 + 100 * place
        engine.update(FIRST)
        assert engine.is_warm(FIRST) is not math.isnan(rows[0]["volatility"])
        told.append(engine.samples(FIRST))
    assert told == [0, 1, 2, 3, 4, 4]
    assert engine.samples(SECOND) == 0


def test_reset_starts_one_instrument_anew() -> None:
    rows = views()
    engine = FeatureEngine(table(), rows, SETTINGS)
    for place in range(6):
        rows["received"] = 1000 + 100 * place
        engine.update(FIRST)
        engine.update(SECOND)
    engine.reset(FIRST)
    assert (engine.is_warm(FIRST), engine.is_warm(SECOND)) == (False, True)


def test_depth_prices_are_for_the_configured_size_at_the_instruments_scale() -> None:
    rows = views()
    engine = FeatureEngine(table(), rows, SETTINGS)
    bids = np.array([100, 98]), np.array([5, 5])
    asks = np.array([102, 104]), np.array([10, 5])
    engine.fill_depth(FIRST, bids, asks)
    assert (rows[0]["vwap_bid"], rows[0]["vwap_ask"]) == (49.5, 51.0)
    assert engine.states["vwap_size"].tolist() == [10, 1]


def test_default_settings_are_valid() -> None:
    assert not list(FeatureSettings().faults())


def test_all_wrong_settings_are_told_at_once() -> None:
    settings = FeatureSettings(
        flow_window=Nanoseconds(63),
        sample_interval=Nanoseconds(0),
        sample_count=257,
        sample_minimum=1,
        vwap_size=Decimal(0),
    )
    with pytest.raises(ValidationError) as caught:
        FeatureEngine(table(), views(), settings)
    assert [path for path, _ in caught.value.faults] == [
        "flow_window",
        "sample_interval",
        "sample_count",
        "sample_minimum",
        "vwap_size",
    ]


@pytest.mark.parametrize(
    "rows", [views()[:1], views()[["bid"]], views()[::-1]], ids=["few", "fields", "strides"]
)
def test_views_that_compiled_code_could_not_read_are_refused(rows: NDArray[np.void]) -> None:
    with pytest.raises(ValidationError, match="views"):
        FeatureEngine(table(), rows)
