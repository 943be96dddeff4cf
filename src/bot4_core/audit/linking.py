"""Making the next record of a chain."""

import json
from collections.abc import Sequence
from typing import Final

from bot4_core.audit.canonical import Payload, canonical_json
from bot4_core.audit.chain import RecordRow, row_digest
from bot4_core.audit.chain_walk import ChainEnd, tree_payload
from bot4_core.domain_types.audit_records import AuditKind

__all__ = ["Linker"]

_BLOT: Final = b"[redacted]"


class Linker:
    """Makes records that follow one another, each of one run.

    Parameters
    ----------
    end : ChainEnd
        Where the chain stands; moves along.
    run : str
    secrets : sequence of str
        Blotted out wherever they occur in a payload.
    """

    def __init__(self, end: ChainEnd, run: str, secrets: Sequence[str] = ()) -> None:
        self.end = end
        self.wall = end.last[1] if end.last is not None else 0
        self._run = run.encode()
        texts = [each for each in secrets if each]
        inner = [json.dumps(each, ensure_ascii=False)[1:-1] for each in texts]  # within TOML, JSON
        forms = dict.fromkeys(json.dumps(each)[1:-1] for each in [*texts, *inner])
        self._secrets = [form.encode() for form in forms]

    def made(
        self,
        kind: AuditKind,
        actor: str,
        correlation: str,
        payload: Payload,
        *,
        event_time: int,
        wall_time: int,
    ) -> RecordRow:
        """Return the record that would come next."""
        body, end = canonical_json(payload), self.end
        for secret in self._secrets:
            if secret in body:
                body = body.replace(secret, _BLOT)
        texts = self._run, kind.encode(), actor.encode(), correlation.encode()
        sequence = end.sequence + 1
        head = (sequence, wall_time, event_time, *texts, body, end.head)
        return (*head, row_digest((*head, b"")))

    def link(self, row: RecordRow) -> None:
        """Go on after this record."""
        end = self.end
        end.tree.add_entry(row[9])
        end.sequence, end.head, self.wall = row[0], row[9], row[1]

    def checkpoint(self) -> RecordRow:
        """Return a record of the tree over all before it."""
        return self._own(AuditKind.CHECKPOINT, tree_payload(self.end))

    def segment(self, before: Payload, wall_time: int = 0) -> RecordRow:
        """Return the first record of another file."""
        payload = {"previous": before, **tree_payload(self.end)}
        return self._own(AuditKind.SEGMENT, payload, wall_time)

    def _own(self, kind: AuditKind, payload: Payload, wall_time: int = 0) -> RecordRow:
        wall = wall_time or self.wall
        return self.made(kind, "audit", "", payload, event_time=0, wall_time=wall)
