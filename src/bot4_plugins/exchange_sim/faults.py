"""Scripted faults between the venue and its client."""

from collections.abc import Iterable
from typing import Final

from bot4_plugins.exchange_sim.settings import Fault, FaultKind

__all__ = ["FaultyLine"]

Message = tuple[int, bytes]
LOSSES: Final[tuple[FaultKind, ...]] = (FaultKind.LOSE_ANSWER, FaultKind.LOSE_REQUEST)


class FaultyLine:
    """The line of one instrument: it may lose, repeat or swap book messages, and lose orders."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self._faults: dict[int, FaultKind] = {}
        self._lost: dict[FaultKind, set[int]] = {kind: set() for kind in LOSSES}
        for fault in faults:
            numbers = range(fault.message, fault.message + fault.count)
            if fault.kind in LOSSES:
                self._lost[fault.kind].update(numbers)
            else:
                self._faults.update(dict.fromkeys(numbers, fault.kind))
        self._seen = 0
        self._passed = dict.fromkeys(LOSSES, 0)
        self._held: list[bytes] = []

    def loses_request(self) -> bool:
        """Tell whether the next order or cancellation never reaches the venue."""
        return self._loses(FaultKind.LOSE_REQUEST)

    def _loses(self, kind: FaultKind) -> bool:
        self._passed[kind] += 1
        return self._passed[kind] in self._lost[kind]

    def carry(self, message: Message) -> list[Message]:
        """Return what arrives in place of a message."""
        time, data = message
        if data.startswith(b'{"ch":"order"'):
            return [] if self._loses(FaultKind.LOSE_ANSWER) else [message]
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
