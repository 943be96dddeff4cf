"""The Binance adapter: bytes and time in, event records and wanted bytes out."""

from collections import deque
from collections.abc import Mapping, Sequence
from functools import partial
from typing import ClassVar, Final

from bot4_core.domain_types.canonical_types import (
    InstrumentId,
    Nanoseconds,
    Price,
    Quantity,
    VenueName,
)
from bot4_core.domain_types.instruments import Instrument
from bot4_core.domain_types.orders import Order, OrderIntent
from bot4_core.domain_types.rate_limits import RateSettings
from bot4_core.domain_types.records import ChainRule
from bot4_core.domain_types.venue_capabilities import Capabilities
from bot4_core.errors import DecodeError, OrderError
from bot4_core.kernels.wire_messages import MessageKernels
from bot4_core.market.event_batch import EventBatch
from bot4_core.orders.reconciliation import VenueAccount
from bot4_core.plugins.credentials import Credentials
from bot4_core.plugins.exchange import Connection, Outbound, Reply, Stream
from bot4_core.plugins.part_settings import PartSettings
from bot4_plugins.exchange_binance.account import AccountReader, account_requests
from bot4_plugins.exchange_binance.capabilities import (
    CAPABILITIES,
    DEFINITIVE_REJECTS,
    rate_settings,
)
from bot4_plugins.exchange_binance.kernel_messages import MESSAGES
from bot4_plugins.exchange_binance.metadata import read_limits, read_metadata
from bot4_plugins.exchange_binance.order_replies import Answer
from bot4_plugins.exchange_binance.order_requests import OrderRequests, parse_purpose
from bot4_plugins.exchange_binance.private_side import PrivateSide
from bot4_plugins.exchange_binance.requests import (
    depth_request,
    market_request,
    metadata_request,
    request_symbol,
    stream_plan,
    subscriptions,
    watched_streams,
)
from bot4_plugins.exchange_binance.response_headers import used, venue_time
from bot4_plugins.exchange_binance.settings import BinanceSettings, check_settings
from bot4_plugins.exchange_binance.slow_decoder import (
    AccountEvent,
    Acknowledgement,
    Metadata,
    decode_slowly,
)
from bot4_plugins.exchange_binance.symbol_names import guess_listing
from bot4_plugins.exchange_binance.venue import REST, VENUES
from bot4_plugins.venue_toolkit.decoding_exchange import KEPT_MESSAGES, DecodingExchange
from bot4_plugins.venue_toolkit.drafts import DraftMessage
from bot4_plugins.venue_toolkit.status_events import append_gaps, changed_statuses
from bot4_plugins.venue_toolkit.strict_json import plain_data, plain_object, typed
from bot4_plugins.venue_toolkit.symbol_registry import MarketRules, SymbolRegistry
from bot4_plugins.venue_toolkit.time_text import nanoseconds_of

__all__ = ["BinanceExchange", "BinanceSettings"]

SECOND: Final = 1_000_000_000
SHUTDOWN: Final = "serverShutdown"
LARGEST_MESSAGE: Final = 1 << 24


