"""The part of the adapter that needs no keys: connections, market data, metadata, status."""

from collections import deque
from collections.abc import Mapping, Sequence
from typing import ClassVar, Final

from bot4_core.domain_types.canonical_types import InstrumentId, Nanoseconds, Symbol, VenueName
from bot4_core.domain_types.instruments import Instrument, InstrumentStatus
from bot4_core.domain_types.rate_limits import RateSettings
from bot4_core.domain_types.records import EventKind
from bot4_core.errors import DecodeError
from bot4_core.kernels.wire_messages import MessageKernels
from bot4_core.kernels.wire_symbols import SYMBOL_WIDTH
from bot4_core.market.event_batch import EventBatch
from bot4_core.plugins.connections import Connection, Outbound, Reply, Stream
from bot4_core.plugins.part_settings import PartSettings
from bot4_plugins.exchange_okx.answers import GOOD, code_of
from bot4_plugins.exchange_okx.kernel_messages import MESSAGES
from bot4_plugins.exchange_okx.metadata import guess_instrument, read_instruments
from bot4_plugins.exchange_okx.replies import market_replies
from bot4_plugins.exchange_okx.requests import (
    BUSINESS,
    INSTRUMENTS,
    PUBLIC,
    SNAPSHOT,
    book_request,
    book_subscription,
    instruments_request,
    open_connections,
    ping_text,
    stream_frames,
    subject_of,
)
from bot4_plugins.exchange_okx.settings import OkxSettings, check_okx_settings
from bot4_plugins.exchange_okx.slow_decoder import channel_items, read_channel
from bot4_plugins.exchange_okx.venue import BOOKS, VENUES
from bot4_plugins.venue_toolkit.decoding_exchange import KEPT_MESSAGES, DecodingExchange
from bot4_plugins.venue_toolkit.drafts import DraftMessage
from bot4_plugins.venue_toolkit.keep_alive import KeepAlive
from bot4_plugins.venue_toolkit.order_answers import VenueReply
from bot4_plugins.venue_toolkit.status_events import append_gaps, changed_statuses, status_draft
from bot4_plugins.venue_toolkit.strict_json import plain_object, typed
from bot4_plugins.venue_toolkit.symbol_registry import MarketRules, SymbolRegistry

__all__ = ["OkxMarketData"]

PONG: Final = b"pong"
EVENT: Final = b'{"event":'
UPGRADE: Final = "64008"
"""Code of the notice that the venue will close a socket."""
DONE: Final = 200
UNKNOWN_START: Final = -1
TRADING_SERVICE: Final = "5"
STOPPED: Final = {
    "ongoing": InstrumentStatus.HALTED,
    "pre_open": InstrumentStatus.POST_ONLY,
}
RESUMED: Final = frozenset({"completed", "canceled"})


