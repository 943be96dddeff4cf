"""The venue's messages as event records: the plain decoder, on the standard library's JSON."""

import json
from collections.abc import Mapping, Sequence
from typing import Final

from bot4_core.domain_types.canonical_types import scaled_from_text
from bot4_core.domain_types.instruments import Instrument
from bot4_core.domain_types.records import EventFlag, EventKind, Side
from bot4_core.errors import DecodeError

__all__ = ["Row", "decode_rows"]

Row = tuple[int, int, int, int, int, int, int, int, int, int, int]
"""The fields of an event record, in its order."""

LAST: Final = int(EventFlag.LAST)
SIDES: Final = {"buy": int(Side.BUY), "sell": int(Side.SELL), "": int(Side.NONE)}


def decode_rows(
    data: bytes, received: int, ids: Mapping[str, int], instruments: Sequence[Instrument]
) -> list[Row]:
    """Return a message's event records, all of them or none.

    Raises
    ------
    DecodeError
        If the bytes are not one of the venue's messages.
    """
    try:
        fields = json.loads(data)
        number = ids[fields["s"]]
        reader = READERS[fields["ch"]]
        rows = reader(fields, instruments[number])
        time = _whole(fields["t"])
        return [(time, received, *row[:5], number, *row[5:]) for row in rows]
    except (KeyError, ValueError, TypeError, OverflowError, RecursionError) as error:
        raise DecodeError(f"{data[:120]!r} is no message of this venue: {error}") from error


Part = tuple[int, int, int, int, int, int, int, int]
Fields = Mapping[str, object]


def _whole(value: object) -> int:
    if type(value) is not int or not -(2**63) <= value < 2**63:
        raise ValueError(f"{value!r} is not a 64-bit integer")
    return value


def _scaled(value: object, exponent: int) -> int:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is not text")
    return scaled_from_text(value, exponent)


def _pair(level: object, instrument: Instrument) -> tuple[int, int]:
    if not isinstance(level, list) or len(level) != 2:
        raise ValueError(f"{level!r} is not a price and a size")
    price = _scaled(level[0], instrument.price_exponent)
    return price, _scaled(level[1], instrument.size_exponent)


def _levels(fields: Fields, key: str, instrument: Instrument) -> list[tuple[int, int]]:
    levels = fields[key]
    if not isinstance(levels, list):
        raise TypeError(f"{levels!r} is not a list of levels")
    return [_pair(level, instrument) for level in levels]


def _book(fields: Fields, instrument: Instrument) -> list[Part]:
    flag = int(EventFlag.SNAPSHOT) if fields["ch"] == "snapshot" else 0
    update = _whole(fields["u"])
    rows: list[Part] = []
    if flag:
        rows.append((0, 0, update, -1, -1, EventKind.BOOK_CLEAR, 0, flag))
    for key, side in (("b", 1), ("a", -1)):
        rows += [
            (price, size, update, -1, -1, EventKind.BOOK_SET, side, flag)
            for price, size in _levels(fields, key, instrument)
        ]
    count = len(rows) - (1 if flag else 0)
    rows.append((0, count, update, -1, -1, EventKind.BOOK_END, 0, flag | LAST))
    return rows


def _trade(fields: Fields, instrument: Instrument) -> list[Part]:
    price = _scaled(fields["p"], instrument.price_exponent)
    size = _scaled(fields["q"], instrument.size_exponent)
    maker, taker = _whole(fields["m"]), _whole(fields["k"])
    side = SIDES[str(fields["d"])]
    return [(price, size, _whole(fields["i"]), maker, taker, EventKind.TRADE, side, LAST)]


def _quote(fields: Fields, instrument: Instrument) -> list[Part]:
    (bid, bid_size), *more_bids = _levels(fields, "b", instrument)
    (ask, ask_size), *more_asks = _levels(fields, "a", instrument)
    if more_bids or more_asks:
        raise ValueError("a quote has one level a side")
    return [(bid, bid_size, _whole(fields["u"]), ask, ask_size, EventKind.QUOTE, 0, LAST)]


def _mark(fields: Fields, instrument: Instrument) -> list[Part]:
    mark = _scaled(fields["m"], instrument.price_exponent)
    index = _scaled(fields["i"], instrument.price_exponent)
    rate, settles = _whole(fields["r"]), _whole(fields["n"])
    return [
        (mark, 0, -1, -1, -1, EventKind.MARK, 0, 0),
        (index, 0, -1, -1, -1, EventKind.INDEX, 0, 0),
        (rate, 0, -1, settles, -1, EventKind.FUNDING, 0, LAST),
    ]


def _order(fields: Fields, instrument: Instrument) -> list[Part]:
    kind = EventKind(_whole(fields["e"]))
    if kind < EventKind.ORDER_ACCEPTED:
        raise ValueError(f"{kind!r} is not an order event")
    price = _scaled(fields["p"], instrument.price_exponent)
    size = _scaled(fields["q"], instrument.size_exponent)
    side = SIDES[str(fields["d"])]
    flags = LAST | (int(EventFlag.MAKER) if fields["l"] == 1 else 0)
    aux, number = _whole(fields["x"]), _whole(fields["n"])
    return [(price, size, _whole(fields["i"]), aux, number, kind, side, flags)]


READERS: Final = {
    "book": _book,
    "snapshot": _book,
    "trade": _trade,
    "quote": _quote,
    "mark": _mark,
    "order": _order,
}
