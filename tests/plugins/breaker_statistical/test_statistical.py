"""The statistical breaker: trips on the value outside its window, and stays tripped."""

import math

import numpy as np
import pytest
from tests.reference.oracles import oracle
from tests.reference.part_rows import view_row
from tests.reference.rolling_moments import prior_scores

from bot4_core.domain_types.decisions import BreakerEffect, BreakerScope
from bot4_core.domain_types.records import VIEW_DTYPE, BookState
from bot4_core.errors import ValidationError
from bot4_core.plugins import PluginHost
from bot4_core.plugins.interfaces import CompiledForm
from bot4_core.session.breakers import breaker_observer
from bot4_core.session.parts import CompiledMemory
from bot4_plugins.breaker_statistical import hooks
from bot4_plugins.breaker_statistical.kernel import BreakerValue
from bot4_plugins.breaker_statistical.statistical import Statistical, StatisticalSettings

SECOND = 10**9
SETTINGS = StatisticalSettings(threshold=3.0, window=4)


class Watch:
    """A breaker on one instrument, shown one mid after the other."""

    def __init__(self, settings: StatisticalSettings) -> None:
        self.form = Statistical(settings, ()).compiled()
        self.state = CompiledForm.new_state()
        self.time = 10**18

    def show(self, mid: float, *, after: int = SECOND, state: BookState = BookState.LIVE) -> int:
        self.time += after
        view = view_row(mid=mid, received=self.time, state=state)
        return int(self.form.function(view, self.state, self.form.params))

    @property
    def score(self) -> float:
        return float(self.state["f"][BreakerValue.SCORE])


def mids(returns: list[float]) -> list[float]:
    return [60_000.0 * math.exp(each) for each in np.cumsum([0.0, *returns])]


def test_scores_and_trips_agree_with_the_oracle() -> None:
    for case in oracle("zscore_breaker"):
        inputs, prior = case["inputs"], case["expected"]["prior"]
        if case["id"] == "z-constant-then-jump":
            continue  # the rounding of exp and log leaves no constant returns
        settings = StatisticalSettings(threshold=inputs["threshold"], window=inputs["window"])
        watch = Watch(settings)
        tripped = False
        for place, mid in enumerate(mids([each / 1000 for each in inputs["x"]])):
            effect = watch.show(mid)
            if place == 0 or tripped:
                continue
            wanted = prior["z"][place - 1]
            assert watch.score == pytest.approx(
                math.nan if wanted is None else wanted, rel=1e-8, abs=1e-8, nan_ok=True
            )
            tripped = bool(prior["tripped"][place - 1])
            assert (effect > 0) is tripped


def test_trip_lasts_until_the_state_is_emptied() -> None:
    watch = Watch(SETTINGS)
    values = mids([0.001, -0.001, 0.001, -0.001, 0.02])
    effects = [watch.show(mid) for mid in values]
    assert effects == [0, 0, 0, 0, 0, BreakerEffect.CANCEL_ALL]
    assert watch.show(values[-1]) == BreakerEffect.CANCEL_ALL
    assert watch.show(values[-1], state=BookState.STALE) == BreakerEffect.CANCEL_ALL
    watch.state = CompiledForm.new_state()
    assert watch.show(values[-1]) == 0


def test_return_of_exactly_the_threshold_trips() -> None:
    watch = Watch(StatisticalSettings(threshold=2.0, window=2, interval_ms=1000))
    for mid in mids([0.001, 0.003]):
        watch.show(mid)
    bound = watch.form.params["f"]
    watch.show(mids([0.001, 0.003, 0.004])[-1], after=1)
    bound[0] = abs(watch.score)
    assert watch.show(mids([0.001, 0.003, 0.004])[-1], after=1) > 0


def test_motionless_window_trips_on_any_move() -> None:
    watch = Watch(SETTINGS)
    for _ in range(6):
        assert watch.show(60_000.0) == 0
    assert watch.score == 0.0
    assert watch.show(60_000.1) > 0
    assert watch.score == math.inf


def test_jump_inside_an_interval_trips_at_once_and_enters_no_window() -> None:
    watch = Watch(SETTINGS)
    for mid in mids([0.001, -0.001, 0.001, -0.001]):
        watch.show(mid)
    assert watch.show(60_001.0, after=10) == 0
    assert watch.show(61_000.0, after=10) > 0
    assert int(watch.state["i"][0]) == 4


def test_nothing_trips_before_the_window_is_full() -> None:
    watch = Watch(SETTINGS)
    for mid in mids([0.0, 0.0, 0.0, 0.5]):
        assert watch.show(mid) == 0
        assert math.isnan(watch.score) or watch.score == 0.0


@pytest.mark.parametrize(
    ("mid", "state"), [(60_000.0, BookState.STALE), (math.nan, BookState.LIVE)]
)
def test_move_across_a_gap_of_the_book_is_no_return(mid: float, state: BookState) -> None:
    watch = Watch(SETTINGS)
    for each in mids([0.001, -0.001, 0.001, -0.001]):
        watch.show(each)
    assert watch.show(mid, state=state) == 0
    assert watch.show(66_000.0) == 0
    assert watch.show(66_010.0) == 0


def test_scores_follow_a_long_stream() -> None:
    returns = np.random.default_rng(4).normal(0, 1e-4, 300).tolist()
    watch = Watch(StatisticalSettings(threshold=50.0, window=60))
    scores = [watch.score for mid in mids(returns) if watch.show(mid) == 0]
    np.testing.assert_allclose(scores[1:], prior_scores(returns, 60), rtol=1e-6, atol=1e-6)


def test_explanation_names_the_numbers() -> None:
    names = [name for name, _ in Statistical(SETTINGS, ()).compiled().state_values]
    assert names == ["return", "mean", "deviation", "score"]


def test_a_trip_says_what_happened_with_its_numbers() -> None:
    settings = StatisticalSettings(threshold=2.5, window=4, interval_ms=500)
    rows = np.zeros(1, VIEW_DTYPE)
    breaker = Statistical(settings, ())
    memory = CompiledMemory(breaker.compiled(), 1)
    observer = breaker_observer(breaker, "statistical", BreakerScope.INSTRUMENT, rows, memory)
    effects = []
    for step, mid in enumerate(mids([0.001, -0.001, 0.001, -0.001, -0.02]), 1):
        rows["mid"], rows["received"], rows["state"] = mid, step * SECOND // 2, BookState.LIVE
        effects.append(observer.observe[0]())
    assert effects == [0, 0, 0, 0, 0, BreakerEffect.CANCEL_ALL]
    reason, values = observer.explain(0)
    assert reason == (
        "z-score -17.32, at or beyond ±2.5: a move of -2.0000% after 4 returns of 0.5 s"
    )
    assert dict(values)["score"] == pytest.approx(-17.3205, abs=1e-4)


def test_all_wrong_settings_are_told_at_once() -> None:
    settings = StatisticalSettings(
        threshold=math.nan, interval_ms=0, window=961, effect=BreakerEffect.NONE
    )
    with pytest.raises(ValidationError) as caught:
        Statistical(settings, ())
    paths = [path for path, _ in caught.value.faults]
    assert paths == ["threshold", "interval_ms", "window", "effect"]


def test_hooks_describe_the_class() -> None:
    host = PluginHost()
    host.register(hooks)
    assert host.load("breaker", "statistical") is Statistical
