"""The gate: the last word on every order, synchronous and closed where in doubt."""

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Final, NamedTuple

from bot4_core.domain_types.decisions import BreakerEffect
from bot4_core.domain_types.instruments import Instrument, InstrumentStatus
from bot4_core.domain_types.records import OrderFlag, Records
from bot4_core.kernels.limits import LimitCode
from bot4_core.risk.limits import LimitCheck
from bot4_core.risk.panel import BreakerPanel

__all__ = ["Decision", "Gate", "Refusal"]

REDUCE_ONLY: Final = int(OrderFlag.REDUCE_ONLY)
POST_ONLY: Final = int(OrderFlag.POST_ONLY)
LET_REDUCE: Final = frozenset({int(BreakerEffect.BLOCK_OPEN), int(BreakerEffect.FLATTEN)})
"""Effects that still let reduce-only orders out; under the others only cancels leave."""
SHAPES: Final = sum(
    1 << code
    for code in (
        LimitCode.SHAPE,
        LimitCode.TICK,
        LimitCode.LOT,
        LimitCode.MIN_SIZE,
        LimitCode.MAX_SIZE,
        LimitCode.MIN_NOTIONAL,
    )
)


class Refusal(StrEnum):
    """Why the gate keeps an order back."""

    VALIDATION = "validation"
    STATUS = "instrument_status"
    LIMIT = "limit"
    BREAKER = "breaker"
    AUDIT = "audit"


class Decision(NamedTuple):
    """What the gate said of one order, with every number it looked at.

    ``numbers`` holds a pair (used, allowed) of integers for each limit, in the order of
    ``LimitCode``.
    """

    allowed: bool
    refusals: tuple[tuple[Refusal, str], ...]
    broken: int
    numbers: list[list[int]]
    breakers: tuple[tuple[str, BreakerEffect], ...]


class Gate:
    """Judges orders by validation, limits, breakers and the health of the audit log.

    Parameters
    ----------
    instruments : sequence of Instrument
    limits : LimitCheck
    panel : BreakerPanel
    healthy : callable
        Whether the audit log can still be written; while it says no, no new risk is taken.
    """

    def __init__(
        self,
        instruments: Sequence[Instrument],
        limits: LimitCheck,
        panel: BreakerPanel,
        healthy: Callable[[], bool] = lambda: True,
    ) -> None:
        self.statuses = [each.status for each in instruments]
        self.limits = limits
        self.panel = panel
        self.healthy = healthy

    def decide(self, intents: Records) -> Decision:
        """Judge the one INTENT row. Nothing is reserved: call `admit` once the order leaves."""
        _, number, _, _, _, flags, _, _, _ = intents.item(0)
        broken = self.limits.check(intents)
        refusals = self._broken(broken) if broken else []
        if broken >> LimitCode.SHAPE & 1:
            return self._decision(refusals, broken, 0, number)
        if self.statuses[number] is not InstrumentStatus.TRADING:
            refusals += self._status_faults(number, flags)
        effect = self.panel.effects[number]
        if effect and not (flags & REDUCE_ONLY and effect in LET_REDUCE):
            refusals.append((Refusal.BREAKER, self._holding(number)))
        if not (flags & REDUCE_ONLY or self.healthy()):
            refusals.append((Refusal.AUDIT, "the audit log cannot be written"))
        return self._decision(refusals, broken, effect, number)

    def admit(self, time: int) -> None:
        """Count an order that leaves towards the order rate and the open orders."""
        self.limits.note(time)

    def _decision(
        self, refusals: list[tuple[Refusal, str]], broken: int, effect: int, number: int
    ) -> Decision:
        holding = self.panel.holding(number) if effect else ()
        return Decision(not refusals, tuple(refusals), broken, self.limits.found.tolist(), holding)

    def _broken(self, broken: int) -> list[tuple[Refusal, str]]:
        groups = ((Refusal.VALIDATION, broken & SHAPES), (Refusal.LIMIT, broken & ~SHAPES))
        return [
            (refusal, ", ".join(code.name.lower() for code in LimitCode if bits >> code & 1))
            for refusal, bits in groups
            if bits
        ]

    def _status_faults(self, number: int, flags: int) -> list[tuple[Refusal, str]]:
        status = self.statuses[number]
        if status is InstrumentStatus.POST_ONLY and flags & POST_ONLY:
            return []
        return [(Refusal.STATUS, status.value)]

    def _holding(self, number: int) -> str:
        held = self.panel.holding(number)
        return ", ".join(f"{name} ({effect.name.lower()})" for name, effect in held)