class OkxMarketData(DecodingExchange):
    """Market data of one OKX market.

    Parameters
    ----------
    settings : OkxSettings
    instruments : sequence of Instrument
        Known from elsewhere; their position is their number.

    Attributes
    ----------
    replies : deque of VenueReply
        The latest answers that hold nothing else, errors among them.
    refused_listings : tuple of (str, str)
        Names that metadata holds and nobody could read, and why.
    """

    name: ClassVar[str] = "okx"
    markets: ClassVar[tuple[str, ...]] = tuple(VENUES)
    settings_type: ClassVar[type[PartSettings]] = OkxSettings
    kernels: ClassVar[MessageKernels] = MESSAGES

    def __init__(self, settings: OkxSettings, instruments: Sequence[Instrument] = ()) -> None:
        check_okx_settings(settings)
        self.settings = settings
        self.facts = VENUES[settings.market]
        self.replies: deque[VenueReply] = deque(maxlen=KEPT_MESSAGES)
        self.refused_listings: tuple[tuple[str, str], ...] = ()
        self._codes: dict[str, int] = {}
        self._wanted: list[Outbound] = []
        self._ending: list[str] = []
        self._alive = KeepAlive(self.facts.ping_every)
        self._awaited: dict[str, int] = {}  # books without a snapshot, and since when
        rules = MarketRules(
            venue=VenueName(self.name),
            market=self.facts.market,
            chain=self.facts.chain,
            fees=self.facts.default_fees,
            depth=BOOKS[settings.book],
            guess=guess_instrument,
        )
        super().__init__(SymbolRegistry(rules, MESSAGES.dtype, settings.symbols, instruments))

    @property
    def rate_limits(self) -> RateSettings:
        """The limits that requests of this market are counted against."""
        return self.facts.rate_limits

    def connections(self) -> Sequence[Connection]:
        """Return the public sockets and the request host."""
        return open_connections(self.facts, self.settings)

    def connect(self) -> Sequence[Outbound]:
        """Subscribe, which brings snapshots, and ask for metadata."""
        return [instruments_request(self.facts), *stream_frames(self.facts, self.settings)]

    def opened(self, connection: str, now: Nanoseconds) -> Sequence[Outbound]:
        """Say what to send first on a fresh connection."""
        if connection in (PUBLIC, BUSINESS):
            self._alive.opened(connection, now)
        if connection == PUBLIC and "books" in self.settings.streams:
            self._awaited |= dict.fromkeys(self.settings.symbols, int(now))
            self._registry.state["whole"] = 0
        return super().opened(connection, now)

    def streams(self, connection: str) -> Sequence[Stream]:
        """Name the books of the public socket."""
        if connection != PUBLIC or "books" not in self.settings.streams:
            return ()
        return [
            Stream(
                symbol=Symbol(symbol),
                kinds=frozenset({EventKind.BOOK_END}),
                silence=self.facts.book_silence,
                requests=tuple(book_subscription(self.settings, symbol)),
            )
            for symbol in self.settings.symbols
        ]

    def carries_data(self, data: bytes) -> bool:
        """Tell whether a message is of a channel."""
        return data != PONG and not data.startswith(EVENT)

    def ending(self) -> Sequence[str]:
        """Hand over the connections that the venue said it will close."""
        ending, self._ending = self._ending, []
        return ending

    def closed(self, connection: str, now: Nanoseconds, batch: EventBatch) -> int:
        """Append a GAP for each book that a lost connection fed; return their number."""
        self._alive.closed(connection)
        if connection != PUBLIC or "books" not in self.settings.streams:
            return 0
        numbers = [self._registry.number(symbol) for symbol in self.settings.symbols]
        return append_gaps([InstrumentId(each) for each in numbers if each >= 0], now, batch)

    def due(self, now: Nanoseconds) -> Sequence[Outbound]:
        """Ping open sockets, and ask for snapshots that subscriptions did not bring."""
        wanted = [ping_text(connection) for connection in self._alive.due(now)]
        self._note_snapshots()
        for symbol, since in self._awaited.items():
            if since == UNKNOWN_START:
                self._awaited[symbol] = int(now)
            elif now - since >= self.facts.snapshot_patience:
                wanted.append(book_request(self.settings, symbol))
                self._awaited[symbol] = int(now)
        return wanted

    def wanted(self) -> Sequence[Outbound]:
        """Hand over what messages and replies gave rise to."""
        wanted, self._wanted = self._wanted, []
        return wanted

    def resync(self, instrument: InstrumentId) -> Sequence[Outbound]:
        """Subscribe anew, which should bring a snapshot; else it will be asked for."""
        symbol = str(self.instruments[instrument].symbol)
        self._note_snapshots()
        row = self._registry.rows.get(symbol)
        if row is not None:
            self._registry.state[0]["whole"][row // SYMBOL_WIDTH] = 0
        self._awaited[symbol] = UNKNOWN_START
        return book_subscription(self.settings, symbol)

    def request_subject(self, url: str) -> str:
        """Return the symbol that a request is about, empty if it names none."""
        return subject_of(url)

    def decode_reply(self, request: Outbound, reply: Reply, batch: EventBatch) -> int:
        """Append the events of the reply to a request, whole or not at all."""
        return self.decode_reply_carefully(request, reply, batch)

    def interpret(self, data: bytes) -> Sequence[DraftMessage]:
        """Say slowly and surely what a message means."""
        if data == PONG:
            return ()
        content = plain_object(data)
        if "event" in content:
            return self._event(content)
        if "arg" in content:
            return self._channel(content)
        return self._body(content)

    def interpret_reply(self, request: Outbound, reply: Reply) -> Sequence[DraftMessage]:
        """Say what the reply to a request means."""
        if reply.status != DONE:
            self.replies.append(VenueReply(f"HTTP{reply.status}", request.path[:512]))
            return ()
        symbol = self.request_subject(request.path)
        if request.path.startswith(SNAPSHOT):
            self._note_snapshots()
            if symbol not in self._awaited:  # its subscription has brought one meanwhile
                return ()
            self._awaited.pop(symbol)
        return self._body(plain_object(reply.body), request.path)

    def _take_state(self) -> None:
        """Take a new decoder's record; it does not know of snapshots that the old one saw."""
        if hasattr(self, "_awaited"):
            self._note_snapshots()
        super()._take_state()

    def _note_snapshots(self) -> None:
        """Await no more what the compiled decoder has seen."""
        whole = self._state[0]["whole"]
        for symbol in list(self._awaited):
            row = self._registry.rows.get(symbol)
            if row is not None and whole[row // SYMBOL_WIDTH]:
                del self._awaited[symbol]

    def _event(self, content: Mapping[str, object]) -> Sequence[DraftMessage]:
        """Keep the answer to a frame; take note of a socket that will be closed."""
        code, event = str(content.get("code", GOOD)), str(content.get("event"))
        self.replies.append(VenueReply(code, str(content.get("msg") or event)[:512]))
        if code == UPGRADE:
            self._ending.append(self.source)
        return ()

    def _channel(self, content: Mapping[str, object]) -> Sequence[DraftMessage]:
        subject = typed(content["arg"], dict[str, str])
        channel = subject.get("channel", "")
        if channel == "instruments":
            return self._metadata(channel_items(content))
        if channel == "status":
            return self._maintenance(channel_items(content))
        drafts = read_channel(content, self._followers)
        if channel in BOOKS and content.get("action") != "update":
            self._awaited.pop(subject.get("instId", ""), None)
        return drafts

    def _followers(self, pair: str) -> list[str]:
        """Return the symbols that an index is of."""
        known = [*self.settings.symbols, *(str(item.symbol) for item in self.instruments)]
        return [
            name for name in dict.fromkeys(known) if name == pair or name.startswith(f"{pair}-")
        ]

    def _body(self, content: Mapping[str, object], path: str = "") -> Sequence[DraftMessage]:
        code, text = code_of(content)
        items = content.get("data")
        if code != GOOD or not isinstance(items, list):
            self.replies.append(VenueReply(code, text))
            return ()
        if _is_metadata(items) or path.startswith(INSTRUMENTS):
            return self._metadata(items)
        self.replies.append(VenueReply(code, text))
        return market_replies(items, self._subject())

    def _metadata(self, items: list[object]) -> Sequence[DraftMessage]:
        """Take in metadata; every market's, since their symbols differ."""
        catalogue, codes = read_instruments(items, BOOKS[self.settings.book])
        self.refused_listings = tuple(catalogue.refused)
        self._codes |= codes
        before = self.instruments
        self._learn(catalogue.instruments)
        return changed_statuses(before, self.instruments, 0)

    def _maintenance(self, items: Sequence[object]) -> list[DraftMessage]:
        """Say what a maintenance of trading means for every instrument."""
        drafts = []
        for item in (typed(each, dict[str, object]) for each in items):
            state, service = str(item.get("state")), item.get("serviceType")
            if service != TRADING_SERVICE or state not in {*STOPPED, *RESUMED}:
                continue
            drafts += [
                status_draft(str(each.symbol), STOPPED.get(state, each.status), 0)
                for each in self.instruments
            ]
        return drafts


def _is_metadata(items: Sequence[object]) -> bool:
    first = items[0] if items else None
    if isinstance(first, dict) and "sCode" in first:
        raise DecodeError("an answer to nobody's request")
    return isinstance(first, dict) and "tickSz" in first and "instId" in first
