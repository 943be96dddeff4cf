"""Requests that need a key: orders through the WebSocket API or REST, everything else by REST.

A WebSocket request's id says what it asks, for which order and which instrument, so that its
answer can be read by an adapter that never saw the request.
"""

import json
import re
from collections.abc import Mapping
from typing import Final, NamedTuple

from bot4_core.domain_types.canonical_types import InstrumentId, Nanoseconds, Price, Quantity
from bot4_core.domain_types.orders import Order, OrderIntent
from bot4_core.domain_types.rate_limits import RateRequest, RequestPriority
from bot4_core.domain_types.records import OrderType, Side
from bot4_core.errors import OrderError
from bot4_core.plugins.exchange import Outbound
from bot4_plugins.exchange_binance.order_params import (
    FUTURES_TRIGGERED,
    SIDES,
    OrderParams,
    futures_order,
    spot_order,
)
from bot4_plugins.exchange_binance.signing import Signer
from bot4_plugins.exchange_binance.venue import REST, TRADE, VenueFacts

__all__ = ["OrderRequests", "Purpose", "parse_purpose"]

MILLISECOND: Final = 1_000_000
ENCODER: Final = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False)
PATTERN: Final = re.compile(r"([a-z]+)\.(-?\d{1,19})\.(-?\d{1,9})")
PLAIN: Final = re.compile(r"[A-Za-z0-9_.\-+/=]+")
QUERY_WEIGHT: Final = {"spot": 4}
TRADES_WEIGHT: Final = {"spot": 20}
HISTORY_WEIGHT: Final = {"spot": 20}
Params = tuple[tuple[str, str], ...]


class Purpose(NamedTuple):
    """What a request asks, of which order, of which instrument; -1 where of none."""

    what: str
    order: int = -1
    instrument: int = -1

    def __str__(self) -> str:
        return f"{self.what}.{self.order}.{self.instrument}"


def parse_purpose(text: str) -> Purpose | None:
    """Read what `Purpose` writes; None for anything else."""
    found = PATTERN.fullmatch(text)
    return Purpose(found[1], int(found[2]), int(found[3])) if found else None


