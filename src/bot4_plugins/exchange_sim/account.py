"""The venue's account as its reply says it."""

import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from bot4_core.domain_types.canonical_types import InstrumentId, Nanoseconds
from bot4_core.domain_types.instruments import Instrument
from bot4_core.domain_types.records import EVENT_DTYPE, Side
from bot4_core.errors import DecodeError
from bot4_core.orders.reconciliation import VenueAccount, VenueOrder
from bot4_plugins.exchange_sim.decoder import FrameReader

__all__ = ["read_account"]


def read_account(
    data: bytes, received: int, instruments: Sequence[Instrument], reader: FrameReader
) -> VenueAccount:
    """Read the reply to a request for the account.

    Raises
    ------
    DecodeError
        If it is none.
    """
    try:
        fields = json.loads(data)
        pits: dict[str, Any] = fields["account"]
        orders: list[VenueOrder] = []
        positions: dict[InstrumentId, tuple[int, int]] = {}
        rows = []
        for at, instrument in enumerate(instruments):
            pit = pits[str(instrument.symbol)]
            positions[InstrumentId(at)] = int(pit["position"]), int(pit["price"])
            orders += [_order(each, at) for each in pit["orders"]]
            for frame in pit["trades"]:
                rows += reader.rows(json.dumps(frame).encode(), received)
    except (KeyError, ValueError, TypeError) as error:
        raise DecodeError(f"{data[:120]!r} is no account of this venue: {error}") from error
    return VenueAccount(
        time=Nanoseconds(int(fields["t"])),
        orders=tuple(orders),
        positions=positions,
        trades=np.array(rows, EVENT_DTYPE),
    )


def _order(fields: dict[str, int], instrument: int) -> VenueOrder:
    return VenueOrder(
        number=fields["n"],
        instrument=InstrumentId(instrument),
        side=Side(fields["d"]),
        price=fields["p"],
        size=fields["o"],
        filled=0,
        venue_order=fields["i"],
    )
