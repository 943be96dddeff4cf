"""Tokens that sign requests: a JSON Web Token for each, made without chance."""

import base64
import hashlib
from collections.abc import Callable
from typing import Final

import msgspec

from bot4_core.domain_types.canonical_types import Nanoseconds
from bot4_core.errors import ConfigError
from bot4_core.plugins.credentials import Credentials

__all__ = ["TokenSigner"]

IN_SECOND: Final = 1_000_000_000
LIFETIME: Final = 120  # seconds
SEED: Final = 32  # bytes of an Ed25519 key


def _plain(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _compact(content: dict[str, object]) -> str:
    return _plain(msgspec.json.encode(content))


class TokenSigner:
    """Makes tokens with the key of one account: ECDSA on P-256 (PEM), or Ed25519 (base64).

    Signatures are deterministic (RFC 6979; Ed25519 always is), and so are the tokens' nonces.
    """

    def __init__(self, credentials: Credentials) -> None:
        self._key = credentials.key.reveal()
        self._algorithm, self._sign = _signature(credentials.secret.reveal())
        self._count = 0

    def __repr__(self) -> str:
        return "TokenSigner(***)"

    def token(self, now: Nanoseconds, uri: str = "", nonce: str = "") -> str:
        """Return a token that is valid for two minutes.

        Parameters
        ----------
        uri : str
            ``GET api.coinbase.com/path`` of the request that it is for; empty for sockets.
        nonce : str
            For tests; otherwise made of the time and a count.
        """
        self._count += 1
        mark = hashlib.sha256(f"{self._key} {now} {self._count}".encode()).hexdigest()[:32]
        header: dict[str, object] = {
            "alg": self._algorithm,
            "kid": self._key,
            "nonce": nonce or mark,
            "typ": "JWT",
        }
        begins = int(now) // IN_SECOND
        claims: dict[str, object] = {
            "sub": self._key,
            "iss": "cdp",
            "nbf": begins,
            "exp": begins + LIFETIME,
        }
        if uri:
            claims["uri"] = uri
        signed = f"{_compact(header)}.{_compact(claims)}"
        return f"{signed}.{_plain(self._sign(signed.encode()))}"


def _signature(secret: str) -> tuple[str, Callable[[bytes], bytes]]:
    """Return the algorithm's name and what signs with the key."""
    if secret.lstrip().startswith("-----BEGIN"):
        return "ES256", _ecdsa(secret)
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415 - not before there are keys

    try:
        seed = base64.b64decode(secret, validate=True)[:SEED]
        return "EdDSA", Ed25519PrivateKey.from_private_bytes(seed).sign
    except ValueError:
        raise _unreadable() from None


def _ecdsa(secret: str) -> Callable[[bytes], bytes]:
    from cryptography.hazmat.primitives import hashes  # noqa: PLC0415 - not before there are keys
    from cryptography.hazmat.primitives.asymmetric import ec, utils  # noqa: PLC0415 - not before there are keys
    from cryptography.hazmat.primitives.serialization import load_pem_private_key  # noqa: PLC0415 - not before there are keys

    try:
        # keys are often kept with their line ends spelled out
        key = load_pem_private_key(secret.replace("\\n", "\n").encode(), password=None)
    except (ValueError, TypeError):
        raise _unreadable() from None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.curve.name != "secp256r1":
        raise _unreadable()
    algorithm = ec.ECDSA(hashes.SHA256(), deterministic_signing=True)

    def sign(data: bytes) -> bytes:
        first, second = utils.decode_dss_signature(key.sign(data, algorithm))
        return first.to_bytes(32, "big") + second.to_bytes(32, "big")

    return sign


def _unreadable() -> ConfigError:
    fault = "neither a PEM of a P-256 key nor base64 of an Ed25519 key"
    return ConfigError("coinbase keys", [("secret", fault)])
