"""The Bybit adapter: market data, orders and the account."""

from collections.abc import Mapping, Sequence
from typing import ClassVar

from bot4_core.domain_types.canonical_types import (
    InstrumentId,
    Nanoseconds,
    Price,
    Quantity,
)
from bot4_core.domain_types.instruments import Instrument
from bot4_core.domain_types.orders import Order, OrderIntent
from bot4_core.domain_types.venue_capabilities import Capabilities
from bot4_core.errors import OrderError
from bot4_core.market.event_batch import EventBatch
from bot4_core.orders.reconciliation import VenueAccount
from bot4_core.plugins.credentials import Credentials
from bot4_core.plugins.exchange import Connection, Outbound, Reply
from bot4_plugins.exchange_bybit import order_decoder
from bot4_plugins.exchange_bybit.account import account_requests, read_account
from bot4_plugins.exchange_bybit.answers import (
    ANSWERED,
    FRAMES,
    frame_answer,
    reply_answer,
)
from bot4_plugins.exchange_bybit.capabilities import CAPABILITIES
from bot4_plugins.exchange_bybit.market_data import DONE, BybitMarketData
from bot4_plugins.exchange_bybit.order_codes import REJECTS, UNKNOWN_ORDER
from bot4_plugins.exchange_bybit.order_decoder import AccountMessage
from bot4_plugins.exchange_bybit.order_requests import OrderWriter
from bot4_plugins.exchange_bybit.questions import Questions
from bot4_plugins.exchange_bybit.replies import ReplyBody, items_of, read_body, reply_kind
from bot4_plugins.exchange_bybit.requests import (
    PRIVATE,
    TRADE,
    private_connections,
    private_subscription,
)
from bot4_plugins.exchange_bybit.settings import BybitSettings
from bot4_plugins.exchange_bybit.signing import BybitSigner
from bot4_plugins.venue_toolkit.account_sums import ToldAccount
from bot4_plugins.venue_toolkit.drafts import DraftMessage
from bot4_plugins.venue_toolkit.order_answers import OrderAnswer, VenueReply
from bot4_plugins.venue_toolkit.strict_json import typed

__all__ = ["BybitExchange", "BybitSettings"]

PRIVATE_TOPICS = frozenset({"order", "execution", "position", "wallet"})
RESTARTS = "10019"
"""Code of a trade service that will close its sockets."""
ACCOUNT_LISTS = frozenset({"orders", "executions", "positions", "wallet"})


