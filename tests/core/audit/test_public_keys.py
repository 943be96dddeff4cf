"""Checkpoints signed with one half of a key and checked with the other."""

import base64
import builtins
import hashlib
import pickle
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, x25519
from tests.core.audit.builders import add, finished_log, opened

from bot4_core.audit import (
    Checkpoint,
    CheckpointFile,
    CheckpointKey,
    CheckpointSigningKey,
    countersign,
    read_checkpoints,
    read_signer,
    read_verifier,
    verify,
)
from bot4_core.domain_types.canonical_types import Nanoseconds
from bot4_core.errors import AuditError, ChainError

NOTED = Checkpoint(origin="a@1", size=3, root=bytes(range(32)), time=Nanoseconds(7))
SEED = bytes(range(32))


def private_pem(key: ed25519.Ed25519PrivateKey | x25519.X25519PrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def public_pem(key: ed25519.Ed25519PrivateKey | x25519.X25519PrivateKey) -> bytes:
    return key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )


@pytest.fixture
def private(tmp_path: Path) -> Path:
    place = tmp_path / "private.pem"
    place.write_bytes(private_pem(ed25519.Ed25519PrivateKey.from_private_bytes(SEED)))
    return place


@pytest.fixture
def public(tmp_path: Path) -> Path:
    place = tmp_path / "public.pem"
    place.write_bytes(public_pem(ed25519.Ed25519PrivateKey.from_private_bytes(SEED)))
    return place


def test_the_public_half_checks_what_the_private_half_signed(private: Path, public: Path) -> None:
    signature = read_signer(private).sign(NOTED)
    for verifier in (read_verifier(public), read_verifier(private)):
        assert verifier.fits(NOTED, signature)


def test_a_signature_is_that_of_signed_notes(private: Path) -> None:
    raw = base64.b64decode(read_signer(private).sign(NOTED))
    key = ed25519.Ed25519PrivateKey.from_private_bytes(SEED)
    named = b"bot4-ed25519\n\x01" + key.public_key().public_bytes_raw()
    assert raw == hashlib.sha256(named).digest()[:4] + key.sign(NOTED.body.encode())


def other_signatures(private: Path) -> list[str]:
    raw = base64.b64decode(read_signer(private).sign(NOTED))
    other = CheckpointSigningKey(ed25519.Ed25519PrivateKey.from_private_bytes(SEED[::-1]))
    return [
        "no base64",
        "",
        base64.b64encode(raw[:-1]).decode(),
        base64.b64encode(raw[:-1] + bytes([raw[-1] ^ 1])).decode(),
        base64.b64encode(bytes(4) + raw[4:]).decode(),
        other.sign(NOTED),
        CheckpointKey(SEED).sign(NOTED),
    ]


def test_any_other_signature_does_not_fit(private: Path, public: Path) -> None:
    verifier = read_verifier(public)
    assert [verifier.fits(NOTED, each) for each in other_signatures(private)] == [False] * 7


def test_notes_of_a_log_are_checked_with_the_public_key_alone(
    tmp_path: Path, private: Path, public: Path
) -> None:
    path, notes = tmp_path / "a.audit", tmp_path / "elsewhere.txt"
    places = (CheckpointFile(notes, read_signer(private)),)
    with opened(path, places=places, checkpoint_records=10) as log:
        add(log, 20)
        log.finish(9)
    assert "— bot4-ed25519 " in notes.read_text()
    private.unlink()
    found = read_checkpoints(notes, read_verifier(public))
    assert verify(path, checkpoints=found).checkpoints == len(found) > 1
    notes.write_text(notes.read_text().replace("time 9", "time 8", 1))
    with pytest.raises(AuditError, match="is not signed with this key"):
        read_checkpoints(notes, read_verifier(public))


def test_any_other_file_is_a_secret(tmp_path: Path) -> None:
    place = tmp_path / "key"
    place.write_bytes(SEED)
    assert read_verifier(place).fits(NOTED, read_signer(place).sign(NOTED))
    place.unlink()
    with pytest.raises(AuditError, match="cannot read the checkpoint key: No such file"):
        read_signer(place)


def test_a_public_key_signs_nothing(public: Path) -> None:
    with pytest.raises(AuditError, match="a public key signs nothing; give the private one"):
        read_signer(public)


def test_keys_of_another_kind_are_refused(private: Path, public: Path) -> None:
    other = x25519.X25519PrivateKey.generate()
    private.write_bytes(private_pem(other))
    public.write_bytes(public_pem(other))
    for place in (private, public):
        with pytest.raises(AuditError, match="no Ed25519 key without password in PEM"):
            read_verifier(place)
    private.write_bytes(b"-----BEGIN PRIVATE KEY-----\nnonsense\n")
    with pytest.raises(AuditError, match="no Ed25519 key"):
        read_signer(private)


def test_without_the_package_the_error_says_what_to_install(
    private: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = builtins.__import__

    def absent(name: str, *rest: Any) -> Any:
        if name.startswith("cryptography"):
            raise ImportError(name)
        return plain(name, *rest)

    monkeypatch.setattr(builtins, "__import__", absent)
    with pytest.raises(AuditError, match=r"pip install 'bot4-core\[ed25519\]'"):
        read_signer(private)


def test_a_signing_key_shows_itself_nowhere(private: Path) -> None:
    key = read_signer(private)
    assert SEED.hex() not in repr(key)
    with pytest.raises(TypeError, match="stays where it is"):
        pickle.dumps(key)


def test_somebody_else_signs_a_log_that_goes_on(tmp_path: Path, private: Path) -> None:
    path, notes = tmp_path / "a.audit", tmp_path / "notes"
    keys = read_signer(private), read_verifier(private)
    finished_log(path)
    first = countersign(path, notes, *keys, Nanoseconds(5))
    with opened(path, "second", 7) as log:
        add(log, 3)
        log.finish(9)
    second = countersign(path, notes, *keys, Nanoseconds(6))
    assert read_checkpoints(notes, keys[1]) == [first, second]
    assert second.size == verify(path).records > first.size


def test_somebody_else_signs_no_log_that_was_rewritten(tmp_path: Path, private: Path) -> None:
    path, notes = tmp_path / "a.audit", tmp_path / "notes"
    keys = read_signer(private), read_verifier(private)
    finished_log(path)
    countersign(path, notes, *keys, Nanoseconds(5))
    path.unlink()
    with opened(path) as log:
        log.finish(9)
    verify(path)
    with pytest.raises(ChainError, match="there is a checkpoint of"):
        countersign(path, notes, *keys, Nanoseconds(6))
    assert len(read_checkpoints(notes)) == 1


def test_a_checkpoint_that_cannot_be_added_is_told(tmp_path: Path, private: Path) -> None:
    finished_log(tmp_path / "a.audit")
    keys = read_signer(private), read_verifier(private)
    with pytest.raises(AuditError, match="cannot add the checkpoint: No such file"):
        countersign(tmp_path / "a.audit", tmp_path / "none" / "notes", *keys, Nanoseconds(5))
