"""The account's events: what each says of orders, and what is to be asked because of it."""

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from bot4_core.domain_types.records import EventFlag, EventKind, OrderReason
from bot4_core.errors import DecodeError
from bot4_plugins.exchange_binance.known_orders import KnownOrders
from bot4_plugins.exchange_binance.order_events import (
    OrderState,
    fill_event,
    order_event,
    side_of,
    venue_made,
    would_wait,
)
from bot4_plugins.exchange_binance.private_messages import (
    AlgoUpdate,
    ExecutionReport,
    OrderTradeUpdate,
    OrderUpdateBody,
)
from bot4_plugins.venue_toolkit.drafts import (
    DraftEvent,
    DraftMessage,
    DraftValue,
    draft_message,
    is_zero,
    price_text,
    size_text,
)
from bot4_plugins.venue_toolkit.strict_json import checked_symbol, typed
from bot4_plugins.venue_toolkit.time_text import nanoseconds_of

__all__ = ["ACCOUNT_EVENTS", "NOTICES", "AccountNews", "UserStream"]

NOTICES: Final = frozenset(
    {
        *("outboundAccountPosition", "balanceUpdate", "listStatus", "externalLockUpdate"),
        *("ACCOUNT_UPDATE", "ACCOUNT_CONFIG_UPDATE", "TRADE_LITE", "MARGIN_CALL"),
        *("STRATEGY_UPDATE", "GRID_UPDATE", "CONDITIONAL_ORDER_TRIGGER_REJECT"),
        "serverShutdown",
    }
)
"""Events that are known and say nothing of orders that another one does not say better."""
LOST_STREAM: Final = frozenset({"listenKeyExpired", "eventStreamTerminated"})
ACCOUNT_EVENTS: Final = (
    NOTICES | LOST_STREAM | {"executionReport", "ORDER_TRADE_UPDATE", "ALGO_UPDATE"}
)
"""All events that `UserStream` reads."""
SPOT_STATES: Final = frozenset({"NEW", "CANCELED", "REPLACED", "REJECTED", "EXPIRED"})
STATES: Final = frozenset({"NEW", "CANCELED", "EXPIRED", "AMENDMENT"})
TRADED: Final = frozenset({"TRADE", "CALCULATED"})
ENDED: Final = frozenset({"CANCELED", "EXPIRED", "EXPIRED_IN_MATCH", "REJECTED"})


class AccountNews(NamedTuple):
    """What an event says, and the order whose trades must be asked for: its symbol and ids."""

    drafts: Sequence[DraftMessage]
    untold: tuple[str, int, int] | None = None
    """Symbol, the venue's order id and our number."""
    stream_lost: bool = False


