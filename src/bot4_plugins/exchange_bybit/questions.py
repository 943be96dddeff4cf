"""Questions about orders: the first one, and those that its answer gives rise to."""

from typing import Final
from urllib.parse import parse_qsl, urlsplit

import attrs

from bot4_core.domain_types.canonical_types import Nanoseconds
from bot4_core.domain_types.instruments import Instrument
from bot4_core.domain_types.orders import Order
from bot4_core.domain_types.records import EventKind
from bot4_core.plugins.exchange import Outbound
from bot4_plugins.exchange_bybit.account import (
    EXECUTIONS,
    HISTORY,
    MOST_EXECUTIONS,
    MOST_ORDERS,
    REALTIME,
)
from bot4_plugins.exchange_bybit.order_requests import OrderWriter
from bot4_plugins.exchange_bybit.private_messages import OrderItem
from bot4_plugins.exchange_bybit.replies import ReplyBody, items_of
from bot4_plugins.venue_toolkit.drafts import DraftEvent, DraftMessage, draft_message, is_zero
from bot4_plugins.venue_toolkit.strict_json import typed

__all__ = ["Questions"]

QUERY: Final = "query"
QUERY_HISTORY: Final = "query history"
QUERY_TRADES: Final = "query trades"
MISSED: Final = "missed"
OVERLAP: Final = 10_000_000_000
"""How much of what is known already is asked for again, ns."""
MILLISECOND: Final = 1_000_000


def _fields(request: Outbound) -> dict[str, object]:
    return dict(parse_qsl(urlsplit(request.path).query))


@attrs.frozen(kw_only=True)
class Questions:
    """Asks, and asks on: in older orders, for an order's trades, for the next page.

    Parameters
    ----------
    writer : OrderWriter
    """

    writer: OrderWriter

    @property
    def _category(self) -> dict[str, object]:
        return {"category": self.writer.settings.market}

    def query(self, order: Order, instrument: Instrument, now: int) -> Outbound:
        """Ask what became of an order."""
        fields = self._category | {
            "symbol": str(instrument.symbol),
            "orderLinkId": str(order.intent.client_id),
        }
        number = int(order.intent.number)
        return self.writer.ask(REALTIME, fields, now, tag=QUERY, order=number)

    def missed(self, since: int, now: int) -> list[Outbound]:
        """Ask for the executions since a time, for orders that ended, and for working ones."""
        start = {"startTime": max(since - OVERLAP, 0) // MILLISECOND}
        ended = self._category | start | {"limit": MOST_ORDERS}
        executed = self._category | start | {"limit": MOST_EXECUTIONS}
        return [
            self.writer.ask(HISTORY, ended, now, tag=MISSED),
            self.writer.ask(EXECUTIONS, executed, now, tag=MISSED),
        ]

    def following(self, request: Outbound, body: ReplyBody, now: int) -> list[Outbound]:
        """Return what a good reply leaves to be asked."""
        items, order = items_of(body.result), request.order
        fields = _fields(request)
        if request.tag == QUERY and not items:
            return [self.writer.ask(HISTORY, fields, now, tag=QUERY_HISTORY, order=order)]
        if request.tag in (QUERY, QUERY_HISTORY):
            executed = [
                item
                for item in (typed(each, OrderItem) for each in items)
                if not is_zero(item.cum_exec_qty or "0")
            ]
            fields["limit"] = MOST_EXECUTIONS
            ask = self.writer.ask(EXECUTIONS, fields, now, tag=QUERY_TRADES, order=order)
            return [ask] if executed else []
        cursor = body.result.get("nextPageCursor")
        if request.tag in (QUERY_TRADES, MISSED) and items and cursor:
            path, fields["cursor"] = urlsplit(request.path).path, cursor
            return [self.writer.ask(path, fields, now, tag=request.tag, order=order)]
        return []

    @staticmethod
    def not_found(request: Outbound, body: ReplyBody) -> tuple[DraftMessage, ...]:
        """Say that the venue does not know an order, where that is what a reply shows."""
        if request.tag != QUERY_HISTORY or items_of(body.result):
            return ()
        event = DraftEvent(
            kind=EventKind.ORDER_NOT_FOUND, time=Nanoseconds(body.time), link=request.order
        )
        return (draft_message(str(_fields(request).get("symbol", "")), event),)