class BybitExchange(BybitMarketData):
    """Sans-I/O adapter of one Bybit market.

    Parameters
    ----------
    settings : BybitSettings
    instruments : sequence of Instrument
        Known from elsewhere; their position is their number.

    Attributes
    ----------
    told : ToldAccount
        What the venue last said of the account.
    """

    definitive_rejects: ClassVar[frozenset[str]] = frozenset(REJECTS)
    capabilities: ClassVar[Mapping[str, Capabilities]] = CAPABILITIES

    def __init__(self, settings: BybitSettings, instruments: Sequence[Instrument] = ()) -> None:
        super().__init__(settings, instruments)
        self.told = ToldAccount()
        self._signer: BybitSigner | None = None

    def authorise(self, credentials: Credentials) -> None:
        """Take the keys that private connections and orders need; they are shown nowhere."""
        self._signer = BybitSigner(credentials=credentials, window=self.settings.window)

    def connections(self) -> Sequence[Connection]:
        """Return the sockets and the request host; private ones only with keys."""
        private = private_connections(self.facts, self.settings) if self._signer else ()
        return [*super().connections(), *private]

    def opened(self, connection: str, now: Nanoseconds) -> Sequence[Outbound]:
        """Log in on private connections; what follows is asked for when that is accepted."""
        if connection in (PRIVATE, TRADE) and self._signer is not None:
            self._alive.opened(connection, now)
            return [Outbound(connection=connection, body=self._signer.login(now), tag="login")]
        return super().opened(connection, now)

    def place(self, intent: OrderIntent, now: Nanoseconds) -> Outbound:
        """Encode a new order."""
        return self._writer.place(intent, self.instruments[intent.instrument], now)

    def cancel(self, order: Order, now: Nanoseconds) -> Outbound:
        """Encode the cancellation of an order."""
        return self._writer.cancel(order, self._instrument_of(order), now)

    def cancel_all(self, instrument: InstrumentId, now: Nanoseconds) -> Sequence[Outbound]:
        """Encode the cancellation of every order of an instrument, also those unknown here."""
        return self._writer.cancel_all(self.instruments[instrument], now)

    def amend(
        self, order: Order, price: Price | None, size: Quantity | None, now: Nanoseconds
    ) -> Outbound:
        """Encode a change of a working order's price or whole size; None leaves it as it is."""
        return self._writer.amend(order, self._instrument_of(order), price, size, now)

    def query(self, order: Order, now: Nanoseconds) -> Outbound:
        """Ask, by client order id, what became of an order."""
        return self._questions.query(order, self._instrument_of(order), now)

    def missed(self, since: Nanoseconds, now: Nanoseconds) -> Sequence[Outbound]:
        """Ask for what private connections may not have told since a time."""
        return self._questions.missed(since, now)

    def account_requests(self, now: Nanoseconds) -> Sequence[Outbound]:
        """Ask for working orders, positions, balances and recent trades."""
        return account_requests(self._writer, self.instruments, now)

    def read_account(self, replies: Sequence[bytes], time: Nanoseconds) -> VenueAccount:
        """Decode the replies to `account_requests`, in the same order."""

        def trades(body: ReplyBody) -> Sequence[tuple[int, ...]]:
            batch = EventBatch()
            said = self._said_of_account("executions", items_of(body.result))
            self.append(said.drafts, time, batch)
            return [tuple(row) for row in batch.events.tolist()]

        return read_account(replies, self.instruments, self.settings.market, trades)

    def interpret_reply(self, request: Outbound, reply: Reply) -> Sequence[DraftMessage]:
        """Say what the reply to a request means."""
        if request.tag in ANSWERED:
            return self._answered(reply_answer(request, reply))
        drafts = super().interpret_reply(request, reply)
        if reply.status != DONE or self._signer is None:
            return drafts
        body = read_body(reply.body)
        if body.code != "0":
            return drafts
        questions = self._questions
        self._wanted += questions.following(request, body, reply.received)
        return [*drafts, *questions.not_found(request, body)]

    @property
    def _writer(self) -> OrderWriter:
        if self._signer is None:
            raise OrderError("bybit: no keys were given")
        return OrderWriter(settings=self.settings, signer=self._signer)

    @property
    def _questions(self) -> Questions:
        return Questions(writer=self._writer)

    def _instrument_of(self, order: Order) -> Instrument:
        return self.instruments[order.intent.instrument]

    def _number_of(self, client_id: str) -> int:
        """Return an order's number, -1 for foreign ones."""
        return self.number_of(client_id) if self.number_of is not None and client_id else -1

    def _settled_in(self, symbol: str) -> str:
        """Return what a symbol is settled in, as far as is known."""
        number = self._registry.number(symbol)
        if number >= 0:
            return self.instruments[number].settled_in
        guess = self._registry.rules.guess(symbol)
        return guess.base if self.facts.market == "inverse" else guess.quote

    def _topic(self, content: Mapping[str, object]) -> Sequence[DraftMessage]:
        topic = str(content.get("topic"))
        if topic == "execution.fast":  # says nothing of fees; `execution` follows
            typed(content.get("data"), list[dict[str, object]])
            self.told.passed_over[topic] += 1
            return ()
        head = topic.partition(".")[0]
        if head not in PRIVATE_TOPICS:
            return super()._topic(content)
        items = typed(content.get("data"), list[dict[str, object]])
        return self._take_account(self._said_of_account(f"{head}s", items))

    def _body(self, body: ReplyBody) -> Sequence[DraftMessage]:
        kind = reply_kind(body.result)
        drafts = super()._body(body)
        if body.code == "0" and kind in ACCOUNT_LISTS:
            return self._take_account(self._said_of_account(kind, items_of(body.result)))
        return drafts

    def _said_of_account(self, kind: str, items: Sequence[object]) -> AccountMessage:
        """Read what a topic or a list says of the account."""
        market = self.settings.market
        if kind == "orders":
            return order_decoder.orders(items, market, self._number_of)
        if kind == "executions":
            # lists come newest first
            return order_decoder.executions(items, market, self._settled_in, self._number_of)
        if kind == "positions":
            return order_decoder.positions(items, market)
        return order_decoder.balances(items)

    def _take_account(self, said: AccountMessage) -> Sequence[DraftMessage]:
        """Remember balances and positions; return what is to become events."""
        self.told.balances |= said.balances
        self.told.hold(said.positions)
        self.told.passed_over.update(said.passed_over)
        return said.drafts

    def _operation(self, content: Mapping[str, object]) -> Sequence[DraftMessage]:
        """Take an answer of the trade socket, or of a login."""
        if content["op"] in FRAMES:
            return self._answered(frame_answer(content, self._number_of))
        drafts = super()._operation(content)
        if content["op"] == "auth" and content.get("success") is True:
            self._wanted.append(private_subscription())
        return drafts

    def _answered(self, answer: OrderAnswer) -> Sequence[DraftMessage]:
        if answer.code == RESTARTS:
            self._ending.append(TRADE)
        self.replies.append(VenueReply(answer.code, answer.text))
        if not 0 <= answer.instrument < len(self.instruments):
            return ()
        symbol = str(self.instruments[answer.instrument].symbol)
        return answer.drafts(symbol, self.refusal, REJECTS, UNKNOWN_ORDER)
