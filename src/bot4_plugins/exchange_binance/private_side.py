"""The part of a market that needs a key: its connections, listen keys, requests and replies."""

from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

from bot4_core.domain_types.canonical_types import Nanoseconds
from bot4_core.plugins.credentials import Credentials
from bot4_core.plugins.exchange import Connection, Outbound
from bot4_plugins.exchange_binance.known_orders import KnownOrders
from bot4_plugins.exchange_binance.order_replies import Answer, FollowUp, OrderReplies
from bot4_plugins.exchange_binance.order_requests import OrderRequests, Purpose
from bot4_plugins.exchange_binance.signing import Signer
from bot4_plugins.exchange_binance.user_stream import UserStream
from bot4_plugins.exchange_binance.venue import PRIVATE, REST, TRADE, VenueFacts
from bot4_plugins.venue_toolkit.drafts import DraftMessage
from bot4_plugins.venue_toolkit.strict_json import typed

__all__ = ["PrivateSide"]

SECOND: Final = 1_000_000_000
RENEWAL: Final = 1_800 * SECOND  # half of a listen key's life
RETRY: Final = 10 * SECOND
OVERLAP: Final = 60 * SECOND
MILLISECOND: Final = 1_000_000
FUTURES_EVENTS: Final = "listenKey"


class PrivateSide:
    """Orders and account of one market; readable without a key, which only requests need.

    Parameters
    ----------
    facts : VenueFacts
    number_of : callable
        Turns a client id into an order number, -1 for foreign ones.
    symbol_of : callable
        Returns an instrument's symbol by its number.
    """

    def __init__(
        self,
        facts: VenueFacts,
        number_of: Callable[[str], int],
        symbol_of: Callable[[int], str],
    ) -> None:
        self._facts = facts
        self.requests: OrderRequests | None = None
        orders = KnownOrders(number_of)
        self.stream = UserStream(orders)
        self.replies = OrderReplies(orders, symbol_of)
        self._wanted: deque[Outbound] = deque()
        self._listen_key = ""
        self._renewed = Nanoseconds(0)
        self._missed_since: dict[int, int] = {}

    def authorise(self, credentials: Credentials, window: int, *, websocket: bool) -> None:
        """Take the keys."""
        signer = Signer(credentials)
        self.requests = OrderRequests(self._facts, signer, window, websocket=websocket)

    def connections(self) -> list[Connection]:
        """Return the sockets that are wanted with a key."""
        if self.requests is None:
            return []
        hosts = {TRADE: self._facts.hosts[TRADE]}
        if PRIVATE in self._facts.hosts and self._listen_key:
            hosts[PRIVATE] = f"{self._facts.hosts[PRIVATE]}{self._listen_key}"
        return [
            Connection(
                name=name,
                url=url,
                silence=Nanoseconds(self._facts.silence * SECOND),
                lifetime=Nanoseconds(self._facts.lifetime * SECOND),
                private=True,
            )
            for name, url in hosts.items()
        ]

    def opened(self, connection: str, now: Nanoseconds) -> list[Outbound]:
        """Ask for the account's events, where the connection is the one to ask on."""
        if self.requests is None:
            return []
        if PRIVATE not in self._facts.hosts:
            return [self.requests.user_stream(now)] if connection == TRADE else []
        if connection != REST or self._listen_key:
            return []
        self._renewed = now
        return [self.requests.listen("POST", now)]

    def due(self, now: Nanoseconds) -> list[Outbound]:
        """Keep the listen key alive, or ask for one again."""
        if self.requests is None or PRIVATE not in self._facts.hosts:
            return []
        if now - self._renewed < (RENEWAL if self._listen_key else RETRY):
            return []
        self._renewed = now
        return [self.requests.listen("PUT" if self._listen_key else "POST", now)]

    def wanted(self) -> list[Outbound]:
        """Hand over what messages gave rise to."""
        handed = [*self._wanted]
        self._wanted.clear()
        return handed

    def missed(self, symbols: Sequence[str], since: int, now: Nanoseconds) -> list[Outbound]:
        """Ask for what happened since a time, and a minute before; trades follow orders."""
        if self.requests is None:
            return []
        begin = since - OVERLAP
        asked = []
        for number, symbol in enumerate(symbols):
            self._missed_since[number] = begin
            asked.append(self.requests.history(Purpose("orders", -1, number), symbol, begin, now))
        return asked

    def read_event(self, content: dict[str, object], now: Nanoseconds) -> Sequence[DraftMessage]:
        """Say what an event of the account says."""
        news = self.stream.read(content)
        if self.requests is not None and news.untold is not None:
            symbol, venue_id, number = news.untold
            since = (("orderId", str(venue_id)),)
            purpose = Purpose("trades", number)
            self._wanted.append(self.requests.trades(purpose, symbol, since, now))
        if news.stream_lost:
            self._lose_stream(now)
        return news.drafts

    def read_answer(self, answer: Answer, now: Nanoseconds) -> Sequence[DraftMessage]:
        """Say what a reply says."""
        content = answer.content
        if answer.purpose.what == "listen" and isinstance(content, dict):
            self._listen_key = typed(content.get(FUTURES_EVENTS, ""), str)
        drafts, follow = self.replies.read(answer)
        for each in follow:
            self._follow(each, now)
        return drafts

    def _lose_stream(self, now: Nanoseconds) -> None:
        self._listen_key = ""
        if self.requests is None:
            return
        if PRIVATE in self._facts.hosts:
            self._renewed = now
            self._wanted.append(self.requests.listen("POST", now))
        else:
            self._wanted.append(self.requests.user_stream(now))

    def _follow(self, follow: FollowUp, now: Nanoseconds) -> None:
        if self.requests is None:
            return
        purpose = follow.purpose
        if follow.what == "listen":
            self._lose_stream(now)
        elif follow.what == "order":
            asked = self.requests.order_by_venue_id(purpose, follow.symbol, follow.venue_id, now)
            self._wanted.append(asked)
        else:
            since = (("orderId", str(follow.venue_id)),)
            if follow.what == "symbol trades":
                begin = max(self._missed_since.get(purpose.instrument, now), 0)
                since = (("startTime", str(begin // MILLISECOND)),)
            self._wanted.append(self.requests.trades(purpose, follow.symbol, since, now))
