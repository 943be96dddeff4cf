"""What to send for data: subscriptions, pings, metadata and book snapshots."""

import json
from collections.abc import Iterable, Mapping
from typing import Final
from urllib.parse import parse_qs, urlencode, urlsplit

from bot4_core.plugins.connections import Connection, Outbound
from bot4_plugins.exchange_okx.settings import OkxSettings
from bot4_plugins.exchange_okx.venue import BOOKS, HOSTS, OkxFacts

__all__ = [
    "BUSINESS",
    "BUSINESS_PRIVATE",
    "INSTRUMENTS",
    "PRIVATE",
    "PUBLIC",
    "REST",
    "SNAPSHOT",
    "account_subscription",
    "book_request",
    "book_subscription",
    "instruments_request",
    "keyed_connections",
    "open_connections",
    "ping_text",
    "stream_frames",
    "subject_of",
]

PUBLIC: Final = "public"
BUSINESS: Final = "business"
PRIVATE: Final = "private"
BUSINESS_PRIVATE: Final = "business private"
REST: Final = "rest"
INSTRUMENTS: Final = "/api/v5/public/instruments"
SNAPSHOT: Final = "/api/v5/market/books"
CHANNELS_PER_FRAME: Final = 100
ON_BUSINESS: Final = frozenset({"candle"})

Arguments = Mapping[str, object]


def _frame(connection: str, operation: str, arguments: Iterable[Arguments]) -> Outbound:
    content = {"op": operation, "args": list(arguments)}
    body = json.dumps(content, separators=(",", ":"), ensure_ascii=False).encode()
    return Outbound(connection=connection, body=body, tag=operation)


def open_connections(facts: OkxFacts, settings: OkxSettings) -> list[Connection]:
    """Return the sockets of market data and the request host."""
    hosts = HOSTS[settings.site]
    sockets = [
        Connection(name=PUBLIC, url=f"{hosts.stream}/public", silence=facts.silence),
    ]
    if ON_BUSINESS & set(settings.streams):
        url = f"{hosts.stream}/business"
        sockets.append(Connection(name=BUSINESS, url=url, silence=facts.silence))
    return [*sockets, Connection(name=REST, url=hosts.rest)]


def keyed_connections(facts: OkxFacts, settings: OkxSettings) -> list[Connection]:
    """Return the sockets that need keys; waiting orders are told of on one of their own."""
    stream = HOSTS[settings.site].stream
    return [
        Connection(name=name, url=f"{stream}/{path}", silence=facts.silence, private=True)
        for name, path in ((PRIVATE, "private"), (BUSINESS_PRIVATE, "business"))
    ]


def ping_text(connection: str) -> Outbound:
    """Ask a socket for a sign of life; this is no JSON."""
    return Outbound(connection=connection, body=b"ping", tag="ping")


def account_subscription(connection: str) -> Outbound:
    """Ask for what a private socket tells, after the login was accepted."""
    kind = {"instType": "ANY"}
    if connection == BUSINESS_PRIVATE:
        channels: list[Arguments] = [
            {"channel": "orders-algo", **kind},
            {"channel": "algo-advance", **kind},
        ]
    else:
        channels = [
            {"channel": "orders", **kind},
            {"channel": "positions", **kind},
            {"channel": "account"},
        ]
    return _frame(connection, "subscribe", channels)


def _channel(settings: OkxSettings, stream: str) -> str:
    return {"books": settings.book, "candle": f"candle{settings.candle_interval}"}.get(
        stream, stream
    )


def _arguments(facts: OkxFacts, settings: OkxSettings, stream: str) -> list[Arguments]:
    if stream == "liquidation-orders":
        return [{"channel": stream, "instType": facts.kind}]
    names = settings.symbols
    if stream == "index-tickers":
        names = tuple(dict.fromkeys("-".join(name.split("-")[:2]) for name in names))
    return [{"channel": _channel(settings, stream), "instId": name} for name in names]


def stream_frames(facts: OkxFacts, settings: OkxSettings) -> list[Outbound]:
    """Write the frames that ask for every stream of every symbol, and for what all have."""
    wanted: dict[str, list[Arguments]] = {
        PUBLIC: [{"channel": "instruments", "instType": facts.kind}, {"channel": "status"}],
        BUSINESS: [],
    }
    for stream in settings.streams:
        connection = BUSINESS if stream in ON_BUSINESS else PUBLIC
        wanted[connection] += _arguments(facts, settings, stream)
    return [
        _frame(connection, "subscribe", arguments[first : first + CHANNELS_PER_FRAME])
        for connection, arguments in wanted.items()
        for first in range(0, len(arguments), CHANNELS_PER_FRAME)
    ]


def book_subscription(settings: OkxSettings, symbol: str) -> list[Outbound]:
    """Leave a book's channel and ask for it again, which should bring a snapshot."""
    argument = {"channel": settings.book, "instId": symbol}
    return [_frame(PUBLIC, operation, [argument]) for operation in ("unsubscribe", "subscribe")]


def instruments_request(facts: OkxFacts) -> Outbound:
    """Ask for the market's instruments."""
    path = f"{INSTRUMENTS}?{urlencode({'instType': facts.kind})}"
    return Outbound(connection=REST, method="GET", path=path, tag="metadata")


def book_request(settings: OkxSettings, symbol: str) -> Outbound:
    """Ask for the snapshot that a subscription did not bring."""
    query = urlencode({"instId": symbol, "sz": BOOKS[settings.book]})
    return Outbound(connection=REST, method="GET", path=f"{SNAPSHOT}?{query}", tag="snapshot")


def subject_of(url: str) -> str:
    """Return the symbol that a request is about, empty if it names none."""
    return parse_qs(urlsplit(url).query).get("instId", [""])[0]
