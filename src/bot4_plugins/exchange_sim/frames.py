"""The venue's messages as JSON text. README.md lists them.

One message is the rows up to a ``LAST`` flag. Prices and sizes are decimal text, times are
nanoseconds.
"""

from collections.abc import Iterator
from typing import Final

from bot4_core.domain_types.canonical_types import text_from_scaled
from bot4_core.domain_types.instruments import Instrument
from bot4_core.domain_types.records import EventFlag, EventKind
from bot4_core.plugins.interfaces import Records

__all__ = ["FrameWriter"]

LAST: Final = int(EventFlag.LAST)
MAKER: Final = int(EventFlag.MAKER)
SNAPSHOT: Final = int(EventFlag.SNAPSHOT)
SET: Final = int(EventKind.BOOK_SET)
END: Final = int(EventKind.BOOK_END)
TRADE: Final = int(EventKind.TRADE)
QUOTE: Final = int(EventKind.QUOTE)
FUNDING: Final = int(EventKind.FUNDING)
SIDES: Final = {1: "buy", -1: "sell", 0: ""}
MOST_TEXTS: Final = 65_536

Row = tuple[int, int, int, int, int, int, int, int, int, int, int]


class DecimalTexts(dict[int, str]):
    """Decimal text of scaled integers at one exponent, remembered because prices come again."""

    def __init__(self, exponent: int) -> None:
        super().__init__()
        self.exponent = exponent

    def __missing__(self, value: int) -> str:
        """Write a number for the first time."""
        if len(self) >= MOST_TEXTS:
            self.clear()
        self[value] = text = text_from_scaled(value, self.exponent)
        return text


class FrameWriter:
    """Write the messages of one instrument."""

    def __init__(self, instrument: Instrument) -> None:
        self._symbol = str(instrument.symbol)
        self._prices = DecimalTexts(instrument.price_exponent)
        self._sizes = DecimalTexts(instrument.size_exponent)

    def frames(self, records: Records) -> Iterator[tuple[int, str]]:
        """Yield time and text of each message in whole messages' records."""
        message: list[Row] = []
        for row in records.tolist():
            if row[10] & LAST:
                yield row[0], self._frame(message, row)
                message.clear()
            else:
                message.append(row)

    def _frame(self, before: list[Row], last: Row) -> str:
        kind = last[8]
        if kind == END:
            return self._book(before, last)
        if kind == QUOTE:
            return self._quote(last)
        if kind == TRADE:
            return self._trade(last)
        if kind == FUNDING:
            return self._mark(before, last)
        return self._order(last)

    def _head(self, channel: str, time: int) -> str:
        return f'{{"ch":"{channel}","s":"{self._symbol}","t":{time}'

    def _book(self, rows: list[Row], last: Row) -> str:
        prices, sizes = self._prices, self._sizes
        bids, asks = (
            ",".join(
                f'["{prices[row[2]]}","{sizes[row[3]]}"]'
                for row in rows
                if row[9] == side and row[8] == SET
            )
            for side in (1, -1)
        )
        channel = "snapshot" if last[10] & SNAPSHOT else "book"
        return f'{self._head(channel, last[0])},"u":{last[4]},"b":[{bids}],"a":[{asks}]}}'

    def _quote(self, row: Row) -> str:
        bid = f'["{self._prices[row[2]]}","{self._sizes[row[3]]}"]'
        ask = f'["{self._prices[row[5]]}","{self._sizes[row[6]]}"]'
        return f'{self._head("quote", row[0])},"u":{row[4]},"b":[{bid}],"a":[{ask}]}}'

    def _trade(self, row: Row) -> str:
        price, size = self._prices[row[2]], self._sizes[row[3]]
        return (
            f'{self._head("trade", row[0])},"i":{row[4]},"p":"{price}","q":"{size}",'
            f'"d":"{SIDES[row[9]]}","m":{row[5]},"k":{row[6]}}}'
        )

    def _mark(self, rows: list[Row], funding: Row) -> str:
        mark, index = self._prices[rows[0][2]], self._prices[rows[1][2]]
        return (
            f'{self._head("mark", funding[0])},"m":"{mark}","i":"{index}",'
            f'"r":{funding[2]},"n":{funding[5]}}}'
        )

    def _order(self, row: Row) -> str:
        price, size = self._prices[row[2]], self._sizes[row[3]]
        maker = 1 if row[10] & MAKER else 0
        return (
            f'{self._head("order", row[0])},"e":{row[8]},"n":{row[6]},"i":{row[4]},'
            f'"p":"{price}","q":"{size}","d":"{SIDES[row[9]]}","x":{row[5]},"l":{maker}}}'
        )
