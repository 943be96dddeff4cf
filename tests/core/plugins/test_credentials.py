"""A secret comes out by ``reveal`` alone."""

import copy
import json
import logging
import pickle
from collections.abc import Callable
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot4_core import convert
from bot4_core.plugins.credentials import Credentials, Secret

CANARY = "canary-7f3a"
SHOWS: dict[str, Callable[[Any], object]] = {
    "repr": repr,
    "str": str,
    "format": lambda value: f"{value!s:>40}{value}",
    "aligned": lambda value: f"{value:>40}" if isinstance(value, Secret) else "",
    "percent": lambda value: "%s %r" % (value, value),  # noqa: UP031 - the old way leaks too
    "dict": lambda value: repr(attrs.asdict(value)) if attrs.has(type(value)) else "",
}
COPIES: dict[str, Callable[[Any], object]] = {
    "pickle": pickle.dumps,
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "json": json.dumps,
}


@pytest.fixture(params=["secret", "credentials"])
def held(request: pytest.FixtureRequest) -> object:
    secret = Secret(CANARY)
    return secret if request.param == "secret" else Credentials(key=secret, secret=secret)


@pytest.mark.parametrize("show", SHOWS)
def test_no_way_of_showing_shows_a_secret(held: object, show: str) -> None:
    assert CANARY not in str(SHOWS[show](held))


@pytest.mark.parametrize("way", COPIES)
def test_no_copy_of_a_secret_can_be_made(way: str) -> None:
    with pytest.raises(TypeError):
        COPIES[way](Secret(CANARY))


def test_a_logged_secret_is_masked(caplog: pytest.LogCaptureFixture) -> None:
    logging.getLogger("bot4").warning("signing with %s", Secret(CANARY))
    assert CANARY not in caplog.text
    assert "Secret(***)" in caplog.text


def test_a_secret_has_no_attribute_dictionary() -> None:
    assert not hasattr(Secret(CANARY), "__dict__")


@given(st.text(max_size=5), st.text(max_size=5))
def test_secrets_are_equal_where_their_texts_are(one: str, other: str) -> None:
    assert (Secret(one) == Secret(other)) == (one == other)
    assert Secret(one).reveal() == one
    assert bool(Secret(one)) == bool(one)
    assert Secret(one) != one


def test_a_secret_cannot_be_a_key_of_a_table() -> None:
    with pytest.raises(TypeError):
        hash(Secret(CANARY))


def test_credentials_cannot_be_written_to_a_configuration() -> None:
    held = Credentials(key=Secret(CANARY), secret=Secret(CANARY))
    for write in (convert.to_json, convert.to_toml):
        with pytest.raises((TypeError, ValueError)) as caught:
            write(held)
        assert CANARY not in str(caught.value)
