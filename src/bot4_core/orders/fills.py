"""Fills as venues report them, made into fills of the domain."""

from collections.abc import Mapping, Sequence
from typing import Final

from bot4_core.domain_types.canonical_types import (
    InstrumentId,
    Money,
    Nanoseconds,
    OrderNumber,
    Price,
    Quantity,
)
from bot4_core.domain_types.instruments import Instrument
from bot4_core.domain_types.order_codes import OrderAlarm
from bot4_core.domain_types.orders import Fill
from bot4_core.domain_types.records import EventFlag, Side

__all__ = ["FillReader"]

_MAKER: Final = int(EventFlag.MAKER)
_THIRD_ASSET: Final = int(EventFlag.THIRD_ASSET_FEE)
_REMEMBERED: Final = 4096


class FillReader:
    """Reads fills, and remembers those of orders that are not ours.

    The order tables tell fills of the run's own orders apart; a stranger's order has no row
    there, so that the last few thousand of its fills are remembered here.

    Parameters
    ----------
    instruments : sequence of Instrument
        Position = instrument id.
    fee_assets : mapping of InstrumentId to (asset, exponent)
        What a fee with ``THIRD_ASSET_FEE`` is paid in.
    """

    def __init__(
        self,
        instruments: Sequence[Instrument],
        fee_assets: Mapping[InstrumentId, tuple[str, int]],
    ) -> None:
        self._instruments = tuple(instruments)
        self._fee_assets = dict(fee_assets)
        self._strangers: dict[tuple[int, int], None] = {}

    def read(self, fields: tuple[int, ...], instrument: int, side: int) -> tuple[Fill, OrderAlarm]:
        """Return the fill of an EVENT row's fields, and ``FEE_ASSET`` where its fee's is unknown.

        Parameters
        ----------
        fields : tuple of int
            The row, in the order of ``EVENT_DTYPE``.
        instrument, side : int
            Of its order, which the row may leave out.
        """
        time, received, price, size, trade, fee, number, _, _, _, flags = fields
        row = self._instruments[instrument]
        asset, exponent, alarms = self._fee_asset(instrument, flags)
        fill = Fill(
            order=OrderNumber(number),
            instrument=InstrumentId(instrument),
            side=Side(side),
            price=Price(price, row.price_exponent),
            size=Quantity(size, row.size_exponent),
            fee=Money(fee, exponent),
            fee_asset=asset,
            time=Nanoseconds(time or received),
            trade_id=trade,
            maker=bool(flags & _MAKER),
        )
        return fill, alarms

    def remember(self, instrument: int, trade: int) -> bool:
        """Remember a stranger's fill; False where it is known already."""
        key = instrument, trade
        if key in self._strangers:
            return False
        self._strangers[key] = None
        if len(self._strangers) > _REMEMBERED:
            del self._strangers[next(iter(self._strangers))]
        return True

    def _fee_asset(self, instrument: int, flags: int) -> tuple[str, int, OrderAlarm]:
        row = self._instruments[instrument]
        if not flags & _THIRD_ASSET:
            return row.settled_in, row.settlement_exponent, OrderAlarm.NONE
        named = self._fee_assets.get(InstrumentId(instrument))
        if named is None:
            return "?", row.settlement_exponent, OrderAlarm.FEE_ASSET
        return (*named, OrderAlarm.NONE)
