"""The part of the adapter that needs no keys: connections, market data, metadata, status."""

from collections import deque
from collections.abc import Mapping, Sequence
from functools import partial
from typing import ClassVar, Final

from bot4_core.domain_types.canonical_types import InstrumentId, Nanoseconds, Symbol, VenueName
from bot4_core.domain_types.instruments import Instrument, InstrumentStatus
from bot4_core.domain_types.rate_limits import RateSettings
from bot4_core.domain_types.records import EventKind
from bot4_core.errors import DecodeError
from bot4_core.kernels.wire_messages import MessageKernels
from bot4_core.market.event_batch import EventBatch
from bot4_core.plugins.connections import Connection, Outbound, Reply, Stream
from bot4_core.plugins.part_settings import PartSettings
from bot4_plugins.exchange_bybit.kernel_messages import MESSAGES
from bot4_plugins.exchange_bybit.metadata import read_metadata
from bot4_plugins.exchange_bybit.replies import ReplyBody, market_drafts, read_body, reply_kind
from bot4_plugins.exchange_bybit.requests import (
    PUBLIC,
    STATUS,
    is_of_market,
    metadata_request,
    ping,
    public_connections,
    request_symbol,
    resubscription,
    status_subscription,
    subscriptions,
)
from bot4_plugins.exchange_bybit.settings import BybitSettings, check_settings
from bot4_plugins.exchange_bybit.slow_decoder import VenueNotice, read_topic
from bot4_plugins.exchange_bybit.symbol_names import guess_listing
from bot4_plugins.exchange_bybit.tickers import Ticker
from bot4_plugins.exchange_bybit.venue import VENUES
from bot4_plugins.venue_toolkit.decoding_exchange import KEPT_MESSAGES, DecodingExchange
from bot4_plugins.venue_toolkit.drafts import DraftMessage
from bot4_plugins.venue_toolkit.keep_alive import KeepAlive
from bot4_plugins.venue_toolkit.order_answers import VenueReply
from bot4_plugins.venue_toolkit.status_events import append_gaps, changed_statuses, status_draft
from bot4_plugins.venue_toolkit.strict_json import plain_object
from bot4_plugins.venue_toolkit.symbol_registry import MarketRules, SymbolRegistry

__all__ = ["BybitMarketData"]

SECOND: Final = 1_000_000_000
DONE: Final = 200
HEAD: Final = 48
"""Bytes within which a topic's name stands."""
STOPPED: Final = frozenset({"ongoing"})
RESUMED: Final = frozenset({"completed", "canceled"})


