"""Signatures and nonces."""

import json
from pathlib import Path

import pytest
from tests.plugins.exchange_kraken.kraken_world import NOW, SECRET, intent, trader

from bot4_core.domain_types.canonical_types import Nanoseconds
from bot4_core.domain_types.rate_limits import RateRequest, RequestPriority
from bot4_core.errors import ConfigError, OrderError
from bot4_core.plugins.credentials import Credentials, Secret
from bot4_plugins.exchange_kraken.signing import KrakenSigner

COST = RateRequest(priority=RequestPriority.QUERY)


def signer() -> KrakenSigner:
    return KrakenSigner(Credentials(key=Secret("canary-key"), secret=Secret(SECRET)))


def test_published_vector_is_reproduced(recordings: Path) -> None:
    vectors = json.loads((recordings / "signing_vectors.json").read_text())["vectors"]
    (vector,) = (each for each in vectors if each["name"] == "kraken_spot_rest_addorder")
    assert vector["secret"] == SECRET
    fields = [each.split("=") for each in vector["payload"].split("&")[1:]]
    now = Nanoseconds(int(vector["nonce"]) * 1_000_000)
    pairs = [(name, value) for name, value in fields]
    request = signer().request(vector["path"], pairs, now, COST, tag="place")
    assert request.body.decode() == vector["payload"]
    assert dict(request.headers)["API-Sign"] == vector["signature"]
    assert request.path == vector["path"]


def test_nonces_rise_also_where_time_stands_still_or_goes_back() -> None:
    made = signer()
    times = [NOW, NOW, Nanoseconds(NOW - 10**9), Nanoseconds(NOW + 10**9)]
    bodies = [made.request("/p", [], time, COST, tag="t").body for time in times]
    nonces = [int(body.removeprefix(b"nonce=")) for body in bodies]
    assert nonces == sorted(set(nonces))
    assert (nonces[0], nonces[-1]) == (NOW // 10**6, (NOW + 10**9) // 10**6)


def test_secret_that_is_no_base64_is_refused_and_not_shown() -> None:
    with pytest.raises(ConfigError) as caught:
        KrakenSigner(Credentials(key=Secret("k"), secret=Secret("canary!")))
    assert "canary" not in str(caught.value)


def test_keys_are_shown_nowhere() -> None:
    made = signer()
    request = made.request("/p", [("a", "b c")], NOW, COST, tag="t")
    assert request.body.endswith(b"&a=b+c")
    for shown in (repr(made), str(made), repr(request), str(vars(trader()).keys())):
        assert "canary-key" not in shown
        assert SECRET[:8] not in shown


def test_private_requests_need_keys() -> None:
    from tests.plugins.exchange_kraken.kraken_world import adapter

    with pytest.raises(OrderError, match="authorise"):
        adapter().place(intent(), NOW)
