"""What replies to signed requests say of orders, and what is to be asked because of them.

A new order whose reply is neither an acceptance nor a code that proves a refusal is in doubt.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from bot4_core.domain_types.canonical_types import Nanoseconds
from bot4_core.domain_types.records import EventFlag, EventKind, OrderReason
from bot4_core.errors import DecodeError
from bot4_plugins.exchange_binance.capabilities import DEFINITIVE_REJECTS
from bot4_plugins.exchange_binance.known_orders import KnownOrders
from bot4_plugins.exchange_binance.order_events import (
    OrderState,
    fill_event,
    order_event,
    side_of,
    venue_made,
    would_wait,
)
from bot4_plugins.exchange_binance.order_requests import Purpose
from bot4_plugins.exchange_binance.private_messages import (
    AlgoOrderReply,
    OrderReply,
    TradeReply,
)
from bot4_plugins.venue_toolkit.drafts import (
    DraftEvent,
    DraftMessage,
    draft_message,
    is_zero,
    price_text,
    size_text,
)
from bot4_plugins.venue_toolkit.strict_json import typed
from bot4_plugins.venue_toolkit.time_text import nanoseconds_of

__all__ = ["Answer", "FollowUp", "OrderReplies", "error_of"]

SERVER_FAULT: Final = 500
LIMITED: Final = frozenset({418, 429})
NOT_THERE: Final = frozenset({-2011, -2013})
DUPLICATES: Final = frozenset({-4116})
NO_KEY: Final = -1125
EXECUTED: Final = "executedQty"
ALGO_KINDS: Final = {
    "NEW": EventKind.ORDER_UNTRIGGERED,
    "TRIGGERING": EventKind.ORDER_UNTRIGGERED,
    "TRIGGERED": EventKind.ORDER_ACCEPTED,
    "FINISHED": EventKind.ORDER_ACCEPTED,
    "CANCELED": EventKind.ORDER_CANCELED,
    "EXPIRED": EventKind.ORDER_EXPIRED,
    "REJECTED": EventKind.ORDER_REJECTED,
}


class Answer(NamedTuple):
    """A reply as it is read: what it answers, its status and its body as plain data."""

    purpose: Purpose
    status: int
    content: object
    venue_time: Nanoseconds  # 0 where the venue did not say


class FollowUp(NamedTuple):
    """What is to be asked next."""

    what: str  # trades of an order, trades of a symbol, order by the venue's id, or a listen key
    purpose: Purpose
    symbol: str = ""
    venue_id: int = -1


class _Error(NamedTuple):
    code: int
    text: str


Result = tuple[Sequence[DraftMessage], Sequence[FollowUp]]
NOTHING: Final[Result] = ((), ())


def error_of(content: object) -> tuple[int, str] | None:
    """Return code and text of an error, None where the content is no error."""
    if not isinstance(content, dict):
        return None
    code = content.get("code")
    if isinstance(code, int) and code < 0 and "msg" in content:
        return _Error(code, str(content["msg"])[:512])
    return None


class OrderReplies:
    """Reads replies.

    Parameters
    ----------
    orders : KnownOrders
    symbol_of : callable
        Returns an instrument's symbol by its number.
    """

    def __init__(self, orders: KnownOrders, symbol_of: Callable[[int], str]) -> None:
        self._orders = orders
        self._symbol_of = symbol_of
        self._readers: dict[str, Callable[[Answer], Result]] = {
            "new": self._new,
            "cancel": self._cancel,
            "clear": self._clear,
            "amend": self._amend,
            "query": self._query,
            "resolve": self._query,
            "trades": self._trades,
            "orders": self._history,
        }

    def read(self, answer: Answer) -> Result:
        """Say what a reply says and what follows from it."""
        what = answer.purpose.what
        error = error_of(answer.content)
        if what in ("listen", "renew"):
            lost = error is not None and error[0] == NO_KEY
            return (), [FollowUp("listen", Purpose("listen"))] if lost else []
        if what == "new":
            return self._new_or_doubt(answer, error)
        if error is not None:
            return self._refused(answer, *error), ()
        if answer.status >= 400:
            return NOTHING
        reader = self._readers.get(what)
        return reader(answer) if reader else NOTHING

    def doubt(self, purpose: Purpose, reason: OrderReason = OrderReason.VENUE) -> DraftMessage:
        """Say that nobody knows what became of a new order."""
        return self._evidence(purpose, EventKind.ORDER_IN_DOUBT, aux=int(reason))

    def _evidence(
        self, purpose: Purpose, kind: EventKind, *, time: int = 0, aux: int = -1, size: int = 0
    ) -> DraftMessage:
        event = DraftEvent(kind=kind, time=time, aux=aux, size=size, link=purpose.order)
        return draft_message(self._symbol_of(purpose.instrument), event)

    def _new_or_doubt(self, answer: Answer, error: tuple[int, str] | None) -> Result:
        purpose = answer.purpose
        if answer.status >= SERVER_FAULT:
            return [self.doubt(purpose)], ()
        if error is None and answer.status in LIMITED:
            refused = EventKind.ORDER_REJECTED
            return [self._evidence(purpose, refused, aux=int(OrderReason.TOO_MANY))], ()
        if error is not None:
            code, text = error
            if str(code) not in DEFINITIVE_REJECTS:
                return [self.doubt(purpose)], ()
            reason = _refusal(code, text)
            return [self._evidence(purpose, EventKind.ORDER_REJECTED, aux=int(reason))], ()
        try:
            return self._new(answer)
        except DecodeError:
            return [self.doubt(purpose)], ()

    def _refused(self, answer: Answer, code: int, text: str) -> Sequence[DraftMessage]:
        purpose, gone = answer.purpose, code in NOT_THERE
        if purpose.what == "query" and gone:
            kind = EventKind.ORDER_NOT_FOUND
            return [self._evidence(purpose, kind, time=answer.venue_time)]
        definitive = gone or str(code) in DEFINITIVE_REJECTS
        if purpose.what in ("cancel", "amend") and definitive and answer.status < SERVER_FAULT:
            reason = OrderReason.NOT_OPEN if gone else OrderReason.VENUE
            return [self._evidence(purpose, EventKind.CANCEL_REJECTED, aux=int(reason))]
        return ()

    def _new(self, answer: Answer) -> Result:
        if _is_algo(answer.content):
            return self._algo(answer)
        reply = typed(answer.content, OrderReply)
        state = _state(reply)
        number = answer.purpose.order
        self._orders.remember(reply.symbol, reply.order_id, number)
        fills = [
            fill_event(
                side=reply.side,
                price=each.price,
                size=each.qty,
                trade=each.trade_id,
                fee=(each.commission, each.commission_asset),
                time=state.time,
                number=number,
                maker=False,
            )
            for each in reply.fills
        ]
        events = [order_event(state, number), *(fill for fill in fills if fill is not None)]
        return [draft_message(reply.symbol, *events)], ()

    def _cancel(self, answer: Answer) -> Result:
        if _is_algo(answer.content):
            reason = int(OrderReason.REQUESTED)
            canceled = EventKind.ORDER_CANCELED
            return [self._evidence(answer.purpose, canceled, aux=reason, size=-1)], ()
        return [self._shown(typed(answer.content, OrderReply), answer.purpose.order)], ()

    def _clear(self, answer: Answer) -> Result:
        if not isinstance(answer.content, list):
            return NOTHING
        return [self._shown(reply) for reply in _orders_in(answer.content)], ()

    def _amend(self, answer: Answer) -> Result:
        content = answer.content
        if isinstance(content, dict) and "amendedOrder" in content:
            content = _amended(content)
        return [self._shown(typed(content, OrderReply), answer.purpose.order)], ()

    def _query(self, answer: Answer) -> Result:
        if _is_algo(answer.content):
            return self._algo(answer)
        reply = typed(answer.content, OrderReply)
        purpose = answer.purpose
        follow = []
        if not is_zero(reply.executed_qty):
            asked = Purpose("trades", purpose.order, purpose.instrument)
            follow.append(FollowUp("trades", asked, reply.symbol, reply.order_id))
        return [self._shown(reply, purpose.order)], follow

    def _algo(self, answer: Answer) -> Result:
        """Read a conditional futures order; one that was triggered is asked for by its new id."""
        reply, purpose = typed(answer.content, AlgoOrderReply), answer.purpose
        kind = ALGO_KINDS.get(reply.algo_status)
        if kind is None:
            raise DecodeError(f"{reply.algo_status[:80]!r} is not a state of a conditional order")
        if reply.actual_order_id:
            actual = reply.actual_order_id
            if not (actual.isascii() and actual.isdigit()):
                raise DecodeError(f"{actual[:80]!r} is not an order id")
            self._orders.remember(reply.symbol, int(actual), purpose.order)
            asked = Purpose("resolve", purpose.order, purpose.instrument)
            return (), [FollowUp("order", asked, reply.symbol, int(actual))]
        reason = OrderReason.REQUESTED if kind is EventKind.ORDER_CANCELED else OrderReason.VENUE
        waiting = kind is EventKind.ORDER_UNTRIGGERED
        event = DraftEvent(
            kind=kind,
            time=nanoseconds_of(reply.update_time or reply.create_time),
            price=price_text(reply.trigger_price, "trigger", zero=True) if waiting else 0,
            size=0 if kind is EventKind.ORDER_REJECTED else size_text(reply.quantity),
            sequence=reply.algo_id,
            aux=-1 if waiting else int(reason),
            link=purpose.order,
            side=side_of(reply.side),
        )
        return [draft_message(reply.symbol, event)], ()

    def _history(self, answer: Answer) -> Result:
        drafts = [self._shown(reply) for reply in _orders_in(answer.content)]
        symbol = self._symbol_of(answer.purpose.instrument)
        asked = Purpose("trades", -1, answer.purpose.instrument)
        return drafts, [FollowUp("symbol trades", asked, symbol)]

    def _trades(self, answer: Answer) -> Result:
        replies = typed(answer.content, list[TradeReply])
        drafts = [self.trade(reply, answer.purpose.order) for reply in replies]
        return [draft for draft in drafts if draft is not None], ()

    def trade(self, reply: TradeReply, number: int = -1) -> DraftMessage | None:
        """Return the fill of a trade of the account."""
        known = number if number >= 0 else self._orders.by_venue_id(reply.symbol, reply.order_id)
        fill = fill_event(
            side=reply.side or ("BUY" if reply.is_buyer else "SELL"),
            price=reply.price,
            size=reply.qty,
            trade=reply.id,
            fee=(reply.commission, reply.commission_asset),
            time=nanoseconds_of(reply.time),
            number=known,
            maker=reply.is_maker or reply.maker,
            flags=self._orders.origin(reply.symbol, reply.order_id),
        )
        return draft_message(reply.symbol, fill) if fill is not None else None

    def meet(self, reply: OrderReply) -> int:
        """Remember whose order the venue's id stands for, and return its number."""
        client_id = reply.orig_client_order_id or reply.client_order_id
        flag = venue_made(client_id)
        if flag is not EventFlag.NONE:
            self._orders.mark(reply.symbol, reply.order_id, flag)
        return self._orders.number(client_id, reply.symbol, reply.order_id)

    def _shown(self, reply: OrderReply, number: int = -1) -> DraftMessage:
        known = max(self.meet(reply), number)
        return draft_message(reply.symbol, order_event(_state(reply), known))


