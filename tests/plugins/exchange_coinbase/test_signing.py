"""Tokens, keys and what shows of them."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from tests.plugins.exchange_coinbase.coinbase_world import ED25519, NOW, adapter, intent, trader

from bot4_core.domain_types.canonical_types import Nanoseconds
from bot4_core.errors import ConfigError, OrderError
from bot4_core.plugins.credentials import Credentials, Secret
from bot4_plugins.exchange_coinbase.signing import TokenSigner


def vector(recordings: Path, name: str) -> dict[str, Any]:
    vectors = json.loads((recordings / "signing_vectors.json").read_text())["vectors"]
    (found,) = (each for each in vectors if each["name"] == name)
    return dict(found)


def signer(key: str, secret: str) -> TokenSigner:
    return TokenSigner(Credentials(key=Secret(key), secret=Secret(secret)))


def part(token: str, at: int) -> bytes:
    text = token.split(".")[at]
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def test_token_of_an_ed25519_key_is_the_published_one(recordings: Path) -> None:
    found = vector(recordings, "coinbase_jwt_eddsa")
    made = signer(found["api_key"], found["ed25519_secret_base64"])
    now = Nanoseconds(found["claims"]["nbf"] * 10**9 + 5)
    token = made.token(now, found["claims"]["uri"], found["header"]["nonce"])
    assert token == found["token"]


def test_token_of_an_ecdsa_key_is_verified_by_its_public_key(recordings: Path) -> None:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, utils
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    found = vector(recordings, "coinbase_jwt_es256")
    made = signer(found["api_key"], found["private_key_pem"])
    uri = "GET api.coinbase.com/api/v3/brokerage/accounts"
    token = made.token(NOW, uri)
    header, claims = json.loads(part(token, 0)), json.loads(part(token, 1))
    assert header | {"nonce": ""} == found["expected_header"] | {"nonce": ""}
    assert len(header["nonce"]) == 32
    begins = NOW // 10**9
    expected = found["expected_claims"] | {"nbf": begins, "exp": begins + 120, "uri": uri}
    assert claims == expected
    signature = part(token, 2)
    assert len(signature) == 64
    numbers = (int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big"))
    key = load_pem_public_key(found["public_key_pem"].encode())
    assert isinstance(key, ec.EllipticCurvePublicKey)
    signed = token.rpartition(".")[0].encode()
    key.verify(utils.encode_dss_signature(*numbers), signed, ec.ECDSA(hashes.SHA256()))


def test_tokens_involve_no_chance_and_differ_from_each_other(recordings: Path) -> None:
    found = vector(recordings, "coinbase_jwt_es256")
    spelled = found["private_key_pem"].replace("\n", "\\n")
    one, two = (signer("k", pem) for pem in (found["private_key_pem"], spelled))
    first = one.token(NOW, "uri")
    assert first == two.token(NOW, "uri")
    assert first != one.token(NOW, "uri")
    assert "uri" not in json.loads(part(one.token(NOW), 1))


@pytest.mark.parametrize(
    "secret",
    [
        "canary!",
        "Y2FuYXJ5",
        "-----BEGIN EC PRIVATE KEY-----\ncanary\n-----END EC PRIVATE KEY-----\n",
    ],
)
def test_key_that_cannot_be_read_is_refused_and_not_shown(secret: str) -> None:
    with pytest.raises(ConfigError) as caught:
        signer("k", secret)
    assert "canary" not in str(caught.value)


def test_key_of_another_curve_is_refused() -> None:
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        NoEncryption,
        PrivateFormat,
    )

    key = ec.derive_private_key(7, ec.SECP384R1())
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    with pytest.raises(ConfigError, match="P-256"):
        signer("k", pem)


def test_keys_are_shown_nowhere() -> None:
    exchange = trader()
    request = exchange.place(intent(), NOW)
    assert "key-name" not in repr(signer("key-name", ED25519))
    assert "Bearer" not in repr(request)
    (name, value), *_ = request.headers
    assert (name, value.split(".")[0][:7]) == ("Authorization", "Bearer ")


def test_private_requests_need_keys() -> None:
    with pytest.raises(OrderError, match="authorise"):
        adapter().place(intent(), NOW)
