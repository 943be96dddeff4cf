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
from bot4_core.plugins.connections import Outbound
from bot4_plugins.exchange_okx.answers import GOOD, code_of
from bot4_plugins.exchange_okx.messages import AlgoOrderItem, OkxOrderItem
from bot4_plugins.exchange_okx.order_decoder import wallet_balances, wallet_positions
from bot4_plugins.exchange_okx.order_requests import OkxOrderWriter
from bot4_plugins.exchange_okx.questions import ALGO_KINDS, ALGO_PENDING, FILLS, PENDING
from bot4_plugins.exchange_okx.slow_decoder import side_from
from bot4_plugins.exchange_okx.venue import OkxFacts
from bot4_plugins.venue_toolkit.account_sums import (
    held_coins,
    held_positions,
    settlement_assets,
)
from bot4_plugins.venue_toolkit.id_numbers import number_of_id
from bot4_plugins.venue_toolkit.strict_json import plain_object, typed

__all__ = ["okx_account", "okx_account_requests"]

POSITIONS: Final = "/api/v5/account/positions"
BALANCE: Final = "/api/v5/account/balance"
PAGE: Final = 100


def okx_account_requests(writer: OkxOrderWriter, facts: OkxFacts, now: int) -> list[Outbound]:
    """Ask for working and waiting orders, balances, recent trades, and positions."""
    kind = {"instType": facts.kind}
    asked: list[tuple[str, dict[str, str]]] = [
        (PENDING, kind),
        *((ALGO_PENDING, kind | {"ordType": each}) for each in ALGO_KINDS),
        (BALANCE, {}),
        (FILLS, kind),
    ]
    if facts.market != "spot":
        asked.append((POSITIONS, kind))
    return [writer.ask(path, fields, now, tag="account") for path, fields in asked]


def _items(body: bytes) -> list[object]:
    content = plain_object(body)
    code, text = code_of(content)
    if code != GOOD:
        raise DecodeError(f"error {code} for a question about the account: {text}")
    return typed(content.get("data"), list[object])


class _Orders:
    """Turns what lists name into orders of the session's instruments."""

    def __init__(self, instruments: Sequence[Instrument]) -> None:
        self._instruments = instruments
        self._numbers = {str(item.symbol): at for at, item in enumerate(instruments)}

    def _order(
        self, symbol: str, name: str, side: str, texts: tuple[str, str, str], venue_id: str
    ) -> VenueOrder | None:
        number = self._numbers.get(symbol, -1)
        if number < 0:
            return None
        instrument = self._instruments[number]
        price, size, filled = texts
        return VenueOrder(
            client_id=name,
            instrument=InstrumentId(number),
            side=side_from(side),
            price=scaled_from_text(price or "0", instrument.price_exponent),
            size=scaled_from_text(size or "0", instrument.size_exponent),
            filled=scaled_from_text(filled or "0", instrument.size_exponent),
            venue_order=number_of_id(venue_id),
        )

    def working(self, items: Sequence[object]) -> list[VenueOrder | None]:
        """Read orders on the book; triggered ones carry the id of the order they were."""
        return [
            self._order(
                item.inst_id,
                item.algo_cl_ord_id or item.cl_ord_id,
                item.side,
                (item.px, item.sz, item.acc_fill_sz),
                item.ord_id,
            )
            for item in (typed(each, OkxOrderItem) for each in items)
        ]

    def waiting(self, items: Sequence[object]) -> list[VenueOrder | None]:
        """Read orders that wait for a trigger."""
        return [
            self._order(
                item.inst_id,
                item.algo_cl_ord_id,
                item.side,
                (item.ord_px.removeprefix("-1"), item.sz, "0"),
                item.algo_id,
            )
            for item in (typed(each, AlgoOrderItem) for each in items)
        ]


def okx_account(
    replies: Sequence[bytes],
    instruments: Sequence[Instrument],
    facts: OkxFacts,
    time: Nanoseconds,
    trades: Callable[[Sequence[object]], Sequence[tuple[int, ...]]],
) -> VenueAccount:
    """Read the replies to `okx_account_requests`.

    Parameters
    ----------
    replies : sequence of bytes
    instruments : sequence of Instrument
    facts : OkxFacts
    time : int
        Stands for the venue's clock, which the replies leave out.
    trades : callable
        Turns the items about executions into the fields of EVENT records.

    Raises
    ------
    DecodeError
        If one of them cannot be read, or does not tell everything.
    """
    lists = [_items(reply) for reply in replies]
    spot, algos = facts.market == "spot", len(ALGO_KINDS)
    if len(lists) != 3 + algos + (not spot):
        raise DecodeError(f"{len(lists)} replies about the account")
    if any(len(items) >= PAGE for items in lists[: 1 + algos]):
        raise DecodeError(f"{PAGE} working orders or more: not all of them were told")
    reader = _Orders(instruments)
    orders = reader.working(lists[0])
    for items in lists[1 : 1 + algos]:
        orders += reader.waiting(items)
    money, executed = wallet_balances(lists[1 + algos]), lists[2 + algos]
    held = (
        held_coins(money, instruments)
        if spot
        else held_positions(wallet_positions(lists[-1], facts.kinds), instruments)
    )
    rows: Records = np.array(list(trades(executed)), EVENT_DTYPE)
    assets = settlement_assets(instruments)
    return VenueAccount(
        time=time,
        orders=tuple(order for order in orders if order is not None),
        positions=held,
        balances={asset: amount for asset, amount in money.items() if asset in assets},
        trades=rows,
    )
