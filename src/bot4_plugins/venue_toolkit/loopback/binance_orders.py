"""Spot orders at a loopback Binance: requests, a matching engine on the served book, reports.

Prices and sizes are `Decimal`; an order meets the levels of the served book, takes none away from
it, and rests until the book crosses its price.
"""

import json
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any, Final

import attrs

from bot4_plugins.venue_toolkit.loopback.binance_protocol import BinanceProtocol
from bot4_plugins.venue_toolkit.loopback.http_text import HttpAnswer, HttpRequest
from bot4_plugins.venue_toolkit.loopback.venue_protocol import Peer

__all__ = ["BinanceSpotOrders", "ServedOrder"]

OPEN: Final = frozenset({"NEW", "PARTIALLY_FILLED"})
FEE: Final = Decimal("0.001")
NOTHING: Final = Decimal(0)
USER: Final = "user"


@attrs.define
class ServedOrder:
    """An order as the venue sees it."""

    id: int
    client_id: str
    side: str
    kind: str
    in_force: str
    size: Decimal
    price: Decimal
    status: str = "NEW"
    filled: Decimal = NOTHING
    spent: Decimal = NOTHING
    trades: list[dict[str, Any]] = attrs.field(factory=list)

    def shown(self, time: int) -> dict[str, Any]:
        """Return it as replies show it."""
        return {
            "symbol": "BTCUSDT",
            "orderId": self.id,
            "orderListId": -1,
            "clientOrderId": self.client_id,
            "price": str(self.price),
            "origQty": str(self.size),
            "executedQty": str(self.filled),
            "origQuoteOrderQty": "0.00000000",
            "cummulativeQuoteQty": str(self.spent),
            "status": self.status,
            "timeInForce": self.in_force,
            "type": self.kind,
            "side": self.side,
            "time": time,
            "updateTime": time,
            "transactTime": time,
            "workingTime": time,
            "isWorking": True,
            "selfTradePreventionMode": "NONE",
        }


