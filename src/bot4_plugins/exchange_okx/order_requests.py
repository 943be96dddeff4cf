"""Orders as the venue wants them spelled, over the private socket or by request."""

import json
from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import urlencode

import attrs

from bot4_core.domain_types.canonical_types import Price, Quantity
from bot4_core.domain_types.instruments import Instrument
from bot4_core.domain_types.orders import Order, OrderIntent, TriggerSource
from bot4_core.domain_types.rate_limits import RateRequest, RequestPriority
from bot4_core.domain_types.records import OrderFlag, OrderStatus, OrderType, Side, TimeInForce
from bot4_core.errors import OrderError
from bot4_core.plugins.connections import Outbound
from bot4_plugins.exchange_okx.requests import PRIVATE, REST
from bot4_plugins.exchange_okx.settings import OkxSettings
from bot4_plugins.exchange_okx.signing import OkxSigner

__all__ = ["ALGO_PATHS", "OPERATIONS", "OkxOrderWriter", "algo_fields", "plain_fields"]

Fields = dict[str, object]

MILLISECOND: Final = 1_000_000
SIDES: Final = {Side.BUY: "buy", Side.SELL: "sell"}
TIMES: Final = {TimeInForce.GTC: "limit", TimeInForce.IOC: "ioc", TimeInForce.FOK: "fok"}
AT_MARKET: Final = frozenset({OrderType.MARKET, OrderType.STOP, OrderType.TAKE_PROFIT})
STOPS: Final = frozenset({OrderType.STOP, OrderType.STOP_LIMIT})
TRIGGERED: Final = frozenset({*STOPS, OrderType.TAKE_PROFIT, OrderType.TAKE_PROFIT_LIMIT})
ALGOS: Final = TRIGGERED | {OrderType.TRAILING_STOP}
KNOWN: Final = ALGOS | {OrderType.MARKET, OrderType.LIMIT}
SOURCES: Final = {
    TriggerSource.LAST: "last",
    TriggerSource.MARK: "mark",
    TriggerSource.INDEX: "index",
}
REDUCES: Final = OrderFlag.REDUCE_ONLY | OrderFlag.CLOSE_POSITION
ON_THE_BOOK: Final = frozenset({OrderStatus.OPEN, OrderStatus.PARTIAL})
AT_ANY_PRICE: Final = "-1"
PLACE, CANCEL, AMEND = "place", "cancel", "amend"
OPERATIONS: Final = {"order": PLACE, "cancel-order": CANCEL, "amend-order": AMEND}
"""What the frames of the private socket do."""
PATHS: Final = {
    PLACE: "/api/v5/trade/order",
    CANCEL: "/api/v5/trade/cancel-order",
    AMEND: "/api/v5/trade/amend-order",
}
ALGO_PATHS: Final = {
    PLACE: "/api/v5/trade/order-algo",
    CANCEL: "/api/v5/trade/cancel-algos",
    AMEND: "/api/v5/trade/amend-algos",
}
CLOSE_PATH: Final = "/api/v5/trade/close-position"


def _refuse(reason: str) -> OrderError:
    return OrderError(f"okx: {reason}")


def _check(intent: OrderIntent, settings: OkxSettings) -> None:
    """Refuse what the venue has no order for."""
    if intent.type not in KNOWN or intent.visible is not None:
        raise _refuse(f"{intent.type.name} orders with these numbers do not exist")
    if intent.time_in_force not in TIMES:
        raise _refuse(f"time in force {intent.time_in_force.name} does not exist")
    if settings.market == "spot" and intent.flags & REDUCES:
        raise _refuse("spot has no positions to reduce")
    if intent.type in ALGOS or intent.type is OrderType.MARKET:
        if intent.flags & OrderFlag.POST_ONLY:
            raise _refuse("only limit orders can be post-only")
        if intent.time_in_force is TimeInForce.FOK:
            raise _refuse("only limit orders can be fill-or-kill")
    if intent.flags & OrderFlag.POST_ONLY and intent.time_in_force is not TimeInForce.GTC:
        raise _refuse("post-only is a type of its own: GTC")
    if intent.flags & OrderFlag.CLOSE_POSITION and intent.type not in AT_MARKET:
        raise _refuse("positions are closed at market")
    if intent.type is OrderType.TRAILING_STOP and intent.trigger_source is not TriggerSource.LAST:
        raise _refuse("trails follow the last price")


