"""Replies to private requests, and the requests that they give rise to."""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Final, Protocol

from bot4_core.domain_types.canonical_types import Nanoseconds
from bot4_core.domain_types.instruments import Instrument
from bot4_core.domain_types.rate_limits import RateRequest, RequestPriority
from bot4_core.domain_types.records import EventKind
from bot4_core.errors import DecodeError
from bot4_core.plugins.exchange import Outbound, Reply
from bot4_plugins.exchange_kraken.answers import accepted, cancel_refused, in_doubt, refused
from bot4_plugins.exchange_kraken.order_directory import KnownOrder, OrderDirectory
from bot4_plugins.exchange_kraken.rest_replies import (
    KrakenRestOrder,
    fill_event,
    order_event,
    order_rows,
    pair_names,
    result_of,
    trade_rows,
)
from bot4_plugins.exchange_kraken.venue import CANCEL_COSTS
from bot4_plugins.venue_toolkit.drafts import DraftEvent, DraftMessage, draft_message
from bot4_plugins.venue_toolkit.reply_clock import reply_time

__all__ = ["KrakenReplyReader", "Signed", "age_cost"]

IN_SECOND: Final = 1_000_000_000
QUERY: Final = RateRequest(priority=RequestPriority.QUERY)
OK: Final = 200
TOO_MANY_REQUESTS: Final = 429


class Signed(Protocol):
    """Makes a signed request."""

    def __call__(
        self,
        name: str,
        fields: Sequence[tuple[str, str]],
        now: Nanoseconds,
        cost: RateRequest,
        tag: str,
        order: int = -1,
    ) -> Outbound:
        """Return the request of that name."""
        ...


def age_cost(costs: Sequence[tuple[int, int]], age: int) -> int:
    """Return the first cost whose age is not reached, 0 beyond all."""
    return next((cost for seconds, cost in costs if age < seconds * IN_SECOND), 0)


