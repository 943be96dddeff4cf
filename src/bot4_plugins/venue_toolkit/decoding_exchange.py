"""The way of a message through an adapter: compiled decoder, slow decoder, batch or quarantine."""

from abc import abstractmethod
from collections import deque
from collections.abc import Callable, Sequence
from typing import ClassVar, Final

import attrs
import numpy as np
from numpy.typing import NDArray

from bot4_core.domain_types.canonical_types import Nanoseconds, Symbol
from bot4_core.domain_types.instruments import Instrument
from bot4_core.domain_types.number_text import scaled_from_text
from bot4_core.domain_types.records import EVENT_DTYPE, EventFlag, Records
from bot4_core.errors import DecodeError, NumberOverflowError, PrecisionError, PrecisionGrew
from bot4_core.jit import Specialisation, entry_point
from bot4_core.kernels.tables import Tables
from bot4_core.kernels.wire_messages import (
    BOOKS,
    RECORDS,
    ROOM,
    SHORTEST_RECORD,
    SPARE,
    STATES,
    UNAPPLIED,
    MessageKernels,
)
from bot4_core.kernels.wire_symbols import insert_symbol
from bot4_core.market.event_batch import EventBatch
from bot4_core.market.order_book import Books
from bot4_core.plugins.exchange import Exchange, Outbound, Reply
from bot4_plugins.venue_toolkit.drafts import (
    DraftEvent,
    DraftMessage,
    DraftValue,
    FeeText,
    PriceText,
    SizeText,
    is_zero,
    rounded_fee,
)
from bot4_plugins.venue_toolkit.symbol_registry import Exponents, SymbolRegistry

__all__ = ["KEPT_BYTES", "KEPT_MESSAGES", "DecodingExchange", "QuarantinedMessage"]

KEPT_MESSAGES: Final = 100
KEPT_BYTES: Final = 512


@attrs.frozen(kw_only=True)
class QuarantinedMessage:
    """A message that was applied nowhere: why, when, its size and its first 512 bytes."""

    reason: str
    received: Nanoseconds
    length: int
    head: bytes


