"""Where an order stands in the queue of its level, as far as the displayed sizes tell."""

from typing import Final

from bot4_core.jit import kernel
from bot4_core.kernels.elementary import log1p
from bot4_core.kernels.matching_state import (
    AHEAD,
    INSTRUMENT,
    LEVEL,
    QUEUE_MODEL,
    QUEUE_POWER,
    SIZE_SCALE,
    TRADED,
    Desk,
    terms_of,
)

__all__ = [
    "LOG",
    "LOG_OF_WHOLE",
    "POWER",
    "POWER_AHEAD",
    "POWER_OF_WHOLE",
    "requeue",
    "share_behind",
]

RISK_AVERSE: Final = 0
POWER: Final = 1
POWER_OF_WHOLE: Final = 2
POWER_AHEAD: Final = 3
LOG: Final = 4
LOG_OF_WHOLE: Final = 5
ALMOST_ONE: Final = 1.0 - 2.0**-20  # so that rounding errors do not count as fractions


@kernel()
def power(base: float, exponent: int) -> float:
    """Return a whole power, multiplied out one by one: the same bits everywhere."""
    result = 1.0
    for _ in range(exponent):
        result *= base
    return result


@kernel(inline=True)
def share_behind(model: int, exponent: int, ahead: float, behind: float) -> float:
    """Return the share of what leaves a level that leaves from behind an order.

    With f(x) = x ** n for the power models and log(1 + x) for the others:

    ===================== =====================================
    model                 share
    ===================== =====================================
    ``POWER``, ``LOG``    f(behind) / (f(ahead) + f(behind))
    ``..._OF_WHOLE``      f(behind) / f(ahead + behind)
    ``POWER_AHEAD``       1 - f(ahead / (ahead + behind))
    ===================== =====================================

    Parameters
    ----------
    ahead, behind : float
        Sizes, not both 0; base units for the logarithmic models.

    References
    ----------
    .. [1] Rigtorp, E. (2013). Estimating order queue position.
    .. [2] hftbacktest, "Order Fill", section "Queue Models".
    """
    whole = ahead + behind
    if model == LOG:
        weight = log1p(behind)
        return weight / (log1p(ahead) + weight)
    if model == LOG_OF_WHOLE:
        return log1p(behind) / log1p(whole)
    if model == POWER_OF_WHOLE:
        return power(behind / whole, exponent)
    if model == POWER_AHEAD:
        return 1.0 - power(ahead / whole, exponent)
    weight = power(behind, exponent)
    return weight / (power(ahead, exponent) + weight)


@kernel(inline=True)
def requeue(desk: Desk, order: int, shown: int) -> None:
    """Move an order's queue position to the newly displayed size of its level.

    Risk-averse: only trades bring us forward, and never more is before us than is displayed.
    Probability: what left the level without a trade left from before us and from behind us (see
    ``share_behind``), rounded against us: a fraction of a lot counts as left from behind.
    """
    gone = desk[order + LEVEL] - desk[order + TRADED] - shown
    ahead = desk[order + AHEAD]
    if desk[QUEUE_MODEL] != RISK_AVERSE and gone > 0 and ahead > 0:
        behind = max(shown + gone - ahead, 0)
        unit = 1.0
        if desk[QUEUE_MODEL] >= LOG:
            unit = float(desk[terms_of(desk, desk[order + INSTRUMENT]) + SIZE_SCALE])
        share = share_behind(
            int(desk[QUEUE_MODEL]),
            int(desk[QUEUE_POWER]),
            float(ahead) / unit,
            float(behind) / unit,
        )
        ahead -= gone - min(int(share * float(gone) + ALMOST_ONE), behind)
    desk[order + AHEAD] = max(min(ahead, shown), 0)
    desk[order + LEVEL] = shown
    desk[order + TRADED] = 0
