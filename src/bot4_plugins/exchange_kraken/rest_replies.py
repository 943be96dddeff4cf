"""What REST says of orders and trades."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final, TypeVar

import msgspec

from bot4_core.domain_types.instruments import Instrument
from bot4_core.domain_types.number_text import scaled_from_text
from bot4_core.domain_types.records import EventFlag, EventKind, OrderReason
from bot4_core.errors import DecodeError
from bot4_plugins.exchange_kraken.executions import REASONS, open_size
from bot4_plugins.exchange_kraken.messages import whole_number
from bot4_plugins.exchange_kraken.metadata import OLD_NAMES, rest_name
from bot4_plugins.exchange_kraken.order_directory import KnownOrder
from bot4_plugins.exchange_kraken.slow_decoder import side_of
from bot4_plugins.venue_toolkit.drafts import (
    DraftEvent,
    DraftMessage,
    DraftValue,
    amount_text,
    draft_message,
    fee_text,
    is_zero,
    price_text,
    size_text,
)
from bot4_plugins.venue_toolkit.id_numbers import number_of_id
from bot4_plugins.venue_toolkit.strict_json import NumberText, plain_object, typed

__all__ = [
    "KrakenRestOrder",
    "KrakenRestTrade",
    "asset_name",
    "fill_event",
    "order_event",
    "order_rows",
    "pair_names",
    "result_of",
    "trade_rows",
]

T = TypeVar("T")

NANOSECONDS: Final = 9
ENDS: Final = {
    "canceled": EventKind.ORDER_CANCELED,
    "closed": EventKind.ORDER_CANCELED,
    "expired": EventKind.ORDER_EXPIRED,
}


class _Description(msgspec.Struct):
    pair: str = ""
    type: str = ""
    ordertype: str = ""
    price: str = "0"


class KrakenRestOrder(msgspec.Struct, kw_only=True):
    """A row of ``OpenOrders`` or ``ClosedOrders``."""

    status: str
    descr: _Description
    vol: str
    vol_exec: str
    opentm: NumberText
    closetm: NumberText = NumberText("0")
    cl_ord_id: str | None = None
    reason: str | None = None
    trades: list[str] = []


class KrakenRestTrade(msgspec.Struct, kw_only=True):
    """A row of ``TradesHistory`` or ``QueryTrades``; the fee is in the pair's quote asset."""

    ordertxid: str
    pair: str
    time: NumberText
    type: str
    price: str
    vol: str
    fee: str
    trade_id: NumberText
    maker: bool = False


def result_of(data: bytes) -> tuple[dict[str, object], str]:
    """Return ``result`` and the first error, empty where there is none; warnings are no errors."""
    content = plain_object(data, integers_as_text=True)
    errors = content.get("error")
    if not isinstance(errors, list) or not all(isinstance(each, str) for each in errors):
        raise DecodeError("a reply without a list of errors")
    result = content.get("result", {})
    if not isinstance(result, dict):
        raise DecodeError("a reply whose result is no object")
    return result, next((each for each in errors if not each.startswith("W")), "")


def _rows(result: Mapping[str, object], names: Sequence[str], kind: type[T]) -> dict[str, T]:
    for name in names:
        rows = result.get(name)
        if isinstance(rows, dict):
            return {str(key): typed(row, kind) for key, row in rows.items()}
    raise DecodeError(f"a reply without {' or '.join(names)}")


def order_rows(result: Mapping[str, object]) -> dict[str, KrakenRestOrder]:
    """Read orders by the venue's id."""
    return _rows(result, ("open", "closed"), KrakenRestOrder)


def trade_rows(result: Mapping[str, object]) -> dict[str, KrakenRestTrade]:
    """Read trades by the venue's id: the history's, or those that were asked for."""
    named = result if "trades" in result else {"trades": result}
    return _rows(named, ("trades",), KrakenRestTrade)


def _seconds(number: NumberText) -> int:
    return scaled_from_text(amount_text(f"{Decimal(number.text):.9f}", "time"), -NANOSECONDS)


def asset_name(name: str) -> str:
    """Return what the WebSocket calls an asset that REST calls ``XXBT`` or ``ZUSD``."""
    if len(name) == 4 and name[0] in "XZ":
        name = name[1:]
    return OLD_NAMES.get(name, name)


def pair_names(instruments: Sequence[Instrument], listed: Mapping[str, str]) -> dict[str, str]:
    """Return symbols by all names that REST may give a pair."""
    found = {}
    for item in instruments:
        short = rest_name(item.symbol)
        base = short.removesuffix(item.quote)
        for name in (item.symbol, short, f"X{base}Z{item.quote}", f"X{base}X{item.quote}"):
            found[name] = str(item.symbol)
        if item.symbol in listed:
            found[listed[item.symbol]] = str(item.symbol)
    return found


def order_event(order_id: str, row: KrakenRestOrder, order: KnownOrder) -> DraftMessage:
    """Say what REST says of an order."""
    size, filled = (Decimal(amount_text(text, "size")) for text in (row.vol, row.vol_exec))
    kind = ENDS.get(row.status)
    reason = int(OrderReason.NONE)
    price: DraftValue = 0
    if kind is None:
        waits = order.triggered and row.status == "open"
        kind = EventKind.ORDER_UNTRIGGERED if waits else EventKind.ORDER_ACCEPTED
        reason = -1
        if row.status not in ("open", "pending"):
            raise DecodeError(f"an order that is {row.status[:80]!r}")
        price = price_text(row.descr.price, zero=True)
    elif filled >= size:
        kind, reason = EventKind.ORDER_ACCEPTED, -1
    elif row.reason:
        reason = int(REASONS.get(row.reason, OrderReason.VENUE))
    over = row.status in ENDS
    event = DraftEvent(
        kind=kind,
        time=_seconds(row.closetm if over else row.opentm),
        price=price,
        size=open_size(size, filled),
        sequence=number_of_id(order_id),
        aux=reason,
        link=order.number,
        side=int(side_of(row.descr.type)),
    )
    return draft_message(order.symbol, event)


def fill_event(row: KrakenRestTrade, order: KnownOrder, instrument: Instrument) -> DraftMessage:
    """Say what REST says of a trade."""
    event = DraftEvent(
        kind=EventKind.ORDER_FILLED,
        time=_seconds(row.time),
        price=price_text(row.price),
        size=size_text(row.vol, zero=False),
        sequence=whole_number(row.trade_id, "trade id"),
        aux=0 if is_zero(row.fee) else fee_text(row.fee, instrument.quote),
        link=order.number,
        side=int(side_of(row.type)),
        flags=int(EventFlag.MAKER if row.maker else EventFlag.NONE),
    )
    return draft_message(order.symbol, event)
