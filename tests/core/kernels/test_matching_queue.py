"""Queue models: what share of a shrinking level leaves from behind an order."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot4_core.kernels.matching_queue import (
    LOG,
    LOG_OF_WHOLE,
    POWER,
    POWER_AHEAD,
    POWER_OF_WHOLE,
    share_behind,
)

MODELS = (POWER, POWER_OF_WHOLE, POWER_AHEAD, LOG, LOG_OF_WHOLE)
SIZES = st.floats(0.0, 1e12)


@pytest.mark.parametrize(
    ("model", "exponent", "share"),
    [
        (POWER, 1, 3 / 4),  # hftbacktest: IdentityProbQueueModel
        (POWER, 2, 9 / 10),  # SquareProbQueueModel
        (POWER, 3, 27 / 28),  # PowerProbQueueModel(3)
        (POWER_OF_WHOLE, 3, 27 / 64),  # PowerProbQueueModel2(3)
        (POWER_AHEAD, 3, 63 / 64),  # PowerProbQueueModel3(3)
        (LOG, 1, math.log(4) / (math.log(2) + math.log(4))),  # LogProbQueueModel
        (LOG_OF_WHOLE, 1, math.log(4) / math.log(5)),  # LogProbQueueModel2
    ],
)
def test_share_behind_is_the_documented_formula(model: int, exponent: int, share: float) -> None:
    assert share_behind(model, exponent, 1.0, 3.0) == pytest.approx(share, rel=1e-15)


@pytest.mark.parametrize("model", MODELS)
def test_nothing_leaves_from_behind_the_last_and_all_from_behind_the_first(model: int) -> None:
    assert share_behind(model, 3, 5.0, 0.0) == 0.0
    assert share_behind(model, 3, 0.0, 5.0) == 1.0


@pytest.mark.parametrize("model", MODELS)
@given(ahead=st.floats(1e-3, 1e12), behind=SIZES, more=SIZES, exponent=st.integers(1, 8))
def test_more_leaves_from_behind_the_more_is_behind(
    model: int, ahead: float, behind: float, more: float, exponent: int
) -> None:
    less, greater = sorted((behind, more))
    first = share_behind(model, exponent, ahead, less)
    second = share_behind(model, exponent, ahead, greater)
    assert 0.0 <= first <= second + 1e-12
    assert second <= 1.0
