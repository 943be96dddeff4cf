"""What to send: subscriptions, and the requests for metadata and book snapshots."""

import json
from collections.abc import Sequence
from urllib.parse import parse_qs, quote, urlencode, urlsplit

from bot4_core.plugins.interfaces import Outbound
from bot4_plugins.exchange_binance.venue import VenueFacts

__all__ = ["depth_request", "metadata_request", "request_symbol", "subscriptions"]

STREAMS_PER_FRAME = 200


def _request(facts: VenueFacts, path: str) -> Outbound:
    return Outbound(connection=facts.rest, method="GET", path=path, tag=path)


def depth_request(facts: VenueFacts, symbol: str) -> Outbound:
    """Ask for a book snapshot."""
    query = urlencode({"symbol": symbol, "limit": facts.depth_limit})
    return _request(facts, f"{facts.depth_path}?{query}")


def metadata_request(facts: VenueFacts, symbols: Sequence[str]) -> Outbound:
    """Ask for the instruments' metadata; only the spot market can be asked for some."""
    if facts.market != "spot" or not symbols:
        return _request(facts, facts.metadata_path)
    names = quote(json.dumps(list(symbols), separators=(",", ":"), ensure_ascii=False))
    return _request(facts, f"{facts.metadata_path}?symbols={names}")


def request_symbol(url: str) -> str:
    """Return the symbol that a request is about, empty if it names none."""
    return parse_qs(urlsplit(url).query).get("symbol", [""])[0]


def _stream(facts: VenueFacts, symbol: str, kind: str, candle_interval: str) -> str:
    name = {
        "depth": facts.depth_stream,
        "kline": f"kline_{candle_interval}",
        "markPrice": facts.mark_stream,
    }.get(kind, kind)
    return f"{symbol.lower()}@{name}"


def subscriptions(
    facts: VenueFacts, symbols: Sequence[str], kinds: Sequence[str], candle_interval: str
) -> list[Outbound]:
    """Write the SUBSCRIBE frames, each for the connection that carries its streams."""
    by_host: dict[str, list[str]] = {}
    for kind in kinds:
        streams = by_host.setdefault(facts.stream_hosts[kind], [])
        streams.extend(_stream(facts, symbol, kind, candle_interval) for symbol in symbols)
    frames: list[Outbound] = []
    for host, streams in by_host.items():
        for first in range(0, len(streams), STREAMS_PER_FRAME):
            number = len(frames) + 1
            frame = {
                "method": "SUBSCRIBE",
                "params": streams[first : first + STREAMS_PER_FRAME],
                "id": number,
            }
            body = json.dumps(frame, separators=(",", ":"), ensure_ascii=False).encode()
            frames.append(Outbound(connection=host, body=body, tag=f"subscribe {number}"))
    return frames
