"""What passes between an exchange adapter and whoever owns its sockets."""

from typing import Final

import attrs

from bot4_core.domain_types.canonical_types import Nanoseconds, Symbol
from bot4_core.domain_types.rate_limits import RateRequest, RequestPriority
from bot4_core.domain_types.records import EventKind

__all__ = ["Connection", "Outbound", "Reply", "Stream"]

NO_LIMIT: Final = Nanoseconds(0)
MARKET_DATA: Final = RateRequest(priority=RequestPriority.DATA)


@attrs.frozen(kw_only=True)
class Connection:
    """A socket that an adapter wants, or a host that it sends requests to.

    Parameters
    ----------
    name : str
        What `Outbound.connection` names.
    url : str
        ``wss://`` or ``https://``; requests put their path behind it.
    silence : int
        How long a socket may bring nothing before it counts as dead, ns; 0 for request hosts.
    lifetime : int
        After which a successor should be open, because the venue cuts old sockets, ns; 0 for no
        such rule.
    largest : int
        Bytes of the largest message to expect.
    private : bool
        Whether it needs credentials.
    headers : tuple of (str, str)
    frames_per_second : int
        How many frames a socket may be sent in a second; 0 for no such limit.
    """

    name: str
    url: str
    silence: Nanoseconds = NO_LIMIT
    lifetime: Nanoseconds = NO_LIMIT
    largest: int = 1 << 24
    private: bool = False
    headers: tuple[tuple[str, str], ...] = ()
    frames_per_second: int = 0


def _length(data: bytes) -> str:
    return f"<{len(data)} bytes>"


def _without_query(path: str) -> str:
    return repr(path.partition("?")[0])


@attrs.frozen(kw_only=True)
class Outbound:
    """Bytes that an adapter wants sent: a WebSocket frame, or a request where ``method`` is set.

    ``cost`` is what it takes of the venue's rate limits. ``order`` is the number of the order that
    it creates, changes or asks about, so that its owner can say what became of the attempt. What
    may hold keys or signatures is not shown.
    """

    connection: str
    body: bytes = attrs.field(default=b"", repr=_length)
    method: str = ""
    path: str = attrs.field(default="", repr=_without_query)
    headers: tuple[tuple[str, str], ...] = attrs.field(default=(), repr=False)
    tag: str = ""
    cost: RateRequest = MARKET_DATA
    order: int = -1
    creates: bool = False
    """Whether it may make a new order: never sent twice."""


@attrs.frozen(kw_only=True)
class Reply:
    """What came back for a request."""

    status: int
    body: bytes
    received: Nanoseconds
    headers: tuple[tuple[str, str], ...] = ()


@attrs.frozen(kw_only=True)
class Stream:
    """What a connection is subscribed to: a venue may confirm that and send nothing all the same.

    Parameters
    ----------
    symbol : str
    kinds : frozenset of EventKind
        The last record of its messages is one of these.
    silence : int
        How long it may bring nothing, from the subscription on, ns.
    requests : tuple of Outbound
        Subscribe to it again.
    """

    symbol: Symbol
    kinds: frozenset[EventKind]
    silence: Nanoseconds
    requests: tuple[Outbound, ...] = ()
