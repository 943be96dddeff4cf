"""Executions as venues report them, made into fills of the domain."""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import attrs

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
from bot4_core.domain_types.orders import Fill, FillOrigin
from bot4_core.domain_types.records import EventFlag, EventKind, Side

__all__ = ["Booking", "FillReader"]

_MAKER: Final = int(EventFlag.MAKER)
_THIRD_ASSET: Final = int(EventFlag.THIRD_ASSET_FEE)
_FILLED: Final = int(EventKind.ORDER_FILLED)
_BUSTED: Final = int(EventKind.TRADE_BUSTED)
_REMEMBERED: Final = 4096
_ORIGINS: Final = {
    int(EventFlag.LIQUIDATED): FillOrigin.LIQUIDATION,
    int(EventFlag.DELEVERAGED): FillOrigin.DELEVERAGING,
    int(EventFlag.SETTLED): FillOrigin.SETTLEMENT,
}
_VENUE_MADE: Final = sum(_ORIGINS)


class Booking(NamedTuple):
    """What is to be booked, in this order, and what is wrong with it."""

    reversal: Fill | None
    fill: Fill | None
    alarms: OrderAlarm


class FillReader:
    """Reads executions, and remembers those of orders that are not ours.

    The order tables tell executions of the run's own orders apart; a stranger's order has no row
    there, so that the last few thousand of its trades are remembered here.

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
        self._strangers: dict[tuple[int, int], tuple[tuple[int, int], Fill | None]] = {}

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
            origin=_ORIGINS.get(flags & _VENUE_MADE, FillOrigin.OWN),
        )
        return fill, alarms

    def stranger(self, fields: tuple[int, ...]) -> Booking | None:
        """Return what is to be booked of a trade of an order that is not ours.

        As with orders of ours the latest revision of a trade counts. None where it is known.
        """
        time, _, _, _, trade, _, _, instrument, kind, side, _ = fields
        rank = (0 if kind == _FILLED else 2 if kind == _BUSTED else 1), time
        known, booked = self._strangers.get((instrument, trade), ((-1, 0), None))
        if rank <= known or (rank[0] == known[0] != 1):
            return None
        fill, alarms = None, OrderAlarm.EXTERNAL
        if kind != _BUSTED:
            fill, missing = self.read(fields, instrument, side)
            alarms |= missing
            if fill.origin is FillOrigin.OWN:
                fill = attrs.evolve(fill, origin=FillOrigin.EXTERNAL)
        self._remember((instrument, trade), rank, fill)
        return Booking(booked.reversal() if booked is not None else None, fill, alarms)

    def recall(self, fill: Fill) -> None:
        """Remember a trade that an earlier run booked of an order that is not kept any more."""
        rank = (2, 0) if fill.reverses else (0, 0)
        self._remember((fill.instrument, fill.trade_id), rank, None if fill.reverses else fill)

    def _remember(self, key: tuple[int, int], rank: tuple[int, int], fill: Fill | None) -> None:
        self._strangers[key] = rank, fill
        if len(self._strangers) > _REMEMBERED:
            del self._strangers[next(iter(self._strangers))]

    def _fee_asset(self, instrument: int, flags: int) -> tuple[str, int, OrderAlarm]:
        row = self._instruments[instrument]
        if not flags & _THIRD_ASSET:
            return row.settled_in, row.settlement_exponent, OrderAlarm.NONE
        named = self._fee_assets.get(InstrumentId(instrument))
        if named is None:
            return "?", row.settlement_exponent, OrderAlarm.FEE_ASSET
        return (*named, OrderAlarm.NONE)
