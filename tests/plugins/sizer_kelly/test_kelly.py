"""Kelly sizes: published fractions, the bound, and the size that is missing to the target."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.reference.oracles import oracle
from tests.reference.part_rows import instrument, view_row

from bot4_core.domain_types.records import SIGNAL_DTYPE, Side
from bot4_core.errors import ValidationError
from bot4_core.plugins import PluginHost
from bot4_core.plugins.interfaces import CompiledForm, Record
from bot4_plugins.sizer_kelly import hooks
from bot4_plugins.sizer_kelly.kelly import Kelly, KellySettings
from bot4_plugins.sizer_kelly.kernel import KellyValue, kelly_share


def sized(
    view: Record,
    *,
    edge: float = 0.001,
    variance: float = 0.01,
    side: Side = Side.BUY,
    strength: float = 1.0,
    settings: KellySettings | None = None,
) -> tuple[int, list[float]]:
    form = Kelly(settings or KellySettings(), (instrument(),)).compiled()
    signal = np.zeros(1, SIGNAL_DTYPE)[0]
    signal["edge"], signal["variance"] = edge, variance
    signal["side"], signal["strength"] = side, strength
    state = CompiledForm.new_state()
    size = form.function(signal, view, state, form.params)
    return int(size), [float(state["f"][slot]) for slot in KellyValue]


def growth(share: float, edge: float, variance: float) -> float:
    """Return the expected log growth over the horizon (Thorp 2006, eq. 7.2)."""
    return share * edge - 0.5 * share * share * variance


def test_continuous_fractions_and_growth_agree_with_the_oracle() -> None:
    cases = [case for case in oracle("kelly") if case["id"].startswith("k-cont")]
    assert len(cases) == 2
    for case in cases:
        inputs, expected = case["inputs"], case["expected"]
        edge, variance = inputs["mu"] - inputs["r"], inputs["sigma"] ** 2
        full = kelly_share(edge, variance)
        assert full == pytest.approx(expected["full_kelly"], rel=1e-10)
        wanted = expected["growth_at_full"] - inputs["r"]
        assert growth(full, edge, variance) == pytest.approx(wanted, rel=1e-10)
        final = min(inputs["fraction"] * full, inputs["cap"])
        assert final == pytest.approx(expected["final"], rel=1e-10)


def test_half_kelly_keeps_three_quarters_of_the_growth() -> None:
    full = kelly_share(0.05, 0.04)
    assert growth(full / 2, 0.05, 0.04) == pytest.approx(0.75 * growth(full, 0.05, 0.04))


def test_size_is_the_share_of_equity_in_lots() -> None:
    size, values = sized(view_row(), edge=0.001, variance=0.01)
    assert values[:3] == pytest.approx([0.1, 0.05, 0.05])
    assert values[3] == pytest.approx(0.05 * 100_000 / 60)
    assert size == 80


@given(
    st.floats(-1, 1),
    st.floats(0, 1),
    st.integers(-2000, 2000),
    st.floats(0, 1),
    st.sampled_from([Side.BUY, Side.SELL]),
)
def test_position_after_a_fill_never_exceeds_a_quarter_of_equity(
    edge: float, variance: float, position: int, strength: float, side: Side
) -> None:
    size, _ = sized(
        view_row(position=position), edge=edge, variance=variance, side=side, strength=strength
    )
    assert size >= 0
    assert size % 10 == 0
    if size:
        assert side * position + size <= 0.25 * 100_000 / 60 + 1e-6


def test_position_on_the_other_side_is_closed_first() -> None:
    alone, _ = sized(view_row())
    turned, _ = sized(view_row(position=-100))
    reduced, _ = sized(view_row(position=100), side=Side.SELL)
    assert (turned, reduced) == (alone + 100, alone + 100)


def test_filled_target_asks_for_nothing() -> None:
    assert sized(view_row(position=500))[0] == 0


@pytest.mark.parametrize(
    "given_signal",
    [
        {"edge": 0.0},
        {"edge": -0.01},
        {"edge": math.nan},
        {"variance": math.nan},
        {"strength": 0.0},
    ],
)
def test_signal_without_an_edge_gets_no_size(given_signal: dict[str, float]) -> None:
    assert sized(view_row(), **given_signal)[0] == 0  # type: ignore[arg-type]  # fields by name


@pytest.mark.parametrize("fields", [{"equity": 0.0}, {"mid": math.nan}, {"mid": 0.0}])
def test_account_or_market_without_value_gets_no_size(fields: dict[str, float]) -> None:
    assert sized(view_row(**fields))[0] == 0


def test_edge_without_variance_is_bounded_all_the_same() -> None:
    _, values = sized(view_row(), variance=0.0)
    assert (values[0], values[2]) == (math.inf, 0.25)


def test_size_beyond_the_integers_is_refused() -> None:
    assert sized(view_row(size_unit=1e-16, equity=1e12))[0] == 0


def test_inverse_contracts_are_worth_base_units() -> None:
    view = view_row(multiplier=100.0, equity=1.0, size_unit=1.0, inverse=1)
    size, values = sized(view)
    assert values[3] == pytest.approx(0.05 * 60_000 / 100)
    assert size == 30


def test_all_wrong_settings_are_told_at_once() -> None:
    with pytest.raises(ValidationError) as caught:
        Kelly(KellySettings(fraction=1.5, cap=0.26), ())
    assert [path for path, _ in caught.value.faults] == ["fraction", "cap"]


def test_hooks_describe_the_class() -> None:
    host = PluginHost()
    host.register(hooks)
    assert host.load("sizer", "kelly") is Kelly
