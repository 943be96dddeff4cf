"""The venue's public messages as typed structs: the fields read, with the types they must have."""

import msgspec
from msgspec import UNSET, UnsetType

__all__ = [
    "BookBody",
    "CandleItem",
    "LiquidationBody",
    "RecentTrade",
    "StatusBody",
    "TickerBody",
    "TradeBody",
]

Levels = list[tuple[str, str]]


class BookBody(msgspec.Struct):
    """``data`` of ``orderbook``, and the result of the request: u update id, seq of all topics."""

    s: str
    b: Levels
    a: Levels
    u: int
    seq: int | UnsetType = UNSET
    cts: int | UnsetType = UNSET
    ts: int | UnsetType = UNSET


class TradeBody(msgspec.Struct):
    """One of ``data`` of ``publicTrade``: S the taker's side, v size, p price, i trade id."""

    T: int
    s: str
    S: str
    v: str
    p: str
    i: str


class RecentTrade(msgspec.Struct, rename="camel"):
    """One of the trades that a request gives."""

    exec_id: str
    symbol: str
    price: str
    size: str
    side: str
    time: str


class TickerBody(msgspec.Struct, rename="camel"):
    """``data`` of ``tickers``: deltas leave out what has not changed, spot has no best prices."""

    symbol: str
    bid1_price: str | UnsetType = UNSET
    bid1_size: str | UnsetType = UNSET
    ask1_price: str | UnsetType = UNSET
    ask1_size: str | UnsetType = UNSET
    mark_price: str | UnsetType = UNSET
    index_price: str | UnsetType = UNSET
    funding_rate: str | UnsetType = UNSET
    next_funding_time: str | UnsetType = UNSET


class CandleItem(msgspec.Struct):
    """One of ``data`` of ``kline``: confirm tells whether it is final."""

    start: int
    open: str
    close: str
    high: str
    low: str
    volume: str
    confirm: bool


class LiquidationBody(msgspec.Struct):
    """One of ``data`` of ``allLiquidation``: S the side of the position that was closed."""

    T: int
    s: str
    S: str
    v: str
    p: str


class StatusBody(msgspec.Struct, rename="camel"):
    """One of ``data`` of ``system.status``: product 1 contracts, 2 spot."""

    state: str
    begin: str
    product: list[int] = []
    service_types: list[int] = []
