"""Addresses and settings, without a server."""

import pytest

from bot4_core.errors import StorageError, ValidationError
from bot4_core.plugins.interfaces import PartSettings
from bot4_plugins.store_postgres.address import checked_address, encryption, without_secrets
from bot4_plugins.store_postgres.settings import PostgresSettings
from bot4_plugins.store_postgres.store import PostgresStore

WHOLE = "postgresql://me:p%40ss@db.example:5432/audit"


@pytest.mark.parametrize(
    "address", ["", "db.example", "mysql://h/d", "host=h password=sesame", "postgresql://[::1"]
)
def test_what_is_no_address_is_refused_without_showing_it(address: str) -> None:
    with pytest.raises(StorageError, match="malformed") as caught:
        PostgresStore(PostgresSettings(), address)
    assert "sesame" not in str(caught.value)


def test_a_server_elsewhere_must_prove_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PGSSLMODE", raising=False)
    monkeypatch.delenv("PGHOST", raising=False)
    for address in (WHOLE, "postgres:///d?host=db.example", "postgresql://localhost,far/d"):
        context = encryption(checked_address(address))
        assert context is not None
        assert context.check_hostname
    for address in (
        f"{WHOLE}?sslmode=require",
        "postgresql://me@localhost/d",
        "postgresql://me@[::1]:5432/d",
        "postgresql:///d",
        "postgresql:///d?host=/run/postgresql",
    ):
        assert encryption(checked_address(address)) is None
    monkeypatch.setenv("PGHOST", "db.example")
    assert encryption("postgresql:///d") is not None
    monkeypatch.setenv("PGSSLMODE", "disable")
    assert encryption("postgresql:///d") is None


def test_secrets_are_blotted_out_of_texts() -> None:
    text = f"cannot use {WHOLE}, p%40ss,\n p@ss"
    assert without_secrets(text, WHOLE) == "cannot use [redacted], [redacted], [redacted]"
    queried = "postgresql://h/d?password=sesame"
    assert "sesame" not in without_secrets("it was sesame", queried)


def test_settings_that_cannot_be_are_all_named() -> None:
    wrong = PostgresSettings(
        schema='a"; DROP', writer="pg_mine", connect_timeout=0.0, lock_wait=-1.0
    )
    with pytest.raises(ValidationError) as caught:
        PostgresStore(wrong, WHOLE)
    assert [path for path, _ in caught.value.faults] == [
        "schema",
        "writer",
        "connect_timeout",
        "lock_wait",
    ]
    with pytest.raises(TypeError, match="PartSettings"):
        PostgresStore(PartSettings(), WHOLE)
