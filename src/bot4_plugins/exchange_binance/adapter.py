"""The Binance market-data adapter: bytes and time in, event records and wanted bytes out."""

from collections import deque
from collections.abc import Callable, Sequence
from typing import ClassVar, Final

import attrs
import numpy as np
from numpy.typing import NDArray

from bot4_core.domain_types.canonical_types import InstrumentId, Nanoseconds, Symbol
from bot4_core.domain_types.instruments import Instrument
from bot4_core.domain_types.number_text import scaled_from_text
from bot4_core.domain_types.records import EVENT_DTYPE, ChainRule
from bot4_core.errors import (
    ConfigError,
    DecodeError,
    NumberOverflowError,
    PrecisionError,
    PrecisionGrew,
)
from bot4_core.jit import Specialisation, entry_point
from bot4_core.kernels.tables import Tables
from bot4_core.kernels.wire_symbols import insert_symbol
from bot4_core.market.order_book import Books
from bot4_core.plugins.interfaces import EventBatch, Exchange, Outbound, PartSettings, Records
from bot4_plugins.exchange_binance.drafts import DraftMessage, DraftValue, PriceText, SizeText
from bot4_plugins.exchange_binance.kernel_layout import ROOM, UNAPPLIED
from bot4_plugins.exchange_binance.kernel_messages import (
    BOOKS,
    RECORDS,
    SHORTEST_LEVEL,
    SPARE,
    STATES,
    decode_and_apply,
    decode_message,
    decode_messages,
)
from bot4_plugins.exchange_binance.metadata import read_metadata
from bot4_plugins.exchange_binance.requests import (
    depth_request,
    metadata_request,
    request_symbol,
    subscriptions,
)
from bot4_plugins.exchange_binance.slow_decoder import Acknowledgement, Metadata, decode_slowly
from bot4_plugins.exchange_binance.symbol_registry import SymbolRegistry
from bot4_plugins.exchange_binance.venue import VENUES

__all__ = ["BinanceExchange", "BinanceSettings", "QuarantinedMessage"]

KEPT_MESSAGES: Final = 100
KEPT_BYTES: Final = 512


@attrs.frozen(kw_only=True)
class BinanceSettings(PartSettings):
    """What to follow.

    Parameters
    ----------
    market : str
        ``spot``, ``usdm`` or ``coinm``.
    symbols : tuple of str
        As the venue spells them. Data of other symbols is decoded all the same.
    streams : tuple of str
        Of ``depth``, ``bookTicker``, ``trade``, ``aggTrade``, ``kline``, ``markPrice``.
    candle_interval : str
        Of the ``kline`` stream: ``1m``, ``1h`` ...
    """

    market: str = "spot"
    symbols: tuple[str, ...] = ()
    streams: tuple[str, ...] = ("depth", "bookTicker", "aggTrade")
    candle_interval: str = "1m"


@attrs.frozen(kw_only=True)
class QuarantinedMessage:
    """A message that was applied nowhere: why, when, its size and its first 512 bytes."""

    reason: str
    received: Nanoseconds
    length: int
    head: bytes


