"""What each kind of plugin is asked to be: one abstract class a kind.

A part comes in one of two forms with one meaning. A *Python* part overrides the method. A
*compiled* part gives ``function``, a jitted function of the fixed signature named in its class,
with a state record and a parameter record; the method then is not called.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import ClassVar, Generic, TypeVar

import attrs
import numpy as np

from bot4_core.domain_types.audit_records import AuditRecord
from bot4_core.domain_types.canonical_types import Nanoseconds
from bot4_core.domain_types.decisions import BreakerVerdict, ChildOrder, Signal
from bot4_core.domain_types.instruments import Instrument
from bot4_core.domain_types.orders import OrderIntent
from bot4_core.domain_types.records import (
    PARAMS_DTYPE,
    STATE_DTYPE,
    Feature,
    Record,
    Records,
)
from bot4_core.domain_types.validation import validate
from bot4_core.market.event_batch import EventBatch
from bot4_core.plugins.exchange import Connection, Exchange, Outbound, Reply, Stream
from bot4_core.plugins.part_settings import PartSettings, absent

__all__ = [
    "Breaker",
    "Command",
    "CompiledForm",
    "Connection",
    "EventBatch",
    "Exchange",
    "Execution",
    "Outbound",
    "Part",
    "PartSettings",
    "Record",
    "Records",
    "Reply",
    "Router",
    "Runner",
    "Sink",
    "Sizer",
    "Store",
    "Strategy",
    "Stream",
]

S = TypeVar("S", bound=PartSettings)

OWN_FORM = "override it, or give a compiled form"


@attrs.frozen(kw_only=True)
class CompiledForm:
    """A part's jitted function, its memory and its parameters.

    Signatures by kind (``Record`` arguments are rows, ``Records`` one-dimensional arrays):

    strategy
        ``(view: VIEW, state: STATE, params: PARAMS, signals: Records[SIGNAL]) -> int64`` count
    sizer
        ``(signal: SIGNAL, view: VIEW, state: STATE, params: PARAMS) -> int64`` scaled size
    breaker
        ``(view: VIEW, state: STATE, params: PARAMS) -> int64`` BreakerEffect
    router
        ``(intent: INTENT, views: Records[VIEW], state: STATE, params: PARAMS,
        children: Records[INTENT]) -> int64`` count
    """

    function: Callable[..., int]
    params: Record
    state_values: tuple[tuple[str, int], ...] = ()
    """Names of the ``state.f`` slots that explain the last verdict or size."""

    reasons: tuple[str, ...] = ()
    """What a breaker says when it trips: `str.format` texts over the names of ``state_values``,
    for instance ``"score {score:.2f} at or beyond 3"``."""

    reason_slot: int | None = None
    """The ``state.i`` slot that holds which of them it is; None where there is one only."""

    @staticmethod
    def new_state() -> Record:
        """Return a zeroed state row; one is kept for each part and instrument."""
        state: Record = np.zeros(1, STATE_DTYPE)[0]
        return state

    @staticmethod
    def new_params() -> Record:
        """Return a zeroed parameter row."""
        params: Record = np.zeros(1, PARAMS_DTYPE)[0]
        return params


class Part(ABC, Generic[S]):
    """What strategies, sizers, breakers and routers share.

    Attributes
    ----------
    name : str
    settings_type : type
    reads : Feature
        The costly fields of a view that the part reads; those that no part of a session reads
        are not filled there (NaN).

    Raises
    ------
    ValidationError
        With everything that the settings' ``faults`` find wrong.
    """

    name: ClassVar[str]
    settings_type: ClassVar[type[PartSettings]] = PartSettings
    reads: ClassVar[Feature] = Feature.ALL

    def __init__(self, settings: S, instruments: Sequence[Instrument]) -> None:
        self.settings = validate(settings)
        self.instruments = tuple(instruments)

    def compiled(self) -> CompiledForm | None:
        """Return the compiled form, or None for a Python part."""
        return None

    def refresh(self, now: Nanoseconds) -> None:
        """Do slow work at a scheduled time; only parameters may change."""


class Strategy(Part[S]):
    """Market view and memory in, signals with strength, horizon and reason out."""

    reasons: ClassVar[tuple[str, ...]] = ()
    value_names: ClassVar[tuple[str, ...]] = ()

    def decide(self, view: Record) -> Sequence[Signal]:
        """Return what is wanted now on the view's instrument (Python form)."""
        raise absent(self, "decide", OWN_FORM)


class Sizer(Part[S]):
    """Signal and portfolio in, scaled order size out."""

    def size(self, signal: Signal, view: Record) -> int:
        """Return the scaled size to trade, 0 for none (Python form)."""
        raise absent(self, "size", OWN_FORM)


class Breaker(Part[S]):
    """Observations in, verdict out; latches until re-armed."""

    def observe(self, view: Record) -> BreakerVerdict | None:
        """Return a verdict when something must stop (Python form)."""
        raise absent(self, "observe", OWN_FORM)


class Router(Part[S]):
    """Parent order and venue views in, child orders out."""

    def route(self, intent: OrderIntent, views: Sequence[Record]) -> Sequence[ChildOrder]:
        """Split the parent over venues (Python form)."""
        raise absent(self, "route", OWN_FORM)


class Execution(Part[S]):
    """Parent order and time in, slices out."""

    def slices(self, parent: OrderIntent, view: Record) -> Sequence[ChildOrder]:
        """Return what of the parent should leave now (Python form)."""
        raise absent(self, "slices", "override it")


class Store(ABC):
    """A place that keeps audit records beside the log of record.

    Hosts make stores as ``cls(settings, address)``, with settings of ``settings_type``.
    `StoreUnreachableError` from a method says that the same may go well later; after any other
    error it will not. `LogFollower` copies a log into a store.
    """

    name: ClassVar[str]
    settings_type: ClassVar[type[PartSettings]] = PartSettings

    @abstractmethod
    def __init__(self, settings: PartSettings, address: str) -> None:
        """Take settings, and where the store is; the address may hold secrets: show it nowhere."""

    @abstractmethod
    def write(self, records: Sequence[AuditRecord]) -> None:
        """Keep records, in order, all or none; keeping one twice changes nothing.

        Raises
        ------
        ChainError
            If another record is kept under one of the numbers.
        """

    @abstractmethod
    def last_sequence(self) -> int:
        """Return the highest sequence number kept, 0 for none."""

    @abstractmethod
    def close(self) -> None:
        """Let go of what the store holds."""


class Sink(ABC):
    """Somebody who is told what happens: metrics, alerts."""

    name: ClassVar[str]

    @abstractmethod
    def tell(self, record: AuditRecord) -> None:
        """Take one audit record; must not block."""


class Runner(ABC):
    """Runs independent sessions somewhere else."""

    name: ClassVar[str]

    @abstractmethod
    def map(self, task: Callable[[str], str], inputs: Sequence[str]) -> Sequence[str]:
        """Run a pure task over inputs and return the results in input order."""


class Command(ABC):
    """A sub-command of the ``bot4`` command line."""

    name: ClassVar[str]
    summary: ClassVar[str]

    @abstractmethod
    def run(self, arguments: Sequence[str]) -> int:
        """Run with the arguments after the command's name and return an exit code."""
