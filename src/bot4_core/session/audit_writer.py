"""Keeps what a session does in the audit log, intents before they act."""

from typing import Final

from bot4_core.audit import AuditLog
from bot4_core.audit.canonical import Payload
from bot4_core.domain_types.audit_records import AuditKind
from bot4_core.errors import AuditError
from bot4_core.session.durations import LatencyHistogram
from bot4_core.session.effects import (
    CancelOrder,
    Note,
    OrderText,
    QueryOrder,
    RecordIntent,
    SendOrder,
)
from bot4_core.session.ports import Clock

__all__ = ["AuditWriter"]

COMMIT_AFTER: Final = 512
"""Records that may wait for a commit while no order depends on them."""


class AuditWriter:
    """Writes effects to an audit log; without a log it keeps nothing and never fails.

    Attributes
    ----------
    healthy : bool
        Whether the last commit succeeded.
    lost : int
        Records that could not even be appended.
    commits : LatencyHistogram
        How long commits took that worked, ns.
    """

    def __init__(self, log: AuditLog | None, text: OrderText, actor: str, clock: Clock) -> None:
        self.log = log
        self.healthy = True
        self.lost = 0
        self.commits = LatencyHistogram()
        self._text = text
        self._actor = actor
        self._clock = clock

    def keep_intent(self, record: RecordIntent) -> None:
        """Append an intent or a refusal."""
        if self.log is not None:
            payload = self._text.intent(record)
            self._append(record.kind, self._actor, record.client_id, payload, record.time)

    def keep_note(self, note: Note) -> None:
        """Append any other record."""
        self._append(note.kind, note.actor, note.correlation, note.payload, note.time)

    def keep_send(self, effect: SendOrder, client_id: str) -> None:
        """Append that an order's bytes left."""
        payload: Payload = {"what": "order", "number": effect.number}
        self._append(AuditKind.SEND, "session", client_id, payload, effect.time)

    def keep_cancel(self, effect: CancelOrder, client_id: str) -> None:
        """Append that a cancellation left."""
        payload: Payload = {"what": "cancel", "number": effect.number, "reason": effect.reason}
        self._append(AuditKind.SEND, "session", client_id, payload, effect.time)

    def keep_query(self, effect: QueryOrder, client_id: str) -> None:
        """Append that a question about an order left."""
        payload: Payload = {"what": "query", "number": effect.number, "attempt": effect.attempt}
        self._append(AuditKind.SEND, "session", client_id, payload, effect.time)

    def commit(self) -> bool:
        """Make everything appended durable; return whether that worked."""
        if self.log is None:
            return True
        begin = self._clock.perf_counter_ns()
        try:
            self.log.commit()
        except AuditError:
            self.healthy = False
        else:
            self.commits.add(self._clock.perf_counter_ns() - begin)
            self.healthy = self.lost == 0
        return self.healthy

    def keep_up(self) -> None:
        """Commit when many records wait, or try once more when the last commit failed."""
        if self.log is not None and (self.log.pending >= COMMIT_AFTER or not self.healthy):
            self.commit()

    def _append(
        self, kind: AuditKind, actor: str, client_id: str, payload: Payload, time: int
    ) -> None:
        if self.log is None:
            return
        try:
            self.log.append(
                kind,
                actor,
                client_id,
                payload,
                event_time=time,
                wall_time=self._clock.time_ns(),
            )
        except AuditError:
            self.lost += 1
            self.healthy = False