class DecodingExchange(Exchange):
    """An adapter whose messages are decoded twice over: by kernels, or by plain code.

    A venue gives its kernels, and `interpret`, which alone says what a message means; the kernels
    vouch for a part of what it accepts. Both say the same of every message.

    Parameters
    ----------
    registry : SymbolRegistry
        Made with the kernels' dtype.

    Attributes
    ----------
    quarantine : deque of QuarantinedMessage
        The latest messages refused.
    """

    kernels: ClassVar[MessageKernels]

    def __init__(self, registry: SymbolRegistry) -> None:
        self.quarantine: deque[QuarantinedMessage] = deque(maxlen=KEPT_MESSAGES)
        self._quarantined = 0
        self._registry = registry
        self._state = registry.state
        self._fast: Callable[..., int] = self._first_message
        self._fast_block: Callable[..., tuple[int, int, int]] = self._first_block
        self._fast_into: Callable[..., int] = self._first_into
        self._tables = Tables(3)
        self._tables.put(STATES, self._state)
        self._handle = self._tables.handle
        self._books: Books | None = None
        self._records: Records | None = None

    @abstractmethod
    def interpret(self, data: bytes) -> Sequence[DraftMessage]:
        """Say slowly and surely what a message means; take in what it says beside events.

        Raises
        ------
        DecodeError, PrecisionError, NumberOverflowError
            If the message is not one of those that the venue documents, or has wrong values; it
            is then quarantined.
        """

    def interpret_reply(self, request: Outbound, reply: Reply) -> Sequence[DraftMessage]:
        """Say what the reply to a request means, as `interpret` does of messages."""
        return self.interpret(reply.body)

    def request_subject(self, url: str) -> str:
        """Return the symbol that a request is about, empty if it names none."""
        return ""

    @property
    def instruments(self) -> tuple[Instrument, ...]:
        """Instruments in the order they were first needed."""
        return self._registry.instruments

    @property
    def table(self) -> Records:
        """The instruments as INSTRUMENT_DTYPE rows; a new array when one is added."""
        return self._registry.table

    @property
    def quarantined(self) -> int:
        """Messages refused so far; ``quarantine`` holds the latest."""
        return self._quarantined

    def decode(self, data: bytes, received: Nanoseconds, batch: EventBatch) -> int:
        """Append the message's events to the batch, whole or not at all.

        Raises
        ------
        PrecisionGrew
            If an instrument known only from its data needs finer exponents: decode again from the
            start with an adapter that is given the instruments at these exponents.
        """
        count = batch.count
        made = self._fast(data, received, batch.records, count, self._state)
        if made > 0:
            batch.count = count + made
            return made
        if made == ROOM:
            batch.reserve(len(data) // SHORTEST_RECORD + SPARE)
            return self.decode(data, received, batch)
        return self.decode_carefully(data, received, batch)

    def decode_into(
        self, data: bytes, received: Nanoseconds, batch: EventBatch, books: Books
    ) -> int:
        """Append the message's events and apply them to books: `decode` and ``books.apply``.

        One crossing into compiled code instead of two; the books take in new instruments.
        """
        if books is not self._books or batch.records is not self._records:
            self._hand_over(batch, books)
        count = batch.count
        made = self._fast_into(data, received, count, self._handle)
        if made > 0:
            batch.count = count + made
            return made
        if made != UNAPPLIED:
            return super().decode_into(data, received, batch, books)
        made, applied = int(self._state[0]["made"]), int(self._state[0]["applied"])
        batch.count = count + made
        if len(self.table) > len(books):
            books.extend(self.table)
        books.apply(batch.records, applied, batch.count)
        return made

    def decode_carefully(self, data: bytes, received: Nanoseconds, batch: EventBatch) -> int:
        """Decode with the slow decoder alone; same meaning as `decode`."""
        return self._carefully(lambda: self.interpret(data), data, received, batch)

    def decode_block(
        self,
        buffer: NDArray[np.uint8],
        starts: NDArray[np.int64],
        stops: NDArray[np.int64],
        received: NDArray[np.int64],
        batch: EventBatch,
        first: int = 0,
    ) -> int:
        """Append the events of many messages; stops where the batch may be too small for more."""
        self._state["subject"] = self._subject_row()
        try:
            return self._decode_many(buffer, starts, stops, received, batch, first)
        finally:
            self._state["subject"] = 0

    def decode_response(
        self, url: str, data: bytes, received: Nanoseconds, batch: EventBatch
    ) -> int:
        """Append the events of the reply to a request; the request tells what it is about."""
        subject = self.subject
        self.subject = Symbol(self.request_subject(url)) or subject
        self._state["subject"] = self._subject_row()
        try:
            return self.decode(data, received, batch)
        finally:
            self.subject = subject
            self._state["subject"] = 0

    def decode_reply_carefully(self, request: Outbound, reply: Reply, batch: EventBatch) -> int:
        """Append the events of a reply with `interpret_reply`, whole or not at all."""
        subject = self.subject
        self.subject = Symbol(self.request_subject(request.path)) or subject
        try:
            return self._carefully(
                lambda: self.interpret_reply(request, reply), reply.body, reply.received, batch
            )
        finally:
            self.subject = subject

    def append(
        self, drafts: Sequence[DraftMessage], received: Nanoseconds, batch: EventBatch
    ) -> int:
        """Scale and append drafts, all of them or none; return the number of records."""
        messages = [(draft.symbol or self._subject(), draft) for draft in drafts]
        described = self._registry.describe(_exponents(messages))
        rows = [
            _row(event, received, *described[symbol])
            for symbol, draft in messages
            for event in draft.events
        ]
        self._registry.add(described)
        self._take_state()
        batch.reserve(len(rows))
        for index, row in enumerate(rows, batch.count):
            batch.records[index] = row
        batch.count += len(rows)
        return len(rows)

    def specialisations(self) -> tuple[Specialisation, ...]:
        """Return the kernels to compile ahead of the first message."""
        records = np.zeros(1, EVENT_DTYPE)
        numbers = np.zeros(1, np.int64)
        one = (b"", 0, records, 0, self._state)
        # the example is bytes for blocks as well: both are read as plain buffers
        many = (b"", numbers, numbers, numbers, records, 0, self._state, 0)
        return (
            Specialisation(self.kernels.one, one),
            Specialisation(self.kernels.many, many),
            Specialisation(insert_symbol, (b"", 0, numbers)),
        )

    def _learn(self, listed: dict[str, Instrument]) -> None:
        """Take in metadata."""
        self._registry.learn(listed)
        self._take_state()

    def _carefully(
        self,
        interpret: Callable[[], Sequence[DraftMessage]],
        data: bytes,
        received: Nanoseconds,
        batch: EventBatch,
    ) -> int:
        try:
            drafts = interpret()
            return self.append(drafts, received, batch) if drafts else 0
        except PrecisionGrew:
            raise
        except (DecodeError, PrecisionError, NumberOverflowError) as error:
            self._quarantined += 1
            self.quarantine.append(
                QuarantinedMessage(
                    reason=str(error),
                    received=received,
                    length=len(data),
                    head=bytes(data[:KEPT_BYTES]),
                )
            )
        return 0

    def _decode_many(
        self,
        buffer: NDArray[np.uint8],
        starts: NDArray[np.int64],
        stops: NDArray[np.int64],
        received: NDArray[np.int64],
        batch: EventBatch,
        first: int,
    ) -> int:
        begun = batch.count
        while first < len(starts):
            first, batch.count, result = self._fast_block(
                buffer, starts, stops, received, batch.records, batch.count, self._state, first
            )
            if result == ROOM:
                if batch.count > begun:
                    return first
                batch.reserve(int(stops[first] - starts[first]) // SHORTEST_RECORD + SPARE)
            elif result < 0:
                data = buffer[int(starts[first]) : int(stops[first])].tobytes()
                self.decode_carefully(data, Nanoseconds(int(received[first])), batch)
                first += 1
        return first

    def _hand_over(self, batch: EventBatch, books: Books) -> None:
        """Tell the compiled code where records go and what they are applied to."""
        self._books, self._records = books, batch.records
        self._tables.put(RECORDS, batch.records)
        self._tables.nest(BOOKS, books.tables)

    def _first_message(self, *arguments: object) -> int:
        self._compile()
        return self._fast(*arguments)

    def _first_block(self, *arguments: object) -> tuple[int, int, int]:
        self._compile()
        return self._fast_block(*arguments)

    def _first_into(self, *arguments: object) -> int:
        self._fast_into = entry_point(self.kernels.applied, b"", 0, 0, self._handle)
        return self._fast_into(*arguments)

    def _compile(self) -> None:
        one, many, _ = self.specialisations()
        self._fast = entry_point(self.kernels.one, *one.arguments)
        self._fast_block = entry_point(self.kernels.many, *many.arguments)

    def _take_state(self) -> None:
        self._state = self._registry.state
        self._tables.put(STATES, self._state)

    def _subject(self) -> str:
        """Return the symbol of messages that name none, empty where it could be several."""
        if self.subject:
            return self.subject
        names = self._registry.wanted or tuple(item.symbol for item in self.instruments)
        return names[0] if len(names) == 1 else ""

    def _subject_row(self) -> int:
        """Return the subject as the compiled decoder is told of it."""
        return 1 + self._registry.rows.get(self._subject(), -1)


def _exponents(messages: Sequence[tuple[str, DraftMessage]]) -> dict[str, Exponents]:
    found: dict[str, Exponents] = {}
    for symbol, draft in messages:
        if not symbol:
            raise DecodeError("a snapshot that names no symbol, in a session of several")
        seen, known = draft.exponents(), found.get(symbol, (0, 0))
        found[symbol] = (min(seen[0], known[0]), min(seen[1], known[1]))
    return found


def _row(
    event: DraftEvent, received: Nanoseconds, number: int, instrument: Instrument
) -> tuple[int, ...]:
    values = (_scaled(value, instrument) for value in event.values)
    fee = event.aux
    foreign = (
        isinstance(fee, FeeText) and fee.asset != instrument.settled_in and not is_zero(fee.text)
    )
    flags = event.flags | (EventFlag.THIRD_ASSET_FEE if foreign else 0)
    return (event.time, received, *values, number, event.kind, event.side, flags)


def _scaled(value: DraftValue, instrument: Instrument) -> int:
    if isinstance(value, PriceText):
        return scaled_from_text(value.text, instrument.price_exponent)
    if isinstance(value, SizeText):
        return scaled_from_text(value.text, instrument.size_exponent)
    if isinstance(value, FeeText):
        return rounded_fee(value.text, instrument.settlement_exponent)
    return value
