"""Which order of ours an id of the venue names, and of which pair it is.

Later messages of an order name nothing but the venue's id.
"""

from collections import OrderedDict
from decimal import Decimal
from typing import Final

import attrs

__all__ = ["KnownOrder", "OrderDirectory"]

KEPT: Final = 100_000


@attrs.frozen(kw_only=True)
class KnownOrder:
    """What was told of an order; ``number`` is -1 for one that is not ours."""

    number: int
    symbol: str
    size: Decimal | None = None
    triggered: bool = False
    side: int = 0


class OrderDirectory:
    """Orders by the venue's id and by our number; the oldest are forgotten."""

    def __init__(self, kept: int = KEPT) -> None:
        self._kept = kept
        self._by_id: OrderedDict[str, KnownOrder] = OrderedDict()
        self._by_number: OrderedDict[int, KnownOrder] = OrderedDict()

    def place(self, order: KnownOrder) -> None:
        """Remember an order that is about to be sent."""
        self._by_number[order.number] = order
        if len(self._by_number) > self._kept:
            self._by_number.popitem(last=False)

    def sent(self, number: int) -> KnownOrder | None:
        """Return an order by our number."""
        return self._by_number.get(number)

    def learn(self, order_id: str, order: KnownOrder) -> KnownOrder:
        """Take in what a message says of an order; what it leaves out stays as it was."""
        known = self._by_id.get(order_id) or self._by_number.get(order.number)
        if known is not None:
            order = KnownOrder(
                number=order.number if order.number >= 0 else known.number,
                symbol=order.symbol or known.symbol,
                size=known.size if order.size is None else order.size,
                triggered=order.triggered or known.triggered,
                side=order.side or known.side,
            )
        self._by_id[order_id] = order
        if len(self._by_id) > self._kept:
            self._by_id.popitem(last=False)
        return order
