"""Quotes of the market maker: the published formulas, and what it does with inventory."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.reference.oracles import oracle
from tests.reference.part_rows import instrument, view_row

from bot4_core.domain_types.records import SIGNAL_DTYPE, BookState, Side, SignalAction
from bot4_core.errors import ValidationError
from bot4_core.plugins import PluginHost
from bot4_core.plugins.interfaces import CompiledForm, Record, Records
from bot4_plugins.strategy_market_making import hooks
from bot4_plugins.strategy_market_making.kernel import Reason, optimal_spread, reservation_offset
from bot4_plugins.strategy_market_making.market_making import MarketMaking, MarketMakingSettings

QUOTE, CANCEL = SignalAction.QUOTE, SignalAction.CANCEL


def decide(view: Record, settings: MarketMakingSettings | None = None, **given: Any) -> Records:
    part = MarketMaking(settings or MarketMakingSettings(), (instrument(**given),))
    form = part.compiled()
    signals = np.zeros(16, SIGNAL_DTYPE)
    count = form.function(view, CompiledForm.new_state(), form.params, signals)
    assert count == 2
    assert signals["side"][:2].tolist() == [Side.BUY, Side.SELL]
    return signals[:2]


def test_quotes_agree_with_the_oracle() -> None:
    cases = [case for case in oracle("avellaneda_stoikov") if "s" in case["inputs"]]
    assert len(cases) == 3
    for case in cases:
        given, expected = case["inputs"], case["expected"]
        left, variance = given["T"] - given["t"], given["sigma"] ** 2
        centre = given["s"] + reservation_offset(given["q"], given["gamma"], variance, left)
        spread = optimal_spread(given["gamma"], given["k"], variance, left)
        assert centre == pytest.approx(expected["reservation"], rel=1e-11)
        assert spread == pytest.approx(expected["spread"], rel=1e-11)


def test_average_spreads_are_those_of_the_paper() -> None:
    """Avellaneda and Stoikov (2008), tables 1 and 3: 1.49 and 1.35."""
    for case in oracle("avellaneda_stoikov"):
        given = case["inputs"]
        if "dt" not in given:
            continue
        steps = round(given["T"] / given["dt"])
        spreads = [
            optimal_spread(given["gamma"], given["k"], given["sigma"] ** 2, given["T"] - t)
            for t in np.arange(steps) * given["dt"]
        ]
        assert np.mean(spreads) == pytest.approx(case["expected"]["average_spread"], abs=6e-3)


def test_without_aversion_the_spread_is_its_limit() -> None:
    assert optimal_spread(0.0, 1.5, 4.0, 1.0) == 2.0 / 1.5
    assert optimal_spread(1e-12, 1.5, 4.0, 1.0) == pytest.approx(2.0 / 1.5)


def test_flat_market_maker_quotes_around_the_mid() -> None:
    bid, ask = decide(view_row())
    assert (bid["action"], ask["action"]) == (QUOTE, QUOTE)
    assert bid["price"] + ask["price"] == pytest.approx(1_200_000, abs=1)
    half = bid["values"][1]
    assert half == pytest.approx(0.5 * (0.1 * 0.25 * 10 + 20.0 * math.log1p(0.1 / 1.5)))
    assert bid["price"] == math.floor(10 * (60_000 - half * 6.0))
    assert bid["variance"] == pytest.approx((3.0 / 60_000) ** 2 * 10)
    assert bid["edge"] == pytest.approx((60_000 - bid["price"] / 10) / 60_000)


@given(st.floats(-4, 4), st.floats(0.01, 50))
def test_quotes_lean_against_inventory_and_never_touch(units: float, volatility: float) -> None:
    position = round(units * 0.05 * 100_000 / 60)
    bid, ask = decide(view_row(position=position, volatility=volatility))
    flat_bid, flat_ask = decide(view_row(volatility=volatility))
    assert bid["price"] < 600_010
    assert ask["price"] > 599_990
    if position > 0:
        assert bid["price"] <= flat_bid["price"]
        assert ask["price"] <= flat_ask["price"]
    if position < 0:
        assert bid["price"] >= flat_bid["price"]
        assert ask["price"] >= flat_ask["price"]


@pytest.mark.parametrize(("position", "place"), [(500, 0), (-500, 1)])
def test_side_that_grows_a_full_inventory_is_withdrawn(position: int, place: int) -> None:
    signals = decide(view_row(position=position))
    assert signals[place]["action"] == CANCEL
    assert signals[place]["reason"] == Reason.INVENTORY
    assert signals[1 - place]["action"] == QUOTE


def test_inventory_of_an_inverse_contract_counts_in_its_base() -> None:
    view = view_row(position=100_000, multiplier=100.0, equity=1.0, inverse=1)
    (bid, _) = decide(view)
    assert bid["values"][3] == pytest.approx(100 * 100 / 60_000 / 0.05)


def test_inventory_without_equity_counts_as_none() -> None:
    assert decide(view_row(position=500, equity=0.0))[0]["values"][3] == 0.0


@pytest.mark.parametrize(
    "fields",
    [
        {"state": BookState.STALE},
        {"state": BookState.CROSSED},
        {"mid": math.nan},
        {"volatility": math.nan},
    ],
)
def test_without_ground_both_sides_are_withdrawn(fields: dict[str, float]) -> None:
    for signal in decide(view_row(**fields)):
        assert (signal["action"], signal["reason"]) == (CANCEL, Reason.NOT_READY)
        assert signal["values"].tolist() == [0.0] * 4


def test_quotes_earn_the_least_edge_after_the_dearest_maker_fee() -> None:
    settings = MarketMakingSettings(least_edge=1.0)
    bid, ask = decide(view_row(), settings, maker="0.0002")
    assert bid["values"][1] == pytest.approx(3.0)
    assert decide(view_row(), settings, maker="-0.0002")[0]["values"][1] == pytest.approx(1.0)
    assert ask["price"] - bid["price"] >= 2 * 3.0 * 60


def test_reasons_cover_every_code() -> None:
    assert len(MarketMaking.reasons) == len(Reason)
    assert len(MarketMaking.value_names) == 4


def test_all_wrong_settings_are_told_at_once() -> None:
    settings = MarketMakingSettings(
        risk_aversion=-1.0,
        fill_decay=0.0,
        horizon_seconds=math.nan,
        inventory_unit=math.inf,
        most_units=0.0,
        least_edge=math.nan,
    )
    with pytest.raises(ValidationError) as caught:
        MarketMaking(settings, ())
    assert len(caught.value.faults) == 6


def test_hooks_describe_the_class() -> None:
    host = PluginHost()
    host.register(hooks)
    assert host.load("strategy", "market_making") is MarketMaking


def test_fees_are_covered_unless_told_otherwise() -> None:
    paying = decide(view_row(), MarketMakingSettings(cover_fees=False), maker="0.0002")
    covered = decide(view_row(), MarketMakingSettings(), maker="0.0002")
    assert covered[0]["values"][1] >= 2.0 > paying[0]["values"][1]
