"""Requests about orders, and what the replies and the user channel say of them."""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Final
from urllib.parse import urlencode

import attrs
import msgspec

from bot4_core.domain_types.canonical_types import Nanoseconds
from bot4_core.domain_types.instruments import Instrument
from bot4_core.domain_types.orders import OrderIntent
from bot4_core.domain_types.rate_limits import RateRequest, RequestPriority
from bot4_core.domain_types.records import EventKind, OrderReason
from bot4_core.errors import DecodeError
from bot4_core.plugins.exchange import Outbound, Reply
from bot4_plugins.exchange_coinbase.order_codes import DEFINITIVE, reason_of
from bot4_plugins.exchange_coinbase.order_states import (
    CoinbaseFill,
    CoinbaseOrder,
    booked_size,
    fill_draft,
    listed_order,
    order_draft,
)
from bot4_plugins.exchange_coinbase.signing import TokenSigner
from bot4_plugins.exchange_coinbase.venue import API, HOST
from bot4_plugins.venue_toolkit.drafts import DraftEvent, DraftMessage, draft_message
from bot4_plugins.venue_toolkit.id_numbers import number_of_id
from bot4_plugins.venue_toolkit.reply_clock import reply_time
from bot4_plugins.venue_toolkit.strict_json import plain_object, typed

__all__ = ["CoinbaseOrders", "SentOrder", "signed_request"]

QUERY: Final = RateRequest(priority=RequestPriority.QUERY)
LIST: Final = "/orders/historical/batch"
FILLS: Final = "/orders/historical/fills"
OK: Final = 200


def signed_request(
    signer: TokenSigner,
    method: str,
    path: str,
    now: Nanoseconds,
    *,
    query: Sequence[tuple[str, str]] = (),
    content: object = None,
    tag: str,
    cost: RateRequest = QUERY,
    order: int = -1,
    creates: bool = False,
) -> Outbound:
    """Return a request with its token; the token names the path without the query."""
    token = signer.token(now, f"{method} {HOST}{API}{path}")
    headers = [("Authorization", f"Bearer {token}")]
    body = b""
    if content is not None:
        headers.append(("Content-Type", "application/json"))
        body = msgspec.json.encode(content)
    return Outbound(
        connection="rest",
        method=method,
        path=f"{API}{path}{'?' if query else ''}{urlencode(query)}",
        body=body,
        headers=tuple(headers),
        tag=tag,
        cost=cost,
        order=order,
        creates=creates,
    )


@attrs.define
class SentOrder:
    """What is known of an order of ours."""

    number: int
    symbol: str
    side: int
    client_id: str
    order_id: str = ""
    told: Decimal = Decimal(0)  # filled, as the venue says
    booked: Decimal = Decimal(0)  # in fills that were read
    trades: set[str] = attrs.field(factory=set)
    asked: int = 0  # when its fills were asked for


class _ErrorReply(msgspec.Struct):
    error: str = ""
    new_order_failure_reason: str = ""
    preview_failure_reason: str = ""


class _Created(msgspec.Struct):
    success: bool
    failure_reason: str = ""
    order_id: str = ""
    success_response: dict[str, object] | None = None
    error_response: _ErrorReply | None = None


class _Result(msgspec.Struct):
    success: bool
    order_id: str
    failure_reason: str = ""


