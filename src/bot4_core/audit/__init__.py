"""The audit log: append-only, hash-chained, verifiable offline, readable with any SQLite."""

from bot4_core.audit.canonical import canonical_json
from bot4_core.audit.chain import FORMAT, GENESIS, record_digest
from bot4_core.audit.queries import AuditQuery, read_records, search, why
from bot4_core.audit.store import AuditDurability, AuditLog
from bot4_core.audit.verification import VerifyReport, verify

__all__ = [
    "FORMAT",
    "GENESIS",
    "AuditDurability",
    "AuditLog",
    "AuditQuery",
    "VerifyReport",
    "canonical_json",
    "read_records",
    "record_digest",
    "search",
    "verify",
    "why",
]