class BinanceSpotOrders(BinanceProtocol):
    """Market data and orders of one spot symbol; signatures are not looked at.

    Parameters
    ----------
    metadata : bytes
        What ``exchangeInfo`` answers.

    Attributes
    ----------
    orders : dict of str to ServedOrder
        By client id.
    """

    def __init__(self, metadata: bytes) -> None:
        super().__init__("/api/v3", metadata, linked=False)
        self.orders: dict[str, ServedOrder] = {}
        self._trades = 0

    def change(
        self,
        symbol: str,
        bids: Iterable[tuple[str, str]] = (),
        asks: Iterable[tuple[str, str]] = (),
    ) -> None:
        """Let the book change, and fill the resting orders that it crosses."""
        super().change(symbol, bids, asks)
        for order in self.orders.values():
            if order.status in OPEN:
                self.match(order)

    def answers(self, peer: Peer, frame: bytes) -> Sequence[bytes]:
        """Confirm subscriptions, also to the account's events."""
        asked = json.loads(frame)
        if asked.get("method") != "userDataStream.subscribe.signature":
            return super().answers(peer, frame)
        peer.streams.add(USER)
        content = {"id": asked["id"], "status": 200, "result": {"subscriptionId": 0}}
        return [json.dumps(content).encode()]

    def reply(self, request: HttpRequest) -> HttpAnswer:
        """Answer requests for orders, and those of everybody."""
        fields = request.query | dict(
            part.split("=", 1) for part in request.body.decode().split("&") if "=" in part
        )
        route = (request.method, request.path.removeprefix("/api/v3"))
        if route == ("POST", "/order"):
            return self._place(fields)
        if route == ("DELETE", "/order"):
            return self._cancel(fields)
        if route == ("GET", "/order"):
            order = self._known(fields)
            return _json(order.shown(self.time)) if order else _error(-2013, "no such order")
        if route == ("GET", "/myTrades"):
            order_id = fields.get("orderId", "")
            return _json(
                [
                    trade
                    for order in self.orders.values()
                    for trade in order.trades
                    if order_id in {"", str(order.id)}
                ]
            )
        return super().reply(request)

    def _known(self, fields: dict[str, str]) -> ServedOrder | None:
        return self.orders.get(fields.get("origClientOrderId", ""))

    def _place(self, fields: dict[str, str]) -> HttpAnswer:
        client_id = fields["newClientOrderId"]
        before = self.orders.get(client_id)
        if before is not None and before.status in OPEN:
            return _error(-2010, "Duplicate order sent.")
        order = ServedOrder(
            id=len(self.orders) + 1,
            client_id=client_id,
            side=fields["side"],
            kind=fields["type"],
            in_force=fields.get("timeInForce", "GTC"),
            size=Decimal(fields["quantity"]),
            price=Decimal(fields.get("price", "0")),
        )
        if order.kind == "LIMIT_MAKER" and self._crosses(order):
            return _error(-2010, "Order would immediately match and take.")
        self.orders[client_id] = order
        self._report(order, "NEW")
        self.match(order)
        if order.status in OPEN and (order.kind == "MARKET" or order.in_force != "GTC"):
            self._end(order, "EXPIRED")
        fills = [
            {
                "price": trade["price"],
                "qty": trade["qty"],
                "commission": trade["commission"],
                "commissionAsset": "USDT",
                "tradeId": trade["id"],
            }
            for trade in order.trades
        ]
        return _json(order.shown(self.time) | {"fills": fills})

    def _cancel(self, fields: dict[str, str]) -> HttpAnswer:
        order = self._known(fields)
        if order is None or order.status not in OPEN:
            return _error(-2011, "Unknown order sent.")
        self._end(order, "CANCELED")
        shown = order.shown(self.time) | {"origClientOrderId": order.client_id}
        return _json(shown)

    def _end(self, order: ServedOrder, status: str) -> None:
        order.status = status
        self._report(order, status)

    def _levels(self, order: ServedOrder) -> list[tuple[Decimal, Decimal]]:
        """Return what the order may meet, best first."""
        book, buys = self.books["BTCUSDT"], order.side == "BUY"
        levels = book.asks if buys else book.bids
        found = sorted((Decimal(price), Decimal(size)) for price, size in levels.items())
        return found if buys else found[::-1]

    def _crosses(self, order: ServedOrder) -> bool:
        levels = self._levels(order)
        return bool(levels) and _within(order, levels[0][0])

    def match(self, order: ServedOrder) -> None:
        """Fill what the book allows now."""
        for price, size in self._levels(order):
            rest = order.size - order.filled
            if not rest or not _within(order, price):
                return
            self._fill(order, price, min(rest, size))

    def _fill(self, order: ServedOrder, price: Decimal, size: Decimal) -> None:
        self._trades += 1
        order.filled += size
        order.spent += price * size
        order.status = "FILLED" if order.filled == order.size else "PARTIALLY_FILLED"
        trade = {
            "symbol": "BTCUSDT",
            "id": self._trades,
            "orderId": order.id,
            "price": str(price),
            "qty": str(size),
            "quoteQty": str(price * size),
            "commission": str(price * size * FEE),
            "commissionAsset": "USDT",
            "time": self.time,
            "isBuyer": order.side == "BUY",
            "isMaker": False,
            "isBestMatch": True,
        }
        order.trades.append(trade)
        self._report(order, "TRADE", trade)

    def _report(self, order: ServedOrder, what: str, trade: dict[str, Any] | None = None) -> None:
        """Push an ``executionReport`` to whoever subscribed to the account's events."""
        canceled = what == "CANCELED"
        event = {
            "e": "executionReport",
            "E": self.time,
            "s": "BTCUSDT",
            "c": f"x{order.client_id[1:]}" if canceled else order.client_id,
            "S": order.side,
            "o": order.kind,
            "f": order.in_force,
            "q": str(order.size),
            "p": str(order.price),
            "P": "0.00000000",
            "C": order.client_id if canceled else "",
            "x": what,
            "X": order.status,
            "r": "NONE",
            "i": order.id,
            "l": trade["qty"] if trade else "0.00000000",
            "z": str(order.filled),
            "L": trade["price"] if trade else "0.00000000",
            "n": trade["commission"] if trade else "0",
            "N": "USDT" if trade else None,
            "T": self.time,
            "t": trade["id"] if trade else -1,
            "w": True,
            "m": False,
        }
        text = json.dumps({"subscriptionId": 0, "event": event}, separators=(",", ":"))
        self.push(USER, text.encode())


def _within(order: ServedOrder, price: Decimal) -> bool:
    """Tell whether an order may trade at a price."""
    if order.kind == "MARKET":
        return True
    return price <= order.price if order.side == "BUY" else price >= order.price


def _json(content: object) -> HttpAnswer:
    return HttpAnswer(json.dumps(content, separators=(",", ":")).encode())


def _error(code: int, text: str) -> HttpAnswer:
    return HttpAnswer(json.dumps({"code": code, "msg": text}).encode(), 400)
