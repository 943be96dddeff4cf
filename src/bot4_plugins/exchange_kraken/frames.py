"""Frames that the venue's WebSocket is sent; numbers in them are texts of their digits."""

import json
from collections.abc import Mapping, Sequence

import attrs

from bot4_core.domain_types.rate_limits import RateRequest, RequestPriority
from bot4_core.plugins.exchange import Outbound
from bot4_plugins.exchange_kraken.settings import KrakenSettings
from bot4_plugins.exchange_kraken.venue import KrakenFacts

__all__ = ["Digits", "frame", "json_text", "subscription"]

FREE = RateRequest(priority=RequestPriority.DATA, weight=0)


@attrs.frozen
class Digits:
    """A number that is written without quotes."""

    text: str


def json_text(value: object) -> str:
    """Write JSON without white space; `Digits` are written as they are."""
    if isinstance(value, Digits):
        return value.text
    if isinstance(value, Mapping):
        members = (f"{json.dumps(name)}:{json_text(each)}" for name, each in value.items())
        return "{" + ",".join(members) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(json_text, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def frame(method: str, params: Mapping[str, object], number: int | None = None) -> bytes:
    """Write a frame; ``number`` comes back with its reply."""
    content: dict[str, object] = {"method": method, "params": params}
    if number is not None:
        content["req_id"] = number
    return json_text(content).encode()


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
