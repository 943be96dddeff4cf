"""When to ask open sockets for a sign of life."""

from bot4_core.domain_types.canonical_types import Nanoseconds

__all__ = ["KeepAlive"]


class KeepAlive:
    """The open connections, and when each was last sent anything for its own sake.

    Parameters
    ----------
    every : int
        Between two pings of one connection, ns.
    """

    def __init__(self, every: Nanoseconds) -> None:
        self.every = every
        self._sent: dict[str, int] = {}

    def opened(self, connection: str, now: int) -> None:
        """Count from the opening."""
        self._sent[connection] = now

    def closed(self, connection: str) -> None:
        """Send nothing more to a lost connection."""
        self._sent.pop(connection, None)

    def due(self, now: int) -> list[str]:
        """Return the connections to ping now; they are not due again at once."""
        late = [name for name, sent in self._sent.items() if now - sent >= self.every]
        for name in late:
            self._sent[name] = now
        return late
