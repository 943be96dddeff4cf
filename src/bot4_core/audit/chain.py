"""The hash that ties each record to all records before it.

``digest = SHA-256(0x02 ‖ format ‖ previous ‖ sequence ‖ wall ‖ event ‖ lengths ‖ texts ‖ payload)``

The first byte keeps record hashes apart from the leaf (``0x00``) and node (``0x01``) hashes of an
RFC 9162 tree over them. Numbers are big-endian and of fixed width; the lengths of all five
variable parts come before them, so that no two different records make the same bytes.
"""

import hashlib
import struct
from typing import Final, TypeAlias

from bot4_core.domain_types.audit_records import AuditRecord

__all__ = ["FORMAT", "GENESIS", "RecordRow", "record_digest", "row_digest"]

FORMAT: Final = 1
"""Version of the record and of its hash."""
GENESIS: Final = bytes(32)
"""What the first record links to."""

RecordRow: TypeAlias = tuple[int, int, int, bytes, bytes, bytes, bytes, bytes, bytes, bytes]
"""A record as stored: sequence, wall time, event time, run, kind, actor, correlation, payload,
digest of the record before, digest; text as UTF-8."""

_DOMAIN: Final = 0x02
# domain, format, previous, sequence, wall time, event time, lengths of run, kind, actor,
# correlation and payload
_pack: Final = struct.Struct(">BH32sQqqIIIIQ").pack
_sha256: Final = hashlib.sha256


def row_digest(row: RecordRow) -> bytes:
    """Hash a record given as a row of bytes; the row's own digest plays no part."""
    sequence, wall, event, run, kind, actor, correlation, payload, previous, _ = row
    head = _pack(
        _DOMAIN,
        FORMAT,
        previous,
        sequence,
        wall,
        event,
        len(run),
        len(kind),
        len(actor),
        len(correlation),
        len(payload),
    )
    return _sha256(head + run + kind + actor + correlation + payload).digest()


def record_digest(record: AuditRecord) -> bytes:
    """Recompute the digest of a record from everything else in it."""
    return row_digest(
        (
            record.sequence,
            record.wall_time,
            record.event_time,
            record.run.encode(),
            record.kind.encode(),
            record.actor.encode(),
            record.correlation.encode(),
            record.payload,
            record.previous,
            record.digest,
        )
    )
