"""The market-data half of the adapter: subscriptions, messages, resynchronisation."""

from collections import deque
from collections.abc import Sequence
from functools import partial
from typing import ClassVar, Final

import attrs

from bot4_core.domain_types.canonical_types import InstrumentId, Nanoseconds, VenueName
from bot4_core.domain_types.instruments import Instrument, InstrumentStatus
from bot4_core.domain_types.records import ChainRule, EventFlag, EventKind
from bot4_core.errors import DecodeError
from bot4_core.kernels.wire_messages import MessageKernels
from bot4_core.market.event_batch import EventBatch
from bot4_core.plugins.exchange import Connection, Outbound
from bot4_core.plugins.part_settings import PartSettings
from bot4_plugins.exchange_kraken.frames import subscription
from bot4_plugins.exchange_kraken.kernel_messages import MESSAGES
from bot4_plugins.exchange_kraken.messages import KrakenSystem
from bot4_plugins.exchange_kraken.metadata import KrakenCatalogue, guess_listing, read_pairs
from bot4_plugins.exchange_kraken.settings import KrakenSettings, check_settings
from bot4_plugins.exchange_kraken.slow_decoder import MARKET_DATA, market_data
from bot4_plugins.exchange_kraken.venue import DEPTHS, SYSTEM_STATUS, VENUES
from bot4_plugins.venue_toolkit.decoding_exchange import KEPT_MESSAGES, DecodingExchange
from bot4_plugins.venue_toolkit.drafts import DraftEvent, DraftMessage, draft_message
from bot4_plugins.venue_toolkit.strict_json import NumberText, plain_object, typed
from bot4_plugins.venue_toolkit.symbol_registry import MarketRules, SymbolRegistry

__all__ = ["FrameAnswer", "KrakenMarketData"]

SILENCE: Final = Nanoseconds(10_000_000_000)
"""A heartbeat comes each second."""
STATUS_CODES: Final = {status: place for place, status in enumerate(InstrumentStatus)}


@attrs.frozen
class FrameAnswer:
    """The venue's answer to a frame; ``error`` is empty where it did what was asked."""

    method: str
    error: str


class KrakenMarketData(DecodingExchange):
    """Sans-I/O adapter of one Kraken market, without orders.

    Parameters
    ----------
    settings : KrakenSettings
    instruments : sequence of Instrument
        Known from elsewhere; their position is their number.

    Attributes
    ----------
    replies : deque of FrameAnswer
        The latest answers to frames.
    """

    name: ClassVar[str] = "kraken"
    markets: ClassVar[tuple[str, ...]] = tuple(VENUES)
    settings_type: ClassVar[type[PartSettings]] = KrakenSettings
    kernels: ClassVar[MessageKernels] = MESSAGES

    def __init__(self, settings: KrakenSettings, instruments: Sequence[Instrument] = ()) -> None:
        check_settings(settings)
        self.settings = settings
        self.facts = VENUES[settings.market]
        self.replies: deque[FrameAnswer] = deque(maxlen=KEPT_MESSAGES)
        self.refused_listings: tuple[tuple[str, str], ...] = ()
        self.rest_names: dict[str, str] = {}
        rules = MarketRules(
            venue=VenueName(self.name),
            market=self.facts.market,
            chain=ChainRule.CHECKSUM,
            fees=self.facts.default_fees,
            depth=settings.depth,
            guess=partial(guess_listing, self.facts),
        )
        super().__init__(SymbolRegistry(rules, MESSAGES.dtype, settings.symbols, instruments))

    def connections(self) -> Sequence[Connection]:
        """Return the socket of all market data."""
        return (Connection(name="public", url=self.facts.public, silence=SILENCE),)

    def connect(self) -> Sequence[Outbound]:
        """Subscribe to the instruments, then to what the settings ask for."""
        ask = partial(subscription, self.facts, self.settings, symbols=self.settings.symbols)
        channels = self.settings.channels if self.settings.symbols else ()
        return [ask(channel) for channel in ("instrument", *channels)]

    def closed(self, connection: str, now: Nanoseconds, batch: EventBatch) -> int:
        """Append a GAP for each book where the socket of market data was lost."""
        if connection != "public" or not self.instruments:
            return 0
        gap = DraftEvent(kind=EventKind.GAP, flags=int(EventFlag.LAST))
        drafts = [DraftMessage(symbol=item.symbol, events=(gap,)) for item in self.instruments]
        return self.append(drafts, now, batch)

    def resync(self, instrument: InstrumentId) -> Sequence[Outbound]:
        """Leave one book's channel and enter it again, which brings a snapshot."""
        symbols = (self.instruments[instrument].symbol,)
        ask = partial(subscription, self.facts, self.settings, "book", symbols)
        return [ask("unsubscribe"), ask("subscribe")]

    def interpret(self, data: bytes) -> Sequence[DraftMessage]:
        """Say what a message means."""
        content = plain_object(data, integers_as_text=True)
        if "method" in content:
            return self.interpret_answer(content)
        channel = content.get("channel")
        if not isinstance(channel, str):
            raise DecodeError("neither a channel's message nor an answer")
        return self.interpret_channel(channel, content)

    def interpret_channel(self, channel: str, content: dict[str, object]) -> Sequence[DraftMessage]:
        """Say what a channel's message means."""
        if channel in MARKET_DATA:
            return market_data(content, channel)
        if channel == "heartbeat":
            return ()
        if channel == "status":
            return self._system(content)
        if channel == "instrument":
            return self._pairs(content)
        raise DecodeError(f"{channel[:80]!r} is not a channel that is followed")

    def interpret_answer(self, content: dict[str, object]) -> Sequence[DraftMessage]:
        """Take note of the answer to a frame."""
        error = content.get("error", "")
        self.replies.append(FrameAnswer(str(content["method"])[:80], str(error)[:512]))
        result = content.get("result")
        if isinstance(result, dict) and result.get("channel") == "book":
            self._note_depth(result.get("depth"))
        return ()

    def _note_depth(self, depth: object) -> None:
        """Take the depth that was subscribed to; in a recording the settings do not know it."""
        if isinstance(depth, NumberText) and depth.text in map(str, DEPTHS):
            self._registry.rules = attrs.evolve(self._registry.rules, depth=int(depth.text))

    def learn(self, catalogue: KrakenCatalogue) -> None:
        """Take in metadata."""
        self.refused_listings = tuple(catalogue.refused)
        self.rest_names |= catalogue.names
        self._learn(catalogue.instruments)

    def _system(self, content: dict[str, object]) -> Sequence[DraftMessage]:
        rows = content.get("data")
        if not isinstance(rows, list) or not rows:
            raise DecodeError("a status without data")
        state = SYSTEM_STATUS.get(typed(rows[0], KrakenSystem).system, InstrumentStatus.UNKNOWN)
        return [_status(item.symbol, state) for item in self.instruments]

    def _pairs(self, content: dict[str, object]) -> Sequence[DraftMessage]:
        before = {item.symbol: item.status for item in self.instruments}
        self.learn(read_pairs(self.facts, content.get("data"), self._registry.rules.depth))
        return [
            _status(item.symbol, item.status)
            for item in self.instruments
            if before.get(item.symbol) is not item.status
        ]


def _status(symbol: str, status: InstrumentStatus) -> DraftMessage:
    return draft_message(symbol, DraftEvent(kind=EventKind.STATUS, aux=STATUS_CODES[status]))
