"""Signatures: HMAC-SHA256 in hexadecimal, of requests and of logins."""

import hashlib
import hmac
import json

import attrs

from bot4_core.plugins.credentials import Credentials, Secret

__all__ = ["BybitSigner", "signature"]

MILLISECOND = 1_000_000
LOGIN_LASTS = 10_000  # ms


def signature(secret: Secret, payload: str) -> str:
    """Sign a text."""
    return hmac.new(secret.reveal().encode(), payload.encode(), hashlib.sha256).hexdigest()


@attrs.frozen(kw_only=True)
class BybitSigner:
    """Signs for one account.

    Parameters
    ----------
    credentials : Credentials
    window : int
        How long after its time a request may arrive, ms.
    """

    credentials: Credentials = attrs.field(repr=False)
    window: int

    def headers(self, now: int, content: str) -> tuple[tuple[str, str], ...]:
        """Return the headers of a request, whose query string or body is the content."""
        time = str(now // MILLISECOND)
        key = self.credentials.key.reveal()
        signed = signature(self.credentials.secret, f"{time}{key}{self.window}{content}")
        return (
            ("X-BAPI-API-KEY", key),
            ("X-BAPI-TIMESTAMP", time),
            ("X-BAPI-RECV-WINDOW", str(self.window)),
            ("X-BAPI-SIGN", signed),
        )

    def login(self, now: int) -> bytes:
        """Return the frame that a private connection starts with."""
        expires = now // MILLISECOND + LOGIN_LASTS
        signed = signature(self.credentials.secret, f"GET/realtime{expires}")
        frame = {"op": "auth", "args": [self.credentials.key.reveal(), expires, signed]}
        return json.dumps(frame, separators=(",", ":")).encode()
