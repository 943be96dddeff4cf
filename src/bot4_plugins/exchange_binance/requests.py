"""What to send for market data: subscriptions, and requests for metadata and book snapshots."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Final
from urllib.parse import parse_qs, quote, urlencode, urlsplit

from bot4_core.domain_types.canonical_types import Nanoseconds, Symbol
from bot4_core.domain_types.rate_limits import RateRequest, RequestPriority
from bot4_core.domain_types.records import EventKind
from bot4_core.plugins.exchange import Outbound, Stream
from bot4_plugins.exchange_binance.venue import REST, VenueFacts

__all__ = [
    "depth_request",
    "market_request",
    "metadata_request",
    "request_symbol",
    "stream_plan",
    "subscriptions",
    "watched_streams",
]

STREAMS_PER_FRAME: Final = 200
SECOND: Final = 1_000_000_000
WATCHED: Final = {
    "depth": EventKind.BOOK_END,
    "bookTicker": EventKind.QUOTE,
    "markPrice": EventKind.FUNDING,
}
"""What the last record of a stream's messages is."""


def market_request(path: str, weight: int) -> Outbound:
    """Ask for something public."""
    cost = RateRequest(priority=RequestPriority.DATA, weight=weight)
    return Outbound(connection=REST, method="GET", path=path, tag=path, cost=cost)


def depth_request(facts: VenueFacts, symbol: str) -> Outbound:
    """Ask for a book snapshot."""
    query = urlencode({"symbol": symbol, "limit": facts.depth_limit})
    return market_request(f"{facts.depth_path}?{query}", facts.depth_weight)


def metadata_request(facts: VenueFacts, symbols: Sequence[str]) -> Outbound:
    """Ask for the instruments' metadata; only the spot market can be asked for some."""
    path = facts.metadata_path
    if facts.market == "spot" and symbols:
        names = quote(json.dumps(list(symbols), separators=(",", ":"), ensure_ascii=False))
        path = f"{path}?symbols={names}"
    return market_request(path, facts.metadata_weight)


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


def stream_plan(
    facts: VenueFacts, symbols: Sequence[str], kinds: Sequence[str], candle_interval: str
) -> dict[str, list[str]]:
    """Spread the streams over connections: as few as carry them."""
    by_host: dict[str, list[str]] = {}
    for kind in kinds:
        streams = by_host.setdefault(facts.stream_hosts[kind], [])
        streams.extend(_stream(facts, symbol, kind, candle_interval) for symbol in symbols)
    most = facts.streams_per_connection
    return {
        host if first == 0 else f"{host}-{first // most + 1}": streams[first : first + most]
        for host, streams in by_host.items()
        for first in range(0, len(streams), most)
    }


def watched_streams(
    facts: VenueFacts,
    streams: Sequence[str],
    subscribe: Callable[[str], tuple[Outbound, ...]],
) -> list[Stream]:
    """Describe those of a connection's streams that are never silent for long.

    Trades, candles and liquidations are not: nobody may trade for minutes.
    """
    watched = []
    for each in streams:
        symbol, _, kind = each.partition("@")
        told = WATCHED.get(kind.partition("@")[0])
        if told is not None:
            watched.append(
                Stream(
                    symbol=Symbol(symbol.upper()),
                    kinds=frozenset({told}),
                    silence=Nanoseconds(facts.stream_silence * SECOND),
                    requests=subscribe(each),
                )
            )
    return watched


def subscriptions(plan: Mapping[str, Sequence[str]]) -> list[Outbound]:
    """Write the SUBSCRIBE frames, each for the connection that carries its streams."""
    frames: list[Outbound] = []
    for connection, streams in plan.items():
        for first in range(0, len(streams), STREAMS_PER_FRAME):
            number = len(frames) + 1
            frame = {
                "method": "SUBSCRIBE",
                "params": streams[first : first + STREAMS_PER_FRAME],
                "id": number,
            }
            body = json.dumps(frame, separators=(",", ":"), ensure_ascii=False).encode()
            frames.append(Outbound(connection=connection, body=body, tag=f"subscribe {number}"))
    return frames
