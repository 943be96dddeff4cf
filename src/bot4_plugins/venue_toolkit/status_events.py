"""What instruments may be traded now, and books that are lost, as events."""

from collections.abc import Iterable, Sequence
from typing import Final

from bot4_core.domain_types.canonical_types import InstrumentId, Nanoseconds
from bot4_core.domain_types.instruments import Instrument, InstrumentStatus
from bot4_core.domain_types.records import EventFlag, EventKind
from bot4_core.market.event_batch import EventBatch
from bot4_plugins.venue_toolkit.drafts import DraftEvent, DraftMessage, draft_message

__all__ = ["append_gaps", "changed_statuses", "status_draft"]

CODES: Final = {status: code for code, status in enumerate(InstrumentStatus)}


def status_draft(symbol: str, status: InstrumentStatus, time: int) -> DraftMessage:
    """Say that an instrument has a status."""
    event = DraftEvent(kind=EventKind.STATUS, time=time, aux=CODES[status])
    return draft_message(symbol, event)


def changed_statuses(
    before: Sequence[Instrument], after: Sequence[Instrument], time: int
) -> list[DraftMessage]:
    """Say what metadata changed of instruments' statuses, and which new ones are not traded."""
    known = [item.status for item in before]
    known += [InstrumentStatus.TRADING] * (len(after) - len(before))
    return [
        status_draft(str(item.symbol), item.status, time)
        for item, status in zip(after, known, strict=True)
        if item.status is not status
    ]


def append_gaps(numbers: Iterable[InstrumentId], now: Nanoseconds, batch: EventBatch) -> int:
    """Append a GAP for each instrument whose updates may be missing; return their number."""
    made = 0
    for number in numbers:
        batch.reserve(1)
        kind, flags = int(EventKind.GAP), int(EventFlag.LAST)
        batch.records[batch.count] = (0, now, 0, 0, -1, -1, -1, number, kind, 0, flags)
        batch.count += 1
        made += 1
    return made
