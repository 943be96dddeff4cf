"""How a log is kept: checkpoints, segments, reserve, and what must not get into it."""

import sys
from collections.abc import Callable
from enum import StrEnum

import attrs

from bot4_core.audit.checkpoints import CheckpointPlace

__all__ = ["AuditDurability", "LogSettings"]


class AuditDurability(StrEnum):
    """What a committed record survives."""

    FULL = "full"  # power loss: every commit waits for the disk
    NORMAL = "normal"  # death of the process; a power cut may take the last commits


def to_standard_error(text: str) -> None:
    """Write a line where it is seen even if nothing else works."""
    sys.stderr.write(f"bot4: {text}\n")


@attrs.frozen(kw_only=True)
class LogSettings:
    """How a log is kept.

    Parameters
    ----------
    places : tuple of CheckpointPlace
        Where checkpoints go.
    checkpoint_records, checkpoint_ns : int
        Records, or wall time, after which the next commit makes a checkpoint.
    segment_bytes : int
        Size from which on the next segment begins; so does every UTC day.
    reserve_bytes : int
        Room held on the disk for when it is full; 0 for none.
    quarantine : bool
        Put a damaged segment, or a damaged emergency file, aside and go on.
    secrets : tuple of str
        Texts that are blotted out wherever they occur in a payload.
    alarm : callable
        Told in one line when the log cannot be written, and when it can again; standard error
        unless something else is given.
    """

    places: tuple[CheckpointPlace, ...] = ()
    checkpoint_records: int = 1_000
    checkpoint_ns: int = 10_000_000_000
    segment_bytes: int = 2**30
    reserve_bytes: int = 2**20
    quarantine: bool = False
    secrets: tuple[str, ...] = attrs.field(default=(), repr=False)
    alarm: Callable[[str], None] = to_standard_error
