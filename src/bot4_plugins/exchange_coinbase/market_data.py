"""The market-data half of the adapter: sockets, numbered frames, messages, resynchronisation."""

import json
from collections.abc import Sequence
from functools import partial
from typing import ClassVar, Final

import attrs

from bot4_core.domain_types.canonical_types import InstrumentId, Nanoseconds, VenueName
from bot4_core.domain_types.instruments import Instrument
from bot4_core.domain_types.rate_limits import RateRequest, RequestPriority
from bot4_core.domain_types.records import ChainRule, EventFlag, EventKind
from bot4_core.errors import DecodeError
from bot4_core.kernels.wire_messages import MessageKernels
from bot4_core.kernels.wire_symbols import INSTRUMENT, LONGEST_SYMBOL, SYMBOL_WIDTH, insert_symbol
from bot4_core.market.event_batch import EventBatch
from bot4_core.plugins.exchange import Connection, Outbound
from bot4_core.plugins.part_settings import PartSettings
from bot4_plugins.exchange_coinbase.kernel_messages import ANY, MESSAGES
from bot4_plugins.exchange_coinbase.metadata import book_name, guess_product, read_products
from bot4_plugins.exchange_coinbase.settings import CoinbaseSettings, check_coinbase_settings
from bot4_plugins.exchange_coinbase.slow_decoder import (
    MARKET_DATA,
    CoinbaseFrame,
    frame_of,
    market_data,
)
from bot4_plugins.exchange_coinbase.venue import API, HOST, PUBLIC_SOCKET, VENUES
from bot4_plugins.venue_toolkit.decoding_exchange import DecodingExchange
from bot4_plugins.venue_toolkit.drafts import DraftEvent, DraftMessage
from bot4_plugins.venue_toolkit.strict_json import plain_object
from bot4_plugins.venue_toolkit.symbol_registry import MarketRules, SymbolRegistry

__all__ = ["REST", "CoinbaseMarketData"]

REST: Final = "rest"
FREE: Final = RateRequest(priority=RequestPriority.DATA, weight=0)
SILENCE: Final = Nanoseconds(10_000_000_000)
"""A heartbeat comes each second, once it is subscribed to."""
LARGEST: Final = 1 << 25
"""Bytes; a snapshot of BTC-USD has more than five million."""
MOST_REPEATS: Final = 100
"""A longer run of old frames means that the socket's numbers began again."""
QUIET: Final = frozenset({"heartbeats", "subscriptions"})


