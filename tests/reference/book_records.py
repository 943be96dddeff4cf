"""Event records of book messages, and a slow decoder of recorded Binance lines."""

import gzip
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from bot4_core.domain_types.records import (
    EVENT_DTYPE,
    INSTRUMENT_DTYPE,
    ChainRule,
    EventFlag,
    EventKind,
    Side,
)

Level: TypeAlias = tuple[Side, int, int]
Rows: TypeAlias = NDArray[np.void]


def table(
    *rules: ChainRule, depth: int = 0, tick: int = 0, exponents: tuple[int, int] = (-2, -3)
) -> Rows:
    """Return an instrument table with one row for each rule."""
    rows = np.zeros(len(rules), INSTRUMENT_DTYPE)
    for row, rule in zip(rows, rules, strict=True):
        row["chain"] = rule
        row["depth"] = depth
        row["tick"] = tick
        row["price_exponent"], row["size_exponent"] = exponents
    return rows


def records(rows: Sequence[Mapping[str, int]]) -> Rows:
    """Return event records with the given fields."""
    events = np.zeros(len(rows), EVENT_DTYPE)
    for event, fields in zip(events, rows, strict=True):
        for name, value in fields.items():
            event[name] = value
    return events


def book_message(
    levels: Sequence[Level],
    *,
    last: int,
    first: int = -1,
    link: int = -1,
    snapshot: bool = False,
    instrument: int = 0,
    time: int = 0,
) -> Rows:
    """Return the records of one book message."""
    events = np.zeros(len(levels) + 1 + snapshot, EVENT_DTYPE)
    events["sequence"], events["aux"], events["link"] = last, first, link
    events["instrument"], events["time"], events["received"] = instrument, time, time
    events["kind"] = EventKind.BOOK_SET
    events["flags"] = EventFlag.SNAPSHOT if snapshot else 0
    if snapshot:
        events[0]["kind"] = EventKind.BOOK_CLEAR
    if levels:
        kept = events[int(snapshot) : int(snapshot) + len(levels)]
        kept["side"], kept["price"], kept["size"] = zip(*levels, strict=True)
    events[-1]["kind"], events[-1]["size"] = EventKind.BOOK_END, len(levels)
    events[-1]["flags"] |= EventFlag.LAST
    return events


def scaled(text: str, exponent: int) -> int:
    """Return plain decimal text as an integer, exactly."""
    whole, _, digits = text.partition(".")
    kept, lost = digits[:-exponent], digits[-exponent:]
    assert not lost.strip("0"), f"{text} has digits below 1e{exponent}"
    return int(whole + kept.ljust(-exponent, "0"))


def recorded_lines(path: Path) -> Iterator[tuple[int, dict[str, Any], str]]:
    """Yield (receive time, message, symbol of a REST depth) of a recorded file, in time order."""
    if path.name.startswith("cf_"):
        yield from _cryptofeed_lines(path)
        return
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            received, text = line.split(" ", 1)
            yield int(received), json.loads(text), ""


def _cryptofeed_lines(path: Path) -> Iterator[tuple[int, dict[str, Any], str]]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        found = [json.loads(line) for line in lines]
    for line in sorted((x for x in found if x["t"] in {"recv", "http"}), key=lambda x: x["ts"]):
        symbol = line.get("url", "").partition("symbol=")[2].partition("&")[0]
        yield int(Decimal(str(line["ts"])) * 1000) * 1_000_000, json.loads(line["data"]), symbol


class SlowDecoder:
    """Turn Binance depth, bookTicker and trade messages into records, one field at a time."""

    def __init__(self, exponents: tuple[int, int]) -> None:
        self.exponents = exponents
        self.symbols: list[str] = []

    def _instrument(self, symbol: str) -> int:
        if symbol not in self.symbols:
            self.symbols.append(symbol)
        return self.symbols.index(symbol)

    def _levels(self, bids: Iterable[list[str]], asks: Iterable[list[str]]) -> list[Level]:
        price, size = self.exponents
        return [
            (side, scaled(level[0], price), scaled(level[1], size))
            for side, levels in ((Side.BUY, bids), (Side.SELL, asks))
            for level in levels
        ]

    def decode(self, message: dict[str, Any], symbol: str = "") -> Rows:
        """Return the records of one message, none for kinds that books do not read."""
        data = message.get("data", message)
        if "lastUpdateId" in data:
            levels = self._levels(data["bids"], data["asks"])
            instrument = self._instrument(symbol) if symbol else 0
            last = data["lastUpdateId"]
            return book_message(levels, last=last, snapshot=True, instrument=instrument)
        kind = data.get("e", "bookTicker" if {"b", "a", "u"} <= data.keys() else "")
        if kind == "depthUpdate":
            return book_message(
                self._levels(data["b"], data["a"]),
                first=data["U"],
                last=data["u"],
                link=data.get("pu", -1),
                instrument=self._instrument(data["s"]),
                time=data.get("T", data["E"]) * 1_000_000,
            )
        if kind == "bookTicker":
            return records([self._quote(data)])
        if kind == "trade":
            return records([self._trade(data)])
        return records([])

    def _quote(self, data: dict[str, Any]) -> dict[str, int]:
        price, size = self.exponents
        return {
            "kind": EventKind.QUOTE,
            "instrument": self._instrument(data["s"]),
            "sequence": data["u"],
            "price": scaled(data["b"], price),
            "size": scaled(data["B"], size),
            "aux": scaled(data["a"], price),
            "link": scaled(data["A"], size),
            "flags": EventFlag.LAST,
        }

    def _trade(self, data: dict[str, Any]) -> dict[str, int]:
        price, size = self.exponents
        return {
            "kind": EventKind.TRADE,
            "instrument": self._instrument(data["s"]),
            "sequence": data["t"],
            "price": scaled(data["p"], price),
            "size": scaled(data["q"], size),
            "side": Side.SELL if data["m"] else Side.BUY,
            "flags": EventFlag.LAST,
        }


def decode_files(paths: Sequence[Path], exponents: tuple[int, int]) -> tuple[list[Rows], list[str]]:
    """Return the records of each message of several files in a row, and the symbols met."""
    decoder = SlowDecoder(exponents)
    found = [decoder.decode(m, s) for path in paths for _, m, s in recorded_lines(path)]
    return [rows for rows in found if rows.size], decoder.symbols