def _position_side(intent: OrderIntent, settings: OkxSettings) -> Fields:
    """Return which of a contract's positions an order is for."""
    if not settings.hedged:
        return {}
    reduces = bool(intent.flags & REDUCES)
    return {"posSide": "long" if (intent.side is Side.BUY) != reduces else "short"}


def _shared(intent: OrderIntent, instrument: Instrument, settings: OkxSettings) -> Fields:
    fields: Fields = {
        "instId": str(instrument.symbol),
        "tdMode": settings.margin_mode,
        "side": SIDES[intent.side],
        **_position_side(intent, settings),
        "sz": str(intent.size),
    }
    if settings.market == "spot" and intent.type in AT_MARKET | {OrderType.TRAILING_STOP}:
        fields["tgtCcy"] = "base_ccy"  # else a buy's size is an amount of quote
    if intent.flags & OrderFlag.REDUCE_ONLY:
        fields["reduceOnly"] = True
    return fields


def plain_fields(intent: OrderIntent, instrument: Instrument, settings: OkxSettings) -> Fields:
    """Return the fields of an order without a trigger.

    Raises
    ------
    OrderError
        If the venue has no such order.
    """
    _check(intent, settings)
    fields = _shared(intent, instrument, settings) | {"clOrdId": str(intent.client_id)}
    if settings.self_trade:
        fields["stpMode"] = settings.self_trade
    if intent.type is OrderType.MARKET:
        return fields | {"ordType": "market"}
    post_only = intent.flags & OrderFlag.POST_ONLY
    kind = "post_only" if post_only else TIMES[intent.time_in_force]
    return fields | {"ordType": kind, "px": str(intent.price)}


def _closing(intent: OrderIntent) -> Fields:
    """Return what closes a whole position at a trigger."""
    leg = "sl" if intent.type in STOPS else "tp"
    return {
        "ordType": "conditional",
        "closeFraction": "1",
        "reduceOnly": True,
        f"{leg}TriggerPx": str(intent.trigger),
        f"{leg}TriggerPxType": SOURCES[intent.trigger_source],
        f"{leg}OrdPx": AT_ANY_PRICE,
    }


def _trailing(intent: OrderIntent) -> Fields:
    fields: Fields = {"ordType": "move_order_stop"}
    if intent.trail_ratio is not None:
        fields["callbackRatio"] = f"{intent.trail_ratio:f}"
    else:
        fields["callbackSpread"] = str(intent.trail)
    return fields | ({} if intent.trigger is None else {"activePx": str(intent.trigger)})


def algo_fields(intent: OrderIntent, instrument: Instrument, settings: OkxSettings) -> Fields:
    """Return the fields of an order that waits for a trigger.

    Raises
    ------
    OrderError
        If the venue has no such order.
    """
    _check(intent, settings)
    fields = _shared(intent, instrument, settings) | {"algoClOrdId": str(intent.client_id)}
    if intent.type is OrderType.TRAILING_STOP:
        return fields | _trailing(intent)
    if intent.flags & OrderFlag.CLOSE_POSITION:
        del fields["sz"]
        return fields | _closing(intent)
    return fields | {
        "ordType": "trigger",
        "triggerPx": str(intent.trigger),
        "triggerPxType": SOURCES[intent.trigger_source],
        "orderPx": AT_ANY_PRICE if intent.price is None else str(intent.price),
    }


def _text(content: object) -> bytes:
    return json.dumps(content, separators=(",", ":")).encode()