class BybitMarketData(DecodingExchange):
    """Market data of one Bybit market.

    Parameters
    ----------
    settings : BybitSettings
    instruments : sequence of Instrument
        Known from elsewhere; their position is their number.

    Attributes
    ----------
    replies : deque of VenueReply
        The latest answers that hold nothing else, errors among them.
    refused_listings : tuple of (str, str)
        Symbols that metadata names and nobody could read, and why.
    """

    name: ClassVar[str] = "bybit"
    markets: ClassVar[tuple[str, ...]] = tuple(VENUES)
    settings_type: ClassVar[type[PartSettings]] = BybitSettings
    kernels: ClassVar[MessageKernels] = MESSAGES

    def __init__(self, settings: BybitSettings, instruments: Sequence[Instrument] = ()) -> None:
        check_settings(settings)
        self.settings = settings
        self.facts = VENUES[settings.market]
        self.replies: deque[VenueReply] = deque(maxlen=KEPT_MESSAGES)
        self.refused_listings: tuple[tuple[str, str], ...] = ()
        self._wanted: list[Outbound] = []
        self._ending: list[str] = []
        self._alive = KeepAlive(self.facts.ping_every)
        self._tickers: dict[str, Ticker] = {}
        self._asked_metadata = 0
        rules = MarketRules(
            venue=VenueName(self.name),
            market=self.facts.market,
            chain=self.facts.chain,
            fees=self.facts.default_fees,
            depth=settings.depth,
            guess=partial(guess_listing, self.facts),
        )
        super().__init__(SymbolRegistry(rules, MESSAGES.dtype, settings.symbols, instruments))

    @property
    def rate_limits(self) -> RateSettings:
        """The limits that requests of this market are counted against."""
        return self.facts.rate_limits

    def concerns(self, url: str) -> bool:
        """Say whether what comes from an address is of this market: all have the same symbols."""
        return is_of_market(url, self.facts.market)

    def connections(self) -> Sequence[Connection]:
        """Return the public sockets and the request host."""
        return public_connections(self.facts)

    def connect(self) -> Sequence[Outbound]:
        """Subscribe, which brings snapshots, and ask for metadata."""
        return [
            metadata_request(self.facts),
            *subscriptions(self.facts, self.settings),
            status_subscription(),
        ]

    def opened(self, connection: str, now: Nanoseconds) -> Sequence[Outbound]:
        """Say what to send first on a fresh connection."""
        if connection in (PUBLIC, STATUS):
            self._alive.opened(connection, now)
        self._asked_metadata = max(self._asked_metadata, int(now))
        return super().opened(connection, now)

    def streams(self, connection: str) -> Sequence[Stream]:
        """Name the books of the public socket."""
        if connection != PUBLIC or "orderbook" not in self.settings.streams:
            return ()
        return [
            Stream(
                symbol=Symbol(symbol),
                kinds=frozenset({EventKind.BOOK_END}),
                silence=self.facts.book_silence,
                requests=tuple(resubscription(self.settings, symbol)),
            )
            for symbol in self.settings.symbols
        ]

    def carries_data(self, data: bytes) -> bool:
        """Tell whether a message is of a topic."""
        return b'"topic":"' in data[:HEAD]

    def ending(self) -> Sequence[str]:
        """Hand over the connections that the venue said it will close."""
        ending, self._ending = self._ending, []
        return ending

    def began(self, connection: str) -> None:
        """Take note that the messages that follow come from a fresh socket."""
        super().began(connection)
        if connection == PUBLIC:
            self._tickers.clear()

    def closed(self, connection: str, now: Nanoseconds, batch: EventBatch) -> int:
        """Append a GAP for each book that a lost connection fed; return their number."""
        self._alive.closed(connection)
        if connection != PUBLIC or "orderbook" not in self.settings.streams:
            return 0
        followed = [
            InstrumentId(number)
            for number, item in enumerate(self.instruments)
            if item.symbol in self.settings.symbols
        ]
        return append_gaps(followed, now, batch)

    def due(self, now: Nanoseconds) -> Sequence[Outbound]:
        """Ping open sockets, and look for changed metadata."""
        wanted = [ping(connection) for connection in self._alive.due(now)]
        every = self.settings.metadata_every * SECOND
        if every and self._asked_metadata and now - self._asked_metadata >= every:
            self._asked_metadata = int(now)
            wanted.append(metadata_request(self.facts))
        return wanted

    def wanted(self) -> Sequence[Outbound]:
        """Hand over what messages and replies gave rise to."""
        wanted, self._wanted = self._wanted, []
        return wanted

    def resync(self, instrument: InstrumentId) -> Sequence[Outbound]:
        """Subscribe anew, which brings a snapshot."""
        return resubscription(self.settings, str(self.instruments[instrument].symbol))

    def request_subject(self, url: str) -> str:
        """Return the symbol that a request is about, empty if it names none."""
        return request_symbol(url)

    def decode_reply(self, request: Outbound, reply: Reply, batch: EventBatch) -> int:
        """Append the events of the reply to a request, whole or not at all."""
        return self.decode_reply_carefully(request, reply, batch)

    def interpret(self, data: bytes) -> Sequence[DraftMessage]:
        """Say slowly and surely what a message means."""
        content = plain_object(data)
        if "topic" in content:
            return self._topic(content)
        if "op" in content:
            return self._operation(content)
        return self._body(read_body(content))

    def interpret_reply(self, request: Outbound, reply: Reply) -> Sequence[DraftMessage]:
        """Say what the reply to a request means."""
        if reply.status != DONE:
            self.replies.append(VenueReply(f"HTTP{reply.status}", request.path[:512]))
            return ()
        return self._body(read_body(reply.body))

    def _topic(self, content: Mapping[str, object]) -> Sequence[DraftMessage]:
        message = read_topic(content, self._tickers)
        self._tickers |= message.tickers
        return [*message.drafts, *self._maintenance(message.notices)]

    def _operation(self, content: Mapping[str, object]) -> Sequence[DraftMessage]:
        """Keep the answer to a frame."""
        good = content.get("success") is True or content.get("retCode") == 0
        if content.get("op") == "pong" and "success" not in content:
            good = True
        text = str(content.get("ret_msg") or content.get("retMsg") or "")
        code = "0" if good else str(content.get("retCode") or content["op"])
        self.replies.append(VenueReply(code, text[:512]))
        return ()

    def _body(self, body: ReplyBody) -> Sequence[DraftMessage]:
        kind = reply_kind(body.result)
        category = body.result.get("category", self.facts.market)
        if kind and kind != "metadata" and category != self.facts.market:
            raise DecodeError(f"a reply of {category!r:.40}, and the market is {self.facts.market}")
        if body.code == "0" and kind == "metadata":
            return self._metadata(body)
        self.replies.append(VenueReply(body.code, body.text))
        return market_drafts(kind, body.result) if body.code == "0" else ()

    def _metadata(self, body: ReplyBody) -> Sequence[DraftMessage]:
        """Take in a page of metadata, and ask for the next."""
        catalogue = read_metadata(self.facts, body.result, self.settings.depth)
        self.refused_listings = tuple(catalogue.refused)
        before = self.instruments
        self._learn(catalogue.instruments)
        if catalogue.cursor:
            self._wanted.append(metadata_request(self.facts, catalogue.cursor))
        return changed_statuses(before, self.instruments, body.time)

    def _maintenance(self, notices: Sequence[VenueNotice]) -> list[DraftMessage]:
        """Say what a maintenance means for every instrument of this market."""
        drafts = []
        for notice in notices:
            if self.facts.market not in notice.markets or notice.state not in STOPPED | RESUMED:
                continue
            halted = notice.state in STOPPED
            drafts += [
                status_draft(
                    str(item.symbol),
                    InstrumentStatus.HALTED if halted else item.status,
                    notice.time,
                )
                for item in self.instruments
            ]
        return drafts
