"""What a client says to the venue, as JSON text."""

import json
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bot4_core.domain_types.canonical_types import scaled_from_text, text_from_scaled
from bot4_core.domain_types.instruments import Instrument
from bot4_core.domain_types.orders import OrderIntent
from bot4_core.domain_types.records import INTENT_DTYPE, OrderFlag, OrderType, Side, TimeInForce
from bot4_core.errors import DecodeError

__all__ = [
    "cancel_text",
    "place_text",
    "query_text",
    "read_order",
    "snapshot_text",
    "subscribe_text",
]

SIDES: Final = {"buy": Side.BUY, "sell": Side.SELL}
TYPES: Final = {kind.name.lower(): kind for kind in OrderType}
TIMES: Final = {kind.name.lower(): kind for kind in TimeInForce}


def _text(**fields: object) -> bytes:
    return json.dumps(fields, separators=(",", ":")).encode()


def subscribe_text(symbols: Sequence[str]) -> bytes:
    """Ask for everything about some instruments; a snapshot of each book comes first."""
    return _text(op="subscribe", s=list(symbols))


def snapshot_text(symbol: str) -> bytes:
    """Ask for a book whole."""
    return _text(op="snapshot", s=symbol)


def cancel_text(number: int, symbol: str) -> bytes:
    """Cancel an order."""
    return _text(op="cancel", n=number, s=symbol)


def query_text(number: int, symbol: str) -> bytes:
    """Ask what became of an order."""
    return _text(op="query", n=number, s=symbol)


def place_text(intent: OrderIntent, instrument: Instrument) -> bytes:
    """Place an order."""
    price = "" if intent.price is None else str(intent.price)
    return _text(
        op="place",
        n=intent.number,
        s=instrument.symbol,
        d="buy" if intent.side > 0 else "sell",
        y=intent.type.name.lower(),
        v=intent.time_in_force.name.lower(),
        p=price,
        q=text_from_scaled(intent.size.value, intent.size.exponent),
        f=int(intent.flags),
    )


def read_order(fields: dict[str, object], instrument: Instrument) -> NDArray[np.int64]:
    """Read the venue's side of ``place_text`` as the words of an INTENT_DTYPE row.

    Raises
    ------
    DecodeError
        If a field is missing or wrong.
    """
    try:
        row = np.zeros(1, INTENT_DTYPE)
        price = str(fields["p"])
        row["number"] = int(str(fields["n"]))
        row["side"] = SIDES[str(fields["d"])]
        row["type"] = TYPES[str(fields["y"])]
        row["time_in_force"] = TIMES[str(fields["v"])]
        row["flags"] = OrderFlag(int(str(fields["f"])))
        row["price"] = scaled_from_text(price, instrument.price_exponent) if price else 0
        row["size"] = scaled_from_text(str(fields["q"]), instrument.size_exponent)
    except (KeyError, ValueError, OverflowError) as error:
        raise DecodeError(f"order {fields} cannot be read: {error}") from error
    return row.view(np.int64)