def _orders_in(content: object) -> Iterator[OrderReply]:
    """Yield the orders of a list, and of order lists within it."""
    if not isinstance(content, list):
        raise DecodeError("not a list of orders")
    for each in content:
        reports = each.get("orderReports") if isinstance(each, dict) else None
        inner: Iterable[object] = reports if isinstance(reports, list) else (each,)
        yield from (typed(item, OrderReply) for item in inner)


def _is_algo(content: object) -> bool:
    return isinstance(content, dict) and "algoId" in content


def _amended(content: dict[str, object]) -> dict[str, object]:
    inner = content["amendedOrder"]
    if not isinstance(inner, dict):
        raise DecodeError("an amendment without the order")
    return {
        **inner,
        "origQty": inner.get("qty"),
        "transactTime": content.get("transactTime", 0),
    }


def _state(reply: OrderReply) -> OrderState:
    return OrderState(
        status=reply.status,
        side=reply.side,
        price=reply.price,
        trigger=reply.stop_price,
        size=reply.orig_qty,
        filled=reply.executed_qty,
        kind=reply.type,
        in_force=reply.time_in_force,
        waits=would_wait(reply.type) and not reply.is_working,
        order_id=reply.order_id,
        time=nanoseconds_of(reply.transact_time or reply.update_time or reply.time),
    )


def _refusal(code: int, text: str) -> OrderReason:
    if code in DUPLICATES or (code == -2010 and "uplicate" in text):
        return OrderReason.DUPLICATE  # the only reject that does not say that there is no order
    return OrderReason.WOULD_TAKE if code == -5022 else OrderReason.VENUE
