"""What the account holds, by five requests."""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Final

from bot4_core.domain_types.canonical_types import InstrumentId, Money, Nanoseconds
from bot4_core.domain_types.instruments import Instrument
from bot4_core.domain_types.number_text import exponent_of_text, scaled_from_text
from bot4_core.domain_types.rate_limits import RateRequest, RequestPriority
from bot4_core.domain_types.records import Side
from bot4_core.errors import DecodeError
from bot4_core.market.event_batch import EventBatch
from bot4_core.orders.reconciliation import VenueAccount, VenueOrder
from bot4_core.plugins.exchange import Outbound
from bot4_plugins.exchange_kraken.metadata import rest_name
from bot4_plugins.exchange_kraken.reply_reader import KrakenReplyReader, Signed
from bot4_plugins.exchange_kraken.rest_replies import asset_name, order_rows, pair_names, result_of
from bot4_plugins.exchange_kraken.slow_decoder import side_of
from bot4_plugins.venue_toolkit.drafts import DraftMessage, amount_text
from bot4_plugins.venue_toolkit.id_numbers import number_of_id

__all__ = ["account_requests", "read_account"]

QUERY: Final = RateRequest(priority=RequestPriority.QUERY)
HISTORY: Final = RateRequest(priority=RequestPriority.QUERY, weight=2)
Append = Callable[[Sequence[DraftMessage], Nanoseconds, EventBatch], int]


def account_requests(
    signed: Signed,
    instruments: Sequence[Instrument],
    names: Mapping[str, str],
    now: Nanoseconds,
) -> list[Outbound]:
    """Ask for balances, working orders, recent trades and, without a key, last prices."""
    pairs = ",".join(names.get(item.symbol, rest_name(item.symbol)) for item in instruments)
    prices = Outbound(
        connection="rest", method="GET", path=f"/0/public/Ticker?pair={pairs}", tag="prices"
    )
    return [
        signed("Balance", [], now, QUERY, "balances"),
        signed("OpenOrders", [], now, QUERY, "account orders"),
        signed("TradesHistory", [], now, HISTORY, "account trades"),
        prices,
    ]


def _result(body: bytes, what: str) -> dict[str, object]:
    result, error = result_of(body)
    if error:
        raise DecodeError(f"{what}: {error}")
    return result


def _text(value: object, what: str) -> str:
    if not isinstance(value, str):
        raise DecodeError(f"{what} {value!r:.80} is no text")
    return amount_text(value, what)


def _money(text: str) -> Money:
    exponent = min(exponent_of_text(text), 0)
    return Money(scaled_from_text(text, exponent), exponent)


def _last_prices(result: Mapping[str, object], pairs: Mapping[str, str]) -> dict[str, str]:
    found = {}
    for name, row in result.items():
        last = row.get("c") if isinstance(row, dict) else None
        if name in pairs and isinstance(last, list) and last:
            found[pairs[name]] = _text(last[0], "last price")
    return found


def _positions(
    instruments: Sequence[Instrument], balances: Mapping[str, str], prices: Mapping[str, str]
) -> dict[InstrumentId, tuple[int, int]]:
    """Return what is held of each base asset; of pairs with one base the first has it all."""
    found, taken = {}, set()
    for at, item in enumerate(instruments):
        held = balances.get(item.base, "0") if item.base not in taken else "0"
        taken.add(item.base)
        size = Decimal(held).scaleb(-item.size_exponent).to_integral_value()
        price = scaled_from_text(prices.get(str(item.symbol), "0"), item.price_exponent)
        found[InstrumentId(at)] = int(size), price
    return found


def _orders(
    result: Mapping[str, object], instruments: Sequence[Instrument], reader: KrakenReplyReader
) -> tuple[VenueOrder, ...]:
    numbers = {str(item.symbol): at for at, item in enumerate(instruments)}
    found = []
    for order_id, row in order_rows(result).items():
        order = reader.known(order_id, row)
        if order is None:
            continue
        item = instruments[numbers[order.symbol]]
        sizes = [scaled_from_text(each, item.size_exponent) for each in (row.vol, row.vol_exec)]
        found.append(
            VenueOrder(
                client_id=row.cl_ord_id or "",
                instrument=InstrumentId(numbers[order.symbol]),
                side=Side(side_of(row.descr.type)),
                price=scaled_from_text(row.descr.price, item.price_exponent),
                size=sizes[0],
                filled=sizes[1],
                venue_order=number_of_id(order_id),
            )
        )
    return tuple(found)


def read_account(
    replies: Sequence[bytes],
    time: Nanoseconds,
    instruments: Sequence[Instrument],
    reader: KrakenReplyReader,
    append: Append,
) -> VenueAccount:
    """Decode the replies to `account_requests`.

    Raises
    ------
    DecodeError
        If one of them cannot be read.
    """
    if len(replies) != 4:
        raise DecodeError(f"{len(replies)} replies, expected 4")
    names = ("balances", "orders", "trades", "prices")
    held, orders, trades, tickers = map(_result, replies, names)
    balances = {asset_name(name): _text(value, "balance") for name, value in held.items()}
    prices = _last_prices(tickers, pair_names(instruments, {}))
    batch = EventBatch()
    working = _orders(orders, instruments, reader)
    append(reader.trades(trades), time, batch)
    return VenueAccount(
        time=time,
        orders=working,
        positions=_positions(instruments, balances, prices),
        balances={asset: _money(text) for asset, text in balances.items()},
        trades=batch.events.copy(),
    )
