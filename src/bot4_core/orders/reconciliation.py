"""What a venue says of the account, compared with what is known here."""

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Final

import attrs

from bot4_core.domain_types.canonical_types import InstrumentId, Money, Nanoseconds, Quantity
from bot4_core.domain_types.records import Records, Side
from bot4_core.errors import OrderError
from bot4_core.orders.client_ids import parse_client_order_id
from bot4_core.orders.registry import Orders

__all__ = ["Difference", "DifferenceKind", "VenueAccount", "VenueOrder", "differences"]

UNKNOWN: Final = -1


class DifferenceKind(StrEnum):
    """What does not agree."""

    FOREIGN_RUN = "foreign_run"  # an order of another process of this program
    ORDER_MISSING_HERE = "order_missing_here"
    ORDER_MISSING_THERE = "order_missing_there"
    TRADE_MISSING = "trade_missing"  # the venue knows a trade that was not booked; now it is
    POSITION = "position"
    BALANCE = "balance"


@attrs.frozen(kw_only=True)
class Difference:
    """One thing that does not agree: what it is about, as known here, and as the venue says."""

    kind: DifferenceKind
    subject: str
    here: str
    there: str

    def __str__(self) -> str:
        what = self.kind.value.replace("_", " ")
        return f"{what}: {self.subject}: {self.here} here, {self.there} there"


@attrs.frozen(kw_only=True)
class VenueOrder:
    """An order that works at the venue; sizes and prices are scaled integers.

    ``number`` is set by adapters of venues that keep order numbers; others give the client id.
    """

    client_id: str = ""
    number: int = UNKNOWN
    instrument: InstrumentId
    side: Side
    price: int
    size: int
    filled: int
    venue_order: int = UNKNOWN


@attrs.frozen(kw_only=True, eq=False)
class VenueAccount:
    """What a venue says of an account at one moment.

    Attributes
    ----------
    time : Nanoseconds
        The venue's clock.
    orders : tuple of VenueOrder
        All that work.
    positions : mapping of InstrumentId to (int, int)
        Signed scaled size, and the scaled price that an adopted difference is booked at.
    balances : mapping of str to Money
        By asset; assets that are left out are not compared.
    trades : (n,) EVENT
        Recent ``ORDER_FILLED`` records, from before the last one known here.
    """

    time: Nanoseconds
    orders: tuple[VenueOrder, ...]
    positions: Mapping[InstrumentId, tuple[int, int]]
    balances: Mapping[str, Money] = attrs.field(factory=dict)
    trades: Records


def differences(
    orders: Orders, sizes: Sequence[int], balances: Mapping[str, Money], account: VenueAccount
) -> Iterator[Difference]:
    """Yield what does not agree, missing trades apart.

    Parameters
    ----------
    orders : Orders
    sizes : sequence of int
        Signed scaled positions by instrument id.
    balances : mapping of str to Money
    account : VenueAccount
    """
    there: set[int] = set()
    for each in account.orders:
        number = number_here(orders, each)
        there.add(number)
        if number == UNKNOWN:
            yield _missing_here(orders, each)
    for order in orders:
        if order.number not in there:
            subject = orders.client_id(order.number)
            kind, status = DifferenceKind.ORDER_MISSING_THERE, order.status.name.lower()
            yield Difference(kind=kind, subject=subject, here=status, there="not working")
    for number, rules in enumerate(orders.instruments):
        size, _ = account.positions.get(InstrumentId(number), (0, 0))
        if size != sizes[number]:
            yield Difference(
                kind=DifferenceKind.POSITION,
                subject=str(rules.symbol),
                here=str(Quantity(sizes[number], rules.size_exponent)),
                there=str(Quantity(size, rules.size_exponent)),
            )
    for asset, amount in account.balances.items():
        if balances.get(asset) != amount:
            here = str(balances.get(asset, "nothing"))
            kind = DifferenceKind.BALANCE
            yield Difference(kind=kind, subject=asset, here=here, there=str(amount))


def number_here(orders: Orders, order: VenueOrder) -> int:
    """Return an order's number, -1 where it does not work here."""
    number = order.number if order.number > 0 else orders.ids.number(order.client_id)
    return number if number in orders and not orders[number].finished else UNKNOWN


def _missing_here(orders: Orders, order: VenueOrder) -> Difference:
    kind = DifferenceKind.ORDER_MISSING_HERE
    try:
        tag = parse_client_order_id(order.client_id)[0]
    except OrderError:
        pass
    else:
        if tag not in orders.ids.tags:
            kind = DifferenceKind.FOREIGN_RUN
    symbol = orders.instruments[order.instrument].symbol
    text = f"{order.side.name.lower()} {order.size} of {symbol}"
    subject = order.client_id or str(order.number)
    return Difference(kind=kind, subject=subject, here="not working", there=text)
