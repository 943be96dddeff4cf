"""The audit log: append-only, hash-chained, verifiable offline, readable with any SQLite."""

from bot4_core.audit.canonical import canonical_json
from bot4_core.audit.chain import FORMAT, GENESIS, record_digest
from bot4_core.audit.checkpoints import (
    Checkpoint,
    CheckpointFile,
    CheckpointKey,
    CheckpointLines,
    read_checkpoints,
)
from bot4_core.audit.log_settings import AuditDurability, LogSettings
from bot4_core.audit.queries import AuditQuery, read_records, search, why
from bot4_core.audit.segments import find_segments
from bot4_core.audit.store import AuditLog
from bot4_core.audit.verification import VerifyReport, verify

__all__ = [
    "FORMAT",
    "GENESIS",
    "AuditDurability",
    "AuditLog",
    "AuditQuery",
    "Checkpoint",
    "CheckpointFile",
    "CheckpointKey",
    "CheckpointLines",
    "LogSettings",
    "VerifyReport",
    "canonical_json",
    "find_segments",
    "read_checkpoints",
    "read_records",
    "record_digest",
    "search",
    "verify",
    "why",
]