class UserStream:
    """Reads the account's events.

    Parameters
    ----------
    orders : KnownOrders
    """

    def __init__(self, orders: KnownOrders) -> None:
        self._orders = orders
        self._readers: dict[str, Callable[[object], AccountNews]] = {
            "executionReport": self._execution_report,
            "ORDER_TRADE_UPDATE": self._order_update,
            "ALGO_UPDATE": self._algo_update,
        }

    def read(self, content: dict[str, object]) -> AccountNews:
        """Say what an event says."""
        name = str(content["e"])
        if name in LOST_STREAM:
            return AccountNews((), stream_lost=True)
        reader = self._readers.get(name)
        return reader(content) if reader else AccountNews(())

    def _execution_report(self, content: object) -> AccountNews:
        report = typed(content, ExecutionReport)
        symbol = checked_symbol(report.s)
        number = self._orders.number(report.C or report.c, symbol, report.i)
        state = OrderState(
            status=report.X,
            side=report.S,
            price=report.p,
            trigger=report.P,
            size=report.q,
            filled=report.z,
            kind=report.o,
            in_force=report.f,
            waits=would_wait(report.o) and not report.w,
            order_id=report.i,
            time=nanoseconds_of(report.T),
            prevented=report.A,
            reason=report.r,
        )
        if report.x == "TRADE_PREVENTION" or report.x in SPOT_STATES:
            return AccountNews((draft_message(symbol, order_event(state, number)),))
        return self._traded(report, symbol, state, number)

    def _traded(
        self, report: ExecutionReport | OrderUpdateBody, symbol: str, state: OrderState, number: int
    ) -> AccountNews:
        """Read a fill; one without price is asked for, since it cannot be booked."""
        if report.x not in TRADED:
            raise DecodeError(f"{report.x[:80]!r} is nothing that happens to an order")
        if is_zero(report.l) or is_zero(report.L):
            missing = not is_zero(report.z)
            if report.x == "CALCULATED" and not missing:
                return AccountNews(())
            drafts: Sequence[DraftMessage] = ()
            if not missing or report.X in ENDED:
                drafts = (draft_message(symbol, order_event(state, number)),)
            return AccountNews(drafts, (symbol, report.i, number) if missing else None)
        fill = fill_event(
            side=report.S,
            price=report.L,
            size=report.l,
            trade=report.t,
            fee=(report.n or "0", report.N or ""),
            time=state.time,
            number=number,
            maker=report.m,
            flags=venue_made(report.c),
        )
        events = [fill] if fill is not None else []
        if report.X in ENDED:
            events.append(order_event(state, number))
        return AccountNews((draft_message(symbol, *events),))

    def _order_update(self, content: object) -> AccountNews:
        body = typed(content, OrderTradeUpdate).o
        symbol = checked_symbol(body.s)
        number = self._orders.number(body.c, symbol, body.i)
        state = OrderState(
            status=body.X,
            side=body.S,
            price=body.p,
            trigger=body.sp or "0",
            size=body.q,
            filled=body.z,
            kind=body.o,
            in_force=body.f,
            waits=would_wait(body.o),
            order_id=body.i,
            time=nanoseconds_of(body.T),
        )
        if body.x in STATES or body.x == "TRADE_PREVENTION":
            return AccountNews((draft_message(symbol, order_event(state, number)),))
        return self._traded(body, symbol, state, number)

    def _algo_update(self, content: object) -> AccountNews:
        update = typed(content, AlgoUpdate)
        body, time = update.o, nanoseconds_of(update.T)
        symbol = checked_symbol(body.s)
        number = self._orders.number(body.caid, "", -1)
        if body.ai:
            self._orders.remember(symbol, _venue_id(body.ai), number)
        kind = _ALGO_KINDS.get(body.X)
        if kind is None:
            raise DecodeError(f"{body.X[:80]!r} is not a state of a conditional order")
        if body.X == "TRIGGERING" or (body.X == "FINISHED" and not is_zero(body.aq)):
            return AccountNews(())
        reason = OrderReason.VENUE
        if kind is EventKind.ORDER_CANCELED:
            reason = OrderReason.REQUESTED
        event = DraftEvent(
            kind=kind,
            time=time,
            price=_algo_price(kind, body.tp, body.p),
            size=0 if kind is EventKind.ORDER_REJECTED else size_text(body.q),
            sequence=_venue_id(body.ai) if body.ai else body.aid,
            aux=-1 if kind in _ALGO_WORKING else int(reason),
            link=number,
            side=side_of(body.S),
            flags=int(EventFlag.NONE),
        )
        return AccountNews((draft_message(symbol, event),))


_ALGO_KINDS: Final = {
    "NEW": EventKind.ORDER_UNTRIGGERED,
    "TRIGGERING": EventKind.ORDER_UNTRIGGERED,
    "TRIGGERED": EventKind.ORDER_ACCEPTED,
    "FINISHED": EventKind.ORDER_CANCELED,
    "CANCELED": EventKind.ORDER_CANCELED,
    "EXPIRED": EventKind.ORDER_EXPIRED,
    "REJECTED": EventKind.ORDER_REJECTED,
}
_ALGO_WORKING: Final = frozenset({EventKind.ORDER_UNTRIGGERED, EventKind.ORDER_ACCEPTED})


def _venue_id(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise DecodeError(f"{text[:80]!r} is not an order id")
    return int(text)


def _algo_price(kind: EventKind, trigger: str, price: str) -> DraftValue:
    if kind is EventKind.ORDER_UNTRIGGERED:
        return price_text(trigger, "trigger", zero=True)
    return price_text(price, zero=True) if kind is EventKind.ORDER_ACCEPTED else 0
