"""What parts say to each other: signals, sizes, verdicts, routes."""

from enum import StrEnum
from typing import TypeAlias

import attrs

from bot4_core.domain_types.canonical_types import InstrumentId, Nanoseconds, Price, VenueName
from bot4_core.domain_types.records import BreakerEffect, Side, SignalAction

__all__ = [
    "BreakerEffect",
    "BreakerScope",
    "BreakerVerdict",
    "ChildOrder",
    "Exits",
    "NamedValues",
    "Signal",
]


NamedValues: TypeAlias = tuple[tuple[str, float], ...]
"""Numbers behind a decision, by name."""


class BreakerScope(StrEnum):
    """How much a breaker stops."""

    INSTRUMENT = "instrument"
    VENUE = "venue"
    SESSION = "session"


@attrs.frozen(kw_only=True)
class BreakerVerdict:
    """What a breaker says after one observation."""

    breaker: str
    effect: BreakerEffect
    scope: BreakerScope
    instrument: InstrumentId
    time: Nanoseconds
    reason: str
    values: NamedValues = ()


@attrs.frozen(kw_only=True)
class Exits:
    """How what a signal opens is to be closed again: a target that rests, a stop, a trail."""

    target: Price | None = None
    stop: Price | None = None
    trail: Price | None = None  # distance of the stop behind the best price seen


@attrs.frozen(kw_only=True)
class Signal:
    """What a strategy wants, how sure it is, and why.

    With ``exits`` its order becomes the entry of a linked order (a bracket), one at a time an
    instrument and side.
    """

    instrument: InstrumentId
    action: SignalAction
    side: Side
    price: Price | None = None  # a quote needs one; a take without one trades at market
    horizon: Nanoseconds
    strength: float  # conviction in [0, 1]
    edge: float  # expected return of the trade over the horizon, a fraction
    variance: float  # of that return
    reason: str
    values: NamedValues = ()
    exits: Exits | None = None


@attrs.frozen(kw_only=True)
class ChildOrder:
    """One venue's share of a parent order."""

    venue: VenueName
    instrument: InstrumentId
    size: int  # scaled at the instrument's size exponent
    price: int  # scaled likewise, 0 for at market
    reason: str = ""
