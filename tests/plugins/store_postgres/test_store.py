"""A real server keeps the copy: once each, unchanged, through restarts, for one follower."""

from pathlib import Path

import asyncpg
import pytest
from tests.core.audit.builders import add, edit, opened
from tests.plugins.store_postgres.server import PASSWORD, QUOTED, Server

from bot4_core.audit import read_records
from bot4_core.errors import AuditError, ChainError, StorageError, StoreUnreachableError
from bot4_core.session.following import LogFollower
from bot4_plugins.store_postgres.settings import PostgresSettings
from bot4_plugins.store_postgres.store import PostgresStore


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Write a log of 31 records."""
    place = tmp_path / "a.audit"
    with opened(place, checkpoint_records=10) as log:
        for _ in range(3):
            add(log, 9, text="grün \x00 'quoted'")
            log.commit()
    return place


def copied(path: Path, store: PostgresStore, *, recheck: bool = False) -> LogFollower:
    follower = LogFollower(path, store, batch=8, recheck=recheck)
    while follower.step():
        pass
    return follower


def kept(server: Server, schema: str) -> list[tuple[int, bytes, bytes]]:
    columns = "sequence, convert_to(payload, 'UTF8'), digest"
    rows: list[tuple[int, bytes, bytes]] = server.ask(
        f"SELECT {columns} FROM {schema}.records ORDER BY sequence"  # noqa: S608  # a test's own name
    )
    return rows


def faults(server: Server, schema: str) -> list[tuple[int, str]]:
    rows: list[tuple[int, str]] = server.ask(f"SELECT * FROM {schema}.faults")  # noqa: S608  # a test's own name
    return rows


def expected(path: Path) -> list[tuple[int, bytes, bytes]]:
    return [(each.sequence, each.payload, each.digest) for each in read_records(path)]


def test_the_copy_is_the_log(path: Path, store: PostgresStore, server: Server, schema: str) -> None:
    follower = copied(path, store)
    assert (follower.copied, store.last_sequence()) == (31, 31)
    assert kept(server, schema) == expected(path)
    assert faults(server, schema) == []
    assert copied(path, store, recheck=True).copied == 0


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE {}.records SET actor = 'nobody'",
        "DELETE FROM {}.records WHERE sequence = 31",
        "TRUNCATE {}.records",
    ],
)
def test_records_stay_as_they_are_even_for_the_owner(
    path: Path, store: PostgresStore, server: Server, schema: str, statement: str
) -> None:
    copied(path, store)
    for before in ("SELECT 1", "SET session_replication_role = replica"):
        with pytest.raises(asyncpg.PostgresError, match="append-only"):
            server.ask(before, statement.format(schema))
    as_writer = "SET ROLE bot4_audit_writer"
    with pytest.raises(asyncpg.PostgresError, match="permission denied"):
        server.ask(as_writer, statement.format(schema))


def test_the_database_itself_refuses_what_does_not_fit(
    path: Path, store: PostgresStore, server: Server, schema: str
) -> None:
    copied(path, store)
    columns = "wall_time, event_time, run, kind, actor, correlation, payload"
    for actor, previous, told in (
        ("'nobody'", "previous", "digest_is_that_of_the_content"),
        ("actor", "digest", "digest_is_that_of_the_content"),
    ):
        given = columns.replace("actor", actor)
        with pytest.raises(asyncpg.PostgresError, match=told):
            server.ask(
                f"INSERT INTO {schema}.records SELECT 32, {given}, {previous}, digest"  # noqa: S608  # a test's own name
                f" FROM {schema}.records WHERE sequence = 31"
            )
    digest = f"{schema}.record_digest(33, {columns}, digest)"
    with pytest.raises(asyncpg.PostgresError, match="record 33 does not link"):
        server.ask(
            f"INSERT INTO {schema}.records SELECT 33, {columns}, digest, {digest}"  # noqa: S608  # a test's own name
            f" FROM {schema}.records WHERE sequence = 31"
        )


def test_a_role_that_owns_nothing_can_follow(
    path: Path, store: PostgresStore, server: Server, settings: PostgresSettings
) -> None:
    store.last_sequence()
    store.close()
    server.ask(
        "DROP ROLE IF EXISTS follower",
        f"CREATE ROLE follower LOGIN PASSWORD '{PASSWORD}' IN ROLE bot4_audit_writer",
        "SELECT 1",
    )
    follower = PostgresStore(settings, server.address("follower"))
    copied(path, follower)
    follower.close()
    assert len(kept(server, settings.schema)) == 31


def test_a_changed_copy_is_named_by_follower_and_database(
    path: Path, store: PostgresStore, server: Server, schema: str
) -> None:
    copied(path, store)
    server.ask(
        f"ALTER TABLE {schema}.records DISABLE TRIGGER records_stay",
        f"ALTER TABLE {schema}.records DROP CONSTRAINT digest_is_that_of_the_content",
        f"UPDATE {schema}.records SET actor = 'nobody' WHERE sequence = 20",  # noqa: S608  # a test's own name
        f"ALTER TABLE {schema}.records ENABLE ALWAYS TRIGGER records_stay",
        "SELECT 1",
    )
    assert copied(path, store).copied == 0, "only the last record is compared unasked"
    with pytest.raises(ChainError, match=r"record 20.*keeps another record"):
        copied(path, store, recheck=True)
    assert faults(server, schema) == [(20, "content and digest differ")]


def test_a_changed_log_goes_no_further_than_its_change(
    path: Path, store: PostgresStore, server: Server, schema: str
) -> None:
    edit(path, "UPDATE records SET actor = 'nobody' WHERE sequence = 13")
    with pytest.raises(ChainError, match="record 13: content and digest differ"):
        copied(path, store)
    assert [number for number, *_ in kept(server, schema)] == list(range(1, 13))


def test_another_log_is_refused(path: Path, tmp_path: Path, store: PostgresStore) -> None:
    copied(path, store)
    other = tmp_path / "other.audit"
    with opened(other, "other") as log:
        add(log, 50)
        log.commit()
    with pytest.raises(ChainError, match=r"record 31.*keeps another record"):
        copied(other, store)


def test_a11_a_server_that_goes_away_costs_nothing_and_doubles_nothing(
    path: Path, store: PostgresStore, server: Server, schema: str
) -> None:
    follower = LogFollower(path, store, batch=8)
    follower.step()
    server.stop()
    try:
        for _ in range(2):
            with pytest.raises(StoreUnreachableError):
                follower.step()
    finally:
        server.start()
    with opened(path, "second") as log:
        add(log, 3)
        log.commit()
        while follower.step():
            pass
    assert kept(server, schema) == expected(path)
    assert follower.copied == len(expected(path))
    assert faults(server, schema) == []


def test_a_second_follower_is_refused_until_the_first_ends(
    path: Path, store: PostgresStore, server: Server, settings: PostgresSettings
) -> None:
    copied(path, store)
    second = PostgresStore(settings, server.address())
    with pytest.raises(StorageError, match="another follower") as caught:
        second.last_sequence()
    assert not isinstance(caught.value, StoreUnreachableError), "trying again is no use"
    store.close()
    assert second.last_sequence() == 31
    second.close()


def test_a_follower_that_lost_its_place_tries_again(
    store: PostgresStore, server: Server, settings: PostgresSettings
) -> None:
    store.last_sequence()
    server.ask(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE application_name = 'bot4 audit follow'"
    )
    with pytest.raises(StoreUnreachableError):
        store.last_sequence()
    second = PostgresStore(settings, server.address())
    second.last_sequence()
    with pytest.raises(StoreUnreachableError, match="another follower"):
        store.last_sequence()
    second.close()
    assert store.last_sequence() == 0


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("ALTER TABLE {}.records DISABLE TRIGGER records_stay", "lacks its guards"),
        ("GRANT UPDATE ON {}.records TO bot4_audit_writer", "may do more than insert"),
        ("COMMENT ON TABLE {}.records IS 'mine'", "not made by this version"),
    ],
)
def test_a_schema_without_its_guards_is_refused(
    store: PostgresStore, server: Server, schema: str, statement: str, told: str
) -> None:
    store.last_sequence()
    store.close()
    server.ask(statement.format(schema), "SELECT 1")
    again = PostgresStore(store.settings, server.address())
    with pytest.raises(StorageError, match=told):
        again.last_sequence()
    again.close()


def test_a_role_that_may_make_nothing_is_told_what_is_missing(
    server: Server, settings: PostgresSettings
) -> None:
    server.ask(
        "DROP ROLE IF EXISTS nobody",
        f"CREATE ROLE nobody LOGIN PASSWORD '{PASSWORD}'",
        "SELECT 1",
    )
    store = PostgresStore(settings, server.address("nobody"))
    with pytest.raises(StorageError, match="let a role that may make roles and schemas follow"):
        store.last_sequence()
    store.close()


def test_no_error_shows_the_password(server: Server, settings: PostgresSettings) -> None:
    wrong = server.address().replace("sesame", "secret")
    for address, kind in (
        (wrong, StorageError),
        (server.address(database="none"), StorageError),
        (server.address().replace(str(server.port), "1"), StoreUnreachableError),
        (server.address() + "?sslmode=nonsense", StorageError),
    ):
        store = PostgresStore(settings, address)
        with pytest.raises(kind) as caught:
            store.last_sequence()
        store.close()
        assert caught.value.__cause__ is None
        assert caught.value.__suppress_context__
        for secret in (PASSWORD, QUOTED, "secret-7"):
            assert secret not in str(caught.value)
            assert secret not in repr(store)


def test_a_database_of_another_encoding_is_refused(
    server: Server, settings: PostgresSettings
) -> None:
    server.ask("CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0", "SELECT 1")
    store = PostgresStore(settings, server.address(database="latin"))
    with pytest.raises(StorageError, match="in LATIN1; make one in UTF8"):
        store.last_sequence()
    store.close()


def test_a_record_under_a_wrong_number_is_refused_by_the_store(
    path: Path, store: PostgresStore
) -> None:
    records = list(read_records(path))
    with pytest.raises(AuditError, match="record 5 does not link"):
        store.write(records[4:7])
    assert store.last_sequence() == 0
    store.write([])
    store.write(records[:7])
    store.write(records[:7])
    assert store.last_sequence() == 7


def test_no_batch_reads_the_whole_copy(
    path: Path, store: PostgresStore, server: Server, schema: str
) -> None:
    def scanned() -> list[tuple[int]]:
        while server.ask(busy) != [(0,)]:  # a connection counts when it ends
            pass
        rows: list[tuple[int]] = server.ask(scans)
        return rows

    busy = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'bot4 audit follow'"
    scans = f"SELECT seq_scan FROM pg_stat_user_tables WHERE schemaname = '{schema}'"  # noqa: S608  # a test's own name
    store.last_sequence()
    store.close()
    before = scanned()
    again = PostgresStore(store.settings, server.address())
    copied(path, again)
    copied(path, again, recheck=True)
    again.close()
    assert before == scanned()