class KrakenReplyReader:
    """Makes order events of replies, and learns whose orders they are of.

    Attributes
    ----------
    foreign : int
        Orders and trades that are not ours, of pairs that are not followed.
    """

    def __init__(
        self,
        orders: OrderDirectory,
        number_of: Callable[[str], int],
        follows: Callable[[str], bool],
    ) -> None:
        self.foreign = 0
        self._orders = orders
        self._number_of = number_of
        self._follows = follows
        self._pairs: dict[str, str] = {}
        self._instruments: dict[str, Instrument] = {}
        self._wanted: list[Outbound] = []

    def take(self) -> list[Outbound]:
        """Hand over the requests that replies gave rise to."""
        found, self._wanted = self._wanted, []
        return found

    def learn_pairs(self, instruments: Sequence[Instrument], listed: Mapping[str, str]) -> None:
        """Take in the instruments and the names that REST gives them."""
        if len(self._instruments) != len(instruments):
            self._instruments = {str(item.symbol): item for item in instruments}
        self._pairs = pair_names(instruments, listed)

    def token(self, reply: Reply) -> str:
        """Read the token of the private socket."""
        result, error = result_of(reply.body)
        token = result.get("token")
        if error or not isinstance(token, str) or not token:
            raise DecodeError(f"no token: {error or 'none in the reply'}")
        return token

    def read(self, request: Outbound, reply: Reply, signed: Signed) -> Sequence[DraftMessage]:
        """Say what a reply means."""
        if request.creates:
            return self._placed(request, reply)
        result, error = result_of(reply.body)
        if request.tag == "change":
            order = self._orders.sent(request.order)
            return [cancel_refused(order, error)] if error and order is not None else []
        if error:
            raise DecodeError(f"{request.tag} was refused: {error}")
        if request.tag.startswith("cancel all "):
            number = int(request.tag.removeprefix("cancel all "))
            self._cancel_all(result, [*self._instruments][number], reply.received, signed)
            return []
        if request.tag.startswith("query "):
            return self._found(request, result, reply, signed)
        return self.trades(result) if request.tag == "trades" else self.orders(result)

    def orders(self, result: Mapping[str, object]) -> list[DraftMessage]:
        """Read a list of orders."""
        return [
            order_event(order_id, row, order)
            for order_id, row in order_rows(result).items()
            if (order := self.known(order_id, row)) is not None
        ]

    def known(self, order_id: str, row: KrakenRestOrder) -> KnownOrder | None:
        """Learn of an order; None for one of a pair that is not followed."""
        order = self._orders.learn(
            order_id,
            KnownOrder(
                number=self._number_of(row.cl_ord_id) if row.cl_ord_id else -1,
                symbol=self._pairs.get(row.descr.pair, ""),
            ),
        )
        if self._follows(order.symbol):
            return order
        self.foreign += 1
        return None

    def trades(self, result: Mapping[str, object]) -> list[DraftMessage]:
        """Read a list of trades."""
        found = []
        for row in trade_rows(result).values():
            told = KnownOrder(number=-1, symbol=self._pairs.get(row.pair, ""))
            order = self._orders.learn(row.ordertxid, told)
            if self._follows(order.symbol):
                found.append(fill_event(row, order, self._instruments[order.symbol]))
            else:
                self.foreign += 1
        return found

    def _placed(self, request: Outbound, reply: Reply) -> list[DraftMessage]:
        """Say what became of a new order; where the reply cannot be read, nobody knows."""
        order = self._orders.sent(request.order)
        if order is None:
            return []
        if reply.status == TOO_MANY_REQUESTS:
            return [refused(order, "EAPI:Rate limit exceeded")]
        try:
            result, error = result_of(reply.body)
        except DecodeError:
            return [in_doubt(order)]
        ids = result.get("txid")
        if error:
            return [refused(order, error)]
        if reply.status != OK or not isinstance(ids, list) or len(ids) != 1:
            return [in_doubt(order)]
        self._orders.learn(str(ids[0]), order)
        return [accepted(order, str(ids[0]))]

    def _found(
        self, request: Outbound, result: Mapping[str, object], reply: Reply, signed: Signed
    ) -> list[DraftMessage]:
        """Read the answer about one order; ask on among the ended ones, and for its trades."""
        rows = order_rows(result)
        now, number = reply.received, request.order
        for row in rows.values():
            if row.trades:
                fields = [("txid", ",".join(row.trades))]
                self._wanted.append(signed("QueryTrades", fields, now, QUERY, "trades", number))
        order = self._orders.sent(number)
        if rows or order is None:
            return self.orders(result)
        if request.tag == "query open":
            fields = [("trades", "true"), *_client_id(request)]
            self._wanted.append(signed("ClosedOrders", fields, now, QUERY, "query closed", number))
            return []
        event = DraftEvent(
            kind=EventKind.ORDER_NOT_FOUND, time=reply_time(reply), link=number, side=order.side
        )
        return [draft_message(order.symbol, event)]

    def _cancel_all(
        self, result: Mapping[str, object], symbol: str, now: Nanoseconds, signed: Signed
    ) -> None:
        for order_id, row in order_rows(result).items():
            order = self.known(order_id, row)
            if order is None or order.symbol != symbol:
                continue
            age = int(now - Decimal(row.opentm.text) * IN_SECOND)
            cost = RateRequest(
                priority=RequestPriority.CANCEL,
                weight=0,
                orders=age_cost(CANCEL_COSTS, age),
                instrument=[*self._instruments].index(symbol),
            )
            fields = [("txid", order_id)]
            self._wanted.append(signed("CancelOrder", fields, now, cost, "change", order.number))


def _client_id(request: Outbound) -> list[tuple[str, str]]:
    name = "cl_ord_id="
    parts = request.body.decode().split("&")
    return [("cl_ord_id", part.removeprefix(name)) for part in parts if part.startswith(name)]
