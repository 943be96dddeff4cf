"""Binance's market data as a server sends it: subscriptions, books that move, snapshots, time.

Fed by recorded messages, or by changes that a test makes. Written from the venue's documentation,
without the adapter, so that each can find the other wrong.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from bot4_plugins.venue_toolkit.loopback.http_text import HttpAnswer, HttpRequest
from bot4_plugins.venue_toolkit.loopback.venue_protocol import FrameCarrier, Peer, VenueProtocol

__all__ = ["BinanceProtocol", "ServedBook"]

UNKNOWN_PATH: Final = HttpAnswer(b'{"code":-1121,"msg":"Invalid symbol."}', 400)
METHODS: Final = {"SUBSCRIBE": True, "UNSUBSCRIBE": False}
USED_WEIGHT: Final = "X-MBX-USED-WEIGHT-1M"


class ServedBook:
    """One book at the venue: sizes by price, as text, and the last update's number."""

    def __init__(self, last: int = 0) -> None:
        self.last = last
        self.bids: dict[str, str] = {}
        self.asks: dict[str, str] = {}

    def apply(self, message: Mapping[str, Any]) -> None:
        """Take in a ``depthUpdate``."""
        for levels, changes in ((self.bids, message["b"]), (self.asks, message["a"])):
            for price, size in changes:
                if float(size):
                    levels[price] = size
                else:
                    levels.pop(price, None)
        self.last = message["u"]

    def replace(self, snapshot: Mapping[str, Any]) -> None:
        """Become what a snapshot says."""
        self.bids = dict(snapshot["bids"])
        self.asks = dict(snapshot["asks"])
        self.last = snapshot["lastUpdateId"]

    def snapshot(self, limit: int) -> bytes:
        """Return the best levels, as ``depth`` answers."""
        bids = sorted(self.bids.items(), key=lambda level: -float(level[0]))[:limit]
        asks = sorted(self.asks.items(), key=lambda level: float(level[0]))[:limit]
        content = {"lastUpdateId": self.last, "bids": bids, "asks": asks}
        return json.dumps(content, separators=(",", ":")).encode()


class BinanceProtocol(VenueProtocol):
    """One market of Binance.

    Parameters
    ----------
    prefix : str
        Of its requests: ``/api/v3``, ``/fapi/v1``, ``/dapi/v1``.
    metadata : bytes
        What ``exchangeInfo`` answers.
    linked : bool
        Futures: an update names the one before (``pu``).

    Attributes
    ----------
    books : dict of str to ServedBook
    time : int
        What it says of the time, ms.
    """

    def __init__(self, prefix: str, metadata: bytes, *, linked: bool) -> None:
        self.books: dict[str, ServedBook] = {}
        self.time = 1_767_225_600_000
        self._stale: dict[str, bytes] = {}
        self._prefix = prefix
        self._metadata = metadata
        self._linked = linked
        self._weight = 0
        self._carrier: FrameCarrier | None = None

    def attach(self, carrier: FrameCarrier) -> None:
        """Take the server that will carry the messages."""
        self._carrier = carrier

    # -- what moves -------------------------------------------------------------------------------

    def feed(self, message: bytes) -> None:
        """Take one recorded message: push it, and let the book follow; snapshots are not pushed."""
        content = json.loads(message)
        data = content.get("data", content)
        if "lastUpdateId" in data:
            return
        book = self.books.setdefault(str(data["s"]), ServedBook())
        if data["e"] == "depthUpdate":
            book.apply(data)
        self.push(str(content["stream"]), message)

    def change(
        self,
        symbol: str,
        bids: Iterable[tuple[str, str]] = (),
        asks: Iterable[tuple[str, str]] = (),
    ) -> None:
        """Let a book change, and push the update."""
        book = self.books.setdefault(symbol, ServedBook(1000))
        self.time += 100
        first = book.last + 1
        data: dict[str, object] = {"e": "depthUpdate", "E": self.time}
        if self._linked:
            data["T"] = self.time
        data |= {"s": symbol, "U": first, "u": first + 1}
        if self._linked:
            data["pu"] = book.last
        data |= {"b": [list(each) for each in bids], "a": [list(each) for each in asks]}
        book.apply(data)
        stream = f"{symbol.lower()}@depth@100ms"
        text = json.dumps({"stream": stream, "data": data}, separators=(",", ":"))
        self.push(stream, text.encode())

    def push(self, stream: str, message: bytes) -> None:
        """Push a message to the subscribers of a stream."""
        if self._carrier is not None:
            self._carrier.publish(topic(stream), message)

    # -- VenueProtocol ----------------------------------------------------------------------------

    def answers(self, peer: Peer, frame: bytes) -> Sequence[bytes]:
        """Confirm subscriptions."""
        asked = json.loads(frame)
        wanted = METHODS.get(asked.get("method"))
        if wanted is None:
            return [b'{"error":{"code":2,"msg":"Invalid request"},"id":null}']
        topics = {topic(each) for each in asked["params"]}
        peer.streams = peer.streams | topics if wanted else peer.streams - topics
        return [json.dumps({"result": None, "id": asked["id"]}).encode()]

    def reply(self, request: HttpRequest) -> HttpAnswer:
        """Answer what needs no key."""
        self._weight += 1
        used = ((USED_WEIGHT, str(self._weight)),)
        name = request.path.removeprefix(self._prefix)
        if name == "/time":
            return HttpAnswer(b'{"serverTime":%d}' % self.time, headers=used)
        if name == "/exchangeInfo":
            return HttpAnswer(self._metadata, headers=used)
        symbol = request.query.get("symbol", "")
        if name != "/depth" or symbol not in self.books:
            return UNKNOWN_PATH
        return HttpAnswer(self._depth(symbol, request), headers=used)

    def _depth(self, symbol: str, request: HttpRequest) -> bytes:
        """Return a book whole; as it was the time before, where a fault wants that."""
        stale = self._carrier is not None and self._carrier.strikes_stale(request.target)
        if stale and symbol in self._stale:
            return self._stale[symbol]
        body = self.books[symbol].snapshot(int(request.query.get("limit", "100")))
        self._stale[symbol] = body
        return body

    def farewell(self) -> tuple[str, bytes]:
        """Return spot's word for a restart."""
        content = {"e": "serverShutdown", "E": self.time}
        return "", json.dumps(content, separators=(",", ":")).encode()


def topic(stream: str) -> str:
    """Return what a stream is about, without its speed: ``btcusdt@depth``."""
    return "@".join(stream.split("@")[:2])
