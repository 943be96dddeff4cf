"""The Coinbase adapter: market data, orders, the user channel, the account."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import ClassVar, Final

import attrs

from bot4_core.domain_types.canonical_types import (
    InstrumentId,
    Money,
    Nanoseconds,
    Price,
    Quantity,
)
from bot4_core.domain_types.instruments import Instrument
from bot4_core.domain_types.orders import Order, OrderIntent
from bot4_core.domain_types.rate_limits import RateRequest, RateSettings, RequestPriority
from bot4_core.domain_types.records import OrderType, TimeInForce
from bot4_core.domain_types.venue_capabilities import Capabilities
from bot4_core.errors import DecodeError, OrderError
from bot4_core.market.event_batch import EventBatch
from bot4_core.orders.reconciliation import VenueAccount
from bot4_core.plugins.credentials import Credentials
from bot4_core.plugins.exchange import Connection, Outbound, Reply
from bot4_plugins.exchange_coinbase.account import read_account
from bot4_plugins.exchange_coinbase.capabilities import CAPABILITIES
from bot4_plugins.exchange_coinbase.market_data import FREE, SILENCE, CoinbaseMarketData
from bot4_plugins.exchange_coinbase.order_codes import DEFINITIVE
from bot4_plugins.exchange_coinbase.order_configuration import (
    bracket_configuration,
    order_configuration,
    side_word,
)
from bot4_plugins.exchange_coinbase.order_states import user_order
from bot4_plugins.exchange_coinbase.orders import FILLS, LIST, CoinbaseOrders, signed_request
from bot4_plugins.exchange_coinbase.settings import CoinbaseSettings
from bot4_plugins.exchange_coinbase.signing import TokenSigner
from bot4_plugins.exchange_coinbase.slow_decoder import CoinbaseFrame
from bot4_plugins.exchange_coinbase.venue import LIMITS, USER_SOCKET
from bot4_plugins.venue_toolkit.drafts import DraftMessage
from bot4_plugins.venue_toolkit.strict_json import plain_object
from bot4_plugins.venue_toolkit.time_text import timestamp_nanoseconds

__all__ = ["CoinbaseExchange"]

USER: Final = "user"
SECOND: Final = 1_000_000_000
OVERLAP: Final = 60 * SECOND
"""How much earlier than the last message back-fills begin."""
CREATE: Final = "create"
CHANGE: Final = "change"


class CoinbaseExchange(CoinbaseMarketData):
    """Sans-I/O adapter of one Coinbase market.

    Parameters
    ----------
    settings : CoinbaseSettings
    instruments : sequence of Instrument
        Known from elsewhere; their position is their number.
    """

    definitive_rejects: ClassVar[frozenset[str]] = DEFINITIVE
    capabilities: ClassVar[Mapping[str, Capabilities]] = CAPABILITIES

    def __init__(self, settings: CoinbaseSettings, instruments: Sequence[Instrument] = ()) -> None:
        super().__init__(settings, instruments)
        self._signer: TokenSigner | None = None
        self._orders = CoinbaseOrders(self._number, self._followed)
        self._heard = Nanoseconds(0)
        self._wanted: list[Outbound] = []

    @property
    def rate_limits(self) -> RateSettings:
        """The limits of an account."""
        return LIMITS

    @property
    def foreign(self) -> int:
        """Private messages of orders that are not ours, of products that are not followed."""
        return self._orders.foreign

    def authorise(self, credentials: Credentials) -> None:
        """Take the key's name and its secret: a PEM of ECDSA, or base64 of Ed25519."""
        self._signer = TokenSigner(credentials)

    def connections(self) -> Sequence[Connection]:
        """Return the sockets of market data and the host of requests; with keys the user's."""
        if self._signer is None:
            return super().connections()
        user = Connection(name=USER, url=USER_SOCKET, silence=SILENCE, private=True)
        return (*super().connections(), user)

    def opened(self, connection: str, now: Nanoseconds) -> Sequence[Outbound]:
        """Subscribe first: the venue closes a socket that is silent for five seconds."""
        if connection != USER:
            return super().opened(connection, now)
        return [self._user_channel(channel, now) for channel in ("heartbeats", "user")]

    def due(self, now: Nanoseconds) -> Sequence[Outbound]:
        """Ask again for fills that an order has and that were not listed."""
        return self._ask_fills(self._orders.unbooked(now, SECOND), now)

    def wanted(self) -> Sequence[Outbound]:
        """Hand over what replies and messages gave rise to."""
        found = self._wanted + self._ask_fills(
            self._orders.unbooked(self._heard, SECOND), self._heard
        )
        self._wanted = []
        return found

    def decode_carefully(self, data: bytes, received: Nanoseconds, batch: EventBatch) -> int:
        """Decode with the slow decoder alone; same meaning as `decode`."""
        self._heard = received
        return super().decode_carefully(data, received, batch)

    def interpret_frame(self, frame: CoinbaseFrame) -> Sequence[DraftMessage]:
        """Say what a frame means, also of the user channel."""
        if frame.channel != "user":
            return super().interpret_frame(frame)
        time = timestamp_nanoseconds(frame.timestamp)
        found: list[DraftMessage] = []
        for event in frame.events:
            rows = event.get("orders", [])
            if not isinstance(rows, list):
                raise DecodeError("orders without a list")
            for row in rows:
                found += self._orders.take(user_order(row, time))
        return found

    def lost_frames(self, number: int, expected: int) -> Sequence[DraftMessage]:
        """Distrust the books of a socket; of the user's, ask for what was missed."""
        if self.source != USER:
            return super().lost_frames(number, expected)
        self._wanted += self.missed(self._heard, self._heard)
        return ()

    def decode_reply(self, request: Outbound, reply: Reply, batch: EventBatch) -> int:
        """Append the events of the reply to a request."""
        self._heard = reply.received
        return self.decode_reply_carefully(request, reply, batch)

    def interpret_reply(self, request: Outbound, reply: Reply) -> Sequence[DraftMessage]:
        """Say what the reply to a request means."""
        if request.creates:
            return self._orders.created(request, reply)
        if request.tag == CHANGE:
            return self._orders.changed(request, reply)
        if reply.status != 200:
            raise DecodeError(f"{request.tag}: status {reply.status}")
        if request.order >= 0:
            return self._answered(request, reply)
        return self._listed(request, reply)

    def _answered(self, request: Outbound, reply: Reply) -> Sequence[DraftMessage]:
        """Read the answer about one order, and cancel it if that was what it was asked for."""
        drafts = self._orders.answered(request, reply)
        found = self._known_id(request.order)
        if found and request.tag != "query":
            self._cancel([found], request.order)
        return drafts

    def _listed(self, request: Outbound, reply: Reply) -> Sequence[DraftMessage]:
        """Read a list that was asked for."""
        if request.tag.startswith("cancel all "):
            self._cancel(self._orders.working(reply, request.tag.removeprefix("cancel all ")))
            return ()
        content = plain_object(reply.body)
        if request.tag == "fills":
            return self._orders.fills(content.get("fills"))
        if request.tag == "orders":
            return self._orders.listed(content.get("orders"))
        return self.interpret(reply.body)

    def place(self, intent: OrderIntent, now: Nanoseconds) -> Outbound:
        """Encode a new order."""
        return self._create(intent, order_configuration(intent), now)

    def place_for(self, intent: OrderIntent, spend: Money, now: Nanoseconds) -> Outbound:
        """Encode an order at market for a quote amount instead of a size."""
        return self._create(intent, order_configuration(intent, spend), now)

    def place_bracket(self, intent: OrderIntent, stop: Price, now: Nanoseconds) -> Outbound:
        """Encode an exit at the intent's limit price, or at market from a stop price on."""
        return self._create(intent, bracket_configuration(intent, stop), now)

    def cancel(self, order: Order, now: Nanoseconds) -> Outbound:
        """Encode the cancellation of an order; one without an id yet is looked for first."""
        intent = order.intent
        self._orders.note(intent, self._symbol(intent.instrument))
        order_id = self._known_id(intent.number) or order.venue_order_id
        if not order_id:
            return attrs.evolve(self.query(order, now), tag="cancel when found")
        return self._cancel_request([order_id], now, intent.number)

    def cancel_all(self, instrument: InstrumentId, now: Nanoseconds) -> Sequence[Outbound]:
        """Ask for the product's working orders, to cancel them when they are known."""
        symbol = self._symbol(instrument)
        query = [("product_ids", symbol), ("order_status", "OPEN")]
        return [self._ask("GET", LIST, now, query=query, tag=f"cancel all {symbol}")]

    def amend(
        self, order: Order, price: Price | None, size: Quantity | None, now: Nanoseconds
    ) -> Outbound:
        """Encode a change of a limit order that is good till cancelled; others cannot change."""
        intent = order.intent
        if intent.type is not OrderType.LIMIT or intent.time_in_force is not TimeInForce.GTC:
            raise OrderError("coinbase changes limit orders that are GTC, and no others")
        order_id = self._known_id(intent.number) or order.venue_order_id
        if not order_id:
            raise OrderError(f"order {intent.number} has no id at the venue yet")
        self._orders.note(intent, self._symbol(intent.instrument))
        content = {
            "order_id": order_id,
            "price": str(intent.price if price is None else price),
            "size": str(intent.size if size is None else size),
        }
        cost = RateRequest(priority=RequestPriority.ORDER, instrument=intent.instrument)
        return self._ask(
            "POST",
            "/orders/edit",
            now,
            content=content,
            tag=CHANGE,
            cost=cost,
            order=intent.number,
        )

    def query(self, order: Order, now: Nanoseconds) -> Outbound:
        """Ask for the product's orders since shortly before this one was made."""
        intent = order.intent
        symbol = self._symbol(intent.instrument)
        self._orders.note(intent, symbol)
        start = _moment(Nanoseconds(max(intent.created - OVERLAP, 0)))
        query = [("product_ids", symbol), ("start_date", start), ("limit", "1000")]
        return self._ask("GET", LIST, now, query=query, tag="query", order=intent.number)

    def missed(self, since: Nanoseconds, now: Nanoseconds) -> Sequence[Outbound]:
        """Ask for orders and fills since a time."""
        start = _moment(Nanoseconds(max(since - OVERLAP, 0)))
        return [
            self._ask("GET", LIST, now, query=[("start_date", start)], tag="orders"),
            self._ask("GET", FILLS, now, query=[("start_sequence_timestamp", start)], tag="fills"),
        ]

    def account_requests(self, now: Nanoseconds) -> Sequence[Outbound]:
        """Ask for wallets, working orders, fills, and prices (spot) or positions (futures)."""
        asked = [
            self._ask("GET", "/accounts", now, query=[("limit", "250")], tag="account"),
            self._ask("GET", LIST, now, query=[("order_status", "OPEN")], tag="account"),
            self._ask("GET", FILLS, now, tag="account"),
        ]
        if self.settings.market == "spot":
            return [*asked, self._products()]
        return [*asked, self._ask("GET", "/cfm/positions", now, tag="account")]

    def read_account(self, replies: Sequence[bytes], time: Nanoseconds) -> VenueAccount:
        """Decode the replies to `account_requests`."""
        return read_account(replies, time, self.instruments, self._orders, self.append)

    def _number(self, client_id: str) -> int:
        return self.number_of(client_id) if self.number_of is not None else -1

    def _followed(self, symbol: str) -> Instrument | None:
        number = self._registry.number(symbol)
        return self.instruments[number] if number >= 0 else None

    def _symbol(self, instrument: InstrumentId) -> str:
        return str(self.instruments[instrument].symbol)

    def _known_id(self, number: int) -> str:
        return self._orders.id_of(number)

    def _create(
        self, intent: OrderIntent, configuration: Mapping[str, object], now: Nanoseconds
    ) -> Outbound:
        symbol = self._symbol(intent.instrument)
        content: dict[str, object] = {
            "client_order_id": intent.client_id,
            "product_id": symbol,
            "side": side_word(intent.side),
            "order_configuration": configuration,
        }
        if self.settings.market == "futures":
            extras = {"leverage": self.settings.leverage, "margin_type": self.settings.margin_type}
            content |= {name: value for name, value in extras.items() if value}
        cost = RateRequest(priority=RequestPriority.ORDER, instrument=intent.instrument)
        self._orders.note(intent, symbol)
        return signed_request(
            self._key(),
            "POST",
            "/orders",
            now,
            content=content,
            tag=CREATE,
            cost=cost,
            order=intent.number,
            creates=True,
        )

    def _cancel(self, order_ids: Sequence[str], order: int = -1) -> None:
        if order_ids:
            self._wanted.append(self._cancel_request(order_ids, self._heard, order))

    def _cancel_request(self, order_ids: Sequence[str], now: Nanoseconds, order: int) -> Outbound:
        return self._ask(
            "POST",
            "/orders/batch_cancel",
            now,
            content={"order_ids": list(order_ids)},
            tag=CHANGE,
            cost=RateRequest(priority=RequestPriority.CANCEL),
            order=order,
        )

    def _ask_fills(self, order_ids: Sequence[str], now: Nanoseconds) -> list[Outbound]:
        if not order_ids:
            return []
        query = [("order_ids", order_id) for order_id in order_ids]
        return [self._ask("GET", FILLS, now, query=query, tag="fills")]

    def _user_channel(self, channel: str, now: Nanoseconds) -> Outbound:
        content: dict[str, object] = {"type": "subscribe", "channel": channel}
        if channel == "user" and self.settings.symbols:
            content["product_ids"] = list(self.settings.symbols)
        content["jwt"] = self._key().token(now)
        body = json.dumps(content, separators=(",", ":")).encode()
        return Outbound(connection=USER, body=body, tag=f"subscribe {channel}", cost=FREE)

    def _key(self) -> TokenSigner:
        if self._signer is None:
            raise OrderError("coinbase has no keys: authorise the adapter first")
        return self._signer

    def _ask(
        self,
        method: str,
        path: str,
        now: Nanoseconds,
        *,
        query: Sequence[tuple[str, str]] = (),
        content: object = None,
        tag: str,
        cost: RateRequest = RateRequest(priority=RequestPriority.QUERY),  # noqa: B008 - frozen
        order: int = -1,
    ) -> Outbound:
        return signed_request(
            self._key(),
            method,
            path,
            now,
            query=query,
            content=content,
            tag=tag,
            cost=cost,
            order=order,
        )


def _moment(time: Nanoseconds) -> str:
    """Write a time as RFC 3339, to the second before."""
    return f"{datetime.fromtimestamp(time // SECOND, UTC):%Y-%m-%dT%H:%M:%SZ}"
