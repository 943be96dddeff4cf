"""Orders as the venue wants them spelled, over the trade socket or by request."""

import json
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlencode

import attrs

from bot4_core.domain_types.canonical_types import Price, Quantity
from bot4_core.domain_types.instruments import Instrument
from bot4_core.domain_types.orders import Order, OrderIntent, TriggerSource
from bot4_core.domain_types.rate_limits import RateRequest, RequestPriority
from bot4_core.domain_types.records import OrderFlag, OrderStatus, OrderType, Side, TimeInForce
from bot4_core.errors import OrderError
from bot4_core.plugins.exchange import Outbound
from bot4_plugins.exchange_bybit.requests import REST, TRADE
from bot4_plugins.exchange_bybit.settings import BybitSettings
from bot4_plugins.exchange_bybit.signing import BybitSigner

__all__ = ["CLIENT_ID_LENGTH", "OrderWriter", "order_fields"]

Fields = dict[str, object]

MILLISECOND: Final = 1_000_000
CLIENT_ID_LENGTH: Final = 32
"""Of a request's id; the number of its instrument, in hexadecimal, follows."""
SIDES: Final = {Side.BUY: "Buy", Side.SELL: "Sell"}
TIMES: Final = {
    TimeInForce.GTC: "GTC",
    TimeInForce.IOC: "IOC",
    TimeInForce.FOK: "FOK",
}
MARKETS: Final = frozenset({OrderType.MARKET, OrderType.STOP, OrderType.TAKE_PROFIT})
LIMITS: Final = frozenset({OrderType.LIMIT, OrderType.STOP_LIMIT, OrderType.TAKE_PROFIT_LIMIT})
STOPS: Final = frozenset({OrderType.STOP, OrderType.STOP_LIMIT})
TRIGGERED: Final = frozenset({*STOPS, OrderType.TAKE_PROFIT, OrderType.TAKE_PROFIT_LIMIT})
SOURCES: Final = {
    TriggerSource.LAST: "LastPrice",
    TriggerSource.MARK: "MarkPrice",
    TriggerSource.INDEX: "IndexPrice",
}
ON_THE_BOOK: Final = frozenset({OrderStatus.OPEN, OrderStatus.PARTIAL})
RISES, FALLS = 1, 2
ONE_WAY, LONG, SHORT = 0, 1, 2
SPOT_FILTERS: Final = ("Order", "StopOrder", "tpslOrder")
"""Kinds of spot orders, each to be cancelled by a request of its own."""
CREATE: Final = "order.create"
CANCEL: Final = "order.cancel"
AMEND: Final = "order.amend"
PATHS: Final = {
    CREATE: "/v5/order/create",
    CANCEL: "/v5/order/cancel",
    AMEND: "/v5/order/amend",
}
TAGS: Final = {CREATE: "place", CANCEL: "cancel", AMEND: "amend"}


def _refuse(reason: str) -> OrderError:
    return OrderError(f"bybit: {reason}")


def _check(intent: OrderIntent, settings: BybitSettings) -> None:
    """Refuse what the venue has no order for."""
    spot = settings.market == "spot"
    if intent.type not in MARKETS | LIMITS:
        raise _refuse(f"{intent.type.name} orders do not exist for single orders")
    if intent.time_in_force not in TIMES:
        raise _refuse(f"time in force {intent.time_in_force.name} does not exist")
    if intent.visible is not None:
        raise _refuse("orders cannot hide a part of their size")
    if spot and intent.flags & (OrderFlag.REDUCE_ONLY | OrderFlag.CLOSE_POSITION):
        raise _refuse("spot has no positions to reduce")
    if spot and intent.trigger_source is not TriggerSource.LAST:
        raise _refuse("spot triggers are of the last price")
    if intent.type in MARKETS and intent.time_in_force is TimeInForce.FOK:
        raise _refuse("market orders cannot be fill-or-kill")
    if intent.flags & OrderFlag.POST_ONLY:
        if intent.type in MARKETS:
            raise _refuse("a market order cannot be post-only")
        if intent.time_in_force is not TimeInForce.GTC:
            raise _refuse("post-only is a time in force of its own: GTC")


def position_index(intent: OrderIntent, *, hedged: bool) -> int:
    """Return which of a contract's positions an order is for."""
    if not hedged:
        return ONE_WAY
    reduces = bool(intent.flags & (OrderFlag.REDUCE_ONLY | OrderFlag.CLOSE_POSITION))
    return LONG if (intent.side is Side.BUY) != reduces else SHORT


def _trigger(intent: OrderIntent, *, spot: bool) -> Fields:
    fields: Fields = {"triggerPrice": str(intent.trigger)}
    if spot:
        return fields | {"orderFilter": "StopOrder"}
    rises = (intent.type in STOPS) == (intent.side is Side.BUY)
    return fields | {
        "triggerDirection": RISES if rises else FALLS,
        "triggerBy": SOURCES[intent.trigger_source],
    }