class BinanceExchange(Exchange):
    """Sans-I/O adapter of one Binance market.

    Parameters
    ----------
    settings : BinanceSettings
        Market, symbols and streams.
    instruments : sequence of Instrument
        Known from elsewhere; their position is their number.
    """

    name: ClassVar[str] = "binance"
    markets: ClassVar[tuple[str, ...]] = tuple(VENUES)
    settings_type: ClassVar[type[PartSettings]] = BinanceSettings

    def __init__(
        self,
        settings: BinanceSettings,
        instruments: Sequence[Instrument] = (),
    ) -> None:
        _check_settings(settings)
        self.settings = settings
        self.facts = VENUES[settings.market]
        self.replies: deque[Acknowledgement] = deque(maxlen=KEPT_MESSAGES)
        self.quarantine: deque[QuarantinedMessage] = deque(maxlen=KEPT_MESSAGES)
        self.refused_listings: tuple[tuple[str, str], ...] = ()
        self._quarantined = 0
        self._registry = SymbolRegistry(self.facts, settings.symbols, instruments)
        self._state = self._registry.state
        self._fast: Callable[..., int] = self._first_message
        self._fast_block: Callable[..., tuple[int, int, int]] = self._first_block
        self._fast_into: Callable[..., int] = self._first_into
        self._tables = Tables(3)
        self._tables.put(STATES, self._state)
        self._handle = self._tables.handle
        self._books: Books | None = None
        self._records: Records | None = None

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

    def connect(self) -> Sequence[Outbound]:
        """Subscribe first, so that no update is missed, then ask for metadata and snapshots."""
        symbols = self.settings.symbols
        frames = subscriptions(
            self.facts, symbols, self.settings.streams, self.settings.candle_interval
        )
        books = symbols if "depth" in self.settings.streams else ()
        snapshots = [depth_request(self.facts, symbol) for symbol in books]
        return [metadata_request(self.facts, symbols), *frames, *snapshots]

    def resync(self, instrument: InstrumentId) -> Sequence[Outbound]:
        """Ask for a new snapshot of one book."""
        return [depth_request(self.facts, self.instruments[instrument].symbol)]

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
            batch.reserve(len(data) // SHORTEST_LEVEL + SPARE)
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

    def _hand_over(self, batch: EventBatch, books: Books) -> None:
        """Tell the compiled code where records go and what they are applied to."""
        self._books, self._records = books, batch.records
        self._tables.put(RECORDS, batch.records)
        self._tables.nest(BOOKS, books.tables)

    def decode_carefully(self, data: bytes, received: Nanoseconds, batch: EventBatch) -> int:
        """Decode with the slow decoder alone; same meaning as `decode`."""
        try:
            result = decode_slowly(data, linked=self.facts.chain is ChainRule.LINK)
            if isinstance(result, DraftMessage):
                return self._append(result, received, batch)
            if isinstance(result, Metadata):
                self._learn(result)
            else:
                self.replies.append(result)
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
                batch.reserve(int(stops[first] - starts[first]) // SHORTEST_LEVEL + SPARE)
            elif result < 0:
                data = buffer[int(starts[first]) : int(stops[first])].tobytes()
                self.decode_carefully(data, Nanoseconds(int(received[first])), batch)
                first += 1
        return first

    def decode_response(
        self, url: str, data: bytes, received: Nanoseconds, batch: EventBatch
    ) -> int:
        """Append the events of the reply to a request; the request tells what it is about."""
        subject = self.subject
        self.subject = Symbol(request_symbol(url)) or subject
        self._state["subject"] = self._subject_row()
        try:
            return self.decode(data, received, batch)
        finally:
            self.subject = subject
            self._state["subject"] = 0

    def specialisations(self) -> tuple[Specialisation, ...]:
        """Return the kernels to compile ahead of the first message."""
        records = np.zeros(1, EVENT_DTYPE)
        numbers = np.zeros(1, np.int64)
        one = (b"", 0, records, 0, self._state)
        # the example is bytes for blocks as well: both are read as plain buffers
        many = (b"", numbers, numbers, numbers, records, 0, self._state, 0)
        return (
            Specialisation(decode_message, one),
            Specialisation(decode_messages, many),
            Specialisation(insert_symbol, (b"", 0, numbers)),
        )

    def _first_message(self, *arguments: object) -> int:
        self._compile()
        return self._fast(*arguments)

    def _first_block(self, *arguments: object) -> tuple[int, int, int]:
        self._compile()
        return self._fast_block(*arguments)

    def _first_into(self, *arguments: object) -> int:
        self._fast_into = entry_point(decode_and_apply, b"", 0, 0, self._handle)
        return self._fast_into(*arguments)

    def _compile(self) -> None:
        one, many, _ = self.specialisations()
        self._fast = entry_point(decode_message, *one.arguments)
        self._fast_block = entry_point(decode_messages, *many.arguments)

    def _learn(self, metadata: Metadata) -> None:
        catalogue = read_metadata(self.facts, metadata.content)
        self.refused_listings = tuple(catalogue.refused)
        self._registry.learn(catalogue.instruments)
        self._take_state()

    def _take_state(self) -> None:
        self._state = self._registry.state
        self._tables.put(STATES, self._state)

    def _subject(self) -> str:
        """Return the symbol of messages that name none, empty where it could be several."""
        if self.subject:
            return self.subject
        names = self.settings.symbols or tuple(item.symbol for item in self.instruments)
        return names[0] if len(names) == 1 else ""

    def _subject_row(self) -> int:
        """Return the subject as the compiled decoder is told of it."""
        return 1 + self._registry.rows.get(self._subject(), -1)

    def _append(self, draft: DraftMessage, received: Nanoseconds, batch: EventBatch) -> int:
        symbol = draft.symbol or self._subject()
        if not symbol:
            raise DecodeError("a snapshot that names no symbol, in a session of several")
        number, instrument = self._registry.describe(symbol, draft.exponents())
        rows = [
            (
                event.time,
                received,
                *(_scaled(value, instrument) for value in event.values),
                number,
                event.kind,
                event.side,
                event.flags,
            )
            for event in draft.events
        ]
        self._registry.add(number, instrument)
        self._take_state()
        batch.reserve(len(rows))
        for index, row in enumerate(rows, batch.count):
            batch.records[index] = row
        batch.count += len(rows)
        return len(rows)


def _scaled(value: DraftValue, instrument: Instrument) -> int:
    if isinstance(value, PriceText):
        return scaled_from_text(value.text, instrument.price_exponent)
    if isinstance(value, SizeText):
        return scaled_from_text(value.text, instrument.size_exponent)
    return value


def _check_settings(settings: BinanceSettings) -> None:
    faults = []
    facts = VENUES.get(settings.market)
    if facts is None:
        known = ", ".join(VENUES)
        faults.append(("market", f"{settings.market!r} is not one of {known}"))
    else:
        faults += [
            ("streams", f"{kind!r} is not one of {', '.join(facts.stream_hosts)}")
            for kind in settings.streams
            if kind not in facts.stream_hosts
        ]
    faults += [
        ("symbols", f"{symbol!r} is given twice")
        for symbol in dict.fromkeys(settings.symbols)
        if settings.symbols.count(symbol) > 1
    ]
    if faults:
        raise ConfigError("binance settings", faults)
