"""The Kraken adapter: market data, orders, private channels, the account."""

from collections.abc import Mapping, Sequence
from typing import ClassVar, Final

import attrs

from bot4_core.domain_types.canonical_types import InstrumentId, Nanoseconds, Price, Quantity
from bot4_core.domain_types.instruments import Instrument
from bot4_core.domain_types.orders import Order, OrderIntent
from bot4_core.domain_types.rate_limits import RateRequest, RateSettings, RequestPriority
from bot4_core.domain_types.records import TimeInForce
from bot4_core.domain_types.venue_capabilities import Capabilities
from bot4_core.errors import DecodeError, OrderError
from bot4_core.market.event_batch import EventBatch
from bot4_core.orders.reconciliation import VenueAccount
from bot4_core.plugins.credentials import Credentials
from bot4_core.plugins.exchange import Connection, Outbound, Reply
from bot4_plugins.exchange_kraken.account import account_requests, read_account
from bot4_plugins.exchange_kraken.answers import ORDER_METHODS, answer_events
from bot4_plugins.exchange_kraken.capabilities import CAPABILITIES
from bot4_plugins.exchange_kraken.errors import DEFINITIVE
from bot4_plugins.exchange_kraken.executions import ExecutionReader
from bot4_plugins.exchange_kraken.frames import digits, frame
from bot4_plugins.exchange_kraken.market_data import SILENCE, KrakenMarketData
from bot4_plugins.exchange_kraken.messages import whole_number
from bot4_plugins.exchange_kraken.metadata import rest_name
from bot4_plugins.exchange_kraken.order_directory import KnownOrder, OrderDirectory
from bot4_plugins.exchange_kraken.order_fields import (
    is_triggered,
    moment_text,
    rest_fields,
    socket_fields,
)
from bot4_plugins.exchange_kraken.reply_reader import KrakenReplyReader, age_cost
from bot4_plugins.exchange_kraken.settings import KrakenSettings
from bot4_plugins.exchange_kraken.signing import KrakenSigner
from bot4_plugins.exchange_kraken.venue import AMEND_COSTS, CANCEL_COSTS, rate_settings
from bot4_plugins.venue_toolkit.drafts import DraftMessage
from bot4_plugins.venue_toolkit.strict_json import NumberText

__all__ = ["KrakenExchange"]

IN_SECOND: Final = 1_000_000_000
IN_MILLISECOND: Final = 1_000_000
OVERLAP: Final = 60 * IN_SECOND
"""How much earlier than the last message back-fills begin."""
RETRY: Final = 5 * IN_SECOND
QUERY: Final = RateRequest(priority=RequestPriority.QUERY)
HISTORY: Final = RateRequest(priority=RequestPriority.QUERY, weight=2)
SWITCH: Final = RateRequest(priority=RequestPriority.CANCEL, weight=0)


