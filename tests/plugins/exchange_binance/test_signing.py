"""Signatures are those that the venue publishes, and keys are kept from sight."""

import base64
import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from tests.plugins.exchange_binance.private import KEYS, NOW, intent, params_of, trader

from bot4_core.errors import ConfigError
from bot4_core.plugins.credentials import Credentials, Secret
from bot4_plugins.exchange_binance.signing import Signer

NAMES = (
    "binance_rest_order",
    "binance_rest_order_non_ascii",
    "binance_timestamp_only",
    "binance_usdm_order",
    "binance_ws_api_order_place",
    "binance_ed25519_fix_logon",
)


def pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey, passphrase: bytes = b"") -> str:
    """Return a private key as a user pastes it."""
    encryption: serialization.KeySerializationEncryption = serialization.NoEncryption()
    if passphrase:
        encryption = serialization.BestAvailableEncryption(passphrase)
    form = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, form, encryption).decode()


def signer(secret: str, key: str = "k", passphrase: str = "") -> Signer:
    """Return a signer of these texts."""
    return Signer(
        Credentials(key=Secret(key), secret=Secret(secret), passphrase=Secret(passphrase))
    )


@pytest.mark.parametrize("name", NAMES)
def test_published_signatures_come_out(name: str, recordings: Path) -> None:
    vectors = json.loads((recordings / "signing_vectors.json").read_text())["vectors"]
    (vector,) = [each for each in vectors if each["name"] == name]
    secret = vector.get("secret") or vector["private_key_pem"]
    assert signer(secret).signature(vector["payload"]) == vector["signature"]


def test_no_published_vector_is_left_out(recordings: Path) -> None:
    vectors = json.loads((recordings / "signing_vectors.json").read_text())["vectors"]
    assert {each["name"] for each in vectors if each["exchange"] == "binance"} == set(NAMES)


def test_query_is_percent_encoded_before_it_is_signed(recordings: Path) -> None:
    vectors = json.loads((recordings / "signing_vectors.json").read_text())["vectors"]
    (vector,) = [each for each in vectors if each["name"] == "binance_rest_order_non_ascii"]
    params = [
        *(("symbol", "１２３４５６"), ("side", "BUY"), ("type", "LIMIT")),
        *(("timeInForce", "GTC"), ("quantity", "1"), ("price", "0.1")),
        *(("recvWindow", "5000"), ("timestamp", "1499827319559")),
    ]
    expected = f"{vector['payload']}&signature={vector['signature']}"
    assert signer(vector["secret"]).query(params) == expected


def test_websocket_parameters_are_signed_in_the_order_of_their_names(recordings: Path) -> None:
    vectors = json.loads((recordings / "signing_vectors.json").read_text())["vectors"]
    (vector,) = [each for each in vectors if each["name"] == "binance_ws_api_order_place"]
    params = {name: value for name, value in vector["params"].items() if name != "apiKey"}
    signed = signer(vector["secret"], vector["api_key"]).signed(params)
    assert signed["signature"] == vector["signature"]
    assert signed["apiKey"] == vector["api_key"]


@pytest.mark.parametrize("passphrase", ["", "a passphrase"])
def test_rsa_keys_are_known_by_their_text(passphrase: str) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    signature = signer(pem(key, passphrase.encode()), passphrase=passphrase).signature("a=1")
    key.public_key().verify(
        base64.b64decode(signature), b"a=1", padding.PKCS1v15(), hashes.SHA256()
    )


def test_other_private_keys_are_refused() -> None:
    with pytest.raises(ConfigError, match="neither an RSA nor an Ed25519 key"):
        signer(pem(ec.generate_private_key(ec.SECP256R1())))
    with pytest.raises(ConfigError, match="can be read with the passphrase"):
        signer("-----BEGIN PRIVATE KEY-----\nMC4CAQ\n-----END PRIVATE KEY-----")


def test_missing_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "cryptography.hazmat.primitives", None)
    with pytest.raises(ConfigError, match="private-keys"):
        signer("-----BEGIN PRIVATE KEY-----")


@pytest.mark.parametrize("route", ["websocket", "rest"])
def test_keys_are_not_shown(route: str) -> None:
    exchange = trader("spot", route=route)
    request = exchange.place(intent("spot"), NOW)
    shown = repr((request, exchange, exchange.connections(), vars(exchange)))
    assert KEYS.key.reveal() not in shown
    assert KEYS.secret.reveal() not in shown
    assert params_of(request)["signature"]


@pytest.mark.parametrize("key", ["plain", 'a "key" with signs\\'])
def test_websocket_requests_are_json_whatever_the_key_holds(key: str) -> None:
    exchange = trader("spot", keys=Credentials(key=Secret(key), secret=Secret("s")))
    frame = json.loads(exchange.place(intent("spot"), NOW).body)
    assert frame["params"]["apiKey"] == key
    assert isinstance(frame["params"]["timestamp"], int)