class BinanceExchange(DecodingExchange):
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
    kernels: ClassVar[MessageKernels] = MESSAGES
    capabilities: ClassVar[Mapping[str, Capabilities]] = CAPABILITIES
    definitive_rejects: ClassVar[frozenset[str]] = DEFINITIVE_REJECTS

    def __init__(
        self,
        settings: BinanceSettings,
        instruments: Sequence[Instrument] = (),
    ) -> None:
        check_settings(settings)
        self.settings = settings
        self.facts = VENUES[settings.market]
        self.replies: deque[Acknowledgement] = deque(maxlen=KEPT_MESSAGES)
        self.refused_listings: tuple[tuple[str, str], ...] = ()
        self._plan = stream_plan(
            self.facts, settings.symbols, settings.streams, settings.candle_interval
        )
        self._limits = rate_settings(self.facts, {})
        self._private = PrivateSide(self.facts, self._number_of, self._symbol_of)
        self._now = Nanoseconds(0)
        self._described = Nanoseconds(0)
        self._ending: list[str] = []
        rules = MarketRules(
            venue=VenueName(self.name),
            market=self.facts.market,
            chain=self.facts.chain,
            fees=self.facts.default_fees,
            guess=partial(guess_listing, self.facts),
        )
        linked = {"linked": int(self.facts.chain is ChainRule.LINK)}
        super().__init__(
            SymbolRegistry(rules, MESSAGES.dtype, settings.symbols, instruments, linked)
        )

    @property
    def rate_limits(self) -> RateSettings:
        """The market's limits, as ``exchangeInfo`` told them where it has."""
        return self._limits

    def authorise(self, credentials: Credentials) -> None:
        """Take the keys: HMAC, RSA or Ed25519, recognised by the secret's text."""
        websocket = self.settings.route == "websocket"
        self._private.authorise(credentials, self.settings.receive_window, websocket=websocket)

    def connections(self) -> Sequence[Connection]:
        """Return REST, the sockets of market data, and with a key those of orders and account."""
        hosts = self.facts.hosts
        sockets = [
            Connection(
                name=name,
                url=hosts[name.partition("-")[0]],
                silence=Nanoseconds(self.facts.silence * SECOND),
                lifetime=Nanoseconds(self.facts.lifetime * SECOND),
                largest=LARGEST_MESSAGE,
                frames_per_second=self.facts.frames_per_second,
            )
            for name in self._plan
        ]
        rest = Connection(name=REST, url=hosts[REST])
        return [rest, *sockets, *self._private.connections()]

    def connect(self) -> Sequence[Outbound]:
        """Subscribe first, so that no update is missed, then ask for metadata and snapshots."""
        frames = subscriptions(self._plan)
        books = self._books_on(self._plan)
        snapshots = [depth_request(self.facts, symbol) for symbol in books]
        return [metadata_request(self.facts, self.settings.symbols), *frames, *snapshots]

    def opened(self, connection: str, now: Nanoseconds) -> Sequence[Outbound]:
        """Subscribe on a fresh socket and ask for the books that it feeds.

        On REST this means metadata and, with a key, a listen key.
        """
        private = self._private.opened(connection, now)
        if connection == REST:
            self._described = now
            return [metadata_request(self.facts, self.settings.symbols), *private]
        plan = {name: self._plan[name] for name in self._plan if name == connection}
        books = [depth_request(self.facts, symbol) for symbol in self._books_on(plan)]
        return [*subscriptions(plan), *books, *private]

    def closed(self, connection: str, now: Nanoseconds, batch: EventBatch) -> int:
        """Append a GAP for each book that the connection fed."""
        plan = {name: self._plan[name] for name in self._plan if name == connection}
        numbers = [self._registry.number(symbol) for symbol in self._books_on(plan)]
        return append_gaps([InstrumentId(each) for each in numbers if each >= 0], now, batch)

    def streams(self, connection: str) -> Sequence[Stream]:
        """Name the streams of a connection that are never silent for long."""
        return watched_streams(self.facts, self._plan.get(connection, ()), self._subscription)

    def carries_data(self, data: bytes) -> bool:
        """Tell whether a fresh socket's message is more than the answer to a subscription."""
        return not data.startswith((b'{"result"', b'{"error"', b'{"id"'))

    def ending(self) -> Sequence[str]:
        """Hand over the connections that the venue announced to close."""
        announced, self._ending = self._ending, []
        return announced

    def usage(self, reply: Reply) -> Sequence[tuple[str, int]]:
        """Return what the venue counts of our weight and our orders."""
        return used(reply)

    def clock_request(self) -> Outbound:
        """Ask for the venue's time."""
        return market_request(f"{self.facts.prefix}/time", 1)

    def read_clock(self, reply: Reply) -> Nanoseconds:
        """Return the venue's time, to the millisecond."""
        return nanoseconds_of(typed(plain_object(reply.body).get("serverTime"), int))

    def due(self, now: Nanoseconds) -> Sequence[Outbound]:
        """Renew the listen key, and look again at what the venue says of its instruments."""
        asked = self._private.due(now)
        if now - self._described >= self.settings.metadata_every * SECOND:
            self._described = now
            asked.append(metadata_request(self.facts, self.settings.symbols))
        return asked

    def wanted(self) -> Sequence[Outbound]:
        """Hand over what messages and replies gave rise to."""
        return self._private.wanted()

    def resync(self, instrument: InstrumentId) -> Sequence[Outbound]:
        """Ask for a new snapshot of one book."""
        return [depth_request(self.facts, self.instruments[instrument].symbol)]

    def decode_carefully(self, data: bytes, received: Nanoseconds, batch: EventBatch) -> int:
        """Decode with the slow decoder alone; same meaning as `decode`."""
        self._now = received
        return super().decode_carefully(data, received, batch)

    def interpret(self, data: bytes) -> Sequence[DraftMessage]:
        """Say slowly and surely what a message means; metadata and acknowledgements are kept."""
        result = decode_slowly(data, linked=self.facts.chain is ChainRule.LINK)
        if isinstance(result, DraftMessage):
            return (result,)
        if isinstance(result, AccountEvent):
            if result.content["e"] == SHUTDOWN:
                self._ending.append(self.source)
            return self._private.read_event(result.content, self._now)
        if isinstance(result, Answer):
            return self._private.read_answer(result, self._now)
        if isinstance(result, Metadata):
            return self._describe(result.content)
        self.replies.append(result)
        return ()

    def decode_reply(self, request: Outbound, reply: Reply, batch: EventBatch) -> int:
        """Append the events of the reply to a request, whole or not at all."""
        self._now = reply.received
        if parse_purpose(request.tag) is None:
            return super().decode_reply(request, reply, batch)
        return self.decode_reply_carefully(request, reply, batch)

    def interpret_reply(self, request: Outbound, reply: Reply) -> Sequence[DraftMessage]:
        """Say what the reply to a signed request means."""
        purpose = parse_purpose(request.tag)
        if purpose is None:
            return self.interpret(reply.body)
        content: object = None
        try:
            content = plain_data(reply.body)
        except DecodeError:
            if not request.creates:
                raise
        answer = Answer(purpose, reply.status, content, venue_time(reply))
        return self._private.read_answer(answer, reply.received)

    def request_subject(self, url: str) -> str:
        """Return the symbol that a request is about, empty if it names none."""
        return request_symbol(url)

    def place(self, intent: OrderIntent, now: Nanoseconds) -> Outbound:
        """Encode a new order.

        Raises
        ------
        OrderError
            If the market has no such order, or nobody gave a key.
        """
        return self._requests().place(intent, self._symbol_of(intent.instrument), now)

    def cancel(self, order: Order, now: Nanoseconds) -> Outbound:
        """Encode the cancellation of an order."""
        intent = order.intent
        return self._requests().cancel(intent, self._symbol_of(intent.instrument), now)

    def cancel_all(self, instrument: InstrumentId, now: Nanoseconds) -> Sequence[Outbound]:
        """Encode the cancellation of every order of an instrument."""
        return self._requests().cancel_all(instrument, self._symbol_of(instrument), now)

    def amend(
        self, order: Order, price: Price | None, size: Quantity | None, now: Nanoseconds
    ) -> Outbound:
        """Encode a change of a limit order; on spot its size can be made smaller, no more."""
        symbol = self._symbol_of(order.intent.instrument)
        return self._requests().amend(order, symbol, price, size, now)

    def query(self, order: Order, now: Nanoseconds) -> Outbound:
        """Encode a question, by client order id, about what became of an order."""
        intent = order.intent
        return self._requests().query(intent, self._symbol_of(intent.instrument), now)

    def missed(self, since: Nanoseconds, now: Nanoseconds) -> Sequence[Outbound]:
        """Ask for orders since a time and a minute before; their trades follow in `wanted`."""
        self._requests()
        return self._private.missed([each.symbol for each in self.instruments], since, now)

    def account_requests(self, now: Nanoseconds) -> Sequence[Outbound]:
        """Ask for balances, positions, working orders, and the day's orders and trades."""
        symbols = [each.symbol for each in self.instruments]
        return account_requests(self.facts, self._requests(), symbols, now)

    def read_account(self, replies: Sequence[bytes], time: Nanoseconds) -> VenueAccount:
        """Decode the bodies of the replies to `account_requests`, in the same order."""
        read = AccountReader(self.facts, self.instruments, self._private.replies).read(replies)
        batch = EventBatch(max(len(read.trades), 1))
        own = [each for each in read.trades if self._registry.number(each.symbol) >= 0]
        self.append(own, time, batch)
        return VenueAccount(
            time=time,
            orders=read.orders,
            positions=read.positions,
            balances=read.balances,
            trades=batch.events.copy(),
        )

    def _requests(self) -> OrderRequests:
        requests = self._private.requests
        if requests is None:
            raise OrderError("binance needs a key for this; none was given")
        return requests

    def _number_of(self, client_id: str) -> int:
        return self.number_of(client_id) if self.number_of is not None else -1

    def _symbol_of(self, instrument: int) -> str:
        if not 0 <= instrument < len(self.instruments):
            raise OrderError(f"binance {self.facts.market} has no instrument {instrument} here")
        return str(self.instruments[instrument].symbol)

    def _books_on(self, plan: Mapping[str, Sequence[str]]) -> list[str]:
        """Return the symbols whose books some of the connections feed."""
        streams = {stream for each in plan.values() for stream in each}
        depth = self.facts.depth_stream
        return [each for each in self.settings.symbols if f"{each.lower()}@{depth}" in streams]

    def _describe(self, content: dict[str, object]) -> Sequence[DraftMessage]:
        """Take in metadata, and tell which instruments may be traded otherwise than before."""
        catalogue = read_metadata(self.facts, content)
        self.refused_listings = tuple(catalogue.refused)
        told = read_limits(content)
        if told:
            self._limits = rate_settings(self.facts, told)
        before, time = self.instruments, content.get("serverTime")
        self._learn(catalogue.instruments)
        moment = nanoseconds_of(time) if isinstance(time, int) else 0
        return changed_statuses(before, self.instruments, moment)

    def _subscription(self, stream: str) -> tuple[Outbound, ...]:
        """Write the frame that subscribes to one stream again."""
        names = [name for name, streams in self._plan.items() if stream in streams]
        return tuple(subscriptions({name: [stream] for name in names}))
