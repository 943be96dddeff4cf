"""Checkpoints: signed notes of how long the log was and what its tree said.

A chain shows only that a log fits itself; who can write the file can rebuild it. A checkpoint that
stands where the writer cannot change it (another volume, a log collector) shows that too. Its form
is the signed note of transparency logs: origin, size, root in base64, a line with the time, an
empty line, signatures. The signature is HMAC-SHA256, where who can check it can also make it, or
that of a key pair (see ``public_keys``).
"""

import base64
import binascii
import hashlib
import hmac
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Protocol

import attrs

from bot4_core.domain_types.canonical_types import Nanoseconds
from bot4_core.errors import AuditError

__all__ = [
    "Checkpoint",
    "CheckpointFile",
    "CheckpointKey",
    "CheckpointLines",
    "CheckpointPlace",
    "CheckpointSigner",
    "CheckpointVerifier",
    "read_checkpoints",
]

_LEAST_KEY: Final = 16
_MARK: Final = "bot4-checkpoint"
_SIGNATURE: Final = re.compile(r"— (\S+) ([A-Za-z0-9+/]+=*)")
_LINE: Final = re.compile(rf"{_MARK} (\S+) (\d+) (\S+) (\d+)(?: (\S+))?")


@attrs.frozen(kw_only=True)
class Checkpoint:
    """A log at one moment: the tree over its first ``size`` records."""

    origin: str  # names the log
    size: int
    root: bytes
    time: Nanoseconds  # wall time

    @property
    def body(self) -> str:
        """What is signed."""
        root = base64.b64encode(self.root).decode()
        return f"{self.origin}\n{self.size}\n{root}\ntime {self.time}\n"


class CheckpointSigner(Protocol):
    """Signs checkpoints: a key in this process, or somebody who asks another one.

    Attributes
    ----------
    algorithm : str
        Names the signature in a note; without blanks.
    """

    algorithm: str

    def sign(self, checkpoint: Checkpoint) -> str:
        """Return the signature in base64; an ``OSError`` says that there is none."""
        ...


class CheckpointVerifier(Protocol):
    """Checks signatures."""

    def fits(self, checkpoint: Checkpoint, signature: str) -> bool:
        """Whether a signature is one of this checkpoint by the key that is meant."""
        ...


class CheckpointKey:
    """A secret with which checkpoints are signed and checked; it shows itself nowhere.

    Parameters
    ----------
    secret : bytes
        At least 16 bytes.
    """

    __slots__ = ("_secret", "algorithm", "mark")

    def __init__(self, secret: bytes) -> None:
        if len(secret) < _LEAST_KEY:
            raise AuditError(
                f"a checkpoint key of {len(secret)} bytes is too short; give {_LEAST_KEY} or more"
            )
        self.algorithm = "bot4-hmac-sha256"
        self._secret = secret
        self.mark = self._mac("bot4 checkpoint key")[:4]

    @classmethod
    def read(cls, path: Path) -> "CheckpointKey":
        """Read a key file; blanks around the key do not count.

        Raises
        ------
        AuditError
            If it cannot be read or is too short.
        """
        try:
            return cls(path.read_bytes().strip())
        except AuditError as error:
            raise AuditError(f"{path}: {error}") from None
        except OSError as error:
            cause = error.strerror or str(error)
            raise AuditError(f"{path}: cannot read the checkpoint key: {cause}") from error

    def __reduce__(self) -> str:
        raise TypeError("a checkpoint key stays where it is")

    def sign(self, checkpoint: Checkpoint) -> str:
        """Return the signature in base64: four bytes that name the key, and the HMAC."""
        return base64.b64encode(self.mark + self._mac(checkpoint.body)).decode()

    def fits(self, checkpoint: Checkpoint, signature: str) -> bool:
        """Whether a signature is this key's."""
        return hmac.compare_digest(self.sign(checkpoint), signature)

    def _mac(self, text: str) -> bytes:
        return hmac.digest(self._secret, text.encode(), hashlib.sha256)


class CheckpointPlace(Protocol):
    """Somewhere to put checkpoints."""

    def put(self, checkpoint: Checkpoint) -> None:
        """Keep a checkpoint; an ``OSError`` says that it could not be kept."""
        ...


@attrs.frozen
class CheckpointFile:
    """A file to which notes are appended; put it where the log's writer cannot reach back."""

    path: Path
    key: CheckpointSigner | None = None

    def put(self, checkpoint: Checkpoint) -> None:
        """Append a note and wait for the disk."""
        note = checkpoint.body + "\n"
        if self.key is not None:
            note += f"— {self.key.algorithm} {self.key.sign(checkpoint)}\n"
        file = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            os.write(file, f"{note}\n".encode())
            os.fsync(file)
        finally:
            os.close(file)


@attrs.frozen
class CheckpointLines:
    """Standard error, one line a checkpoint, for whatever collects a program's log."""

    key: CheckpointSigner | None = None

    def put(self, checkpoint: Checkpoint) -> None:
        """Write a line."""
        words = checkpoint.body.replace("time ", "").split()
        if self.key is not None:
            words.append(self.key.sign(checkpoint))
        sys.stderr.write(f"{_MARK} {' '.join(words)}\n")


def read_checkpoints(path: Path | str, key: CheckpointVerifier | None = None) -> list[Checkpoint]:
    """Read notes and lines with checkpoints; other lines do not count.

    Parameters
    ----------
    path : Path or str
    key : CheckpointVerifier, optional
        Every checkpoint must bear its signature; without a key signatures are not looked at.

    Raises
    ------
    AuditError
        If the file cannot be read, holds none, or one is damaged or not signed so.
    """
    place = Path(path)
    try:
        text = place.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise AuditError(f"{place}: cannot read the checkpoints: {error}") from error
    found = []
    for number, checkpoint, signature in _checkpoints_of(place, text.split("\n")):
        if key is not None and not key.fits(checkpoint, signature):
            fault = "is not signed with this key" if signature else "is not signed"
            raise AuditError(f"{place}: the checkpoint at line {number} {fault}")
        found.append(checkpoint)
    if not found:
        raise AuditError(f"{place}: holds no checkpoint; check the path")
    return found


def _checkpoints_of(path: Path, lines: list[str]) -> Iterator[tuple[int, Checkpoint, str]]:
    """Yield line numbers, checkpoints and signatures, empty where there is none."""
    for number, line in enumerate(lines, start=1):
        said = _LINE.search(line)
        if said:
            yield number, _checkpoint(path, number, said.groups()[:4]), said[5] or ""
        elif line.startswith("time ") and number > 3:
            if len(lines) < number + 3:
                return  # the writer died within this note
            fields = (*lines[number - 4 : number - 1], line.removeprefix("time "))
            signed = _SIGNATURE.fullmatch(lines[number + 1])
            yield number - 3, _checkpoint(path, number, fields), signed[2] if signed else ""


def _checkpoint(path: Path, number: int, fields: tuple[str, ...]) -> Checkpoint:
    origin, size, root, time = fields
    try:
        return Checkpoint(
            origin=origin,
            size=int(size),
            root=base64.b64decode(root, validate=True),
            time=Nanoseconds(int(time)),
        )
    except (ValueError, binascii.Error) as error:
        raise AuditError(f"{path}: the checkpoint near line {number} is damaged") from error
