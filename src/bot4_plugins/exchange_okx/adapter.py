"""The OKX adapter: market data, orders and the account."""

from collections.abc import Mapping, Sequence
from typing import ClassVar, Final

from bot4_core.domain_types.canonical_types import (
    InstrumentId,
    Nanoseconds,
    Price,
    Quantity,
)
from bot4_core.domain_types.instruments import Instrument
from bot4_core.domain_types.orders import Order, OrderIntent
from bot4_core.domain_types.venue_capabilities import Capabilities
from bot4_core.errors import DecodeError, OrderError
from bot4_core.market.event_batch import EventBatch
from bot4_core.orders.reconciliation import VenueAccount
from bot4_core.plugins.connections import Connection, Outbound, Reply
from bot4_core.plugins.credentials import Credentials
from bot4_plugins.exchange_okx.account import okx_account, okx_account_requests
from bot4_plugins.exchange_okx.answers import (
    ACTIONS,
    GOOD,
    answer_of_frame,
    answer_of_reply,
    code_of,
)
from bot4_plugins.exchange_okx.capabilities import CAPABILITIES
from bot4_plugins.exchange_okx.market_data import DONE, OkxMarketData
from bot4_plugins.exchange_okx.order_codes import NOT_FOUND, REJECTS, UNKNOWN_ORDER
from bot4_plugins.exchange_okx.order_decoder import (
    algo_drafts,
    fill_drafts,
    order_drafts,
    wallet_balances,
    wallet_positions,
)
from bot4_plugins.exchange_okx.order_requests import OPERATIONS, OkxOrderWriter
from bot4_plugins.exchange_okx.questions import QUERY, OkxQuestions
from bot4_plugins.exchange_okx.replies import shape_of
from bot4_plugins.exchange_okx.requests import (
    BUSINESS_PRIVATE,
    PRIVATE,
    account_subscription,
    keyed_connections,
)
from bot4_plugins.exchange_okx.settings import OkxSettings
from bot4_plugins.exchange_okx.signing import OkxSigner
from bot4_plugins.venue_toolkit.account_sums import ToldAccount
from bot4_plugins.venue_toolkit.drafts import DraftMessage
from bot4_plugins.venue_toolkit.order_answers import OrderAnswer, VenueReply
from bot4_plugins.venue_toolkit.strict_json import plain_object, typed

__all__ = ["OkxExchange", "OkxSettings"]

CHANNELS: Final = {
    "orders": "orders",
    "orders-algo": "waiting orders",
    "algo-advance": "waiting orders",
    "positions": "positions",
    "account": "balances",
}
"""Private channels, and the shapes of lists that say the same."""
SHAPES: Final = frozenset({*CHANNELS.values(), "fills"})


