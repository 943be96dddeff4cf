"""Orders, executions, positions and balances, from channels and from lists alike."""

from collections.abc import Iterable
from typing import Final

from bot4_core.domain_types.canonical_types import Money, Quantity
from bot4_core.domain_types.number_text import exponent_of_text
from bot4_core.domain_types.records import EventFlag, EventKind, OrderReason
from bot4_core.errors import DecodeError
from bot4_plugins.exchange_okx.messages import (
    AlgoOrderItem,
    BalanceItem,
    FillItem,
    OkxOrderItem,
    OkxPositionItem,
)
from bot4_plugins.exchange_okx.order_codes import CANCEL_SOURCES, CATEGORIES
from bot4_plugins.exchange_okx.slow_decoder import side_from
from bot4_plugins.venue_toolkit.account_sums import HeldPosition
from bot4_plugins.venue_toolkit.drafts import (
    DraftEvent,
    DraftMessage,
    FeeText,
    SizeText,
    amount_text,
    draft_message,
    fee_text,
    is_zero,
    price_text,
    size_text,
)
from bot4_plugins.venue_toolkit.id_numbers import number_of_id
from bot4_plugins.venue_toolkit.order_answers import Numbering
from bot4_plugins.venue_toolkit.strict_json import checked_symbol, typed
from bot4_plugins.venue_toolkit.time_text import milliseconds_text

__all__ = [
    "algo_drafts",
    "fill_drafts",
    "order_drafts",
    "paid",
    "remaining",
    "wallet_balances",
    "wallet_positions",
]

KINDS: Final = {
    "live": EventKind.ORDER_ACCEPTED,
    "partially_filled": EventKind.ORDER_ACCEPTED,
    "filled": EventKind.ORDER_ACCEPTED,
    "canceled": EventKind.ORDER_CANCELED,
    "mmp_canceled": EventKind.ORDER_CANCELED,
}
ALGO_KINDS: Final = {
    "live": EventKind.ORDER_UNTRIGGERED,
    "pause": EventKind.ORDER_UNTRIGGERED,
    "partially_effective": EventKind.ORDER_UNTRIGGERED,
    "effective": EventKind.ORDER_ACCEPTED,
    "order_placed": EventKind.ORDER_ACCEPTED,
    "filled": EventKind.ORDER_ACCEPTED,
    "canceled": EventKind.ORDER_CANCELED,
    "order_failed": EventKind.ORDER_REJECTED,
    "partially_failed": EventKind.ORDER_CANCELED,
}
TAKEN_OVER: Final = frozenset({"effective", "order_placed", "filled"})
"""States in which another order, told of by itself, does what the first was for."""
UNTOLD: Final = -1


def paid(text: str) -> str:
    """Return a fee as what is paid: the venue writes charges as negative numbers."""
    fee = amount_text(text or "0", "fee")
    return fee.removeprefix("-") if fee.startswith("-") or is_zero(fee) else f"-{fee}"


def remaining(item: OkxOrderItem) -> SizeText | int:
    """Return how much of an order was not executed, -1 where its size is an amount of quote."""
    executed = Quantity.of(size_text(item.acc_fill_sz or "0", "executed size").text)
    if item.tgt_ccy == "quote_ccy":
        return UNTOLD
    size = Quantity.of(size_text(item.sz, "size").text)
    exponent = min(size.exponent, executed.exponent, 0)
    left = size.scaled_at(exponent) - executed.scaled_at(exponent)
    if left < 0:
        raise DecodeError(f"{item.acc_fill_sz} executed of {item.sz}")
    return SizeText(Quantity(left, exponent).text)


def _number(item: OkxOrderItem, number_of: Numbering) -> int:
    """Return the number of an order, or of the one that it was triggered for."""
    number = number_of(item.cl_ord_id)
    return number if number >= 0 else number_of(item.algo_cl_ord_id)


def _fee(item: OkxOrderItem) -> FeeText:
    """Return the fee of the execution, which older messages tell for the order as a whole."""
    if item.fill_fee:
        return fee_text(paid(item.fill_fee), item.fill_fee_ccy or item.fee_ccy)
    if Quantity.of(item.fill_sz) == Quantity.of(item.acc_fill_sz):
        return fee_text(paid(item.fee), item.fee_ccy)
    raise DecodeError("an execution without its fee")


def _fill(item: OkxOrderItem, number: int) -> DraftEvent:
    if item.category not in CATEGORIES:
        raise DecodeError(f"category {item.category[:40]!r} is not known")
    maker = EventFlag.MAKER if item.exec_type == "M" else EventFlag.NONE
    size = size_text(item.fill_sz, "fill size", zero=False)
    return DraftEvent(
        kind=EventKind.ORDER_FILLED,
        time=milliseconds_text(item.fill_time),
        price=price_text(item.fill_px, "fill price"),
        size=size,
        sequence=number_of_id(item.trade_id),
        aux=_fee(item),
        link=number,
        side=int(side_from(item.side)),
        flags=int(CATEGORIES[item.category] | maker),
    )


