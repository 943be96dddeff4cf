"""A latching breaker on standardised returns."""

from collections.abc import Iterator
from math import inf
from typing import ClassVar

import attrs

from bot4_core.domain_types.decisions import BreakerEffect
from bot4_core.domain_types.records import Feature
from bot4_core.plugins.interfaces import Breaker, CompiledForm, PartSettings
from bot4_plugins.breaker_statistical.kernel import (
    LONGEST_WINDOW,
    BreakerParam,
    BreakerValue,
    observe,
)

__all__ = ["Statistical", "StatisticalSettings"]


@attrs.frozen(kw_only=True)
class StatisticalSettings(PartSettings):
    """What counts as unusual, and what follows.

    Parameters
    ----------
    threshold : float
        Standard deviations; above 0.
    interval_ms : int
        Length of the returns that make up the window; at least 1.
    window : int
        Number of returns compared with, 2 to 960. Nothing trips before it is full.
    effect : BreakerEffect
        What a trip does: block_open, block_all, cancel_all or flatten.
    """

    threshold: float = 3.0
    interval_ms: int = 1000
    window: int = 120
    effect: BreakerEffect = BreakerEffect.CANCEL_ALL

    def faults(self) -> Iterator[tuple[str, str]]:
        """Yield what is wrong."""
        if not 0.0 < self.threshold < inf:
            yield "threshold", f"{self.threshold} is not a number above 0"
        if self.interval_ms < 1:
            yield "interval_ms", f"{self.interval_ms} is below 1"
        if not 2 <= self.window <= LONGEST_WINDOW:
            yield "window", f"{self.window} is not between 2 and {LONGEST_WINDOW}"
        if self.effect is BreakerEffect.NONE:
            yield "effect", "a breaker without effect protects nothing"


class Statistical(Breaker[StatisticalSettings]):
    """Trips when the log return of the mid is many standard deviations from those before it.

    The window never holds the value it judges: with it inside, the score of w values cannot
    exceed ``(w - 1) / sqrt(w)``, and a short window could not trip at all. After a motionless
    window any move trips.

    Raises
    ------
    ValidationError
        If a setting breaks a rule.
    """

    name: ClassVar[str] = "statistical"
    settings_type: ClassVar[type[PartSettings]] = StatisticalSettings
    reads: ClassVar[Feature] = Feature.NONE

    def compiled(self) -> CompiledForm:
        """Return the kernel with these settings."""
        given = self.settings
        params = CompiledForm.new_params()
        params["i"][BreakerParam.INTERVAL] = given.interval_ms * 1_000_000
        params["i"][BreakerParam.WINDOW] = given.window
        params["i"][BreakerParam.EFFECT] = int(given.effect)
        params["f"][BreakerParam.THRESHOLD] = given.threshold
        shown = (BreakerValue.RETURN, BreakerValue.MEAN, BreakerValue.DEVIATION, BreakerValue.SCORE)
        names = tuple((slot.name.lower(), int(slot)) for slot in shown)
        reason = (
            f"z-score {{score:.2f}}, at or beyond ±{given.threshold:g}: a move of {{return:+.4%}} "
            f"after {given.window} returns of {given.interval_ms / 1000:g} s"
        )
        return CompiledForm(function=observe, params=params, state_values=names, reasons=(reason,))