def order_fields(intent: OrderIntent, instrument: Instrument, settings: BybitSettings) -> Fields:
    """Return a new order's fields.

    Raises
    ------
    OrderError
        If the venue has no such order.
    """
    _check(intent, settings)
    spot, market = settings.market == "spot", intent.type in MARKETS
    fields: Fields = {
        "category": settings.market,
        "symbol": str(instrument.symbol),
        "side": SIDES[intent.side],
        "orderType": "Market" if market else "Limit",
        "qty": str(intent.size),
        "orderLinkId": str(intent.client_id),
    }
    if market and spot:
        fields["marketUnit"] = "baseCoin"  # else a buy's quantity is an amount of quote
    if not market:
        fields["price"] = str(intent.price)
        post_only = intent.flags & OrderFlag.POST_ONLY
        fields["timeInForce"] = "PostOnly" if post_only else TIMES[intent.time_in_force]
    if intent.type in TRIGGERED:
        fields |= _trigger(intent, spot=spot)
    if not spot:
        fields["positionIdx"] = position_index(intent, hedged=settings.hedged)
    if intent.flags & OrderFlag.REDUCE_ONLY:
        fields["reduceOnly"] = True
    if intent.flags & OrderFlag.CLOSE_POSITION:
        fields |= {"qty": "0", "reduceOnly": True, "closeOnTrigger": True}
    if settings.self_trade:
        fields["smpType"] = settings.self_trade
    return fields


def _text(content: Mapping[str, object]) -> bytes:
    return json.dumps(content, separators=(",", ":")).encode()


@attrs.frozen(kw_only=True)
class OrderWriter:
    """Writes requests that trade, or that ask about orders.

    Parameters
    ----------
    settings : BybitSettings
    signer : BybitSigner
    """

    settings: BybitSettings
    signer: BybitSigner

    def place(self, intent: OrderIntent, instrument: Instrument, now: int) -> Outbound:
        """Encode a new order."""
        fields = order_fields(intent, instrument, self.settings)
        return self._send(CREATE, fields, intent, now)

    def cancel(self, order: Order, instrument: Instrument, now: int) -> Outbound:
        """Encode a cancellation."""
        return self._send(CANCEL, self._named(order, instrument), order.intent, now)

    def amend(
        self,
        order: Order,
        instrument: Instrument,
        price: Price | None,
        size: Quantity | None,
        now: int,
    ) -> Outbound:
        """Encode a change of price or whole size."""
        changes = {"price": price, "qty": size}
        fields = self._named(order, instrument)
        fields |= {name: str(value) for name, value in changes.items() if value is not None}
        return self._send(AMEND, fields, order.intent, now)

    def cancel_all(self, instrument: Instrument, now: int) -> list[Outbound]:
        """Encode the cancellation of every order of an instrument; spot has three kinds."""
        named = {"category": self.settings.market, "symbol": str(instrument.symbol)}
        kinds = SPOT_FILTERS if self.settings.market == "spot" else ("",)
        return [
            self.post(
                "/v5/order/cancel-all",
                named | ({"orderFilter": kind} if kind else {}),
                now,
                tag="cancel-all",
                cost=RateRequest(priority=RequestPriority.CANCEL, orders=1),
            )
            for kind in kinds
        ]

    def ask(
        self, path: str, fields: Mapping[str, object], now: int, *, tag: str, order: int = -1
    ) -> Outbound:
        """Encode a signed question."""
        query = urlencode(fields)
        return Outbound(
            connection=REST,
            method="GET",
            path=f"{path}?{query}",
            headers=self.signer.headers(now, query),
            tag=tag,
            cost=RateRequest(priority=RequestPriority.QUERY),
            order=order,
        )

    def post(
        self,
        path: str,
        fields: Mapping[str, object],
        now: int,
        *,
        tag: str,
        cost: RateRequest,
        order: int = -1,
    ) -> Outbound:
        """Encode a signed request that changes something."""
        body = _text(fields)
        return Outbound(
            connection=REST,
            method="POST",
            path=path,
            body=body,
            headers=(
                ("Content-Type", "application/json"),
                *self.signer.headers(now, body.decode()),
            ),
            tag=tag,
            cost=cost,
            order=order,
            creates=tag == TAGS[CREATE],
        )

    def _named(self, order: Order, instrument: Instrument) -> Fields:
        fields: Fields = {
            "category": self.settings.market,
            "symbol": str(instrument.symbol),
            "orderLinkId": str(order.intent.client_id),
        }
        if self.settings.market == "spot":
            waits = order.intent.type in TRIGGERED and order.status not in ON_THE_BOOK
            fields["orderFilter"] = "StopOrder" if waits else "Order"
        return fields

    def _send(self, operation: str, fields: Fields, intent: OrderIntent, now: int) -> Outbound:
        """Choose the way that the settings name."""
        priority = RequestPriority.CANCEL if operation == CANCEL else RequestPriority.ORDER
        cost = RateRequest(priority=priority, orders=1, instrument=int(intent.instrument))
        tag, number = TAGS[operation], int(intent.number)
        if self.settings.route == "rest":
            return self.post(PATHS[operation], fields, now, tag=tag, cost=cost, order=number)
        frame = {
            "reqId": f"{intent.client_id}{int(intent.instrument):04x}",
            "header": {
                "X-BAPI-TIMESTAMP": str(now // MILLISECOND),
                "X-BAPI-RECV-WINDOW": str(self.signer.window),
            },
            "op": operation,
            "args": [fields],
        }
        return Outbound(
            connection=TRADE,
            body=_text(frame),
            tag=tag,
            cost=cost,
            order=number,
            creates=operation == CREATE,
        )