class CoinbaseMarketData(DecodingExchange):
    """Sans-I/O adapter of one Coinbase market, without orders.

    Parameters
    ----------
    settings : CoinbaseSettings
    instruments : sequence of Instrument
        Known from elsewhere; their position is their number.

    Attributes
    ----------
    repeated : int
        Frames that came after their successors, or twice; they are left out.
    """

    name: ClassVar[str] = "coinbase"
    markets: ClassVar[tuple[str, ...]] = tuple(VENUES)
    settings_type: ClassVar[type[PartSettings]] = CoinbaseSettings
    kernels: ClassVar[MessageKernels] = MESSAGES

    def __init__(self, settings: CoinbaseSettings, instruments: Sequence[Instrument] = ()) -> None:
        check_coinbase_settings(settings)
        self.settings = settings
        self.facts = VENUES[settings.market]
        self.refused_listings: tuple[tuple[str, str], ...] = ()
        self.repeated = 0
        self._in_a_row = 0
        self._frames: list[CoinbaseFrame] = []  # the one that is being decoded
        self._source = ""
        self._expected: dict[str, int] = {}
        wanted = set(settings.symbols)
        self._aliases = {
            book_name(symbol): symbol
            for symbol in settings.symbols
            if book_name(symbol) not in wanted
        }
        rules = MarketRules(
            venue=VenueName(self.name),
            market=self.facts.market,
            chain=ChainRule.NONE,
            fees=self.facts.default_fees,
            guess=partial(guess_product, self.facts),
        )
        presets = {"expected": ANY}
        super().__init__(
            SymbolRegistry(rules, MESSAGES.dtype, settings.symbols, instruments, presets)
        )
        self._add_aliases()

    @property
    def source(self) -> str:  # pyright: ignore[reportIncompatibleVariableOverride]  # it remembers
        """The connection that the next messages come from."""
        return self._source

    @source.setter
    def source(self, connection: str) -> None:  # pyright: ignore[reportIncompatibleVariableOverride]  # as above
        if connection != self._source:
            self._expected[self._source] = int(self._state[0]["expected"])
            self._source = connection
            self._state["expected"] = self._expected.get(connection, ANY)

    @property
    def next_frame(self) -> int:
        """The number that the next frame of the current connection should have, -1 for any."""
        return int(self._state[0]["expected"])

    def sockets(self) -> dict[str, tuple[str, ...]]:
        """Return the sockets of market data and the products of each."""
        size, symbols = self.settings.symbols_per_socket, self.settings.symbols
        parts = [symbols[at : at + size] for at in range(0, len(symbols), size)] or [()]
        return {f"market-{number}": part for number, part in enumerate(parts)}

    def connections(self) -> Sequence[Connection]:
        """Return the sockets of market data and the host of requests."""
        sockets = [
            Connection(name=name, url=PUBLIC_SOCKET, silence=SILENCE, largest=LARGEST)
            for name in self.sockets()
        ]
        return (*sockets, Connection(name=REST, url=f"https://{HOST}"))

    def connect(self) -> Sequence[Outbound]:
        """Ask for the products, and subscribe on each socket."""
        frames = []
        for name, symbols in self.sockets().items():
            frames.append(_subscription(name, "heartbeats", ()))
            if symbols:
                frames += [_subscription(name, each, symbols) for each in self.settings.channels]
        return [self._products(), *frames]

    def began(self, connection: str) -> None:
        """Expect the first frame of a fresh socket."""
        super().began(connection)
        self._state["expected"] = 0

    def closed(self, connection: str, now: Nanoseconds, batch: EventBatch) -> int:
        """Append a GAP for each book of a lost socket."""
        if connection not in self.sockets():
            return 0
        drafts = self._gaps(connection, -1, -1)
        return self.append(drafts, now, batch) if drafts else 0

    def resync(self, instrument: InstrumentId) -> Sequence[Outbound]:
        """Leave one book's channel and enter it again, which brings a snapshot."""
        symbol = str(self.instruments[instrument].symbol)
        found = (name for name, symbols in self.sockets().items() if symbol in symbols)
        name = next(found, "market-0")
        return [
            _subscription(name, "level2", (symbol,), "unsubscribe"),
            _subscription(name, "level2", (symbol,)),
        ]

    def decode_carefully(self, data: bytes, received: Nanoseconds, batch: EventBatch) -> int:
        """Decode with the slow decoder alone; same meaning as `decode`."""
        self._frames.clear()
        refused = self._quarantined
        made = super().decode_carefully(data, received, batch)
        for frame in self._frames:
            # a book's frame that was refused is missing: the next one shows it
            if self._quarantined == refused or frame.channel != "l2_data":
                self._state["expected"] = frame.sequence_num + 1
        return made

    def interpret(self, data: bytes) -> Sequence[DraftMessage]:
        """Say what a message means."""
        content = plain_object(data)
        if "products" in content or "product_type" in content:
            self.learn(content)
            return ()
        if content.get("type") == "error":
            raise DecodeError(f"an error: {str(content.get('message'))[:200]}")
        frame = frame_of(content)
        gaps = self._missing(frame.sequence_num)
        if gaps is None:
            return ()
        self._frames.append(frame)
        return [*gaps, *self.interpret_frame(frame)]

    def interpret_frame(self, frame: CoinbaseFrame) -> Sequence[DraftMessage]:
        """Say what a frame means that follows the one before it."""
        if frame.channel in MARKET_DATA:
            return [self._named(draft) for draft in market_data(frame)]
        if frame.channel in QUIET:
            return ()
        raise DecodeError(f"{frame.channel[:80]!r} is not a channel that is followed")

    def learn(self, content: dict[str, object]) -> None:
        """Take in metadata."""
        catalogue = read_products(self.facts, content)
        self.refused_listings = tuple(catalogue.refused)
        self._learn(catalogue.instruments)

    def lost_frames(self, number: int, expected: int) -> Sequence[DraftMessage]:
        """Say what follows where frames of the current socket are missing."""
        return self._gaps(self._source, number, expected)

    def _missing(self, number: int) -> Sequence[DraftMessage] | None:
        """Return what a frame's number says of those before it; None for an old one."""
        expected = int(self._state[0]["expected"])
        if expected in (number, ANY):
            self._in_a_row = 0
            return ()
        if 0 < number < expected:
            self.repeated += 1
            self._in_a_row += 1
            if self._in_a_row <= MOST_REPEATS:
                return None
        self._in_a_row = 0
        return self.lost_frames(number, expected)

    def _gaps(self, connection: str, number: int, expected: int) -> list[DraftMessage]:
        """Return a GAP for each book that a socket feeds."""
        known = [str(item.symbol) for item in self.instruments]
        symbols = self.sockets().get(connection, known) or known
        gap = DraftEvent(
            kind=EventKind.GAP, sequence=number, aux=expected, flags=int(EventFlag.LAST)
        )
        return [DraftMessage(symbol=each, events=(gap,)) for each in symbols if each in known]

    def _named(self, draft: DraftMessage) -> DraftMessage:
        """File data of a USD product under the USDC product that was asked for."""
        wanted = self._aliases.get(draft.symbol)
        return draft if wanted is None else attrs.evolve(draft, symbol=wanted)

    def _products(self) -> Outbound:
        query = "&".join(f"product_ids={symbol}" for symbol in self.settings.symbols)
        path = f"{API}/market/products?product_type={self.facts.product_type}"
        return Outbound(
            connection=REST, method="GET", path=f"{path}&{query}" if query else path, tag="products"
        )

    def _take_state(self) -> None:
        """Keep the number of the next frame, and know the books of aliases."""
        expected = int(self._state[0]["expected"])
        changed = self._registry.state is not self._state
        super()._take_state()
        if changed:
            self._state["expected"] = expected
            self._add_aliases()

    def _add_aliases(self) -> None:
        symbols = self._state[0]["symbols"]
        for name, symbol in self._aliases.items():
            row = self._registry.rows.get(symbol)
            known = name in self._registry.rows or len(name) > LONGEST_SYMBOL
            if row is not None and not known and name != symbol:
                own = insert_symbol(name.encode(), len(name), symbols)
                symbols[own + INSTRUMENT : own + SYMBOL_WIDTH] = symbols[
                    row + INSTRUMENT : row + SYMBOL_WIDTH
                ]


def _subscription(
    connection: str, channel: str, symbols: Sequence[str], method: str = "subscribe"
) -> Outbound:
    content: dict[str, object] = {"type": method}
    if symbols:
        content["product_ids"] = list(symbols)
    content["channel"] = channel
    body = json.dumps(content, separators=(",", ":")).encode()
    return Outbound(connection=connection, body=body, tag=f"{method} {channel}", cost=FREE)
