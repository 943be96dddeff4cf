"""The audit log: append-only, hash-chained, verifiable offline, readable with any SQLite."""

from bot4_core.audit.canonical import canonical_json
from bot4_core.audit.chain import FORMAT, GENESIS, record_digest
from bot4_core.audit.checkpoints import (
    Checkpoint,
    CheckpointFile,
    CheckpointKey,
    CheckpointLines,
    CheckpointSigner,
    CheckpointVerifier,
    read_checkpoints,
)
from bot4_core.audit.comparison import Comparison, FieldDifference, Parting, compare_runs
from bot4_core.audit.countersigning import countersign
from bot4_core.audit.export import OrderExport, check_export, export_order
from bot4_core.audit.log_settings import AuditDurability, LogSettings
from bot4_core.audit.order_lookup import why
from bot4_core.audit.public_keys import (
    CheckpointPublicKey,
    CheckpointSigningKey,
    read_signer,
    read_verifier,
)
from bot4_core.audit.queries import AuditQuery, read_records, search
from bot4_core.audit.segments import find_segments
from bot4_core.audit.store import AuditLog
from bot4_core.audit.text_search import search_text
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
    "CheckpointPublicKey",
    "CheckpointSigner",
    "CheckpointSigningKey",
    "CheckpointVerifier",
    "Comparison",
    "FieldDifference",
    "LogSettings",
    "OrderExport",
    "Parting",
    "VerifyReport",
    "canonical_json",
    "check_export",
    "compare_runs",
    "countersign",
    "export_order",
    "find_segments",
    "read_checkpoints",
    "read_records",
    "read_signer",
    "read_verifier",
    "record_digest",
    "search",
    "search_text",
    "verify",
    "why",
]
