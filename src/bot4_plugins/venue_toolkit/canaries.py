"""Keys that are planted to see whether they turn up where none may."""

import base64
import gzip
import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from urllib.parse import quote

import attrs

from bot4_core.errors import RecordingError
from bot4_core.market.recordings import Recording
from bot4_core.plugins.credentials import Credentials, Secret

__all__ = ["Leak", "forms", "leaks", "leaks_in", "planted"]

SHORTEST: Final = 8


@attrs.frozen
class Leak:
    """Where a canary was found, and in what form; never the text."""

    place: str
    form: str


def planted(word: str = "canary") -> Credentials:
    """Return keys that are easy to find again; the secret is a valid base64 text."""
    secret = base64.b64encode(f"{word} secret, to be seen nowhere".encode()).decode()
    return Credentials(
        key=Secret(f"{word}-key-Qm90NA"),
        secret=Secret(secret),
        passphrase=Secret(f"{word} & pass/phrase"),
    )


def forms(text: str) -> dict[str, bytes]:
    """Return how a text may be written: plain, quoted, escaped, as hex and as base64."""
    raw = text.encode()
    written = {
        "plain": raw,
        "quoted": quote(text, safe="").encode(),
        "escaped": json.dumps(text)[1:-1].encode(),
        "hex": raw.hex().encode(),
    }
    for shift in range(3):
        # base64 of a text inside a longer one, without the digits that its neighbours change
        digits = base64.b64encode(bytes(shift) + raw)
        first = -(-shift * 8 // 6)
        last = (shift + len(raw)) * 8 // 6
        written[f"base64+{shift}"] = digits[first:last]
    return {name: each for name, each in written.items() if len(each) >= SHORTEST}


def leaks_in(data: bytes, credentials: Credentials, place: str) -> list[Leak]:
    """Return the forms of keys that some bytes hold."""
    secrets = (credentials.key, credentials.secret, credentials.passphrase)
    return [
        Leak(place, name)
        for secret in secrets
        if secret
        for name, form in forms(secret.reveal()).items()
        if form in data
    ]


def leaks(folder: Path, credentials: Credentials) -> list[Leak]:
    """Search every file below a folder, also what is compressed in it."""
    found: list[Leak] = []
    for path in sorted(each for each in folder.rglob("*") if each.is_file()):
        place = str(path.relative_to(folder))
        for data in _contents(path):
            found += leaks_in(data, credentials, place)
        found += leaks_in(place.encode(), credentials, "a file's name")
    return found


def _contents(path: Path) -> Iterator[bytes]:
    """Yield a file's bytes, and what they are when unpacked."""
    data = path.read_bytes()
    yield data
    if data[:2] == b"\x1f\x8b":
        try:
            yield gzip.decompress(data)
        except (OSError, EOFError, zlib.error):
            return
    if path.suffix == ".b4r":
        yield from _recorded(path)


def _recorded(path: Path) -> Iterator[bytes]:
    try:
        for block in Recording(path, salvage=True).messages():
            yield block.buffer.tobytes()
    except RecordingError:
        return
