"""What to send for market data: subscriptions, pings, metadata and book snapshots."""

import json
from collections.abc import Sequence
from typing import Final
from urllib.parse import parse_qs, urlencode, urlsplit

from bot4_core.plugins.exchange import Connection, Outbound
from bot4_plugins.exchange_bybit.settings import BybitSettings
from bot4_plugins.exchange_bybit.venue import BybitFacts

__all__ = [
    "METADATA",
    "PRIVATE",
    "PUBLIC",
    "REST",
    "STATUS",
    "TRADE",
    "is_of_market",
    "metadata_request",
    "ping",
    "private_connections",
    "private_subscription",
    "public_connections",
    "request_symbol",
    "resubscription",
    "status_subscription",
    "subscriptions",
]

PUBLIC: Final = "public"
PRIVATE: Final = "private"
TRADE: Final = "trade"
STATUS: Final = "status"
REST: Final = "rest"
METADATA: Final = "/v5/market/instruments-info"
TOPICS_PER_FRAME: Final = 100
PRIVATE_TOPICS: Final = ("order", "execution", "position", "wallet")
PAGE: Final = 1000


def _frame(connection: str, content: dict[str, object], tag: str) -> Outbound:
    body = json.dumps(content, separators=(",", ":"), ensure_ascii=False).encode()
    return Outbound(connection=connection, body=body, tag=tag)


def public_connections(facts: BybitFacts) -> list[Connection]:
    """Return the sockets of market data and of maintenance, and the request host."""
    return [
        Connection(name=PUBLIC, url=facts.public, silence=facts.silence),
        Connection(name=STATUS, url=facts.status, silence=facts.silence),
        Connection(name=REST, url=facts.rest),
    ]


def private_connections(facts: BybitFacts, settings: BybitSettings) -> list[Connection]:
    """Return the sockets that need keys; orders have one of their own."""
    named = [(PRIVATE, facts.private)]
    if settings.route == "websocket":
        named.append((TRADE, facts.trade))
    return [
        Connection(name=name, url=url, silence=facts.silence, private=True) for name, url in named
    ]


def ping(connection: str) -> Outbound:
    """Ask a socket for a sign of life."""
    return _frame(connection, {"op": "ping"}, "ping")


def private_subscription() -> Outbound:
    """Ask for orders, executions, positions and balances, after the login was accepted."""
    return _frame(PRIVATE, {"op": "subscribe", "args": list(PRIVATE_TOPICS)}, "subscribe private")


def status_subscription() -> Outbound:
    """Ask for the venue's maintenances."""
    return _frame(STATUS, {"op": "subscribe", "args": ["system.status"]}, "subscribe status")


def metadata_request(facts: BybitFacts, cursor: str = "") -> Outbound:
    """Ask for the instruments' metadata, or for the page of it that starts at a cursor."""
    fields = {"category": facts.market, "limit": PAGE}
    if facts.market == "spot":  # knows no pages
        del fields["limit"]
    query = urlencode(fields | ({"cursor": cursor} if cursor else {}))
    return Outbound(connection=REST, method="GET", path=f"{METADATA}?{query}", tag="metadata")


def request_symbol(url: str) -> str:
    """Return the symbol that a request is about, empty if it names none."""
    return parse_qs(urlsplit(url).query).get("symbol", [""])[0]


def is_of_market(url: str, market: str) -> bool:
    """Say whether an address is of a market; one that names none is of every market."""
    parts = urlsplit(url)
    _, public, named = parts.path.partition("/v5/public/")
    category = named if public else parse_qs(parts.query).get("category", [market])[0]
    return category in (market, "misc/status")


def _topic(settings: BybitSettings, stream: str, symbol: str) -> str:
    name = {
        "orderbook": f"orderbook.{settings.depth}",
        "kline": f"kline.{settings.candle_interval}",
    }.get(stream, stream)
    return f"{name}.{symbol}"


def subscriptions(facts: BybitFacts, settings: BybitSettings) -> list[Outbound]:
    """Write the frames that ask for every stream of every symbol."""
    topics = [
        _topic(settings, stream, symbol)
        for stream in settings.streams
        for symbol in settings.symbols
    ]
    most = facts.topics_per_frame or TOPICS_PER_FRAME
    return [
        _frame(PUBLIC, {"op": "subscribe", "args": topics[first : first + most]}, "subscribe")
        for first in range(0, len(topics), most)
    ]


def resubscription(settings: BybitSettings, symbol: str) -> Sequence[Outbound]:
    """Leave a book's stream and ask for it again, which brings a snapshot."""
    topic = _topic(settings, "orderbook", symbol)
    return [
        _frame(PUBLIC, {"op": operation, "args": [topic]}, f"{operation} {symbol}")
        for operation in ("unsubscribe", "subscribe")
    ]
