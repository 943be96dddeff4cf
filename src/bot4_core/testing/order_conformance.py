"""What an exchange adapter that trades passes on top: its requests, and what replies mean.

``R01`` on ask for encoded orders, ``R20`` on for keys, ``R30`` on for doubt.
"""

import contextlib
import re
from decimal import Decimal
from typing import Final

import attrs

from bot4_core.domain_types.canonical_types import (
    ClientOrderId,
    InstrumentId,
    Nanoseconds,
    OrderNumber,
    Price,
    Quantity,
)
from bot4_core.domain_types.orders import Order, OrderIntent
from bot4_core.domain_types.rate_limits import RequestPriority
from bot4_core.domain_types.records import (
    EventKind,
    OrderFlag,
    OrderStatus,
    OrderType,
    Side,
    TimeInForce,
)
from bot4_core.errors import Bot4Error, OrderError
from bot4_core.market.event_batch import EventBatch
from bot4_core.orders.client_ids import client_order_id, run_tag
from bot4_core.orders.rate_budget import RateBudget
from bot4_core.plugins.credentials import Credentials
from bot4_core.plugins.exchange import Exchange, Outbound, Reply
from bot4_core.testing.conformance import demand, exempt
from bot4_core.testing.exchange_conformance import MOMENT, ExchangeConformance

__all__ = ["TradingConformance"]

TAG: Final = run_tag("conformance")
NUMBER: Final = OrderNumber(77)
LATER: Final = Nanoseconds(MOMENT + 1_234_000_000)
MARKETS: Final = (OrderType.MARKET, OrderType.STOP, OrderType.TAKE_PROFIT, OrderType.TRAILING_STOP)
TRIGGERED: Final = (
    OrderType.STOP,
    OrderType.STOP_LIMIT,
    OrderType.TAKE_PROFIT,
    OrderType.TAKE_PROFIT_LIMIT,
)
TRAILING: Final = (OrderType.TRAILING_STOP, OrderType.TRAILING_STOP_LIMIT)
RATIO: Final = Decimal("0.01")
AT_ONCE: Final = (TimeInForce.IOC, TimeInForce.FOK)
NUMBERS: Final = re.compile(rb"\d+(?:\.\d+)?")
UNREADABLE: Final = (
    Reply(status=500, body=b"oops", received=MOMENT),
    Reply(status=200, body=b"", received=MOMENT),
    Reply(status=200, body=b'{"what":"ever"}', received=MOMENT),
    Reply(status=503, body=b"<html>Service Unavailable</html>", received=MOMENT),
    Reply(status=400, body=b'{"code":-999999,"msg":"a code that no list holds"}', received=MOMENT),
)


