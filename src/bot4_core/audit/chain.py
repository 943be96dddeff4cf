"""The hash that ties each record to all records before it.

``digest = SHA-256(0x02 ‖ format ‖ previous ‖ sequence ‖ wall ‖ event ‖ lengths ‖ texts ‖ payload)``

The first byte keeps record hashes apart from the leaf (``0x00``) and node (``0x01``) hashes of an
RFC 9162 tree over them. Numbers are big-endian and of fixed width; the lengths of all five
variable parts come before them, so that no two different records make the same bytes.
"""

import hashlib
import struct
from typing import Final

from bot4_core.domain_types.audit_records import AuditRecord

__all__ = ["FORMAT", "GENESIS", "digest_of_parts", "record_digest"]

FORMAT: Final = 1
"""Version of the record and of its hash."""
GENESIS: Final = bytes(32)
"""What the first record links to."""

_DOMAIN: Final = 0x02
# domain, format, previous, sequence, wall time, event time, lengths of run, kind, actor,
# correlation and payload
_pack: Final = struct.Struct(">BH32sQqqIIIIQ").pack
_sha256: Final = hashlib.sha256


def digest_of_parts(
    sequence: int,
    times: tuple[int, int],
    texts: tuple[bytes, bytes, bytes, bytes],
    payload: bytes,
    previous: bytes,
) -> bytes:
    """Hash a record given as bytes.

    Parameters
    ----------
    sequence : int
        From 1.
    times : (wall, event)
        ns.
    texts : (run, kind, actor, correlation)
        UTF-8.
    payload : bytes
        Canonical JSON.
    previous : bytes
        Digest of the record before.
    """
    run, kind, actor, correlation = texts
    head = _pack(
        _DOMAIN,
        FORMAT,
        previous,
        sequence,
        *times,
        len(run),
        len(kind),
        len(actor),
        len(correlation),
        len(payload),
    )
    return _sha256(b"".join((head, run, kind, actor, correlation, payload))).digest()


def record_digest(record: AuditRecord) -> bytes:
    """Recompute the digest of a record from everything else in it."""
    return digest_of_parts(
        record.sequence,
        (record.wall_time, record.event_time),
        (
            record.run.encode(),
            record.kind.encode(),
            record.actor.encode(),
            record.correlation.encode(),
        ),
        record.payload,
        record.previous,
    )
