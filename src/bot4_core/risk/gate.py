"""The gate: the last word on every order, synchronous and closed where in doubt."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Final, NamedTuple

from bot4_core.domain_types.instruments import Instrument, InstrumentStatus
from bot4_core.domain_types.records import Records
from bot4_core.kernels.limits import LimitCode
from bot4_core.kernels.order_gate import Refused, verdict
from bot4_core.kernels.order_rows import FULL_STATUS, PASSIVE_STATUS, Slot
from bot4_core.kernels.tables import Tables
from bot4_core.risk.limits import LimitCheck
from bot4_core.risk.panel import BreakerPanel

__all__ = ["Decision", "Gate", "Refusal"]

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
LIMITS: Final = (1 << len(LimitCode)) - 1
OPEN_STATUS: Final = {
    InstrumentStatus.TRADING: FULL_STATUS,
    InstrumentStatus.POST_ONLY: PASSIVE_STATUS,
}


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


class Gate:
    """Judges orders by validation, limits, breakers and the health of the audit log.

    The judging is done by kernels (``order_entry.verdict``) on the session's tables; this front
    keeps what they read up to date, and says in words what they found.

    Parameters
    ----------
    instruments : sequence of Instrument
    limits : LimitCheck
    panel : BreakerPanel
        Writes its effects into the desks.
    tables : Tables
    """

    def __init__(
        self,
        instruments: Sequence[Instrument],
        limits: LimitCheck,
        panel: BreakerPanel,
        tables: Tables,
    ) -> None:
        self.limits = limits
        self.panel = panel
        self._tables = tables
        self._statuses = [each.status for each in instruments]
        for number, status in enumerate(self._statuses):
            self.set_status(number, status)

    @property
    def healthy(self) -> bool:
        """Whether the audit log can be written; while it cannot, no new risk is taken."""
        return bool(self._tables[Slot.CONDUCT]["healthy"][0])

    @healthy.setter
    def healthy(self, healthy: bool) -> None:
        self._tables[Slot.CONDUCT]["healthy"] = int(healthy)

    def set_status(self, instrument: int, status: InstrumentStatus) -> None:
        """Follow what the venue says of an instrument; only trading ones take new orders."""
        self._statuses[instrument] = status
        self._tables[Slot.DESKS]["open_status"][instrument] = OPEN_STATUS.get(status, 0)

    def status(self, instrument: int) -> InstrumentStatus:
        """Return what the venue last said of an instrument."""
        return self._statuses[instrument]

    def decide(self, intents: Records) -> Decision:
        """Judge the one INTENT row, without reserving anything."""
        self._tables[Slot.INTENTS][:] = intents
        broken = verdict(self._tables.handle)
        number = int(intents["instrument"][0])
        numbers = self._tables[Slot.FOUND].reshape(-1, 2).tolist()
        return Decision(not broken, self.refusals(broken, number), broken & LIMITS, numbers)

    def refusals(self, broken: int, number: int) -> tuple[tuple[Refusal, str], ...]:
        """Say why an order of an instrument was kept back: all bits of ``verdict`` in words."""
        found = [
            (refusal, ", ".join(code.name.lower() for code in LimitCode if bits >> code & 1))
            for refusal, bits in (
                (Refusal.VALIDATION, broken & SHAPES),
                (Refusal.LIMIT, broken & LIMITS & ~SHAPES),
            )
            if bits
        ]
        if broken >> Refused.STATUS & 1:
            found.append((Refusal.STATUS, self._statuses[number].value))
        if broken >> Refused.BREAKER & 1:
            found.append((Refusal.BREAKER, self._holding(number)))
        if broken >> Refused.AUDIT & 1:
            found.append((Refusal.AUDIT, "the audit log cannot be written"))
        return tuple(found)

    def _holding(self, number: int) -> str:
        held = self.panel.holding(number)
        return ", ".join(f"{name} ({effect.name.lower()})" for name, effect in held)
