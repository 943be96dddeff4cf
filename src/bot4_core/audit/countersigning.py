"""Checkpoints by somebody else than the log's writer, who then never holds the key."""

from pathlib import Path

from bot4_core.audit.checkpoints import (
    Checkpoint,
    CheckpointFile,
    CheckpointSigner,
    CheckpointVerifier,
    read_checkpoints,
)
from bot4_core.audit.verification import verify
from bot4_core.domain_types.canonical_types import Nanoseconds
from bot4_core.errors import AuditError

__all__ = ["countersign"]


def countersign(
    path: Path | str,
    notes: Path,
    signer: CheckpointSigner,
    verifier: CheckpointVerifier,
    time: Nanoseconds,
) -> Checkpoint:
    """Verify a log against the checkpoints in a file, and add one of what it holds now.

    Parameters
    ----------
    path : Path or str
        The log; it is only read.
    notes : Path
        Signed checkpoints; made if it does not exist.
    signer, verifier : CheckpointSigner, CheckpointVerifier
        Of the same key: every checkpoint in ``notes`` must bear its signature.
    time : Nanoseconds
        Wall time.

    Raises
    ------
    ChainError
        If the log is not the one that was signed earlier, or does not verify.
    AuditError
        If something cannot be read or written.
    """
    earlier = read_checkpoints(notes, verifier) if notes.exists() else []
    found = verify(path, checkpoints=earlier)
    checkpoint = Checkpoint(
        origin=found.origin, size=found.records, root=bytes.fromhex(found.root), time=time
    )
    try:
        CheckpointFile(notes, signer).put(checkpoint)
    except OSError as error:
        cause = error.strerror or str(error)
        raise AuditError(f"{notes}: cannot add the checkpoint: {cause}") from error
    return checkpoint
