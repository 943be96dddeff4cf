"""Orders, executions, positions and balances, from topics and from lists alike."""

from collections.abc import Callable, Iterable
from typing import Final

import attrs

from bot4_core.domain_types.canonical_types import Money, Quantity
from bot4_core.domain_types.number_text import exponent_of_text
from bot4_core.domain_types.records import EventFlag, EventKind, Side
from bot4_core.errors import DecodeError
from bot4_plugins.exchange_bybit.order_codes import reason_of
from bot4_plugins.exchange_bybit.private_messages import (
    ExecutionItem,
    OrderItem,
    PositionItem,
    WalletItem,
)
from bot4_plugins.venue_toolkit.account_sums import HeldPosition
from bot4_plugins.venue_toolkit.drafts import (
    DraftEvent,
    DraftMessage,
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
    "AccountMessage",
    "balances",
    "executions",
    "fee_asset",
    "open_size",
    "orders",
    "positions",
    "side_of",
]

ACCEPTED: Final = frozenset({"New", "PartiallyFilled", "Filled", "Created"})
WAITING: Final = frozenset({"Untriggered", "Triggered"})
ENDED: Final = frozenset({"Cancelled", "PartiallyFilledCanceled", "Deactivated"})
SIDES: Final = {"Buy": Side.BUY, "Sell": Side.SELL}
TRADES: Final = {
    "Trade": EventFlag.NONE,
    "BlockTrade": EventFlag.NONE,
    "MovePosition": EventFlag.NONE,
    "FutureSpread": EventFlag.NONE,
    "AdlTrade": EventFlag.DELEVERAGED,
    "BustTrade": EventFlag.LIQUIDATED,
    "Delivery": EventFlag.SETTLED,
    "Settle": EventFlag.SETTLED,
}
PAYMENTS: Final = frozenset({"Funding", "SessionSettlePnL"})
"""Executions that move money and no position; funding is booked from the funding rate."""


@attrs.frozen(kw_only=True)
class AccountMessage:
    """What one message says of the account.

    Parameters
    ----------
    drafts : tuple of DraftMessage
    balances : dict of str to Money
        Of the assets that it names.
    positions : tuple of HeldPosition
    passed_over : tuple of str
        What it says that no event stands for.
    """

    drafts: tuple[DraftMessage, ...] = ()
    balances: dict[str, Money] = attrs.field(factory=dict)
    positions: tuple[HeldPosition, ...] = ()
    passed_over: tuple[str, ...] = ()


def side_of(word: str) -> Side:
    """Read a side."""
    if word not in SIDES:
        raise DecodeError(f"side {word[:40]!r} is neither Buy nor Sell")
    return SIDES[word]


def _of_market(category: str, market: str) -> bool:
    return category in ("", market)


def open_size(item: OrderItem) -> str:
    """Return how much of an order was not executed; the venue's own word for it is 0 at the end."""
    quantity = Quantity.of(size_text(item.qty, "quantity").text)
    executed = Quantity.of(size_text(item.cum_exec_qty or "0", "executed quantity").text)
    exponent = min(quantity.exponent, executed.exponent, 0)
    left = quantity.scaled_at(exponent) - executed.scaled_at(exponent)
    if left < 0:
        raise DecodeError(f"{item.cum_exec_qty} executed of {item.qty}")
    return Quantity(left, exponent).text


def _kind_of(item: OrderItem) -> EventKind:
    status = item.order_status
    if status in ACCEPTED:
        return EventKind.ORDER_ACCEPTED
    if status in WAITING:
        return EventKind.ORDER_UNTRIGGERED
    if status in ENDED:
        return EventKind.ORDER_CANCELED
    if status != "Rejected":
        raise DecodeError(f"order status {status[:40]!r} is not known")
    # what was executed before stays executed
    unfilled = is_zero(amount_text(item.cum_exec_qty or "0", "executed quantity"))
    return EventKind.ORDER_REJECTED if unfilled else EventKind.ORDER_CANCELED


