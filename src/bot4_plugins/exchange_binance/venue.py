"""What is known of the venue: hosts, paths, limits, fees; each with its date and its source."""

from decimal import Decimal
from typing import Final

import attrs

from bot4_core.domain_types.instruments import FeeSchedule, InstrumentStatus
from bot4_core.domain_types.records import ChainRule

__all__ = ["STATUS", "VENUES", "VenueFacts"]


@attrs.frozen(kw_only=True)
class VenueFacts:
    """One market's addresses and rules.

    ``stream_hosts`` maps a stream's kind (``depth``, ``trade`` ...) to the connection that
    carries it.
    """

    market: str
    rest: str
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
    frames_per_second: int
    streams_per_connection: int
    as_of: str
    source: str


_SPOT_STREAM: Final = "wss://stream.binance.com:9443/stream"
_USDM_PUBLIC: Final = "wss://fstream.binance.com/public/stream"
_USDM_MARKET: Final = "wss://fstream.binance.com/market/stream"
_COINM_STREAM: Final = "wss://dstream.binance.com/stream"
_KINDS: Final = ("depth", "bookTicker", "trade", "aggTrade", "kline", "markPrice")

VENUES: Final[dict[str, VenueFacts]] = {
    "spot": VenueFacts(
        market="spot",
        rest="https://api.binance.com",
        metadata_path="/api/v3/exchangeInfo",
        depth_path="/api/v3/depth",
        depth_limit=5000,
        depth_weight=250,
        stream_hosts=dict.fromkeys(_KINDS[:-1], _SPOT_STREAM),
        depth_stream="depth@100ms",
        chain=ChainRule.RANGE,
        default_fees=FeeSchedule(maker=Decimal("0.001"), taker=Decimal("0.001")),
        weight_per_minute=6000,
        frames_per_second=5,
        streams_per_connection=1024,
        as_of="2026-11-22",
        source="binance/binance-spot-api-docs@a5e0bc3 (2026-07-21); fees: binance.com regular tier",
    ),
    "usdm": VenueFacts(
        market="usdm",
        rest="https://fapi.binance.com",
        metadata_path="/fapi/v1/exchangeInfo",
        depth_path="/fapi/v1/depth",
        depth_limit=1000,
        depth_weight=20,
        stream_hosts={
            "depth": _USDM_PUBLIC,
            "bookTicker": _USDM_PUBLIC,
            "trade": _USDM_MARKET,
            "aggTrade": _USDM_MARKET,
            "kline": _USDM_MARKET,
            "markPrice": _USDM_MARKET,
        },
        depth_stream="depth@100ms",
        mark_stream="markPrice@1s",
        chain=ChainRule.LINK,
        default_fees=FeeSchedule(maker=Decimal("0.0002"), taker=Decimal("0.0005")),
        weight_per_minute=2400,
        frames_per_second=10,
        streams_per_connection=1024,
        as_of="2026-11-22",
        source="developers.binance.com derivatives: streams split since 2026-04-23 (older paths "
        "acknowledge and stay silent); fees: binance.com regular tier",
    ),
    "coinm": VenueFacts(
        market="coinm",
        rest="https://dapi.binance.com",
        metadata_path="/dapi/v1/exchangeInfo",
        depth_path="/dapi/v1/depth",
        depth_limit=1000,
        depth_weight=20,
        stream_hosts=dict.fromkeys(_KINDS, _COINM_STREAM),
        depth_stream="depth@100ms",
        mark_stream="markPrice@1s",
        chain=ChainRule.LINK,
        default_fees=FeeSchedule(maker=Decimal("0.0002"), taker=Decimal("0.0005")),
        weight_per_minute=2400,
        frames_per_second=10,
        streams_per_connection=200,
        as_of="2026-11-22",
        source="developers.binance.com derivatives (COIN-M); fees: binance.com regular tier",
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
