"""Signatures of requests: HMAC-SHA256, RSA or Ed25519, whichever the secret's text is for.

A secret in PEM form is a private key; what kind, it says itself. Any other is the text that the
venue showed when the key was made, and signs by HMAC. `cryptography` is imported for private keys
only.
"""

import base64
import hmac
import re
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from typing import Final
from urllib.parse import quote, urlencode

from bot4_core.errors import ConfigError
from bot4_core.plugins.credentials import Credentials

__all__ = ["Signer"]

PEM: Final = "-----BEGIN"
PLAIN: Final = re.compile(r"[A-Za-z0-9_.\-&=]+")
"""Queries that percent-encoding leaves as they are; no value of ours holds ``&`` or ``=``."""


class Signer:
    """Signs requests of one key.

    Raises
    ------
    ConfigError
        If the secret is a private key that is neither RSA nor Ed25519, or cannot be read.
    """

    def __init__(self, credentials: Credentials) -> None:
        self._credentials = credentials
        secret = credentials.secret.reveal()
        passphrase = credentials.passphrase.reveal()
        if secret.lstrip().startswith(PEM):
            self._sign = _private_key(secret.strip(), passphrase)
        else:
            self._sign = _shared_secret(secret)

    @property
    def headers(self) -> tuple[tuple[str, str], ...]:
        """What names the key in a request."""
        return (("X-MBX-APIKEY", self._credentials.key.reveal()),)

    def signature(self, payload: str) -> str:
        """Sign text: hexadecimal digits for HMAC, base64 for private keys."""
        return self._sign(payload.encode())

    def query(self, params: Sequence[tuple[str, str]]) -> str:
        """Return a signed query; what is signed is percent-encoded already."""
        payload = "&".join([f"{name}={text}" for name, text in params])
        if PLAIN.fullmatch(payload) is None:
            payload = urlencode(params)
        return f"{payload}&signature={quote(self.signature(payload), safe='')}"

    def signed(self, params: Mapping[str, str | int]) -> dict[str, str | int]:
        """Return parameters of a WebSocket request with key and signature."""
        named = {**params, "apiKey": self._credentials.key.reveal()}
        payload = "&".join([f"{name}={named[name]}" for name in sorted(named)])
        named["signature"] = self.signature(payload)
        return named


def _shared_secret(secret: str) -> Callable[[bytes], str]:
    begun = hmac.new(secret.encode(), digestmod=sha256)

    def sign(payload: bytes) -> str:
        mac = begun.copy()
        mac.update(payload)
        return mac.hexdigest()

    return sign


def _private_key(pem: str, passphrase: str) -> Callable[[bytes], str]:
    try:
        from cryptography.hazmat.primitives import hashes, serialization  # noqa: PLC0415 - optional
        from cryptography.hazmat.primitives.asymmetric import (  # noqa: PLC0415
            ed25519,
            padding,
            rsa,
        )
    except ImportError:
        advice = "pip install 'bot4-exchange-binance[private-keys]'"
        raise ConfigError("binance keys", [("secret", f"a private key: {advice}")]) from None
    try:
        key = serialization.load_pem_private_key(pem.encode(), passphrase.encode() or None)
    except (ValueError, TypeError):
        fault = "is no private key that can be read with the passphrase given"
        raise ConfigError("binance keys", [("secret", fault)]) from None
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return lambda payload: base64.b64encode(key.sign(payload)).decode()
    if isinstance(key, rsa.RSAPrivateKey):
        scheme, digest = padding.PKCS1v15(), hashes.SHA256()
        return lambda payload: base64.b64encode(key.sign(payload, scheme, digest)).decode()
    raise ConfigError("binance keys", [("secret", "is neither an RSA nor an Ed25519 key")])
