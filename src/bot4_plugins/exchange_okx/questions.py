"""Questions about orders: the first one, and those that its answer gives rise to."""

from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import parse_qsl, urlsplit

import attrs

from bot4_core.domain_types.instruments import Instrument
from bot4_core.domain_types.orders import Order
from bot4_core.domain_types.records import EventKind
from bot4_core.plugins.connections import Outbound, Reply
from bot4_plugins.exchange_okx.messages import AlgoOrderItem, OkxOrderItem
from bot4_plugins.exchange_okx.order_requests import ALGO_PATHS, ALGOS, OkxOrderWriter
from bot4_plugins.exchange_okx.venue import OkxFacts
from bot4_plugins.venue_toolkit.drafts import DraftEvent, DraftMessage, draft_message, is_zero
from bot4_plugins.venue_toolkit.reply_clock import reply_time
from bot4_plugins.venue_toolkit.strict_json import typed

__all__ = ["ALGO_ORDER", "ALGO_PENDING", "FILLS", "ORDER", "PENDING", "OkxQuestions"]

ORDER: Final = "/api/v5/trade/order"
ALGO_ORDER: Final = "/api/v5/trade/order-algo"
HISTORY: Final = "/api/v5/trade/orders-history"
PENDING: Final = "/api/v5/trade/orders-pending"
ALGO_PENDING: Final = "/api/v5/trade/orders-algo-pending"
FILLS: Final = "/api/v5/trade/fills"
CANCEL_BATCH: Final = "/api/v5/trade/cancel-batch-orders"
ALGO_KINDS: Final = ("trigger", "conditional,oco", "move_order_stop")
QUERY: Final = "query"
TRADES: Final = "query trades"
MISSED: Final = "missed"
CANCEL_ALL: Final = "cancel-all"
PAGE: Final = 100
MOST_CANCELED: Final = 20
OVERLAP: Final = 10_000_000_000
"""How much of what is known already is asked for again, ns."""
MILLISECOND: Final = 1_000_000
SECOND: Final = 1_000_000_000


def venue_time(reply: Reply) -> int:
    """Return the venue's clock, which bodies leave out: the ``Date`` of the reply, else ours."""
    return reply_time(reply) or int(reply.received)


@attrs.frozen(kw_only=True)
class OkxQuestions:
    """Asks, and asks on: for an order's trades, for the next page, for what is to be canceled.

    Parameters
    ----------
    writer : OkxOrderWriter
    facts : OkxFacts
    """

    writer: OkxOrderWriter
    facts: OkxFacts

    def query(self, order: Order, instrument: Instrument, now: int) -> Outbound:
        """Ask what became of an order."""
        number, name = int(order.intent.number), str(order.intent.client_id)
        if order.intent.type in ALGOS:
            fields = {"algoClOrdId": name}
            return self.writer.ask(ALGO_ORDER, fields, now, tag=QUERY, order=number)
        fields = {"instId": str(instrument.symbol), "clOrdId": name}
        return self.writer.ask(ORDER, fields, now, tag=QUERY, order=number)

    def missed(self, since: int, now: int) -> list[Outbound]:
        """Ask for the executions since a time, and for orders that ended."""
        fields: dict[str, object] = {"instType": self.facts.kind, "limit": PAGE}
        fields["begin"] = max(since - OVERLAP, 0) // MILLISECOND
        return [self.writer.ask(path, fields, now, tag=MISSED) for path in (HISTORY, FILLS)]

    def working(self, instrument: Instrument, now: int) -> list[Outbound]:
        """Ask for an instrument's working orders, to cancel them."""
        named = {"instType": self.facts.kind, "instId": str(instrument.symbol)}
        return [
            self.writer.ask(PENDING, named, now, tag=CANCEL_ALL),
            *(
                self.writer.ask(ALGO_PENDING, named | {"ordType": kind}, now, tag=CANCEL_ALL)
                for kind in ALGO_KINDS
            ),
        ]

    def following(self, request: Outbound, items: Sequence[object], now: int) -> list[Outbound]:
        """Return what a good reply leaves to be asked."""
        path = urlsplit(request.path).path
        fields: dict[str, object] = dict(parse_qsl(urlsplit(request.path).query))
        if request.tag == CANCEL_ALL and path in (PENDING, ALGO_PENDING):
            return self._cancellations(path, items, now)
        if request.tag == QUERY and items and path == ORDER:
            item = typed(items[0], OkxOrderItem)
            if is_zero(item.acc_fill_sz or "0"):
                return []
            named = {"instType": item.inst_type, "instId": item.inst_id, "ordId": item.ord_id}
            return [self.writer.ask(FILLS, named, now, tag=TRADES, order=request.order)]
        if request.tag in (TRADES, MISSED) and len(items) >= PAGE:
            return [self._next_page(request, path, fields, items, now)]
        return []

    def _next_page(
        self,
        request: Outbound,
        path: str,
        fields: dict[str, object],
        items: Sequence[object],
        now: int,
    ) -> Outbound:
        last = typed(items[-1], dict[str, object])
        name = "billId" if path == FILLS else "ordId"
        fields["after"] = str(last.get(name, ""))
        return self.writer.ask(path, fields, now, tag=request.tag, order=request.order)

    def _cancellations(self, path: str, items: Sequence[object], now: int) -> list[Outbound]:
        named: list[dict[str, object]] = []
        for item in items:
            if path == PENDING:
                order = typed(item, OkxOrderItem)
                named.append({"instId": order.inst_id, "ordId": order.ord_id})
            else:
                algo = typed(item, AlgoOrderItem)
                named.append({"instId": algo.inst_id, "algoId": algo.algo_id})
        target = CANCEL_BATCH if path == PENDING else ALGO_PATHS["cancel"]
        return [
            self.writer.cancel_found(target, named[first : first + MOST_CANCELED], now)
            for first in range(0, len(named), MOST_CANCELED)
        ]

    @staticmethod
    def not_found(request: Outbound, reply: Reply) -> tuple[DraftMessage, ...]:
        """Say that the venue does not know an order that was asked about."""
        fields: Mapping[str, str] = dict(parse_qsl(urlsplit(request.path).query))
        event = DraftEvent(
            kind=EventKind.ORDER_NOT_FOUND, time=venue_time(reply), link=request.order
        )
        return (draft_message(fields.get("instId", ""), event),)