def _order(item: OkxOrderItem, number_of: Numbering, *, listed: bool) -> DraftMessage:
    """Write what an item says: its execution if there is one, then the order.

    Lists of orders name the last execution without its fee; lists of fills tell of it.
    """
    if item.state not in KINDS:
        raise DecodeError(f"order state {item.state[:40]!r} is not known")
    kind, number = KINDS[item.state], _number(item, number_of)
    canceled = kind is EventKind.ORDER_CANCELED
    reason = CANCEL_SOURCES.get(item.cancel_source, OrderReason.VENUE)
    state = DraftEvent(
        kind=kind,
        time=milliseconds_text(item.u_time or "0"),
        price=price_text(item.px, zero=True) if item.px and not canceled else 0,
        size=remaining(item),
        sequence=number_of_id(item.ord_id),
        aux=int(reason) if canceled else UNTOLD,
        link=number,
        side=int(side_from(item.side)),
    )
    traded = item.trade_id and item.fill_sz and not is_zero(amount_text(item.fill_sz, "fill size"))
    fills = [_fill(item, number)] if traded and not listed else []
    return draft_message(checked_symbol(item.inst_id), *fills, state)


def order_drafts(
    items: Iterable[object], kinds: frozenset[str], number_of: Numbering, *, listed: bool
) -> list[DraftMessage]:
    """Read orders of some kinds of instruments; those of others are no news here.

    Parameters
    ----------
    listed : bool
        Whether they come from a list and not from a channel, where each message is news.
    """
    read = [typed(item, OkxOrderItem) for item in items]
    return [_order(item, number_of, listed=listed) for item in read if item.inst_type in kinds]


def _algo(item: AlgoOrderItem, number_of: Numbering) -> DraftMessage:
    if item.state not in ALGO_KINDS:
        raise DecodeError(f"state {item.state[:40]!r} of a waiting order is not known")
    kind = ALGO_KINDS[item.state]
    trigger = item.trigger_px or item.sl_trigger_px or item.tp_trigger_px or item.active_px
    waits = kind is EventKind.ORDER_UNTRIGGERED
    ended = kind in (EventKind.ORDER_CANCELED, EventKind.ORDER_REJECTED)
    told = item.sz and item.state not in TAKEN_OVER
    event = DraftEvent(
        kind=kind,
        time=milliseconds_text(item.u_time or "0"),
        price=price_text(trigger, "trigger") if waits and trigger else 0,
        size=size_text(item.sz) if told else UNTOLD,
        sequence=number_of_id(item.algo_id),
        aux=int(OrderReason.VENUE if item.state != "canceled" else OrderReason.REQUESTED)
        if ended
        else UNTOLD,
        link=number_of(item.algo_cl_ord_id),
        side=int(side_from(item.side)),
    )
    return draft_message(checked_symbol(item.inst_id), event)


def algo_drafts(
    items: Iterable[object], kinds: frozenset[str], number_of: Numbering
) -> list[DraftMessage]:
    """Read orders that wait for a trigger."""
    read = [typed(item, AlgoOrderItem) for item in items]
    return [_algo(item, number_of) for item in read if item.inst_type in kinds]


def fill_drafts(
    items: Iterable[object], kinds: frozenset[str], number_of: Numbering
) -> list[DraftMessage]:
    """Read executions of a list; it does not tell those that the venue made."""
    drafts = []
    for item in (typed(each, FillItem) for each in items):
        if item.inst_type and item.inst_type not in kinds:
            continue
        event = DraftEvent(
            kind=EventKind.ORDER_FILLED,
            time=milliseconds_text(item.ts),
            price=price_text(item.fill_px, "fill price"),
            size=size_text(item.fill_sz, "fill size", zero=False),
            sequence=number_of_id(item.trade_id),
            aux=fee_text(paid(item.fee), item.fee_ccy),
            link=number_of(item.cl_ord_id),
            side=int(side_from(item.side)),
            flags=int(EventFlag.MAKER if item.exec_type == "M" else EventFlag.NONE),
        )
        drafts.append(draft_message(checked_symbol(item.inst_id), event))
    return drafts


def wallet_positions(items: Iterable[object], kinds: frozenset[str]) -> list[HeldPosition]:
    """Read positions; sizes are signed here."""
    held = []
    for item in (typed(each, OkxPositionItem) for each in items):
        if item.inst_type not in kinds:
            continue
        size = Quantity.of(amount_text(item.pos or "0", "position"))
        if item.pos_side == "short":
            size = Quantity(-abs(size.value), size.exponent)
        elif item.pos_side not in ("net", "long"):
            raise DecodeError(f"a position of side {item.pos_side[:40]!r}")
        price = price_text(item.avg_px or "0", zero=True).text
        held.append(HeldPosition(item.inst_id, size, price, item.pos_side))
    return held


def wallet_balances(items: Iterable[object]) -> dict[str, Money]:
    """Read the account's balances."""
    found: dict[str, Money] = {}
    for item in (typed(each, BalanceItem) for each in items):
        for coin in item.details:
            text = amount_text(coin.cash_bal or "0", "balance")
            found[coin.ccy] = Money.parse(text, min(exponent_of_text(text), 0))
    return found
