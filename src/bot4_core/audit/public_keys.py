"""Ed25519 keys for checkpoints: who can check a signature could not have made it.

The signature is that of signed notes: base64 of four bytes that name the key, and the Ed25519
signature (RFC 8032) of the checkpoint's text. The package ``cryptography`` does the arithmetic and
is imported when a key is read.
"""

import base64
import binascii
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bot4_core.audit.checkpoints import (
    Checkpoint,
    CheckpointKey,
    CheckpointSigner,
    CheckpointVerifier,
)
from bot4_core.errors import AuditError

if TYPE_CHECKING:  # an optional dependency
    from cryptography.hazmat.primitives.asymmetric.ed25519 import (
        Ed25519PrivateKey,
        Ed25519PublicKey,
    )

__all__ = ["CheckpointPublicKey", "CheckpointSigningKey", "read_signer", "read_verifier"]

_NAME: Final = "bot4-ed25519"
_ED25519: Final = b"\x01"  # the algorithm's number in signed notes
_PRIVATE: Final = b"-----BEGIN PRIVATE KEY-----"
_PUBLIC: Final = b"-----BEGIN PUBLIC KEY-----"
_MARK_SIZE: Final = 4


class CheckpointPublicKey:
    """Checks signatures; it can make none.

    Parameters
    ----------
    key : Ed25519PublicKey
    """

    __slots__ = ("_key", "mark")

    def __init__(self, key: "Ed25519PublicKey") -> None:
        self._key = key
        named = f"{_NAME}\n".encode() + _ED25519 + key.public_bytes_raw()
        self.mark = hashlib.sha256(named).digest()[:_MARK_SIZE]

    def fits(self, checkpoint: Checkpoint, signature: str) -> bool:
        """Whether a signature is that of this key's private half."""
        from cryptography.exceptions import InvalidSignature  # noqa: PLC0415 - optional

        try:
            raw = base64.b64decode(signature, validate=True)
        except binascii.Error:
            return False
        if raw[:_MARK_SIZE] != self.mark:
            return False
        try:
            self._key.verify(raw[_MARK_SIZE:], checkpoint.body.encode())
        except InvalidSignature:
            return False
        return True


class CheckpointSigningKey:
    """Signs checkpoints; it shows itself nowhere.

    Parameters
    ----------
    key : Ed25519PrivateKey

    Attributes
    ----------
    public : CheckpointPublicKey
    """

    __slots__ = ("_key", "algorithm", "public")

    def __init__(self, key: "Ed25519PrivateKey") -> None:
        self.algorithm = _NAME
        self.public = CheckpointPublicKey(key.public_key())
        self._key = key

    def __reduce__(self) -> str:
        raise TypeError("a checkpoint key stays where it is")

    def sign(self, checkpoint: Checkpoint) -> str:
        """Return the signature in base64: four bytes that name the key, and the signature."""
        return base64.b64encode(
            self.public.mark + self._key.sign(checkpoint.body.encode())
        ).decode()


def read_signer(path: Path) -> CheckpointSigner:
    """Read what signs: a private Ed25519 key in PEM, or any other secret for HMAC.

    Raises
    ------
    AuditError
        If it cannot be read, cannot sign, or needs a package that is not there.
    """
    content = _content(path)
    if content.startswith(_PRIVATE):
        return _signing_key(path, content)
    if content.startswith(_PUBLIC):
        raise AuditError(f"{path}: a public key signs nothing; give the private one")
    return CheckpointKey.read(path)


def read_verifier(path: Path) -> CheckpointVerifier:
    """Read what checks signatures: a public or private Ed25519 key in PEM, or a secret for HMAC.

    Raises
    ------
    AuditError
        If it cannot be read, or needs a package that is not there.
    """
    content = _content(path)
    if content.startswith(_PRIVATE):
        return _signing_key(path, content).public
    if content.startswith(_PUBLIC):
        return _public_key(path, content)
    return CheckpointKey.read(path)


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes().lstrip()
    except OSError as error:
        cause = error.strerror or str(error)
        raise AuditError(f"{path}: cannot read the checkpoint key: {cause}") from error


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    try:
        yield
    except ImportError as error:
        raise AuditError(
            f"{path}: keys of this kind need the package cryptography; "
            "pip install 'bot4-core[ed25519]'"
        ) from error
    except (ValueError, TypeError) as error:
        raise AuditError(f"{path}: no Ed25519 key without password in PEM") from error


def _signing_key(path: Path, content: bytes) -> CheckpointSigningKey:
    with _reading(path):
        from cryptography.hazmat.primitives.asymmetric import ed25519  # noqa: PLC0415 - optional
        from cryptography.hazmat.primitives.serialization import (  # noqa: PLC0415 - optional
            load_pem_private_key,
        )

        key = load_pem_private_key(content, None)
        if not isinstance(key, ed25519.Ed25519PrivateKey):
            raise TypeError(type(key).__name__)
        return CheckpointSigningKey(key)


def _public_key(path: Path, content: bytes) -> CheckpointPublicKey:
    with _reading(path):
        from cryptography.hazmat.primitives.asymmetric import ed25519  # noqa: PLC0415 - optional
        from cryptography.hazmat.primitives.serialization import (  # noqa: PLC0415 - optional
            load_pem_public_key,
        )

        key = load_pem_public_key(content)
        if not isinstance(key, ed25519.Ed25519PublicKey):
            raise TypeError(type(key).__name__)
        return CheckpointPublicKey(key)