@attrs.frozen(kw_only=True)
class OkxOrderWriter:
    """Writes requests that trade, or that ask about orders.

    Parameters
    ----------
    settings : OkxSettings
    signer : OkxSigner
    codes : mapping of str to int
        The numbers by which frames name instruments; an order of one without goes by request.
    """

    settings: OkxSettings
    signer: OkxSigner
    codes: Mapping[str, int]

    def place(self, intent: OrderIntent, instrument: Instrument, now: int) -> Outbound:
        """Encode a new order."""
        if intent.type in ALGOS:
            fields = algo_fields(intent, instrument, self.settings)
            return self._post(ALGO_PATHS[PLACE], fields, intent, now, PLACE)
        fields = plain_fields(intent, instrument, self.settings)
        if intent.flags & OrderFlag.CLOSE_POSITION:
            closing: Fields = {
                "instId": fields["instId"],
                "mgnMode": self.settings.margin_mode,
                **_position_side(intent, self.settings),
                "clOrdId": fields["clOrdId"],
            }
            return self._post(CLOSE_PATH, closing, intent, now, PLACE)
        return self._send("order", fields, intent, now)

    def cancel(self, order: Order, instrument: Instrument, now: int) -> Outbound:
        """Encode a cancellation; a triggered order is another one, known by the venue's id."""
        named: Fields = {"instId": str(instrument.symbol)}
        if self._waits(order):
            fields = [named | {"algoClOrdId": str(order.intent.client_id)}]
            return self._post(ALGO_PATHS[CANCEL], fields, order.intent, now, CANCEL)
        return self._send("cancel-order", named | self._known_as(order), order.intent, now)

    def amend(
        self,
        order: Order,
        instrument: Instrument,
        price: Price | None,
        size: Quantity | None,
        now: int,
    ) -> Outbound:
        """Encode a change of price or whole size."""
        waits = self._waits(order)
        names = {"newOrdPx" if waits else "newPx": price, "newSz": size}
        fields: Fields = {"instId": str(instrument.symbol)}
        changes = {name: str(value) for name, value in names.items() if value is not None}
        if waits:
            fields |= {"algoClOrdId": str(order.intent.client_id)} | changes
            return self._post(ALGO_PATHS[AMEND], fields, order.intent, now, AMEND)
        return self._send(
            "amend-order", fields | self._known_as(order) | changes, order.intent, now
        )

    def ask(
        self, path: str, fields: Mapping[str, object], now: int, *, tag: str, order: int = -1
    ) -> Outbound:
        """Encode a signed question."""
        whole = f"{path}?{urlencode(fields)}" if fields else path
        return Outbound(
            connection=REST,
            method="GET",
            path=whole,
            headers=self.signer.headers(now, "GET", whole, ""),
            tag=tag,
            cost=RateRequest(priority=RequestPriority.QUERY),
            order=order,
        )

    def cancel_found(self, path: str, named: Sequence[Fields], now: int) -> Outbound:
        """Encode the cancellation of orders that a list of working ones named."""
        cost = RateRequest(priority=RequestPriority.CANCEL, weight=0, orders=len(named))
        return self._request(path, list(named), now, tag="cancel-all", cost=cost)

    @staticmethod
    def _waits(order: Order) -> bool:
        return order.intent.type in ALGOS and order.status not in ON_THE_BOOK

    @staticmethod
    def _known_as(order: Order) -> Fields:
        if order.intent.type in ALGOS:
            return {"ordId": order.venue_order_id}
        return {"clOrdId": str(order.intent.client_id)}

    def _cost(self, action: str, intent: OrderIntent) -> RateRequest:
        priority = RequestPriority.CANCEL if action == CANCEL else RequestPriority.ORDER
        return RateRequest(priority=priority, weight=0, orders=1, instrument=int(intent.instrument))

    def _send(self, operation: str, fields: Fields, intent: OrderIntent, now: int) -> Outbound:
        """Choose the way: frames need the instrument's number, and not every site takes it."""
        action, code = OPERATIONS[operation], self.codes.get(str(fields["instId"]))
        if self.settings.route == "rest" or self.settings.site == "demo" or code is None:
            return self._post(PATHS[action], fields, intent, now, action)
        argument = {name: value for name, value in fields.items() if name != "instId"}
        frame: Fields = {
            "id": f"{int(intent.instrument):04x}{int(intent.number):016x}",
            "op": operation,
            "args": [{"instIdCode": code} | argument],
        }
        if action == PLACE:
            frame["expTime"] = str(now // MILLISECOND + self.settings.window)
        return Outbound(
            connection=PRIVATE,
            body=_text(frame),
            tag=action,
            cost=self._cost(action, intent),
            order=int(intent.number),
            creates=action == PLACE,
        )

    def _post(
        self, path: str, content: object, intent: OrderIntent, now: int, action: str
    ) -> Outbound:
        cost = self._cost(action, intent)
        return self._request(path, content, now, tag=action, cost=cost, order=int(intent.number))

    def _request(
        self,
        path: str,
        content: object,
        now: int,
        *,
        tag: str,
        cost: RateRequest,
        order: int = -1,
    ) -> Outbound:
        body = _text(content)
        headers = [
            ("Content-Type", "application/json"),
            *self.signer.headers(now, "POST", path, body.decode()),
        ]
        if tag == PLACE:
            headers.append(("expTime", str(now // MILLISECOND + self.settings.window)))
        return Outbound(
            connection=REST,
            method="POST",
            path=path,
            body=body,
            headers=tuple(headers),
            tag=tag,
            cost=cost,
            order=order,
            creates=tag == PLACE,
        )
