"""Signatures of private requests, and the numbers that must rise from one to the next."""

import base64
import hashlib
import hmac
from collections.abc import Sequence
from urllib.parse import quote_plus

from bot4_core.domain_types.canonical_types import Nanoseconds
from bot4_core.domain_types.rate_limits import RateRequest
from bot4_core.errors import ConfigError
from bot4_core.plugins.credentials import Credentials
from bot4_core.plugins.exchange import Outbound

__all__ = ["KrakenSigner", "api_signature"]

IN_MILLISECOND = 1_000_000


def api_signature(path: str, nonce: str, body: str, secret: bytes) -> str:
    """Return ``API-Sign``: base64 of HMAC-SHA512 over the path and SHA-256 of nonce and body."""
    digest = hashlib.sha256((nonce + body).encode()).digest()
    mac = hmac.digest(secret, path.encode() + digest, "sha512")
    return base64.b64encode(mac).decode()


class KrakenSigner:
    """Signs requests with the keys of one account.

    Nonces are milliseconds of the time that a request is signed for, and always above the last
    one: two processes must not share a key.
    """

    def __init__(self, credentials: Credentials) -> None:
        self._key = credentials.key.reveal()
        try:
            self._secret = base64.b64decode(credentials.secret.reveal(), validate=True)
        except ValueError:
            raise ConfigError("kraken keys", [("secret", "it is not base64")]) from None
        self._last = 0

    def __repr__(self) -> str:
        return "KrakenSigner(***)"

    def request(
        self,
        path: str,
        fields: Sequence[tuple[str, str]],
        now: Nanoseconds,
        cost: RateRequest,
        *,
        tag: str,
        order: int = -1,
    ) -> Outbound:
        """Return a signed POST request."""
        self._last = max(self._last + 1, now // IN_MILLISECOND)
        nonce = str(self._last)
        pairs = (f"&{name}={_quoted(value)}" for name, value in fields)
        body = f"nonce={nonce}{''.join(pairs)}"
        headers = (
            ("API-Key", self._key),
            ("API-Sign", api_signature(path, nonce, body, self._secret)),
            ("Content-Type", "application/x-www-form-urlencoded"),
        )
        return Outbound(
            connection="rest",
            method="POST",
            path=path,
            body=body.encode(),
            headers=headers,
            tag=tag,
            cost=cost,
            order=order,
        )


def _quoted(value: str) -> str:
    """Escape a value; most are numbers and words, which need none."""
    plain = value.replace(".", "")
    return value if plain.isascii() and plain.isalnum() else quote_plus(value)
