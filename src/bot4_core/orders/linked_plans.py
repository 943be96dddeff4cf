"""What linked orders are to do, before anything is placed."""

from collections.abc import Collection, Iterator
from decimal import Decimal
from enum import StrEnum
from typing import Final

import attrs

from bot4_core.domain_types.instruments import Instrument
from bot4_core.domain_types.number_text import scaled_from_text
from bot4_core.domain_types.records import OrderType, Side
from bot4_core.domain_types.venue_capabilities import Capabilities
from bot4_core.errors import Bot4Error, ValidationError

__all__ = [
    "LinkedForm",
    "LinkedKind",
    "LinkedPlan",
    "LinkedSettings",
    "LinkedStatus",
    "form_at",
    "native_kinds",
    "plan_on",
]


class LinkedKind(StrEnum):
    """What a plan amounts to; a venue's capabilities name it if it does it by itself."""

    OCO = "oco"
    BRACKET = "bracket"
    TRAILING_STOP = "trailing_stop"
    STOP = "stop"
    ICEBERG = "iceberg"
    LIMIT = "limit"


SINGLE: Final = {
    LinkedKind.ICEBERG: OrderType.ICEBERG,
    LinkedKind.STOP: OrderType.STOP,
    LinkedKind.TRAILING_STOP: OrderType.TRAILING_STOP,
}
"""Order types that are a plan of their own; links between orders are the kernel's work so far."""


class LinkedForm(StrEnum):
    """Who looks after the links."""

    NATIVE = "native"  # the venue
    EMULATED = "emulated"  # the kernel, from the prices it sees and only while it runs


class LinkedStatus(StrEnum):
    """How far a plan has come."""

    WORKING = "working"
    STOPPED = "stopped"  # the stop has started
    DONE = "done"  # everything that was entered is closed
    UNENTERED = "unentered"  # it ended without a fill
    CANCELLED = "cancelled"


@attrs.frozen(kw_only=True)
class LinkedPlan:
    """Orders of one instrument whose fates hang together; prices and sizes are scaled integers.

    Parameters
    ----------
    side : Side
        Of the exits; an entry has the other one.
    size : int
    entry : int
        Limit price of an entry whose fills the exits close, 0 for none.
    target : int
        Limit price of the exit that rests at the venue, 0 for none.
    stop : int
        Touch price that starts the exit at market, 0 for none.
    trail : int
        Distance behind the best touch price seen at which that exit starts, 0 for none.
    visible : int
        What the book shows of the target at once, 0 for all.
    smallest : int
        Size below which the venue takes no order.
    tries : int
        How often a target may be rejected before it is given up.
    pause : int
        How long to wait before a cancel is repeated or a rejected exit sent anew, ns.

    Raises
    ------
    ValidationError
        All faults at once.
    """

    side: Side
    size: int
    entry: int = 0
    target: int = 0
    stop: int = 0
    trail: int = 0
    visible: int = 0
    smallest: int = 1
    tries: int = 3
    pause: int = 1_000_000_000

    def __attrs_post_init__(self) -> None:
        faults = [
            (name, f"{getattr(self, name)} is below zero")
            for name in ("entry", "target", "stop", "trail", "visible", "pause")
            if getattr(self, name) < 0
        ]
        if self.side is Side.NONE:
            faults.append(("side", "is none, expected buy or sell"))
        if not 0 < self.smallest <= self.size:
            faults.append(("size", f"{self.size} is below the smallest, {self.smallest}"))
        if not (self.target or self.stop or self.trail):
            faults.append(("target", "is missing, and so are stop and trail: nothing would exit"))
        if self.target and self.stop and (self.target - self.stop) * self.side >= 0:
            faults.append(("stop", f"{self.stop} is on the target's side of {self.target}"))
        if self.visible and not (self.target and self.smallest <= self.visible):
            faults.append(
                ("visible", f"{self.visible} needs a target, and {self.smallest} at least")
            )
        if faults:
            raise ValidationError(faults)

    def faults_on(self, instrument: Instrument) -> list[tuple[str, str]]:
        """Return what of the plan the venue would not take."""
        tick, lot, least = instrument.tick, instrument.lot, instrument.min_size
        faults = [
            (name, f"{getattr(self, name)} is off the tick, {tick}")
            for name in ("entry", "target")
            if getattr(self, name) % max(1, tick)
        ]
        faults += [
            (name, f"{getattr(self, name)} is off the lot, {lot}")
            for name in ("size", "visible")
            if getattr(self, name) % max(1, lot)
        ]
        if self.size < least:
            faults.append(("size", f"{self.size} is below the least, {least}"))
        return faults

    @property
    def kind(self) -> LinkedKind:
        """What the plan amounts to."""
        if self.entry:
            return LinkedKind.BRACKET
        if self.stop or self.trail:
            if self.target:
                return LinkedKind.OCO
            return LinkedKind.TRAILING_STOP if self.trail else LinkedKind.STOP
        return LinkedKind.ICEBERG if self.visible else LinkedKind.LIMIT