class KrakenExchange(KrakenMarketData):
    """Sans-I/O adapter of one Kraken market.

    Parameters
    ----------
    settings : KrakenSettings
    instruments : sequence of Instrument
        Known from elsewhere; their position is their number.
    """

    definitive_rejects: ClassVar[frozenset[str]] = DEFINITIVE
    capabilities: ClassVar[Mapping[str, Capabilities]] = CAPABILITIES

    def __init__(self, settings: KrakenSettings, instruments: Sequence[Instrument] = ()) -> None:
        super().__init__(settings, instruments)
        self._signer: KrakenSigner | None = None
        self._token = ""
        self._token_wanted = Nanoseconds(0)
        self._is_private = False
        self._orders = OrderDirectory()
        self._executions = ExecutionReader(self._orders, self._number, self._follows)
        self._replies = KrakenReplyReader(self._orders, self._number, self._follows)
        self._sequences: dict[str, int] = {}
        self._heard = Nanoseconds(0)
        self._switched = Nanoseconds(0)
        self._wanted: list[Outbound] = []

    @property
    def rate_limits(self) -> RateSettings:
        """The limits of the account's tier."""
        return rate_settings(self.settings.tier)

    @property
    def foreign(self) -> int:
        """Private messages of orders that are not ours, of pairs that are not followed."""
        return self._executions.foreign + self._replies.foreign

    def authorise(self, credentials: Credentials) -> None:
        """Take the key and its secret, which is base64."""
        self._signer = KrakenSigner(credentials)

    def connections(self) -> Sequence[Connection]:
        """Return the public socket; with keys also the private one and the host of requests."""
        if self._signer is None:
            return super().connections()
        private = Connection(name="private", url=self.facts.private, silence=SILENCE, private=True)
        rest = Connection(name="rest", url=self.facts.rest, private=True)
        return (*super().connections(), private, rest)

    def opened(self, connection: str, now: Nanoseconds) -> Sequence[Outbound]:
        """Subscribe on the public socket; ask for a token for a fresh private one."""
        if connection != "private":
            return super().opened(connection, now)
        self._is_private, self._token = True, ""
        self._sequences.clear()
        return [self._ask_token(now)]

    def closed(self, connection: str, now: Nanoseconds, batch: EventBatch) -> int:
        """Append a GAP for each book of a lost public socket; forget a private one's token."""
        if connection == "private":
            self._is_private, self._token = False, ""
        return super().closed(connection, now, batch)

    def due(self, now: Nanoseconds) -> Sequence[Outbound]:
        """Renew the dead man's switch; ask again for a token that did not come."""
        if not self._token:
            late = self._is_private and now - self._token_wanted > RETRY
            return [self._ask_token(now)] if late else []
        timeout = self.settings.dead_man_switch
        if timeout == 0 or now - self._switched < timeout * IN_SECOND // 3:
            return []
        self._switched = now
        params = {"timeout": timeout, "token": self._token}
        body = frame("cancel_all_orders_after", params)
        return [Outbound(connection="private", body=body, tag="dead man's switch", cost=SWITCH)]

    def wanted(self) -> Sequence[Outbound]:
        """Hand over what replies and messages gave rise to."""
        found = [*self._wanted, *self._replies.take()]
        self._wanted.clear()
        return found

    def decode_carefully(self, data: bytes, received: Nanoseconds, batch: EventBatch) -> int:
        """Decode with the slow decoder alone; same meaning as `decode`."""
        self._heard = received
        return super().decode_carefully(data, received, batch)

    def interpret_channel(self, channel: str, content: dict[str, object]) -> Sequence[DraftMessage]:
        """Say what a channel's message means, also of private ones."""
        if channel not in ("executions", "balances"):
            return super().interpret_channel(channel, content)
        rows = content.get("data")
        if not isinstance(rows, list):
            raise DecodeError(f"{channel} without data")
        drafts = self._executions.read(rows) if channel == "executions" else []
        self._check_sequence(channel, content.get("sequence"))
        return drafts

    def interpret_answer(self, content: dict[str, object]) -> Sequence[DraftMessage]:
        """Take note of the answer to a frame; those to orders are events."""
        super().interpret_answer(content)
        if content["method"] in ORDER_METHODS:
            return answer_events(content, self._orders)
        return ()

    def decode_reply(self, request: Outbound, reply: Reply, batch: EventBatch) -> int:
        """Append the events of the reply to a request."""
        return self.decode_reply_carefully(request, reply, batch)

    def interpret_reply(self, request: Outbound, reply: Reply) -> Sequence[DraftMessage]:
        """Say what the reply to a request means."""
        if request.tag == "token":
            self._take_token(self._replies.token(reply))
            return ()
        self._replies.learn_pairs(self.instruments, self.rest_names)
        return self._replies.read(request, reply, self._signed)

    def place(self, intent: OrderIntent, now: Nanoseconds) -> Outbound:
        """Encode a new order: a frame while there is a token, a request otherwise."""
        symbol = str(self.instruments[intent.instrument].symbol)
        deadline = Nanoseconds(now + self.settings.deadline_ms * IN_MILLISECOND)
        cost = self._order_cost(intent.instrument, RequestPriority.ORDER, 1)
        by_frame = bool(self._token) and intent.time_in_force is not TimeInForce.FOK
        if by_frame:
            params = socket_fields(intent, symbol, deadline)
            made = self._frame("add_order", params, intent.number, cost, creates=True)
        else:
            if self.facts.asset_class:
                raise OrderError("kraken takes orders of derivatives by its private socket only")
            pair = self.rest_names.get(symbol, rest_name(symbol))
            fields = rest_fields(intent, pair, deadline)
            made = self._signed("AddOrder", fields, now, cost, "place", intent.number)
            made = attrs.evolve(made, creates=True)
        self._orders.place(
            KnownOrder(
                number=intent.number,
                symbol=symbol,
                size=intent.size.decimal,
                triggered=is_triggered(intent.type),
                side=int(intent.side),
            )
        )
        return made

    def cancel(self, order: Order, now: Nanoseconds) -> Outbound:
        """Encode the cancellation of an order; young ones cost more."""
        intent = order.intent
        orders = age_cost(CANCEL_COSTS, now - intent.created)
        cost = self._order_cost(intent.instrument, RequestPriority.CANCEL, orders)
        if self._token:
            params: dict[str, object] = {"cl_ord_id": [intent.client_id]}
            return self._frame("cancel_order", params, intent.number, cost)
        fields = [("cl_ord_id", str(intent.client_id))]
        return self._signed("CancelOrder", fields, now, cost, "change", intent.number)

    def cancel_all(self, instrument: InstrumentId, now: Nanoseconds) -> Sequence[Outbound]:
        """Ask for the working orders; those of the instrument are cancelled when they are known.

        The venue can cancel all orders of an account at once, but not those of a pair.
        """
        return [self._signed("OpenOrders", [], now, QUERY, f"cancel all {instrument}")]

    def amend(
        self, order: Order, price: Price | None, size: Quantity | None, now: Nanoseconds
    ) -> Outbound:
        """Encode a change of an order, which keeps its place in the queue where it can."""
        intent = order.intent
        orders = 1 + age_cost(AMEND_COSTS, now - intent.created)
        cost = self._order_cost(intent.instrument, RequestPriority.ORDER, orders)
        deadline = moment_text(Nanoseconds(now + self.settings.deadline_ms * IN_MILLISECOND))
        changes = {"order_qty": size, "limit_price": price}
        texts = {name: str(value) for name, value in changes.items() if value is not None}
        if self._token:
            params: dict[str, object] = {"cl_ord_id": intent.client_id}
            params |= {name: digits(text) for name, text in texts.items()}
            params["deadline"] = deadline
            return self._frame("amend_order", params, intent.number, cost)
        fields = [("cl_ord_id", str(intent.client_id)), *texts.items(), ("deadline", deadline)]
        return self._signed("AmendOrder", fields, now, cost, "change", intent.number)

    def query(self, order: Order, now: Nanoseconds) -> Outbound:
        """Ask for an order among those that work; where it is not, those that ended are asked."""
        symbol = str(self.instruments[order.intent.instrument].symbol)
        intent = order.intent
        triggered = is_triggered(intent.type)
        self._orders.place(
            KnownOrder(
                number=intent.number, symbol=symbol, triggered=triggered, side=int(intent.side)
            )
        )
        fields = [("trades", "true"), ("cl_ord_id", str(intent.client_id))]
        return self._signed("OpenOrders", fields, now, QUERY, "query open", intent.number)

    def missed(self, since: Nanoseconds, now: Nanoseconds) -> Sequence[Outbound]:
        """Ask for the orders that work, those that ended, and the trades since a time."""
        start = [("start", str(max(since - OVERLAP, 0) // IN_SECOND))]
        return [
            self._signed("OpenOrders", [], now, QUERY, "orders"),
            self._signed("ClosedOrders", start, now, HISTORY, "orders"),
            self._signed("TradesHistory", start, now, HISTORY, "trades"),
        ]

    def account_requests(self, now: Nanoseconds) -> Sequence[Outbound]:
        """Ask for balances, working orders, open positions, recent trades and prices."""
        return account_requests(self._signed, self.instruments, self.rest_names, now)

    def read_account(self, replies: Sequence[bytes], time: Nanoseconds) -> VenueAccount:
        """Decode the replies to `account_requests`."""
        self._replies.learn_pairs(self.instruments, self.rest_names)
        return read_account(replies, time, self.instruments, self._replies, self.append)

    def _number(self, client_id: str) -> int:
        return self.number_of(client_id) if self.number_of is not None else -1

    def _follows(self, symbol: str) -> bool:
        return self._registry.number(symbol) >= 0

    def _ask_token(self, now: Nanoseconds) -> Outbound:
        self._token_wanted = now
        return self._signed("GetWebSocketsToken", [], now, QUERY, "token")

    def _take_token(self, token: str) -> None:
        self._token = token
        for channel in ("executions", "balances"):
            params: dict[str, object] = {"channel": channel, "token": token}
            if channel == "executions":
                params |= {"snap_orders": True, "snap_trades": True}
            if self.facts.asset_class:
                params["asset_class"] = self.facts.asset_class
            body = frame("subscribe", params)
            tag = f"subscribe {channel}"
            self._wanted.append(Outbound(connection="private", body=body, tag=tag, cost=SWITCH))

    def _check_sequence(self, channel: str, sequence: object) -> None:
        """Ask for what was missed where the numbers of a private channel jump."""
        if not isinstance(sequence, NumberText):
            return
        number = whole_number(sequence, "sequence")
        expected = self._sequences.get(channel, number - 1) + 1
        self._sequences[channel] = number
        if number > expected and self._signer is not None:
            self._wanted += self.missed(self._heard, self._heard)

    def _order_cost(
        self, instrument: InstrumentId, priority: RequestPriority, orders: int
    ) -> RateRequest:
        return RateRequest(priority=priority, weight=0, orders=orders, instrument=instrument)

    def _frame(
        self,
        method: str,
        params: dict[str, object],
        number: int,
        cost: RateRequest,
        *,
        creates: bool = False,
    ) -> Outbound:
        if self.facts.asset_class:
            params["asset_class"] = self.facts.asset_class
        params["token"] = self._token
        return Outbound(
            connection="private",
            body=frame(method, params, number),
            tag=method,
            cost=cost,
            order=number,
            creates=creates,
        )

    def _signed(
        self,
        name: str,
        fields: Sequence[tuple[str, str]],
        now: Nanoseconds,
        cost: RateRequest,
        tag: str,
        order: int = -1,
    ) -> Outbound:
        if self._signer is None:
            raise OrderError("kraken has no keys: authorise the adapter first")
        path = f"/0/private/{name}"
        return self._signer.request(path, fields, now, cost, tag=tag, order=order)