class TradingConformance(ExchangeConformance):
    """Cases for adapters whose capabilities name order types."""

    def credentials(self) -> Credentials | None:
        """Return keys of the form that the venue gives; None where it needs none."""
        return None

    def test_r01_places(self) -> None:
        """Each order that the capabilities name is encoded for a connection that is asked for."""
        adapter = self._trader()
        names = {each.name for each in adapter.connections()}
        for intent in self._claimed(adapter):
            request = _placed(adapter, intent)
            what = _named(intent)
            demand(request.connection in names, f"{what}: sent to {request.connection!r}")
            demand(request.body or request.path, f"{what}: nothing to send")
            demand(request.creates, f"{what}: not marked as creating an order")
            demand(request.order == NUMBER, f"{what}: order number {request.order}")

    def test_r02_refuses(self) -> None:
        """An order that the capabilities do not name is an OrderError, and nothing is sent."""
        adapter = self._trader()
        row = self.capabilities
        for kind in set(OrderType) - set(row.order_types):
            _refused(adapter, self._intent(adapter, kind))
        for time in set(TimeInForce) - set(row.times_in_force):
            _refused(adapter, self._intent(adapter, OrderType.LIMIT, time))
        for flag in (OrderFlag.POST_ONLY, OrderFlag.REDUCE_ONLY, OrderFlag.CLOSE_POSITION):
            if not row.flags & flag:
                _refused(adapter, attrs.evolve(self._intent(adapter), flags=flag))

    def test_r03_exact(self) -> None:
        """Price and size stand in the request digit for digit."""
        adapter = self._trader()
        intent = self._intent(adapter)
        text = _text(adapter.place(intent, MOMENT))
        numbers = {Decimal(each.decode()) for each in NUMBERS.findall(text)}
        for name, wanted in (("price", intent.price), ("size", intent.size)):
            if wanted is not None:
                demand(wanted.decimal in numbers, f"{name} {wanted} is not in the request")

    def test_r04_cancels(self) -> None:
        """A cancel and a query are encoded, with their priority, and create nothing."""
        adapter = self._trader()
        order = _working(self._intent(adapter))
        for request, priority in (
            (adapter.cancel(order, MOMENT), RequestPriority.CANCEL),
            (adapter.query(order, MOMENT), RequestPriority.QUERY),
        ):
            demand(not request.creates, f"a {priority.name} is marked as creating an order")
            demand(request.cost.priority is priority, f"a {priority.name} goes as {request.cost}")
            demand(request.order == NUMBER, f"a {priority.name} names order {request.order}")
        created = adapter.place(order.intent, MOMENT).cost.priority
        demand(created is RequestPriority.ORDER, f"a new order goes as {created.name}")

    def test_r05_amends(self) -> None:
        """A change of price is encoded where the capabilities say so, and creates nothing."""
        if not self.capabilities.amend:
            exempt("the adapter claims no changes of orders")
        adapter = self._trader()
        order = _working(self._intent(adapter))
        intent = order.intent
        step = adapter.instruments[intent.instrument].tick
        price = None
        if intent.price is not None:
            price = Price(intent.price.value + step, intent.price.exponent)
        request = adapter.amend(order, price, intent.size, MOMENT)
        demand(not request.creates, "a change is marked as creating an order")
        demand(request.order == NUMBER, f"a change names order {request.order}")

    def test_r06_cancels_all(self) -> None:
        """Everything of an instrument is cancelled where the capabilities say so."""
        if not self.capabilities.cancel_all:
            exempt("the adapter claims no cancellation of everything")
        requests = self._trader().cancel_all(InstrumentId(0), MOMENT)
        demand(requests, "nothing is sent")
        demand(not any(each.creates for each in requests), "marked as creating an order")

    def test_r07_limits(self) -> None:
        """Rate limits are declared, and no single request is beyond them."""
        adapter = self._trader()
        settings = adapter.rate_limits
        if settings is None:
            raise AssertionError("the adapter declares no rate limits")
        order = _working(self._intent(adapter))
        sent = (adapter.place(order.intent, MOMENT), adapter.cancel(order, MOMENT))
        for request in (*sent, adapter.query(order, MOMENT), *adapter.connect()):
            budget = RateBudget(settings, instruments=len(adapter.instruments))
            granted = budget.take(request.cost, MOMENT).granted
            demand(granted, f"{request.tag or request.path}: {request.cost} never fits")

    def test_r08_names(self) -> None:
        """An order is sent under our client order id."""
        adapter = self._trader()
        intent = self._intent(adapter)
        text = _text(adapter.place(intent, MOMENT))
        demand(intent.client_id.encode() in text, "the client order id is not in the request")

    def test_r20_keys(self) -> None:
        """Secrets are shown nowhere, and the secret itself is sent nowhere."""
        keys = self._keys()
        adapter = self._trader()
        order = _working(self._intent(adapter))
        requests = [
            adapter.place(order.intent, MOMENT),
            adapter.cancel(order, MOMENT),
            adapter.query(order, MOMENT),
            *(each for name in adapter.connections() for each in adapter.opened(name.name, MOMENT)),
        ]
        hidden = [each.reveal() for each in (keys.key, keys.secret, keys.passphrase) if each]
        for request in requests:
            demand(not any(each in repr(request) for each in hidden), "a key shows in a request")
            sent = (
                *(value for _, value in request.headers),
                _text(request).decode(errors="replace"),
            )
            demand(keys.secret.reveal() not in "\n".join(sent), "the secret itself is sent")
        demand(
            not any(each in repr(vars(adapter)) for each in hidden), "a key shows in the adapter"
        )

    def test_r21_private(self) -> None:
        """Without keys there are no private connections, and orders are an error."""
        self._keys()
        adapter = self._listening(authorised=False)
        private = [each.name for each in adapter.connections() if each.private]
        demand(not private, f"{private} are wanted without keys")
        try:
            adapter.place(self._intent(adapter), MOMENT)
        except Bot4Error:
            return
        raise AssertionError("an order is encoded without keys")

    def test_r22_signatures(self) -> None:
        """The same order at the same time is the same request; at another time it is another."""
        requests = [
            adapter.place(self._intent(adapter), moment)
            for adapter, moment in zip(
                (self._trader(), self._trader(), self._trader()),
                (MOMENT, MOMENT, LATER),
                strict=True,
            )
        ]
        first, again, later = [(_text(each), each.headers) for each in requests]
        demand(first == again, "two fresh adapters encode one order differently")
        if self.credentials() is not None:
            demand(first != later, "a signature does not depend on the time")

    def test_r30_doubt(self) -> None:
        """What is no acceptance and no definitive refusal puts an order in doubt."""
        for reply in UNREADABLE:
            adapter = self._trader()
            request = adapter.place(self._intent(adapter), MOMENT)
            if request.method:
                _doubted(adapter, request, reply)
        adapter, batch = self._trader(), EventBatch(1)
        request = adapter.place(self._intent(adapter), MOMENT)
        demand(adapter.undelivered(request, MOMENT, batch) == 1, "a lost request says nothing")
        demand(_kinds(batch) == [EventKind.ORDER_IN_DOUBT], f"a lost request is {_kinds(batch)}")

    def test_r31_refusals(self) -> None:
        """The venue's codes that prove a refusal are listed; no other code proves one."""
        adapter = self.adapter()
        demand(adapter.definitive_rejects, "no code of the venue proves a refusal")
        for code in adapter.definitive_rejects:
            kind = adapter.refusal(code)
            demand(kind is EventKind.ORDER_REJECTED, f"{code!r} is {kind.name}")
        kind = adapter.refusal("a code that no list holds")
        demand(kind is EventKind.ORDER_IN_DOUBT, f"an unknown code is {kind.name}")

    def _keys(self) -> Credentials:
        keys = self.credentials()
        if keys is None:
            exempt("the venue needs no keys")
        return keys

    def _listening(self, *, authorised: bool) -> Exchange:
        """Return an adapter that knows its instruments."""
        if not self.capabilities.trades:
            exempt("the adapter claims no orders")
        adapter, keys = self.adapter(), self.credentials()
        if authorised and keys is not None:
            adapter.authorise(keys)
        batch = EventBatch(4)
        for message in self.messages():
            if message.path:
                adapter.decode_response(message.path, message.data, MOMENT, batch)
            else:
                adapter.decode(message.data, MOMENT, batch)
        return adapter

    def _trader(self) -> Exchange:
        return self._listening(authorised=True)

    def _claimed(self, adapter: Exchange) -> list[OrderIntent]:
        """Return an order of each type, and of each time in force and flag."""
        row = self.capabilities
        intents = [self._intent(adapter, kind) for kind in row.order_types]
        if OrderType.LIMIT in row.order_types:
            intents += [self._intent(adapter, OrderType.LIMIT, time) for time in row.times_in_force]
            for flag in (OrderFlag.POST_ONLY, OrderFlag.REDUCE_ONLY):
                if row.flags & flag:
                    intents.append(attrs.evolve(self._intent(adapter), flags=flag))
        return intents

    def _intent(
        self,
        adapter: Exchange,
        kind: OrderType | None = None,
        time: TimeInForce | None = None,
    ) -> OrderIntent:
        """Return a plausible order of the first instrument."""
        row, rules = self.capabilities, adapter.instruments[0]
        limit = OrderType.LIMIT in row.order_types
        kind = kind or (OrderType.LIMIT if limit else row.order_types[0])
        near = 100 * rules.tick
        price = Price(123 * near + 7 * rules.tick, rules.price_exponent)
        lots = max(3 * rules.lot, -(-3 * rules.min_size // rules.lot) * rules.lot)
        priceless = kind in MARKETS or kind is OrderType.TRAILING_STOP_LIMIT
        if time is None:
            immediate = kind is OrderType.MARKET and TimeInForce.IOC in row.times_in_force
            time = TimeInForce.IOC if immediate else TimeInForce.GTC
        return OrderIntent(
            number=NUMBER,
            client_id=ClientOrderId(client_order_id(TAG, NUMBER)),
            instrument=InstrumentId(0),
            side=Side.BUY,
            type=kind,
            size=Quantity(lots, rules.size_exponent),
            price=None if priceless else price,
            trigger=Price(price.value + near, price.exponent) if kind in TRIGGERED else None,
            trail=Price(near, price.exponent) if kind in TRAILING else None,
            limit_offset=(
                Price(rules.tick, price.exponent) if kind is OrderType.TRAILING_STOP_LIMIT else None
            ),
            visible=Quantity(rules.lot, rules.size_exponent) if kind is OrderType.ICEBERG else None,
            time_in_force=time,
            good_till=Nanoseconds(MOMENT + 3_600_000_000_000) if time is TimeInForce.GTD else None,
            created=MOMENT,
        )


def _placed(adapter: Exchange, intent: OrderIntent) -> Outbound:
    """Encode an order; venues trail by a distance, by a ratio, or by either."""
    if intent.trail is not None:
        with contextlib.suppress(OrderError):
            return adapter.place(attrs.evolve(intent, trail=None, trail_ratio=RATIO), MOMENT)
    return adapter.place(intent, MOMENT)


def _named(intent: OrderIntent) -> str:
    return f"{intent.type.name} {intent.time_in_force.name} flags {int(intent.flags)}"


def _working(intent: OrderIntent) -> Order:
    none = Quantity(0, intent.size.exponent)
    return Order(
        intent=intent,
        status=OrderStatus.OPEN,
        filled=none,
        updated=MOMENT,
        venue_order_id="4711",
    )


def _text(request: Outbound) -> bytes:
    return request.path.encode() + b"\n" + request.body


def _refused(adapter: Exchange, intent: OrderIntent) -> None:
    try:
        adapter.place(intent, MOMENT)
    except OrderError:
        return
    raise AssertionError(f"{_named(intent)} is encoded, and the capabilities do not name it")


def _kinds(batch: EventBatch) -> list[EventKind]:
    return [EventKind(int(kind)) for kind in batch.events["kind"]]


def _doubted(adapter: Exchange, request: Outbound, reply: Reply) -> None:
    batch = EventBatch(4)
    adapter.decode_reply(request, reply, batch)
    what = f"HTTP {reply.status} {reply.body[:40]!r}"
    demand(_kinds(batch) == [EventKind.ORDER_IN_DOUBT], f"{what} is read as {_kinds(batch)}")
    number = int(batch.events["link"][0])
    demand(number == NUMBER, f"{what} is about order {number}")
