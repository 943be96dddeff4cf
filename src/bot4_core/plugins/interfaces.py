"""What each kind of plugin is asked to be: one abstract class a kind.

A part comes in one of two forms with one meaning. A *Python* part overrides the method. A
*compiled* part gives ``function``, a jitted function of the fixed signature named in its class,
with a state record and a parameter record; the method then is not called.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar

import attrs
import numpy as np
from numpy.typing import NDArray

from bot4_core.domain_types.audit_records import AuditRecord
from bot4_core.domain_types.canonical_types import InstrumentId, Nanoseconds, Symbol
from bot4_core.domain_types.decisions import BreakerVerdict, ChildOrder, Signal
from bot4_core.domain_types.instruments import Instrument
from bot4_core.domain_types.orders import Order, OrderIntent
from bot4_core.domain_types.records import (
    PARAMS_DTYPE,
    STATE_DTYPE,
    EventKind,
    Feature,
    Record,
    Records,
)
from bot4_core.domain_types.validation import validate
from bot4_core.errors import PluginError
from bot4_core.market.event_batch import EventBatch

if TYPE_CHECKING:  # its kernels load numba, and hosts list plugins without it
    from bot4_core.jit import Specialisation
    from bot4_core.market.order_book import Books
    from bot4_core.orders.reconciliation import VenueAccount

__all__ = [
    "Breaker",
    "Command",
    "CompiledForm",
    "EventBatch",
    "Exchange",
    "Execution",
    "Outbound",
    "Part",
    "PartSettings",
    "Record",
    "Records",
    "Router",
    "Runner",
    "Sink",
    "Sizer",
    "Store",
    "Strategy",
]

S = TypeVar("S", bound="PartSettings")

OWN_FORM = "override it, or give a compiled form"


def _absent(plugin: object, method: str, remedy: str) -> PluginError:
    return PluginError(f"{type(plugin).__qualname__} has no {method}(): {remedy}")


@attrs.frozen(kw_only=True)
class PartSettings:
    """Settings of one part; subclasses add fields, read from the configuration by ``convert``."""


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
        raise _absent(self, "decide", OWN_FORM)


class Sizer(Part[S]):
    """Signal and portfolio in, scaled order size out."""

    def size(self, signal: Signal, view: Record) -> int:
        """Return the scaled size to trade, 0 for none (Python form)."""
        raise _absent(self, "size", OWN_FORM)


class Breaker(Part[S]):
    """Observations in, verdict out; latches until re-armed."""

    def observe(self, view: Record) -> BreakerVerdict | None:
        """Return a verdict when something must stop (Python form)."""
        raise _absent(self, "observe", OWN_FORM)


class Router(Part[S]):
    """Parent order and venue views in, child orders out."""

    def route(self, intent: OrderIntent, views: Sequence[Record]) -> Sequence[ChildOrder]:
        """Split the parent over venues (Python form)."""
        raise _absent(self, "route", OWN_FORM)


class Execution(Part[S]):
    """Parent order and time in, slices out."""

    def slices(self, parent: OrderIntent, view: Record) -> Sequence[ChildOrder]:
        """Return what of the parent should leave now (Python form)."""
        raise _absent(self, "slices", "override it")


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


@attrs.frozen(kw_only=True)
class Outbound:
    """Bytes that an adapter wants sent: a WebSocket frame, or a request where ``method`` is set."""

    connection: str
    body: bytes = b""
    method: str = ""
    path: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    tag: str = ""


class Exchange(ABC):
    """A venue without its sockets: bytes and time in, events and wanted bytes out.

    Hosts make adapters as ``cls(settings, instruments)``, with settings of ``settings_type`` read
    from the configuration and the instruments that are known from elsewhere.
    """

    name: ClassVar[str]
    markets: ClassVar[tuple[str, ...]]
    definitive_rejects: ClassVar[frozenset[str]] = frozenset()
    """The venue's own error codes that prove that an order was refused; no other code does."""
    settings_type: ClassVar[type[PartSettings]] = PartSettings

    subject: Symbol = Symbol("")
    """What messages that name no instrument are about (recordings of one symbol have such)."""

    @abstractmethod
    def __init__(self, settings: PartSettings, instruments: Sequence[Instrument] = ()) -> None:
        """Take settings of ``settings_type`` and the instruments known from elsewhere."""

    @property
    @abstractmethod
    def instruments(self) -> tuple[Instrument, ...]:
        """Known instruments; the position is the instrument id."""

    @property
    @abstractmethod
    def table(self) -> Records:
        """The instruments as INSTRUMENT_DTYPE rows, same order."""

    @abstractmethod
    def connect(self) -> Sequence[Outbound]:
        """Say what to send and request on a fresh connection."""

    @abstractmethod
    def decode(self, data: bytes, received: Nanoseconds, batch: EventBatch) -> int:
        """Append the message's events to the batch, whole or not at all.

        Returns
        -------
        int
            Number of records appended; 0 for messages without events (acks, heartbeats) and for
            quarantined ones, which are counted in ``quarantined``.
        """

    def decode_into(
        self, data: bytes, received: Nanoseconds, batch: EventBatch, books: "Books"
    ) -> int:
        """Append the message's events to the batch and apply them to the books.

        The books take in instruments that are new. Adapters may do both in one compiled call.

        Returns
        -------
        int
            As `decode`.
        """
        first = batch.count
        made = self.decode(data, received, batch)
        if len(self.table) > len(books):
            books.extend(self.table)
        books.apply(batch.records, first, batch.count)
        return made

    def decode_block(
        self,
        buffer: NDArray[np.uint8],
        starts: NDArray[np.int64],
        stops: NDArray[np.int64],
        received: NDArray[np.int64],
        batch: EventBatch,
        first: int = 0,
    ) -> int:
        """Append the events of many messages of one buffer, from message ``first`` on.

        Returns
        -------
        int
            Number of the next message; not more than the batch should hold is decoded at once.
        """
        for number in range(first, len(starts)):
            data = buffer[int(starts[number]) : int(stops[number])].tobytes()
            self.decode(data, Nanoseconds(int(received[number])), batch)
        return len(starts)

    def decode_response(
        self, url: str, data: bytes, received: Nanoseconds, batch: EventBatch
    ) -> int:
        """Append the events of the reply to a request for ``url``, whole or not at all."""
        return self.decode(data, received, batch)

    def specialisations(self) -> "Sequence[Specialisation]":
        """Return the kernels that are called while a session runs, to compile them before it.

        They come with example arguments of the types that they are called with.
        """
        return ()

    @property
    @abstractmethod
    def quarantined(self) -> int:
        """Messages refused so far."""

    def resync(self, instrument: InstrumentId) -> Sequence[Outbound]:
        """Say what to request after a gap in an instrument's book."""
        raise _absent(self, "resync", "this adapter does not support it")

    def place(self, intent: OrderIntent) -> Outbound:
        """Encode a new order."""
        raise _absent(self, "place", "this adapter does not support it")

    def cancel(self, order: Order) -> Outbound:
        """Encode the cancellation of an order."""
        raise _absent(self, "cancel", "this adapter does not support it")

    def query(self, order: Order) -> Outbound:
        """Encode a question, by client order id, about what became of an order.

        The answer is decoded into order events: what the venue says of the order and of its
        trades, or ``ORDER_NOT_FOUND``.
        """
        raise _absent(self, "query", "this adapter does not support it")

    def read_account(self, data: bytes, time: Nanoseconds) -> "VenueAccount":
        """Decode what the venue says of the account: working orders, positions, recent trades."""
        raise _absent(self, "read_account", "this adapter does not support it")

    def refusal(self, code: str) -> EventKind:
        """Return what an error reply to a new order says of it.

        Only codes of ``definitive_rejects`` prove that it was refused. After any other, and after
        a lost reply, the order may be working: it is in doubt until the venue's word settles it.
        """
        definitive = code in self.definitive_rejects
        return EventKind.ORDER_REJECTED if definitive else EventKind.ORDER_IN_DOUBT
