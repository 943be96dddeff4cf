"""What the account holds, by its lists."""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal

import msgspec

from bot4_core.domain_types.canonical_types import InstrumentId, Money, Nanoseconds
from bot4_core.domain_types.instruments import Instrument, Settlement
from bot4_core.domain_types.number_text import exponent_of_text, scaled_from_text
from bot4_core.errors import DecodeError
from bot4_core.market.event_batch import EventBatch
from bot4_core.orders.reconciliation import VenueAccount, VenueOrder
from bot4_plugins.exchange_coinbase.order_states import listed_order
from bot4_plugins.exchange_coinbase.orders import CoinbaseOrders
from bot4_plugins.venue_toolkit.drafts import DraftMessage, amount_text
from bot4_plugins.venue_toolkit.id_numbers import number_of_id
from bot4_plugins.venue_toolkit.strict_json import plain_object, typed

__all__ = ["read_account"]

Append = Callable[[Sequence[DraftMessage], Nanoseconds, EventBatch], int]


class _Amount(msgspec.Struct):
    value: str


class _Wallet(msgspec.Struct):
    currency: str
    available_balance: _Amount
    hold: _Amount


class _Held(msgspec.Struct):
    product_id: str
    side: str
    number_of_contracts: str
    avg_entry_price: _Amount


class _Priced(msgspec.Struct):
    product_id: str
    price: str = ""


def _list(body: bytes, name: str) -> list[object]:
    rows = plain_object(body).get(name)
    if not isinstance(rows, list):
        raise DecodeError(f"a reply without {name}")
    return rows


def _balances(body: bytes) -> dict[str, Decimal]:
    found: dict[str, Decimal] = {}
    for row in _list(body, "accounts"):
        wallet = typed(row, _Wallet)
        parts = (wallet.available_balance.value, wallet.hold.value)
        held = sum((Decimal(amount_text(part, "balance")) for part in parts), Decimal(0))
        found[wallet.currency] = found.get(wallet.currency, Decimal(0)) + held
    return found


def _money(amount: Decimal) -> Money:
    text = f"{amount:f}"
    exponent = min(exponent_of_text(text), 0)
    return Money(scaled_from_text(text, exponent), exponent)


def _spot(
    instruments: Sequence[Instrument], balances: Mapping[str, Decimal], body: bytes
) -> dict[InstrumentId, tuple[int, int]]:
    """Return what is held of each base asset; of products with one base the first has it all."""
    priced = [typed(row, _Priced) for row in _list(body, "products")]
    prices = {each.product_id: amount_text(each.price or "0", "price") for each in priced}
    found, taken = {}, set()
    for at, item in enumerate(instruments):
        held = balances.get(item.base, Decimal(0)) if item.base not in taken else Decimal(0)
        taken.add(item.base)
        size = int(held.scaleb(-item.size_exponent).to_integral_value())
        price = Decimal(prices.get(str(item.symbol), "0")).scaleb(-item.price_exponent)
        found[InstrumentId(at)] = size, int(price.to_integral_value())
    return found


def _contracts(
    instruments: Sequence[Instrument], body: bytes
) -> dict[InstrumentId, tuple[int, int]]:
    rows = [typed(row, _Held) for row in _list(body, "positions")]
    held = {row.product_id: row for row in rows}
    found = {}
    for at, item in enumerate(instruments):
        if str(item.symbol) in held:
            row = held[str(item.symbol)]
            size = scaled_from_text(row.number_of_contracts, item.size_exponent)
            price = Decimal(row.avg_entry_price.value).scaleb(-item.price_exponent)
            sign = -1 if row.side == "SHORT" else 1
            found[InstrumentId(at)] = sign * size, int(price.to_integral_value())
    return found


def read_account(
    replies: Sequence[bytes],
    time: Nanoseconds,
    instruments: Sequence[Instrument],
    orders: CoinbaseOrders,
    append: Append,
) -> VenueAccount:
    """Decode wallets, working orders, fills, and prices (spot) or positions (futures).

    Raises
    ------
    DecodeError
        If one of them cannot be read.
    """
    if len(replies) != 4:
        raise DecodeError(f"{len(replies)} replies, expected 4")
    wallets, listed, fills, last = replies
    balances = _balances(wallets)
    numbers = {str(item.symbol): at for at, item in enumerate(instruments)}
    working = []
    for row in _list(listed, "orders"):
        order = listed_order(row)
        orders.take(order)
        if order.symbol not in numbers:
            continue
        at = numbers[order.symbol]
        item = instruments[at]
        size = order.filled + (order.left or Decimal(0))
        working.append(
            VenueOrder(
                client_id=order.client_id,
                instrument=InstrumentId(at),
                side=order.side,
                price=scaled_from_text(order.price or "0", item.price_exponent),
                size=scaled_from_text(f"{size:f}", item.size_exponent),
                filled=scaled_from_text(f"{order.filled:f}", item.size_exponent),
                venue_order=number_of_id(order.order_id),
            )
        )
    batch = EventBatch()
    append(orders.fills(_list(fills, "fills")), time, batch)
    spot = all(item.settlement is Settlement.SPOT for item in instruments)
    return VenueAccount(
        time=time,
        orders=tuple(working),
        positions=_spot(instruments, balances, last) if spot else _contracts(instruments, last),
        balances={asset: _money(amount) for asset, amount in balances.items()},
        trades=batch.events.copy(),
    )