def _order(item: OrderItem, number_of: Numbering) -> DraftMessage:
    kind = _kind_of(item)
    prices = {
        EventKind.ORDER_ACCEPTED: item.price,
        EventKind.ORDER_UNTRIGGERED: item.trigger_price or "",
    }
    text = prices.get(kind, "")
    ended = kind in (EventKind.ORDER_CANCELED, EventKind.ORDER_REJECTED)
    event = DraftEvent(
        kind=kind,
        time=milliseconds_text(item.updated_time),
        price=price_text(text, zero=True) if text else 0,
        size=0 if kind is EventKind.ORDER_REJECTED else size_text(open_size(item)),
        sequence=number_of_id(item.order_id),
        aux=int(reason_of(item.reject_reason or "", item.cancel_type or "")) if ended else -1,
        link=number_of(item.order_link_id),
        side=int(side_of(item.side)),
    )
    return draft_message(checked_symbol(item.symbol), event)


def orders(items: Iterable[object], market: str, number_of: Numbering) -> AccountMessage:
    """Read orders; those of other markets are no news here."""
    read = [typed(item, OrderItem) for item in items]
    ours = [item for item in read if _of_market(item.category, market)]
    return AccountMessage(drafts=tuple(_order(item, number_of) for item in ours))


def fee_asset(item: ExecutionItem, settled_in: str, market: str) -> str:
    """Return what a fee was paid in.

    Spot fees come off what was received, and rebates are paid in what was given; where the venue
    leaves the name out, that of a buyer is not known here.
    """
    if item.fee_currency or market != "spot":
        return item.fee_currency or settled_in
    rebate = item.exec_fee.startswith("-")
    return "?" if (item.side == "Buy") != rebate else settled_in


def _execution(
    item: ExecutionItem, market: str, settled_in: Callable[[str], str], number_of: Numbering
) -> DraftMessage:
    symbol = checked_symbol(item.symbol)
    flags = TRADES[item.exec_type] | (EventFlag.MAKER if item.is_maker else EventFlag.NONE)
    event = DraftEvent(
        kind=EventKind.ORDER_FILLED,
        time=milliseconds_text(item.exec_time),
        price=price_text(item.exec_price),
        size=size_text(item.exec_qty, zero=False),
        sequence=number_of_id(item.exec_id),
        aux=fee_text(item.exec_fee or "0", fee_asset(item, settled_in(symbol), market)),
        link=number_of(item.order_link_id),
        side=int(side_of(item.side)),
        flags=int(flags),
    )
    return draft_message(symbol, event)


def executions(
    items: Iterable[object],
    market: str,
    settled_in: Callable[[str], str],
    number_of: Numbering,
) -> AccountMessage:
    """Read executions; payments are passed over.

    Parameters
    ----------
    settled_in : callable
        Returns what a symbol is settled in, for fees whose asset the venue does not name.
    """
    read = [typed(item, ExecutionItem) for item in items]
    ours = [item for item in read if _of_market(item.category, market)]
    for item in ours:
        if item.exec_type not in TRADES and item.exec_type not in PAYMENTS:
            raise DecodeError(f"execution type {item.exec_type[:40]!r} is not known")
    return AccountMessage(
        drafts=tuple(
            _execution(item, market, settled_in, number_of)
            for item in ours
            if item.exec_type in TRADES
        ),
        passed_over=tuple(item.exec_type for item in ours if item.exec_type in PAYMENTS),
    )


def positions(items: Iterable[object], market: str) -> AccountMessage:
    """Read positions; sizes are signed here."""
    held = []
    for item in (typed(each, PositionItem) for each in items):
        if not _of_market(item.category, market):
            continue
        size = Quantity.of(size_text(item.size, "position").text)
        if item.side == "Sell":
            size = Quantity(-size.value, size.exponent)
        elif item.side != "Buy" and size.value != 0:
            raise DecodeError(f"a position of side {item.side[:40]!r}")
        price = item.avg_price or item.entry_price or "0"
        text = price_text(price, zero=True).text
        held.append(HeldPosition(item.symbol, size, text, str(item.position_idx)))
    return AccountMessage(positions=tuple(held))


def balances(items: Iterable[object]) -> AccountMessage:
    """Read wallet balances; what is borrowed stands apart and is not taken off."""
    found: dict[str, Money] = {}
    for wallet in (typed(item, WalletItem) for item in items):
        for coin in wallet.coin:
            text = amount_text(coin.wallet_balance or "0", "balance")
            found[coin.coin] = Money.parse(text, min(exponent_of_text(text), 0))
    return AccountMessage(balances=found)
