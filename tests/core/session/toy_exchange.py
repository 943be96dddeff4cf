"""A venue with the simplest messages there can be, for tests of what lies around adapters."""

import json
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from bot4_core.domain_types.canonical_types import Nanoseconds, Symbol, VenueName
from bot4_core.domain_types.instruments import (
    Instrument,
    InstrumentKind,
    Settlement,
    instrument_table,
)
from bot4_core.domain_types.records import EventFlag, EventKind, Side
from bot4_core.errors import PrecisionGrew
from bot4_core.plugins.interfaces import EventBatch, Exchange, Outbound, Records


def toy_instrument(symbol: str, exponent: int = 0) -> Instrument:
    return Instrument(
        venue=VenueName("toy"),
        market="spot",
        symbol=Symbol(symbol),
        base=symbol,
        quote="USD",
        kind=InstrumentKind.SPOT,
        settlement=Settlement.SPOT,
        price_exponent=exponent,
        size_exponent=0,
        tick=1,
        lot=1,
        from_data=True,
    )


class ToyExchange(Exchange):
    """Messages: ``{"s": symbol, "trade": [price, size]}``, ``"quote": [bid, size, ask, size]``,
    ``"book": [[side, price, size], ...], "snapshot": bool``; a bare ``{}`` means nothing.
    """

    name = "toy"
    markets = ("spot",)

    def __init__(self, instruments: Sequence[Instrument] = ()) -> None:
        self._instruments = list(instruments)
        self._quarantined = 0

    @property
    def instruments(self) -> tuple[Instrument, ...]:
        return tuple(self._instruments)

    @property
    def table(self) -> Records:
        return instrument_table(self._instruments)

    @property
    def quarantined(self) -> int:
        return self._quarantined

    def connect(self) -> Sequence[Outbound]:
        return ()

    def decode_response(
        self, url: str, data: bytes, received: Nanoseconds, batch: EventBatch
    ) -> int:
        self.subject = Symbol(url)
        return self.decode(data, received, batch)

    def decode(self, data: bytes, received: Nanoseconds, batch: EventBatch) -> int:
        try:
            message = json.loads(data)
            rows = self._rows(message)
            symbol = message.get("s") or self.subject or message["no subject"]
        except (ValueError, KeyError):
            self._quarantined += 1
            return 0
        if not rows:
            return 0
        instrument = self._number(symbol, rows)
        exponent = self._instruments[instrument].price_exponent
        batch.reserve(len(rows))
        for kind, side, values, flags in rows:
            record = batch.records[batch.count]
            record["kind"], record["side"], record["flags"] = kind, side, flags
            record["received"], record["time"] = received, received
            record["instrument"] = instrument
            for name in ("sequence", "aux", "link"):
                record[name] = -1
            for name, text in values.items():
                power = exponent if name in {"price", "aux"} else 0
                record[name] = int(Decimal(text).scaleb(-power))
            batch.count += 1
        batch.records[batch.count - 1]["flags"] |= EventFlag.LAST
        return len(rows)

    def _number(self, symbol: str, rows: list[Any]) -> int:
        texts = [text for *_, values, _ in rows for name, text in values.items() if name != "size"]
        needed = min((int(Decimal(text).as_tuple().exponent) for text in texts), default=0)
        for number, known in enumerate(self._instruments):
            if known.symbol == symbol:
                if needed < known.price_exponent:
                    raise PrecisionGrew(symbol, needed, 0)
                return number
        self._instruments.append(toy_instrument(symbol, needed))
        return len(self._instruments) - 1

    def _rows(self, message: dict[str, Any]) -> list[tuple[int, int, dict[str, str], int]]:
        if "trade" in message:
            price, size = message["trade"]
            return [(EventKind.TRADE, Side.BUY, {"price": price, "size": size}, 0)]
        if "quote" in message:
            values: dict[str, str] = dict(
                zip(("price", "size", "aux", "link"), message["quote"], strict=True)
            )
            return [(EventKind.QUOTE, 0, values, 0)]
        if "book" not in message:
            return []
        flags = EventFlag.SNAPSHOT if message.get("snapshot") else 0
        levels: list[tuple[int, int, dict[str, str], int]] = [
            (EventKind.BOOK_SET, Side[side], {"price": price, "size": size}, flags)
            for side, price, size in message["book"]
        ]
        end = [(EventKind.BOOK_END, 0, {"size": str(len(levels))}, flags)]
        if flags:
            levels.insert(0, (EventKind.BOOK_CLEAR, 0, {}, flags))
        return levels + end
