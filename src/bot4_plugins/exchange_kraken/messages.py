"""The venue's market data as typed structs; numbers are kept as they were written."""

import re
from typing import Final

import msgspec

from bot4_core.domain_types.number_text import INT64_MAX
from bot4_core.errors import DecodeError
from bot4_plugins.venue_toolkit.strict_json import NumberText

__all__ = [
    "BookLine",
    "KrakenBook",
    "KrakenCandle",
    "KrakenPair",
    "KrakenPairs",
    "KrakenSystem",
    "KrakenTicker",
    "KrakenTrade",
    "whole_number",
]

_WHOLE: Final = re.compile(r"0|[1-9][0-9]*", re.ASCII)


class BookLine(msgspec.Struct):
    """One level of a book."""

    price: NumberText
    qty: NumberText


class KrakenBook(msgspec.Struct):
    """``book``: a snapshot, or what changed; the first one of 2024 had no time."""

    symbol: str
    bids: list[BookLine]
    asks: list[BookLine]
    checksum: NumberText
    timestamp: str = ""


class KrakenTrade(msgspec.Struct):
    """``trade``: ``side`` is the taker's."""

    symbol: str
    side: str
    price: NumberText
    qty: NumberText
    ord_type: str
    trade_id: NumberText
    timestamp: str


class KrakenTicker(msgspec.Struct):
    """``ticker``: the best bid and ask of it; older ones had no time."""

    symbol: str
    bid: NumberText
    bid_qty: NumberText
    ask: NumberText
    ask_qty: NumberText
    timestamp: str = ""


class KrakenCandle(msgspec.Struct):
    """``ohlc``: ``interval`` in minutes."""

    symbol: str
    interval: NumberText
    interval_begin: str
    open: NumberText
    high: NumberText
    low: NumberText
    close: NumberText
    volume: NumberText


class KrakenSystem(msgspec.Struct):
    """``status``: the state of the whole venue."""

    system: str


class KrakenPair(msgspec.Struct, kw_only=True):
    """One pair of the ``instrument`` channel; contracts say more than pairs do."""

    symbol: str
    base: str
    quote: str
    status: str
    price_precision: NumberText
    qty_precision: NumberText
    price_increment: NumberText
    qty_increment: NumberText
    qty_min: NumberText
    cost_min: NumberText = NumberText("0")
    contract_size: NumberText = NumberText("1")
    contract_type: str = ""
    expiry: str = ""


class KrakenPairs(msgspec.Struct):
    """``instrument``; each pair is read by itself, so that a wrong one spoils no other."""

    pairs: list[object]


def whole_number(number: NumberText, what: str, limit: int = INT64_MAX) -> int:
    """Read a JSON integer that must be from 0 to ``limit``."""
    if _WHOLE.fullmatch(number.text) is None or len(number.text) > 20:
        raise DecodeError(f"{what} {number.text[:80]} is no whole number")
    value = int(number.text)
    if value > limit:
        raise DecodeError(f"{what} {value} is above {limit}")
    return value
