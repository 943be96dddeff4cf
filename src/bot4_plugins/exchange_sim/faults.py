"""Scripted faults between the venue and its client."""

from collections.abc import Iterable

from bot4_plugins.exchange_sim.settings import Fault, FaultKind

__all__ = ["FaultyLine"]

Message = tuple[int, bytes]


class FaultyLine:
    """The line of one instrument, which may lose, repeat or exchange book messages."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self._faults = {
            number: fault.kind
            for fault in faults
            for number in range(fault.message, fault.message + fault.count)
        }
        self._seen = 0
        self._held: list[bytes] = []

    def carry(self, message: Message) -> list[Message]:
        """Return what arrives in place of a message."""
        time, data = message
        if not data.startswith(b'{"ch":"book"'):
            return [message]
        self._seen += 1
        kind = self._faults.get(self._seen)
        if kind is FaultKind.DROP:
            return []
        if kind is FaultKind.DUPLICATE:
            return [message, message]
        if kind is FaultKind.SWAP:
            self._held.append(data)
            return []
        late = [(time, held) for held in self._held]
        self._held.clear()
        return [message, *late]