class CoinbaseOrders:
    """The orders of one account that were sent or told of here.

    Parameters
    ----------
    number_of : callable
        Gives the number of a client order id, -1 for a foreign one.
    instrument : callable
        Gives the instrument of a symbol, None where it is not followed.

    Attributes
    ----------
    foreign : int
        Orders and fills that are not ours, of products that are not followed.
    """

    def __init__(
        self,
        number_of: Callable[[str], int],
        instrument: Callable[[str], Instrument | None],
    ) -> None:
        self.foreign = 0
        self._number_of = number_of
        self._instrument = instrument
        self._sent: dict[int, SentOrder] = {}
        self._by_id: dict[str, SentOrder] = {}

    def note(self, intent: OrderIntent, symbol: str) -> SentOrder:
        """Remember an order of ours."""
        known = self._sent.get(intent.number)
        if known is None:
            known = SentOrder(
                number=intent.number,
                symbol=symbol,
                side=int(intent.side),
                client_id=str(intent.client_id),
            )
            self._sent[intent.number] = known
        return known

    def id_of(self, number: int) -> str:
        """Return the venue's id of an order of ours, empty while it is not known."""
        sent = self._sent.get(number)
        return "" if sent is None else sent.order_id

    def take(self, order: CoinbaseOrder) -> list[DraftMessage]:
        """Take in an order's state; what was filled is asked for, not guessed."""
        number = self._number_of(order.client_id) if order.client_id else -1
        if self._instrument(order.symbol) is None:
            self.foreign += 1
            return []
        sent = self._by_id.get(order.order_id) or self._sent.get(number)
        if sent is None:
            sent = SentOrder(
                number=number, symbol=order.symbol, side=int(order.side), client_id=order.client_id
            )
        if sent.number >= 0:
            self._sent[sent.number] = sent
        sent.order_id = order.order_id
        self._by_id[order.order_id] = sent
        sent.told = max(sent.told, order.filled)
        draft = order_draft(order, sent.number)
        return [] if draft is None else [draft]

    def unbooked(self, now: Nanoseconds, pause: int) -> list[str]:
        """Return the ids of orders whose fills are not all known, each once in a pause."""
        found = []
        for order_id, sent in self._by_id.items():
            if sent.told > sent.booked and now - sent.asked >= pause:
                sent.asked = now
                found.append(order_id)
        return found

    def fills(self, rows: object) -> list[DraftMessage]:
        """Read a list of fills."""
        if not isinstance(rows, list):
            raise DecodeError("fills without a list")
        found = []
        for row in rows:
            fill = typed(row, CoinbaseFill)
            instrument = self._instrument(fill.product_id)
            if instrument is None:
                self.foreign += 1
                continue
            sent = self._by_id.get(fill.order_id)
            draft = fill_draft(fill, -1 if sent is None else sent.number, instrument)
            if sent is not None and fill.trade_id not in sent.trades:
                sent.trades.add(fill.trade_id)
                sent.booked += booked_size(draft)
            found.append(draft)
        return found

    def created(self, request: Outbound, reply: Reply) -> list[DraftMessage]:
        """Say what became of a new order; where the reply cannot be read, nobody knows."""
        sent = self._sent[request.order]
        try:
            created = typed(plain_object(reply.body), _Created)
        except DecodeError:
            word = str(reply.status)
            return [self._refusal(sent, word if 400 <= reply.status < 500 else "")]
        answer = created.success_response or {}
        order_id = answer.get("order_id") or created.order_id
        if created.success and reply.status == OK and isinstance(order_id, str) and order_id:
            sent.order_id = order_id
            self._by_id[order_id] = sent
            return [_told(sent, EventKind.ORDER_ACCEPTED, -1, number_of_id(order_id))]
        if created.success:
            return [self._refusal(sent, "")]
        return [self._refusal(sent, _word(created))]

    def changed(self, request: Outbound, reply: Reply) -> list[DraftMessage]:
        """Say what became of a change or a cancellation: only a refusal is an event."""
        content = plain_object(reply.body)
        sent = self._sent.get(request.order)
        if "results" in content:
            results = typed(content["results"], list[_Result])
            refused = [each.failure_reason for each in results if not each.success]
        else:
            errors = content.get("errors")
            refused = [] if content.get("success") is True else [str(errors)]
        if sent is None or not refused:
            return []
        return [_told(sent, EventKind.CANCEL_REJECTED, int(reason_of(refused[0])))]

    def listed(self, rows: object) -> list[DraftMessage]:
        """Read a list of orders."""
        if not isinstance(rows, list):
            raise DecodeError("orders without a list")
        return [draft for row in rows for draft in self.take(listed_order(row))]

    def answered(self, request: Outbound, reply: Reply) -> list[DraftMessage]:
        """Read the answer about one order, which the venue can only list with others."""
        rows = _rows(plain_object(reply.body), "orders")
        sent = self._sent[request.order]
        ours = [order for order in map(listed_order, rows) if order.client_id == sent.client_id]
        if ours:
            return [draft for order in ours for draft in self.take(order)]
        event = DraftEvent(
            kind=EventKind.ORDER_NOT_FOUND,
            time=reply_time(reply),
            link=sent.number,
            side=sent.side,
        )
        return [draft_message(sent.symbol, event)]

    def working(self, reply: Reply, symbol: str) -> list[str]:
        """Return the ids of the orders of a product in a list of working ones."""
        rows = _rows(plain_object(reply.body), "orders")
        return [order.order_id for order in map(listed_order, rows) if order.symbol == symbol]

    def _refusal(self, sent: SentOrder, word: str) -> DraftMessage:
        if word not in DEFINITIVE:
            return _told(sent, EventKind.ORDER_IN_DOUBT, int(OrderReason.VENUE))
        return _told(sent, EventKind.ORDER_REJECTED, int(reason_of(word)))


def _word(created: _Created) -> str:
    error = created.error_response
    words = [created.failure_reason]
    if error is not None:
        words += [error.new_order_failure_reason, error.preview_failure_reason, error.error]
    known = [word for word in words if word in DEFINITIVE]
    return known[0] if known else ""


def _rows(content: Mapping[str, object], name: str) -> list[object]:
    rows = content.get(name)
    if not isinstance(rows, list):
        raise DecodeError(f"a reply without {name}")
    return rows


def _told(sent: SentOrder, kind: EventKind, reason: int, sequence: int = -1) -> DraftMessage:
    size = -1 if kind is EventKind.ORDER_ACCEPTED else 0
    event = DraftEvent(
        kind=kind, size=size, sequence=sequence, aux=reason, link=sent.number, side=sent.side
    )
    return draft_message(sent.symbol, event)