class OkxExchange(OkxMarketData):
    """Sans-I/O adapter of one OKX market.

    Parameters
    ----------
    settings : OkxSettings
    instruments : sequence of Instrument
        Known from elsewhere; their position is their number.

    Attributes
    ----------
    told : ToldAccount
        What the venue last said of the account.
    """

    definitive_rejects: ClassVar[frozenset[str]] = frozenset(REJECTS)
    capabilities: ClassVar[Mapping[str, Capabilities]] = CAPABILITIES

    def __init__(self, settings: OkxSettings, instruments: Sequence[Instrument] = ()) -> None:
        super().__init__(settings, instruments)
        self.told = ToldAccount()
        self._signer: OkxSigner | None = None

    def authorise(self, credentials: Credentials) -> None:
        """Take the keys that private connections and orders need; they are shown nowhere."""
        self._signer = OkxSigner(credentials=credentials, demo=self.settings.site == "demo")

    def connections(self) -> Sequence[Connection]:
        """Return the sockets and the request host; private ones only with keys."""
        private = keyed_connections(self.facts, self.settings) if self._signer else ()
        return [*super().connections(), *private]

    def opened(self, connection: str, now: Nanoseconds) -> Sequence[Outbound]:
        """Log in on private connections; what follows is asked for when that is accepted."""
        if connection in (PRIVATE, BUSINESS_PRIVATE) and self._signer is not None:
            self._alive.opened(connection, now)
            return [Outbound(connection=connection, body=self._signer.login(now), tag="login")]
        return super().opened(connection, now)

    def place(self, intent: OrderIntent, now: Nanoseconds) -> Outbound:
        """Encode a new order."""
        return self._writer.place(intent, self.instruments[intent.instrument], now)

    def cancel(self, order: Order, now: Nanoseconds) -> Outbound:
        """Encode the cancellation of an order."""
        return self._writer.cancel(order, self.instruments[order.intent.instrument], now)

    def cancel_all(self, instrument: InstrumentId, now: Nanoseconds) -> Sequence[Outbound]:
        """Ask for an instrument's working orders; their cancellations are wanted then."""
        return self._questions.working(self.instruments[instrument], now)

    def amend(
        self, order: Order, price: Price | None, size: Quantity | None, now: Nanoseconds
    ) -> Outbound:
        """Encode a change of a working order's price or whole size; None leaves it as it is."""
        instrument = self.instruments[order.intent.instrument]
        return self._writer.amend(order, instrument, price, size, now)

    def query(self, order: Order, now: Nanoseconds) -> Outbound:
        """Ask, by client order id, what became of an order."""
        return self._questions.query(order, self.instruments[order.intent.instrument], now)

    def missed(self, since: Nanoseconds, now: Nanoseconds) -> Sequence[Outbound]:
        """Ask for what private connections may not have told since a time."""
        return self._questions.missed(since, now)

    def account_requests(self, now: Nanoseconds) -> Sequence[Outbound]:
        """Ask for working orders, positions, balances and recent trades."""
        return okx_account_requests(self._writer, self.facts, now)

    def read_account(self, replies: Sequence[bytes], time: Nanoseconds) -> VenueAccount:
        """Decode the replies to `account_requests`, in the same order."""

        def trades(items: Sequence[object]) -> Sequence[tuple[int, ...]]:
            batch = EventBatch()
            self.append(fill_drafts(items, self.facts.kinds, self._number_of), time, batch)
            return [tuple(row) for row in batch.events.tolist()]

        return okx_account(replies, self.instruments, self.facts, time, trades)

    def interpret_reply(self, request: Outbound, reply: Reply) -> Sequence[DraftMessage]:
        """Say what the reply to a request means."""
        if request.tag in ACTIONS:
            return self._answered(answer_of_reply(request, reply))
        if request.tag == QUERY and reply.status == DONE:
            code, _ = code_of(plain_object(reply.body))
            if code in NOT_FOUND:
                return self._questions.not_found(request, reply)
        drafts = super().interpret_reply(request, reply)
        if reply.status == DONE and self._signer is not None:
            content = plain_object(reply.body)
            items = content.get("data")
            if content.get("code") == GOOD and isinstance(items, list):
                self._wanted += self._questions.following(request, items, reply.received)
        return drafts

    @property
    def _writer(self) -> OkxOrderWriter:
        if self._signer is None:
            raise OrderError("okx: no keys were given")
        return OkxOrderWriter(settings=self.settings, signer=self._signer, codes=self._codes)

    @property
    def _questions(self) -> OkxQuestions:
        return OkxQuestions(writer=self._writer, facts=self.facts)

    def _number_of(self, client_id: str) -> int:
        return self.number_of(client_id) if self.number_of is not None and client_id else -1

    def _event(self, content: Mapping[str, object]) -> Sequence[DraftMessage]:
        drafts = super()._event(content)
        good = content.get("code") == GOOD
        if content["event"] == "login" and good and self.source in (PRIVATE, BUSINESS_PRIVATE):
            self._wanted.append(account_subscription(self.source))
        return drafts

    def _channel(self, content: Mapping[str, object]) -> Sequence[DraftMessage]:
        channel = typed(content["arg"], dict[str, str]).get("channel", "")
        if channel not in CHANNELS:
            return super()._channel(content)
        items = content.get("data")
        read = typed(items, list[dict[str, object]])
        if channel == "orders":
            return order_drafts(read, self.facts.kinds, self._number_of, listed=False)
        return self._told(CHANNELS[channel], read)

    def _body(self, content: Mapping[str, object], path: str = "") -> Sequence[DraftMessage]:
        if content.get("op") in OPERATIONS:
            return self._answered(answer_of_frame(content))
        items = content.get("data")
        shape = shape_of(items) if isinstance(items, list) else ""
        if shape in SHAPES and content.get("code") == GOOD:
            return self._told(shape, typed(items, list[dict[str, object]]))
        return super()._body(content, path)

    def _told(self, shape: str, items: Sequence[object]) -> Sequence[DraftMessage]:
        """Take in what a channel or a list says of the account."""
        kinds = self.facts.kinds
        if shape == "orders":
            return order_drafts(items, kinds, self._number_of, listed=True)
        if shape == "waiting orders":
            return algo_drafts(items, kinds, self._number_of)
        if shape == "fills":
            return fill_drafts(items, kinds, self._number_of)
        if shape == "positions":
            self.told.hold(wallet_positions(items, kinds))
        else:
            self.told.balances |= wallet_balances(items)
        return ()

    def _answered(self, answer: OrderAnswer) -> Sequence[DraftMessage]:
        self.replies.append(VenueReply(answer.code, answer.text))
        if not 0 <= answer.instrument < len(self.instruments):
            raise DecodeError(f"instrument {answer.instrument} is not one of the session's")
        symbol = str(self.instruments[answer.instrument].symbol)
        return answer.drafts(symbol, self.refusal, REJECTS, UNKNOWN_ORDER)
