"""Binance's messages as typed structs: the fields read, with the types they must have."""

import msgspec
from msgspec import UNSET, UnsetType

__all__ = [
    "AggregateTradeMessage",
    "CandleBody",
    "CandleMessage",
    "DepthMessage",
    "ForceOrderBody",
    "LiquidationMessage",
    "MarkMessage",
    "QuoteMessage",
    "SnapshotMessage",
    "TradeMessage",
]

Count = int | UnsetType
Levels = list[tuple[str, str]]


class DepthMessage(msgspec.Struct):
    """``depthUpdate``: U first and u last update id, pu the last of the message before."""

    s: str
    U: int
    u: int
    b: Levels
    a: Levels
    pu: Count = UNSET
    E: Count = UNSET
    T: Count = UNSET


class QuoteMessage(msgspec.Struct):
    """``bookTicker``: best bid b of size B, best ask a of size A."""

    s: str
    u: int
    b: str
    B: str
    a: str
    A: str
    E: Count = UNSET
    T: Count = UNSET


class TradeMessage(msgspec.Struct):
    """``trade``: p price, q size, m whether the buyer was the maker; older ones name orders."""

    s: str
    t: int
    p: str
    q: str
    m: bool
    a: Count = UNSET
    b: Count = UNSET
    E: Count = UNSET
    T: Count = UNSET


class AggregateTradeMessage(msgspec.Struct):
    """``aggTrade``: fills of one taker order at one price."""

    s: str
    a: int
    p: str
    q: str
    m: bool
    E: Count = UNSET
    T: Count = UNSET


class MarkMessage(msgspec.Struct):
    """``markPriceUpdate``: p mark, i index, r funding rate, T time of the next funding."""

    s: str
    p: str
    i: str = ""
    r: str = ""
    E: Count = UNSET
    T: Count = UNSET


class CandleBody(msgspec.Struct):
    """``k`` of ``kline``: t opening time, x whether it is final."""

    t: int
    o: str
    h: str
    low: str = msgspec.field(name="l")
    c: str
    v: str
    x: bool


class CandleMessage(msgspec.Struct):
    """``kline``."""

    s: str
    k: CandleBody
    E: Count = UNSET
    T: Count = UNSET


class ForceOrderBody(msgspec.Struct):
    """``o`` of ``forceOrder``: S side, q size and p price of the order that liquidates."""

    s: str
    S: str
    q: str
    p: str
    T: int


class LiquidationMessage(msgspec.Struct):
    """``forceOrder``: an order that the venue made for somebody's position."""

    o: ForceOrderBody


class SnapshotMessage(msgspec.Struct, rename="camel"):
    """The body of a REST depth reply; only COIN-M names the symbol."""

    last_update_id: int
    bids: Levels
    asks: Levels
    symbol: str = ""
    E: Count = UNSET
    T: Count = UNSET
