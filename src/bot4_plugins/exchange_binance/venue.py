"""What is known of the venue: hosts, paths, limits, fees; each with its date and its source."""

from decimal import Decimal
from typing import Final

import attrs

from bot4_core.domain_types.instruments import FeeSchedule, InstrumentStatus
from bot4_core.domain_types.records import ChainRule

__all__ = ["PRIVATE", "REST", "STATUS", "TRADE", "VENUES", "VenueFacts"]


@attrs.frozen(kw_only=True)
class VenueFacts:
    """One market's addresses and rules.

    ``hosts`` are addresses by connection name: ``rest``, ``trade`` (the WebSocket API), ``private``
    (a prefix that a listen key completes) and those of market data. ``stream_hosts`` maps a
    stream's kind (``depth``, ``trade`` ...) to the connection that carries it. Times are seconds.
    """

    market: str
    hosts: dict[str, str]
    prefix: str
    balance_path: str
    position_path: str = ""
    metadata_path: str
    depth_path: str
    depth_limit: int
    depth_weight: int
    stream_hosts: dict[str, str]
    depth_stream: str
    mark_stream: str = ""
    chain: ChainRule
    default_fees: FeeSchedule
    weight_per_minute: int
    orders: dict[int, int]  # how many in so many seconds
    metadata_weight: int
    silence: int = 600
    stream_silence: int = 60
    lifetime: int = 84_600  # half an hour less than the venue's 24 hours
    frames_per_second: int
    streams_per_connection: int
    as_of: str
    source: str


REST: Final = "rest"
TRADE: Final = "trade"
PRIVATE: Final = "private"
_KINDS: Final = ("depth", "bookTicker", "trade", "aggTrade", "kline", "markPrice", "forceOrder")

VENUES: Final[dict[str, VenueFacts]] = {
    "spot": VenueFacts(
        market="spot",
        hosts={
            REST: "https://api.binance.com",
            TRADE: "wss://ws-api.binance.com:443/ws-api/v3",
            "market": "wss://stream.binance.com:9443/stream",
        },
        prefix="/api/v3",
        balance_path="/api/v3/account",
        metadata_path="/api/v3/exchangeInfo",
        depth_path="/api/v3/depth",
        depth_limit=5000,
        depth_weight=250,
        stream_hosts=dict.fromkeys(_KINDS[:-2], "market"),
        depth_stream="depth@100ms",
        chain=ChainRule.RANGE,
        default_fees=FeeSchedule(maker=Decimal("0.001"), taker=Decimal("0.001")),
        weight_per_minute=6000,
        orders={10: 100, 86_400: 200_000},
        metadata_weight=20,
        silence=60,
        frames_per_second=5,
        streams_per_connection=1024,
        as_of="2026-11-22",
        source="binance/binance-spot-api-docs@a5e0bc3 (2026-07-21); order counts until "
        "exchangeInfo tells them; fees: binance.com regular tier",
    ),
    "usdm": VenueFacts(
        market="usdm",
        hosts={
            REST: "https://fapi.binance.com",
            TRADE: "wss://ws-fapi.binance.com/ws-fapi/v1",
            PRIVATE: "wss://fstream.binance.com/private/ws?listenKey=",
            "public": "wss://fstream.binance.com/public/stream",
            "market": "wss://fstream.binance.com/market/stream",
        },
        prefix="/fapi/v1",
        balance_path="/fapi/v3/balance",
        position_path="/fapi/v3/positionRisk",
        metadata_path="/fapi/v1/exchangeInfo",
        depth_path="/fapi/v1/depth",
        depth_limit=1000,
        depth_weight=20,
        stream_hosts={
            **dict.fromkeys(("depth", "bookTicker", "trade"), "public"),
            **dict.fromkeys(("aggTrade", "kline", "markPrice", "forceOrder"), "market"),
        },
        depth_stream="depth@100ms",
        mark_stream="markPrice@1s",
        chain=ChainRule.LINK,
        default_fees=FeeSchedule(maker=Decimal("0.0002"), taker=Decimal("0.0005")),
        weight_per_minute=2400,
        orders={10: 300, 60: 1200},
        metadata_weight=1,
        frames_per_second=10,
        streams_per_connection=1024,
        as_of="2026-11-22",
        source="developers.binance.com derivatives: streams split since 2026-04-23 (older paths "
        "acknowledge and stay silent); trade stream and private path: ccxt 4.5.90; fees: "
        "binance.com regular tier",
    ),
    "coinm": VenueFacts(
        market="coinm",
        hosts={
            REST: "https://dapi.binance.com",
            TRADE: "wss://ws-dapi.binance.com/ws-dapi/v1",
            PRIVATE: "wss://dstream.binance.com/ws/",
            "market": "wss://dstream.binance.com/stream",
        },
        prefix="/dapi/v1",
        balance_path="/dapi/v1/balance",
        position_path="/dapi/v1/positionRisk",
        metadata_path="/dapi/v1/exchangeInfo",
        depth_path="/dapi/v1/depth",
        depth_limit=1000,
        depth_weight=20,
        stream_hosts=dict.fromkeys(_KINDS, "market"),
        depth_stream="depth@100ms",
        mark_stream="markPrice@1s",
        chain=ChainRule.LINK,
        default_fees=FeeSchedule(maker=Decimal("0.0002"), taker=Decimal("0.0005")),
        weight_per_minute=2400,
        orders={10: 300, 60: 1200},
        metadata_weight=1,
        frames_per_second=10,
        streams_per_connection=200,
        as_of="2026-11-22",
        source="developers.binance.com derivatives (COIN-M); WebSocket API and algo orders: ccxt "
        "4.5.90; fees: binance.com regular tier",
    ),
}

STATUS: Final[dict[str, InstrumentStatus]] = {
    "TRADING": InstrumentStatus.TRADING,
    "CANCEL_ONLY": InstrumentStatus.CANCEL_ONLY,
    "END_OF_DAY": InstrumentStatus.HALTED,
    "HALT": InstrumentStatus.HALTED,
    "BREAK": InstrumentStatus.HALTED,
    "AUCTION_MATCH": InstrumentStatus.HALTED,
    "PRE_TRADING": InstrumentStatus.HALTED,
    "POST_TRADING": InstrumentStatus.HALTED,
    "PENDING_TRADING": InstrumentStatus.HALTED,
    "PRE_DELIVERING": InstrumentStatus.HALTED,
    "DELIVERING": InstrumentStatus.HALTED,
    "PRE_SETTLE": InstrumentStatus.HALTED,
    "SETTLING": InstrumentStatus.HALTED,
    "DELIVERED": InstrumentStatus.DELISTED,
    "CLOSE": InstrumentStatus.DELISTED,
}
"""What the venue's words for a symbol's state mean; an unlisted word means UNKNOWN."""