@attrs.frozen(kw_only=True)
class LinkedSettings:
    """A linked order in decimal numbers, as people and configurations write it.

    Parameters
    ----------
    symbol : str
    side : Side
        Of the exits; an entry has the other one.
    size : Decimal
    entry, target, stop, trail, visible
        As `LinkedPlan` has them; None for none.
    name : str
        What reports and the audit log call it.
    """

    symbol: str
    side: Side
    size: Decimal
    entry: Decimal | None = None
    target: Decimal | None = None
    stop: Decimal | None = None
    trail: Decimal | None = None
    visible: Decimal | None = None
    name: str = ""

    def faults(self) -> Iterator[tuple[str, str]]:
        """Yield what is wrong whatever the instrument is."""
        for name in ("size", "entry", "target", "stop", "trail", "visible"):
            value: Decimal | None = getattr(self, name)
            if value is not None and not (value.is_finite() and value > 0):
                yield name, f"{value} is not above 0"
        if self.side is Side.NONE:
            yield "side", "is none, expected buy or sell"


def plan_on(instrument: Instrument, settings: LinkedSettings) -> LinkedPlan:
    """Return the plan that settings ask for, in an instrument's scaled integers.

    Raises
    ------
    ValidationError
        With every fault at once, of the plan and of what the venue takes.
    """
    faults = [*settings.faults()]
    exponents = {"size": instrument.size_exponent, "visible": instrument.size_exponent}
    scaled: dict[str, int] = {}
    for name in ("size", "entry", "target", "stop", "trail", "visible"):
        value: Decimal | None = getattr(settings, name)
        if value is None:
            continue
        try:
            scaled[name] = scaled_from_text(
                format(value, "f"), exponents.get(name, instrument.price_exponent)
            )
        except Bot4Error as error:
            faults.append((name, str(error)))
    if faults:
        raise ValidationError(faults)
    return LinkedPlan(side=settings.side, smallest=max(1, instrument.min_size), **scaled)


def native_kinds(capabilities: Capabilities | None) -> frozenset[str]:
    """Return the kinds of plans that are one order at a venue of these capabilities."""
    types = () if capabilities is None else capabilities.order_types
    return frozenset(kind.value for kind, each in SINGLE.items() if each in types)


def form_at(plan: LinkedPlan, capabilities: Collection[str]) -> LinkedForm:
    """Return who looks after a plan at a venue of these capabilities.

    A plan that puts two kinds together, such as a trailing bracket, is the kernel's.
    """
    mixed = (plan.visible or plan.trail) and plan.kind in (LinkedKind.OCO, LinkedKind.BRACKET)
    mixed = mixed or bool(plan.stop and plan.trail)
    native = plan.kind.value in capabilities and not mixed
    return LinkedForm.NATIVE if native else LinkedForm.EMULATED
