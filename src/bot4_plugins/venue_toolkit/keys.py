"""Keys from the environment, from files or from the system's keyring; never shown."""

import os
import stat
from collections.abc import MutableMapping
from importlib import import_module
from pathlib import Path
from typing import Final, Protocol, cast

from bot4_core.errors import ConfigError
from bot4_core.plugins.credentials import Credentials, Secret

__all__ = ["Keyring", "read_credentials", "system_keyring", "variable"]

PARTS: Final = ("KEY", "SECRET", "PASSPHRASE")
LARGEST: Final = 1 << 16
BY_OTHERS: Final = stat.S_IRWXO | stat.S_IWGRP
"""Others may not touch a key's file, its group may read it: that is how secrets are mounted."""


class Keyring(Protocol):
    """A store of passwords; the package ``keyring`` is one."""

    def get_password(self, service_name: str, username: str) -> str | None:
        """Return a password."""
        raise NotImplementedError


def variable(venue: str, part: str, account: str = "") -> str:
    """Return the name of an environment variable: ``BOT4_BINANCE_KEY``, ``BOT4_OKX_KEY_SECOND``."""
    words = ["BOT4", venue, part, *([account] if account else [])]
    return "_".join(word.upper().replace("-", "_") for word in words)


def system_keyring() -> Keyring | None:
    """Return the system's store of passwords, None without the package ``keyring``."""
    try:
        return cast("Keyring", import_module("keyring"))
    except ImportError:
        return None


def read_credentials(
    venue: str,
    account: str = "",
    *,
    environ: MutableMapping[str, str] | None = None,
    keyring: Keyring | None = None,
    keep: bool = False,
) -> Credentials | None:
    """Return a venue's keys, or None where there are none.

    ``BOT4_<VENUE>_KEY``, ``_SECRET`` and, where the venue has one, ``_PASSPHRASE``; each also as
    ``..._FILE``, the path of a file that holds it. What the environment does not name is looked
    for in the keyring, under the service ``bot4-<venue>``.

    Parameters
    ----------
    venue : str
    account : str
        Of several at one venue; ends the variables' names.
    environ : mutable mapping, optional
        In place of the process's environment.
    keyring : Keyring, optional
    keep : bool
        Leave the variables where they are. They are taken out otherwise, so that neither parts
        nor child processes find them.

    Raises
    ------
    ConfigError
        If only some are there, one is there twice, or a file cannot be read or is open to others.
    """
    source = os.environ if environ is None else environ
    faults: list[tuple[str, str]] = []
    found = {part: _part(venue, part, account, source, keyring, faults) for part in PARTS}
    if not faults and found["KEY"] is None and found["SECRET"] is None:
        return None
    for part in PARTS[:2]:
        if not faults and found[part] is None:
            faults.append((variable(venue, part, account), "is not set, though another part is"))
    if faults:
        raise ConfigError("keys", faults)
    if not keep:
        for part in PARTS:
            source.pop(variable(venue, part, account), None)
    texts = {part: Secret(text or "") for part, text in found.items()}
    return Credentials(key=texts["KEY"], secret=texts["SECRET"], passphrase=texts["PASSPHRASE"])


def _part(
    venue: str,
    part: str,
    account: str,
    environ: MutableMapping[str, str],
    keyring: Keyring | None,
    faults: list[tuple[str, str]],
) -> str | None:
    """Return one part's text, or None; say what is wrong without showing it."""
    name = variable(venue, part, account)
    text, path = environ.get(name), environ.get(f"{name}_FILE")
    if text is not None and path is not None:
        faults.append((name, f"is set, and {name}_FILE is too; choose one"))
        return None
    if path is not None:
        return _from_file(Path(path), f"{name}_FILE", faults)
    if text is None and keyring is not None:
        user = f"{part.lower()}-{account}" if account else part.lower()
        text = keyring.get_password(f"bot4-{venue}", user)
    if text is not None and not text.strip():
        faults.append((name, "is empty"))
    return text


def _from_file(path: Path, name: str, faults: list[tuple[str, str]]) -> str | None:
    try:
        mode, size = path.stat().st_mode, path.stat().st_size
        if os.name == "posix" and mode & BY_OTHERS:
            rights = stat.filemode(mode)
            faults.append((name, f"{path} is open to others ({rights}); chmod 400 {path}"))
            return None
        text = path.read_text(encoding="utf-8").strip() if size <= LARGEST else ""
    except OSError as error:
        faults.append((name, f"{path} cannot be read: {error.strerror}"))
        return None
    except UnicodeDecodeError:  # its text holds the bytes
        faults.append((name, f"{path} is no UTF-8 text"))
        return None
    if not text:
        faults.append((name, f"{path} holds no key (empty, or above {LARGEST:,} bytes)"))
        return None
    return text
