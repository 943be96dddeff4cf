"""The address of a server: a URL with a password in it, which no text may show."""

import os
import ssl
from typing import Final
from urllib.parse import parse_qs, unquote, urlsplit

from bot4_core.errors import StorageError

__all__ = ["checked_address", "encryption", "without_secrets"]

_SCHEMES: Final = frozenset({"postgresql", "postgres"})
_NEAR: Final = frozenset({"", "localhost", "127.0.0.1", "::1"})
_FORM: Final = "want postgresql://USER:PASSWORD@HOST:PORT/DATABASE, with %XX for other characters"


def checked_address(address: str) -> str:
    """Return an address of the right form.

    Raises
    ------
    StorageError
        If it is none; the text does not show it.
    """
    try:
        parts = urlsplit(address)
        right = parts.scheme in _SCHEMES
        for host in _hosts(address):
            right = right and "@" not in host
    except ValueError:
        right = False
    if not right:
        raise StorageError(f"the address of the PostgreSQL server is malformed; {_FORM}")
    return address


def encryption(address: str) -> ssl.SSLContext | None:
    """Return how to encrypt: a server elsewhere must prove its name, unless ``sslmode`` is set.

    None leaves it to what the address says.
    """
    chosen = "sslmode" in parse_qs(urlsplit(address).query) or "PGSSLMODE" in os.environ
    if chosen or all(host in _NEAR or host.startswith("/") for host in _hosts(address)):
        return None
    return ssl.create_default_context()


def without_secrets(text: str, address: str) -> str:
    """Blot out the address and its password wherever they occur."""
    parts = urlsplit(address)
    queried = parse_qs(parts.query).get("password", [])
    for secret in (address, parts.password, unquote(parts.password or ""), *queried):
        if secret:
            text = text.replace(secret, "[redacted]")
    return " ".join(text.split())


def _hosts(address: str) -> list[str]:
    parts = urlsplit(address)
    named = parts.netloc.rpartition("@")[2] or ",".join(parse_qs(parts.query).get("host", []))
    given = named or os.environ.get("PGHOST", "")
    return [_host(unquote(each)) for each in given.split(",")]


def _host(text: str) -> str:
    if text.startswith("["):
        return text[1:].partition("]")[0]
    return text if text.startswith("/") else text.partition(":")[0]
