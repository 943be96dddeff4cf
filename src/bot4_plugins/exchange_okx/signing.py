"""Signatures: HMAC-SHA256 in base64, of requests and of logins."""

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime

import attrs

from bot4_core.plugins.credentials import Credentials, Secret

__all__ = ["OkxSigner", "okx_signature"]

MILLISECOND = 1_000_000
SECOND = 1_000_000_000
LOGIN_PATH = "/users/self/verify"


def okx_signature(secret: Secret, payload: str) -> str:
    """Sign a text."""
    digest = hmac.new(secret.reveal().encode(), payload.encode(), hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


def iso_time(now: int) -> str:
    """Write a time as the venue's headers have it, in milliseconds."""
    seconds, rest = divmod(now // MILLISECOND, 1000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:03d}Z"


@attrs.frozen(kw_only=True)
class OkxSigner:
    """Signs for one account.

    Parameters
    ----------
    credentials : Credentials
    demo : bool
        Whether requests are for the venue's simulated market.
    """

    credentials: Credentials = attrs.field(repr=False)
    demo: bool = False

    def headers(self, now: int, method: str, path: str, body: str) -> tuple[tuple[str, str], ...]:
        """Return the headers of a request; the path has its query string."""
        time = iso_time(now)
        signed = okx_signature(self.credentials.secret, f"{time}{method}{path}{body}")
        headers = (
            ("OK-ACCESS-KEY", self.credentials.key.reveal()),
            ("OK-ACCESS-SIGN", signed),
            ("OK-ACCESS-TIMESTAMP", time),
            ("OK-ACCESS-PASSPHRASE", self.credentials.passphrase.reveal()),
        )
        return (*headers, ("x-simulated-trading", "1")) if self.demo else headers

    def login(self, now: int) -> bytes:
        """Return the frame that a private connection starts with."""
        time = str(now // SECOND)
        account = {
            "apiKey": self.credentials.key.reveal(),
            "passphrase": self.credentials.passphrase.reveal(),
            "timestamp": time,
            "sign": okx_signature(self.credentials.secret, f"{time}GET{LOGIN_PATH}"),
        }
        return json.dumps({"op": "login", "args": [account]}, separators=(",", ":")).encode()
