"""Frames that the venue's WebSocket is sent; numbers in them are texts of their digits."""

from collections.abc import Mapping, Sequence

import msgspec

from bot4_core.domain_types.rate_limits import RateRequest, RequestPriority
from bot4_core.plugins.exchange import Outbound
from bot4_plugins.exchange_kraken.settings import KrakenSettings
from bot4_plugins.exchange_kraken.venue import KrakenFacts

__all__ = ["digits", "frame", "subscription"]

FREE = RateRequest(priority=RequestPriority.DATA, weight=0)


def digits(text: str) -> msgspec.Raw:
    """Return a number that is written with exactly these digits, without quotes."""
    return msgspec.Raw(text.encode())


def frame(method: str, params: Mapping[str, object], number: int | None = None) -> bytes:
    """Write a frame; ``number`` comes back with its reply."""
    content: dict[str, object] = {"method": method, "params": params}
    if number is not None:
        content["req_id"] = number
    return msgspec.json.encode(content)


def subscription(
    facts: KrakenFacts,
    settings: KrakenSettings,
    channel: str,
    symbols: Sequence[str],
    method: str = "subscribe",
) -> Outbound:
    """Ask for a channel, or no longer."""
    params: dict[str, object] = {"channel": channel}
    if channel != "instrument":
        params["symbol"] = list(symbols)
    if channel == "book":
        params["depth"] = settings.depth
    if channel == "ohlc":
        params["interval"] = settings.candle_minutes
    if channel == "ticker" and method == "subscribe":
        params["event_trigger"] = "bbo"
    if channel == "trade" and method == "subscribe":
        params["snapshot"] = False
    if facts.asset_class:
        params["asset_class"] = facts.asset_class
    body = frame(method, params)
    return Outbound(connection="public", body=body, tag=f"{method} {channel}", cost=FREE)
