"""The venue's messages as event records, on the standard library's JSON."""

import json
from collections.abc import Mapping, Sequence
from typing import Final

from bot4_core.domain_types.canonical_types import scaled_from_text
from bot4_core.domain_types.instruments import Instrument
from bot4_core.domain_types.records import EventFlag, EventKind, Side
from bot4_core.errors import DecodeError

__all__ = ["FrameReader", "Row", "ScaledTexts"]

Row = tuple[int, int, int, int, int, int, int, int, int, int, int]
"""The fields of an event record, in its order."""

Part = tuple[int, int, int, int, int, int, int, int]
"""A row without its times and instrument."""

Fields = Mapping[str, object]
LAST: Final = int(EventFlag.LAST)
SNAPSHOT: Final = int(EventFlag.SNAPSHOT)
MAKER: Final = int(EventFlag.MAKER)
CLEAR: Final = int(EventKind.BOOK_CLEAR)
SET: Final = int(EventKind.BOOK_SET)
END: Final = int(EventKind.BOOK_END)
TRADE: Final = int(EventKind.TRADE)
QUOTE: Final = int(EventKind.QUOTE)
MARK: Final = int(EventKind.MARK)
INDEX: Final = int(EventKind.INDEX)
FUNDING: Final = int(EventKind.FUNDING)
SIDES: Final = {"buy": int(Side.BUY), "sell": int(Side.SELL), "": int(Side.NONE)}
MOST_TEXTS: Final = 65_536


class ScaledTexts(dict[str, int]):
    """Decimal texts as scaled integers of one exponent, remembered because prices come again."""

    def __init__(self, exponent: int) -> None:
        super().__init__()
        self.exponent = exponent

    def __missing__(self, text: object) -> int:
        """Read a text for the first time, exactly."""
        if not isinstance(text, str):
            raise TypeError(f"{text!r} is not text")
        if len(self) >= MOST_TEXTS:
            self.clear()
        self[text] = value = scaled_from_text(text, self.exponent)
        return value


def _whole(value: object) -> int:
    if type(value) is not int or not -(2**63) <= value < 2**63:
        raise ValueError(f"{value!r} is not a 64-bit integer")
    return value


class _Scales:
    """How the numbers of one instrument are read."""

    def __init__(self, instrument: Instrument) -> None:
        self._prices = ScaledTexts(instrument.price_exponent)
        self._sizes = ScaledTexts(instrument.size_exponent)

    def price(self, value: object) -> int:
        return self._prices[value]  # type: ignore[index]  # __missing__ checks

    def size(self, value: object) -> int:
        return self._sizes[value]  # type: ignore[index]  # __missing__ checks

    def levels(self, levels: object) -> list[tuple[int, int]]:
        if not isinstance(levels, list):
            raise TypeError(f"{levels!r} is not a list of levels")
        prices, sizes = self._prices, self._sizes
        return [(prices[price], sizes[size]) for price, size in levels]


class FrameReader:
    """Read the messages about some instruments.

    Parameters
    ----------
    instruments : sequence of Instrument
        The position is the instrument id.
    """

    def __init__(self, instruments: Sequence[Instrument]) -> None:
        self._known = {
            str(instrument.symbol): (at, _Scales(instrument))
            for at, instrument in enumerate(instruments)
        }

    def rows(self, data: bytes, received: int) -> list[Row]:
        """Return a message's event records, all of them or none.

        Raises
        ------
        DecodeError
            If the bytes are not one of the venue's messages.
        """
        try:
            fields = json.loads(data)
            number, scales = self._known[fields["s"]]
            parts = READERS[fields["ch"]](fields, scales)
            time = _whole(fields["t"])
        except (KeyError, ValueError, TypeError, OverflowError, RecursionError) as error:
            raise DecodeError(f"{data[:120]!r} is no message of this venue: {error}") from error
        return [(time, received, *part[:5], number, *part[5:]) for part in parts]


def _book(fields: Fields, scales: _Scales) -> list[Part]:
    flag = SNAPSHOT if fields["ch"] == "snapshot" else 0
    update = _whole(fields["u"])
    bids, asks = scales.levels(fields["b"]), scales.levels(fields["a"])
    rows: list[Part] = [(0, 0, update, -1, -1, CLEAR, 0, flag)] if flag else []
    rows += [(price, size, update, -1, -1, SET, 1, flag) for price, size in bids]
    rows += [(price, size, update, -1, -1, SET, -1, flag) for price, size in asks]
    rows.append((0, len(bids) + len(asks), update, -1, -1, END, 0, flag | LAST))
    return rows


def _trade(fields: Fields, scales: _Scales) -> list[Part]:
    maker, taker, trade = _whole(fields["m"]), _whole(fields["k"]), _whole(fields["i"])
    side = SIDES[str(fields["d"])]
    price, size = scales.price(fields["p"]), scales.size(fields["q"])
    return [(price, size, trade, maker, taker, TRADE, side, LAST)]


def _quote(fields: Fields, scales: _Scales) -> list[Part]:
    ((bid, bid_size),) = scales.levels(fields["b"])
    ((ask, ask_size),) = scales.levels(fields["a"])
    return [(bid, bid_size, _whole(fields["u"]), ask, ask_size, QUOTE, 0, LAST)]


def _mark(fields: Fields, scales: _Scales) -> list[Part]:
    rate, settles = _whole(fields["r"]), _whole(fields["n"])
    return [
        (scales.price(fields["m"]), 0, -1, -1, -1, MARK, 0, 0),
        (scales.price(fields["i"]), 0, -1, -1, -1, INDEX, 0, 0),
        (rate, 0, -1, settles, -1, FUNDING, 0, LAST),
    ]


def _order(fields: Fields, scales: _Scales) -> list[Part]:
    kind = EventKind(_whole(fields["e"]))
    if kind < EventKind.ORDER_ACCEPTED:
        raise ValueError(f"{kind!r} is not an order event")
    venue, number, aux = _whole(fields["i"]), _whole(fields["n"]), _whole(fields["x"])
    side = SIDES[str(fields["d"])]
    flags = LAST | (MAKER if fields["l"] == 1 else 0)
    price, size = scales.price(fields["p"]), scales.size(fields["q"])
    return [(price, size, venue, aux, number, int(kind), side, flags)]


READERS: Final = {
    "book": _book,
    "snapshot": _book,
    "trade": _trade,
    "quote": _quote,
    "mark": _mark,
    "order": _order,
}