class OrderRequests:
    """Writes the requests of one key at one market.

    Parameters
    ----------
    facts : VenueFacts
    signer : Signer
    websocket : bool
        Whether orders go through the WebSocket API where it has them.
    window : int
        Milliseconds after which the venue refuses what was signed.
    """

    def __init__(self, facts: VenueFacts, signer: Signer, window: int, *, websocket: bool) -> None:
        self._facts = facts
        self._signer = signer
        self._websocket = websocket
        self._window = window
        self._spot = facts.market == "spot"

    def place(self, intent: OrderIntent, symbol: str, now: Nanoseconds) -> Outbound:
        """Write a new order."""
        purpose = Purpose("new", intent.number, intent.instrument)
        made = self._params(intent, symbol)
        if made.conditional and not self._spot:
            return self._rest("POST", "algoOrder", purpose, made.params, now, orders=1)
        return self._order("POST", "order.place", purpose, made.params, now, orders=1)

    def cancel(self, intent: OrderIntent, symbol: str, now: Nanoseconds) -> Outbound:
        """Write the cancellation of an order, by its client id."""
        purpose = Purpose("cancel", intent.number, intent.instrument)
        if self._conditional(intent):
            params: Params = (("clientAlgoId", intent.client_id),)
            return self._rest("DELETE", "algoOrder", purpose, params, now)
        params = (("symbol", symbol), ("origClientOrderId", intent.client_id))
        return self._order("DELETE", "order.cancel", purpose, params, now)

    def cancel_all(
        self, instrument: InstrumentId, symbol: str, now: Nanoseconds
    ) -> tuple[Outbound, ...]:
        """Write the cancellation of all orders of a symbol, those that wait for triggers too."""
        purpose, params = Purpose("clear", -1, instrument), (("symbol", symbol),)
        if self._spot:
            return (self._order("DELETE", "openOrders.cancelAll", purpose, params, now),)
        paths = ("allOpenOrders", "algoOpenOrders")
        return tuple(self._rest("DELETE", path, purpose, params, now) for path in paths)

    def amend(
        self,
        order: Order,
        symbol: str,
        price: Price | None,
        size: Quantity | None,
        now: Nanoseconds,
    ) -> Outbound:
        """Write a change of a limit order.

        Raises
        ------
        OrderError
            Of spot orders only the size can be changed, and only be made smaller.
        """
        intent = order.intent
        purpose = Purpose("amend", intent.number, intent.instrument)
        if intent.type not in (OrderType.LIMIT, OrderType.ICEBERG):
            raise OrderError(f"binance cannot change {intent.type.name} orders")
        base = (("symbol", symbol), ("origClientOrderId", intent.client_id))
        if self._spot:
            if price is not None or size is None or size >= intent.size:
                raise OrderError("binance spot can only make an order smaller")
            params: Params = (
                *base,
                *(("newClientOrderId", intent.client_id), ("newQty", str(size))),
            )
            return self._order("PUT", "order.amend.keepPriority", purpose, params, now)
        changed = price if price is not None else intent.price
        params = (
            *(*base, ("side", SIDES[intent.side])),
            *(("quantity", str(size if size is not None else intent.size)),),
            ("price", str(changed)),
        )
        return self._order("PUT", "order.modify", purpose, params, now, orders=1)

    def query(self, intent: OrderIntent, symbol: str, now: Nanoseconds) -> Outbound:
        """Ask by REST what became of an order; the reply's date is the venue's clock."""
        purpose = Purpose("query", intent.number, intent.instrument)
        weight = QUERY_WEIGHT.get(self._facts.market, 1)
        if self._conditional(intent):
            params: Params = (("clientAlgoId", intent.client_id),)
            return self._rest("GET", "algoOrder", purpose, params, now, weight=weight)
        params = (("symbol", symbol), ("origClientOrderId", intent.client_id))
        return self._rest("GET", "order", purpose, params, now, weight=weight)

    def order_by_venue_id(self, purpose: Purpose, symbol: str, venue_id: int, now: int) -> Outbound:
        """Ask what became of the order that a triggered one turned into."""
        params = (("symbol", symbol), ("orderId", str(venue_id)))
        return self._rest("GET", "order", purpose, params, Nanoseconds(now))

    def trades(self, purpose: Purpose, symbol: str, since: Params, now: int) -> Outbound:
        """Ask for trades of a symbol, of one order or since a time."""
        path = "myTrades" if self._spot else "userTrades"
        weight = TRADES_WEIGHT.get(self._facts.market, 5)
        params = (("symbol", symbol), *since, ("limit", "1000"))
        return self._rest("GET", path, purpose, params, Nanoseconds(now), weight=weight)

    def history(self, purpose: Purpose, symbol: str, since: int, now: Nanoseconds) -> Outbound:
        """Ask for all orders of a symbol since a time, working or not."""
        weight = HISTORY_WEIGHT.get(self._facts.market, 5)
        start = ("startTime", str(max(since, 0) // MILLISECOND))
        params = (("symbol", symbol), start, ("limit", "1000"))
        return self._rest("GET", "allOrders", purpose, params, now, weight=weight)

    def account(self, what: str, path: str, weight: int, now: Nanoseconds) -> Outbound:
        """Ask for something of the whole account; a path from the root stands for itself."""
        return self._rest("GET", path, Purpose(what), (), now, weight=weight)

    def listen(self, method: str, now: Nanoseconds) -> Outbound:
        """Ask for a listen key (POST), or to keep it alive (PUT)."""
        purpose = Purpose("listen" if method == "POST" else "renew")
        path = f"{self._facts.prefix}/listenKey"
        return self._outbound(REST, b"", method, path, purpose, RequestPriority.QUERY, 1, 0)

    def user_stream(self, now: Nanoseconds) -> Outbound:
        """Subscribe to the account's events on the WebSocket API."""
        params: dict[str, str | int] = {"timestamp": now // MILLISECOND}
        method = "userDataStream.subscribe.signature"
        return self._frame(method, Purpose("listen"), params, RequestPriority.QUERY, 2, 0)

    def _conditional(self, intent: OrderIntent) -> bool:
        return not self._spot and intent.type in FUTURES_TRIGGERED

    def _params(self, intent: OrderIntent, symbol: str) -> OrderParams:
        if intent.side not in (Side.BUY, Side.SELL):
            raise OrderError("an order needs a side")
        if self._spot:
            return spot_order(intent, symbol)
        return futures_order(intent, symbol, dated=self._facts.market == "usdm")

    def _order(
        self,
        method: str,
        name: str,
        purpose: Purpose,
        params: Params,
        now: Nanoseconds,
        *,
        orders: int = 0,
    ) -> Outbound:
        """Write a request for the matching engine, by whichever way orders go."""
        priority = _priority(purpose)
        if self._websocket:
            timed: dict[str, str | int] = {
                **dict(params),
                "recvWindow": self._window,
                "timestamp": now // MILLISECOND,
            }
            return self._frame(name, purpose, timed, priority, 1, orders)
        path = {
            "openOrders.cancelAll": "openOrders",
            "order.amend.keepPriority": "order/amend/keepPriority",
        }.get(name, "order")
        return self._rest(method, path, purpose, params, now, orders=orders)

    def _frame(
        self,
        method: str,
        purpose: Purpose,
        params: dict[str, str | int],
        priority: RequestPriority,
        weight: int,
        orders: int,
    ) -> Outbound:
        content = _object(self._signer.signed(params))
        body = f'{{"id":"{purpose}","method":"{method}","params":{content}}}'.encode()
        return self._outbound(TRADE, body, "", "", purpose, priority, weight, orders)

    def _rest(
        self,
        method: str,
        path: str,
        purpose: Purpose,
        params: Params,
        now: Nanoseconds,
        *,
        weight: int = 1,
        orders: int = 0,
    ) -> Outbound:
        timed = (
            *(*params, ("recvWindow", str(self._window))),
            ("timestamp", str(now // MILLISECOND)),
        )
        full = path if path.startswith("/") else f"{self._facts.prefix}/{path}"
        full = f"{full}?{self._signer.query(timed)}"
        priority = _priority(purpose)
        return self._outbound(REST, b"", method, full, purpose, priority, weight, orders)

    def _outbound(
        self,
        connection: str,
        body: bytes,
        method: str,
        path: str,
        purpose: Purpose,
        priority: RequestPriority,
        weight: int,
        orders: int,
    ) -> Outbound:
        return Outbound(
            connection=connection,
            body=body,
            method=method,
            path=path,
            headers=self._signer.headers if method else (),
            tag=str(purpose),
            cost=RateRequest(
                priority=priority, weight=weight, orders=orders, instrument=purpose.instrument
            ),
            order=purpose.order,
            creates=purpose.what == "new",
        )


def _object(params: Mapping[str, str | int]) -> str:
    """Write a JSON object; texts that need no escapes, which is most of them, at once."""
    if PLAIN.fullmatch("".join(map(str, params.values()))) is None:
        return ENCODER.encode(params)
    members = [
        f'"{name}":{value}' if isinstance(value, int) else f'"{name}":"{value}"'
        for name, value in params.items()
    ]
    return f"{{{','.join(members)}}}"


def _priority(purpose: Purpose) -> RequestPriority:
    if purpose.what in ("cancel", "clear"):
        return RequestPriority.CANCEL
    return RequestPriority.ORDER if purpose.what in ("new", "amend") else RequestPriority.QUERY
