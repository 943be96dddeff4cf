"""How the paper venue delays, queues, charges and keeps orders of ours apart."""

from collections.abc import Iterator
from decimal import Decimal
from itertools import pairwise
from typing import Final

import attrs
from attrs.validators import ge, in_, le

from bot4_core.kernels.matching_latency import CONSTANT, FROM_FEED, SAMPLED
from bot4_core.kernels.matching_queue import (
    LOG,
    LOG_OF_WHOLE,
    POWER,
    POWER_AHEAD,
    POWER_OF_WHOLE,
    RISK_AVERSE,
)
from bot4_core.kernels.matching_state import EXPIRE_BOTH, EXPIRE_MAKER, EXPIRE_TAKER

__all__ = ["LATENCIES", "PROFILES", "SELF_TRADES", "FeeTier", "PaperSettings"]

LATENCIES: Final = {"constant": CONSTANT, "sampled": SAMPLED, "feed": FROM_FEED}
PROFILES: Final = {
    "power": POWER,
    "power_of_whole": POWER_OF_WHOLE,
    "power_ahead": POWER_AHEAD,
    "log": LOG,
    "log_of_whole": LOG_OF_WHOLE,
}
SELF_TRADES: Final = {
    "expire_taker": EXPIRE_TAKER,
    "expire_maker": EXPIRE_MAKER,
    "expire_both": EXPIRE_BOTH,
}
MOST_SAMPLES: Final = 65_536
LONGEST: Final = 3_600_000_000_000
MOST_RATE: Final = Decimal("0.1")
Fault = tuple[str, str]


@attrs.frozen(kw_only=True)
class FeeTier:
    """The fees from a filled volume of this session on.

    Parameters
    ----------
    volume : Decimal
        Notional in the settlement asset, above 0.
    maker, taker : Decimal
        Fractions of notional; a negative maker fee is a rebate.
    """

    volume: Decimal
    maker: Decimal
    taker: Decimal

    def faults(self) -> Iterator[Fault]:
        """Yield what is wrong."""
        if not self.volume.is_finite() or self.volume <= 0:
            yield "volume", f"{self.volume} is not above 0"
        for name in ("maker", "taker"):
            rate = getattr(self, name)
            if not rate.is_finite() or abs(rate) > MOST_RATE:
                yield name, f"{rate} is not between -{MOST_RATE} and {MOST_RATE}"


@attrs.frozen(kw_only=True)
class PaperSettings:
    """How the paper venue delays, queues, charges and keeps orders of ours apart.

    Parameters
    ----------
    latency_out_ns, latency_back_ns : int
        From sending a request until it meets the book as we see it (so it contains the feed's
        delay), and from there until the answer reaches us.
    queue : str
        ``"risk_averse"``: only trades bring a resting order forward. ``"probability"``: size that
        leaves a level without a trade leaves partly from before us.
    queue_power : int
        Exponent of the power profiles; higher leaves more from the longer part of the queue.
    queue_profile : str
        Which function of the sizes before and behind us the probability is; see
        ``kernels.matching_queue.share_behind``.
    latency : str
        ``"constant"``. ``"sampled"``: each drawn from the samples, or without any from a
        log-normal distribution whose medians are ``latency_out_ns`` and ``latency_back_ns``.
        ``"feed"``: those, and a share of what the last market message took.
    latency_spread : float
        Standard deviation of the logarithm of drawn latencies.
    latency_out_samples_ns, latency_back_samples_ns : tuple of int
        Measured latencies, each as likely as the others.
    feed_out_percent, feed_back_percent : int
        Share of the feed's delay, from the recording's exchange and receive times.
    self_trade : str
        Which of two orders of ours expires where they would trade with each other.
    fee_tiers : tuple of FeeTier
        In order of volume; below the first the instruments' own fees hold.
    """

    latency_out_ns: int = attrs.field(default=5_000_000, validator=ge(0))
    latency_back_ns: int = attrs.field(default=5_000_000, validator=ge(0))
    queue: str = attrs.field(default="risk_averse", validator=in_(["probability", "risk_averse"]))
    queue_power: int = attrs.field(default=3, validator=[ge(1), le(8)])
    queue_profile: str = attrs.field(default="power", validator=in_(sorted(PROFILES)))
    latency: str = attrs.field(default="constant", validator=in_(sorted(LATENCIES)))
    latency_spread: float = attrs.field(default=0.5, validator=[ge(0.0), le(4.0)])
    latency_out_samples_ns: tuple[int, ...] = ()
    latency_back_samples_ns: tuple[int, ...] = ()
    feed_out_percent: int = attrs.field(default=200, validator=[ge(0), le(10_000)])
    feed_back_percent: int = attrs.field(default=100, validator=[ge(0), le(10_000)])
    self_trade: str = attrs.field(default="expire_taker", validator=in_(sorted(SELF_TRADES)))
    fee_tiers: tuple[FeeTier, ...] = ()

    @property
    def queue_model(self) -> int:
        """The number of the model in ``kernels.matching_queue``."""
        return RISK_AVERSE if self.queue == "risk_averse" else PROFILES[self.queue_profile]

    def faults(self) -> Iterator[Fault]:
        """Yield what is wrong."""
        samples = ("latency_out_samples_ns", "latency_back_samples_ns")
        for name in samples:
            yield from self._sample_faults(name, getattr(self, name))
        if bool(self.latency_out_samples_ns) != bool(self.latency_back_samples_ns):
            yield samples[0], f"give {samples[1]} too, or neither"
        for place, (before, after) in enumerate(pairwise(self.fee_tiers), 1):
            if after.volume <= before.volume:
                fault = f"{after.volume} is not above {before.volume}, the tier before"
                yield f"fee_tiers[{place}].volume", fault

    def _sample_faults(self, name: str, values: tuple[int, ...]) -> Iterator[Fault]:
        if values and self.latency != "sampled":
            yield name, f"is for latency 'sampled', not {self.latency!r}"
        if len(values) > MOST_SAMPLES:
            yield name, f"{len(values)} are more than {MOST_SAMPLES}"
        if not all(0 <= each <= LONGEST for each in values):
            yield name, f"{min(values)} to {max(values)} leaves 0 to {LONGEST} (an hour)"
