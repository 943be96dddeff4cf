"""What goes wrong at a loopback venue, and when."""

from collections import Counter
from collections.abc import Iterable
from enum import StrEnum
from typing import Final

import attrs

__all__ = ["FaultScript", "ScriptedFault", "ScriptedKind"]


class ScriptedKind(StrEnum):
    """What can go wrong.

    Those of messages count what is pushed on a stream; those of requests count requests whose
    path begins with ``where``; those of sockets count openings.
    """

    # of messages
    GAP = "gap"  # it is never sent
    DUPLICATE = "duplicate"  # it is sent twice
    REORDER = "reorder"  # it comes after the next ``value`` ones, at least one
    SILENCE = "silence"  # subscriptions are confirmed and nothing comes
    DROP = "drop"  # the socket is closed in its place
    RESET = "reset"  # the same without a farewell
    FREEZE = "freeze"  # the socket stays open and nothing passes any more
    # of requests
    STATUS = "status"  # answered with ``value`` as status and ``seconds`` as Retry-After
    LOST_ANSWER = "lost_answer"  # acted upon, and the connection is cut instead of an answer
    LOST_REQUEST = "lost_request"  # the connection is cut before anything is done
    STALE = "stale"  # a snapshot from before
    # of sockets
    REFUSE = "refuse"  # answered with ``value`` as status in place of an upgrade


MESSAGES: Final = frozenset({ScriptedKind.GAP, ScriptedKind.DUPLICATE, ScriptedKind.REORDER})


@attrs.frozen(kw_only=True)
class ScriptedFault:
    """One scripted fault.

    Parameters
    ----------
    kind : ScriptedKind
    where : str
        Beginning of the streams or paths that it concerns; empty for all.
    nth : int
        Which of the things that ``kind`` counts, from 1.
    count : int
        How many in a row.
    value, seconds : int
        See `ScriptedKind`.
    location : str
        Where a redirecting status sends the client.
    """

    kind: ScriptedKind = attrs.field(converter=ScriptedKind)
    where: str = ""
    nth: int = attrs.field(default=1, validator=attrs.validators.ge(1))
    count: int = attrs.field(default=1, validator=attrs.validators.ge(1))
    value: int = 0
    seconds: int = 0
    location: str = ""


class FaultScript:
    """Counts what happens and says which of it goes wrong.

    Attributes
    ----------
    happened : Counter
        How often each kind struck.
    """

    def __init__(self, faults: Iterable[ScriptedFault] = ()) -> None:
        self._faults = list(faults)
        self._seen: Counter[int] = Counter()
        self.happened: Counter[ScriptedKind] = Counter()

    def add(self, fault: ScriptedFault) -> None:
        """Add a fault; it counts from now."""
        self._faults.append(fault)

    def heal(self) -> None:
        """Let nothing go wrong from now on."""
        self._faults.clear()
        self._seen.clear()

    def strikes(self, what: str, *kinds: ScriptedKind) -> ScriptedFault | None:
        """Count one thing for every fault of these kinds; return the first that strikes."""
        struck = None
        for place, fault in enumerate(self._faults):
            if fault.kind not in kinds or not what.startswith(fault.where):
                continue
            self._seen[place] += 1
            if struck is None and 0 <= self._seen[place] - fault.nth < fault.count:
                struck = fault
                self.happened[fault.kind] += 1
        return struck
