"""What to ask of an account, and how the answers are read together."""

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

from bot4_core.domain_types.canonical_types import InstrumentId, Nanoseconds
from bot4_core.domain_types.instruments import Instrument
from bot4_core.domain_types.number_text import scaled_from_text
from bot4_core.domain_types.records import EVENT_DTYPE, Records
from bot4_core.errors import DecodeError
from bot4_core.orders.reconciliation import VenueAccount, VenueOrder
from bot4_core.plugins.exchange import Outbound
from bot4_plugins.exchange_bybit.order_decoder import (
    balances,
    open_size,
    positions,
    side_of,
)
from bot4_plugins.exchange_bybit.order_requests import OrderWriter
from bot4_plugins.exchange_bybit.private_messages import OrderItem
from bot4_plugins.exchange_bybit.replies import ReplyBody, items_of, read_body
from bot4_plugins.venue_toolkit.account_sums import (
    held_coins,
    held_positions,
    settlement_assets,
)
from bot4_plugins.venue_toolkit.id_numbers import number_of_id
from bot4_plugins.venue_toolkit.strict_json import typed

__all__ = ["EXECUTIONS", "HISTORY", "REALTIME", "account_requests", "read_account"]

REALTIME: Final = "/v5/order/realtime"
HISTORY: Final = "/v5/order/history"
EXECUTIONS: Final = "/v5/execution/list"
POSITIONS: Final = "/v5/position/list"
WALLET: Final = "/v5/account/wallet-balance"
MOST_ORDERS: Final = 50
MOST_POSITIONS: Final = 200
MOST_EXECUTIONS: Final = 100


def account_requests(
    writer: OrderWriter, instruments: Sequence[Instrument], now: int
) -> list[Outbound]:
    """Ask for working orders of each instrument, positions, balances and recent trades."""
    category: dict[str, object] = {"category": writer.settings.market}
    asked: list[tuple[str, dict[str, object]]] = [
        (REALTIME, category | {"symbol": str(item.symbol), "openOnly": 0, "limit": MOST_ORDERS})
        for item in instruments
    ]
    if writer.settings.market != "spot":
        asked += [
            (POSITIONS, category | {"settleCoin": asset, "limit": MOST_POSITIONS})
            for asset in settlement_assets(instruments)
        ]
    asked.append((WALLET, {"accountType": "UNIFIED"}))
    asked.append((EXECUTIONS, category | {"limit": MOST_EXECUTIONS}))
    return [writer.ask(path, fields, now, tag="account") for path, fields in asked]


def _bodies(replies: Sequence[bytes]) -> list[ReplyBody]:
    bodies = [read_body(reply) for reply in replies]
    for body in bodies:
        if body.code != "0":
            raise DecodeError(f"error {body.code} for a question about the account: {body.text}")
    return bodies


def _working(body: ReplyBody, number: int, instrument: Instrument) -> list[VenueOrder]:
    """Read the working orders of one instrument."""
    found = items_of(body.result)
    if len(found) >= MOST_ORDERS and body.result.get("nextPageCursor"):
        raise DecodeError(f"more than {MOST_ORDERS} orders of {instrument.symbol}")
    orders = []
    for item in (typed(each, OrderItem) for each in found):
        left = scaled_from_text(open_size(item), instrument.size_exponent)
        filled = scaled_from_text(item.cum_exec_qty or "0", instrument.size_exponent)
        orders.append(
            VenueOrder(
                client_id=item.order_link_id,
                instrument=InstrumentId(number),
                side=side_of(item.side),
                price=scaled_from_text(item.price or "0", instrument.price_exponent),
                size=left + filled,
                filled=filled,
                venue_order=number_of_id(item.order_id),
            )
        )
    return orders


def read_account(
    replies: Sequence[bytes],
    instruments: Sequence[Instrument],
    market: str,
    trades: Callable[[ReplyBody], Sequence[tuple[int, ...]]],
) -> VenueAccount:
    """Read the replies to `account_requests`.

    Parameters
    ----------
    replies : sequence of bytes
    instruments : sequence of Instrument
    market : str
    trades : callable
        Turns the reply about executions into the fields of EVENT records.

    Raises
    ------
    DecodeError
        If one of them cannot be read, or does not tell everything.
    """
    bodies = _bodies(replies)
    asked = len(instruments) + (0 if market == "spot" else len(settlement_assets(instruments))) + 2
    if len(bodies) != asked:
        raise DecodeError(f"{len(bodies)} replies about the account, expected {asked}")
    *others, wallet, executed = bodies
    orders = [
        order
        for number, (body, item) in enumerate(zip(others, instruments, strict=False))
        for order in _working(body, number, item)
    ]
    money = balances(items_of(wallet.result)).balances
    if market == "spot":
        held = held_coins(money, instruments)
    else:
        found = [
            each
            for body in others[len(instruments) :]
            for each in positions(items_of(body.result), market).positions
        ]
        held = held_positions(found, instruments)
    rows: Records = np.array(list(trades(executed)), EVENT_DTYPE)
    return VenueAccount(
        time=Nanoseconds(max(body.time for body in bodies)),
        orders=tuple(orders),
        positions=held,
        balances={
            asset: amount
            for asset, amount in money.items()
            if asset in settlement_assets(instruments)
        },
        trades=rows,
    )
