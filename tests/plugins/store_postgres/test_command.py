"""``bot4 audit follow`` with a real server: as a process that is stopped and killed."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from tests.core.audit.builders import add, edit, opened
from tests.plugins.host_cli.shell import COMMAND, called, environment
from tests.plugins.store_postgres.server import PASSWORD, QUOTED, Server

from bot4_core.audit import read_records
from bot4_plugins.host_cli.audit_following import ADDRESS


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Write a log of 2,001 records."""
    place = tmp_path / "a.audit"
    with opened(place, checkpoint_records=5000) as writer:
        add(writer, 2000)
        writer.commit()
    return place


@pytest.fixture
def address(tmp_path: Path, server: Server) -> Path:
    """Write the address of the server where only its owner may read it."""
    place = tmp_path / "address"
    place.write_text(server.address() + "\n")
    place.chmod(0o600)
    return place


def arguments(log: Path, address: Path, schema: str, *more: str) -> list[str]:
    fixed = ["--to", str(address), "--set", f"schema={schema}", "--json"]
    return ["audit", "follow", str(log), *fixed, *more]


def test_what_is_there_is_copied_once(
    log: Path, address: Path, schema: str, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = called(*arguments(log, address, schema, "--once"))
    assert (answer.code, answer.err) == (0, "")
    *_, last = read_records(log)
    assert json.loads(answer.out) == {
        "schema": 1,
        "ok": True,
        "path": str(log),
        "store": "postgres",
        "sequence": 2001,
        "head": last.digest.hex(),
        "copied": 2001,
        "outages": 0,
        "stopped": "",
    }
    monkeypatch.setenv(ADDRESS, server.address())
    again = called("audit", "follow", str(log), "--set", f"schema={schema}", "--once", "--recheck")
    assert again.out == (
        f"{log}: 0 records copied to postgres, which now ends with record 2,001,"
        f" head {last.digest.hex()}\n"
    )


def test_a_changed_record_is_named_and_ends_with_9(log: Path, address: Path, schema: str) -> None:
    edit(log, "UPDATE records SET actor = 'nobody' WHERE sequence = 1500")
    answer = called(*arguments(log, address, schema, "--once"))
    assert answer.code == 9
    said = json.loads(answer.out)
    assert (said["ok"], said["sequence"]) == (False, 1500)
    plain = [each for each in arguments(log, address, schema, "--once") if each != "--json"]
    again = called(*plain)
    assert (again.code, again.out) == (9, "")
    assert again.complaint == "bot4: audit record 1500: content and digest differ"


def test_no_output_shows_the_password(
    log: Path, address: Path, schema: str, server: Server
) -> None:
    address.write_text(server.address(database="none"))
    answer = called("-v", *arguments(log, address, schema, "--once", "--patience", "0"))
    assert answer.code == 1
    assert 'database "none" does not exist' in answer.err
    for secret in (PASSWORD, QUOTED):
        assert secret not in answer.err + answer.out


def test_a_killed_follower_goes_on_where_it_was(
    log: Path, address: Path, schema: str, server: Server
) -> None:
    command = [*COMMAND, *arguments(log, address, schema, "--batch", "20", "--every", "0.01")]
    count = f"SELECT count(*) FROM {schema}.records"  # noqa: S608  # a test's own name
    exists = f"SELECT to_regclass('{schema}.records')::text"
    for least in (1, 400):
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, env=environment({})) as follower:
            try:
                wait_until(lambda: server.ask(exists) != [(None,)])
                wait_until(partial(reached, server, count, least))
            finally:
                os.kill(follower.pid, signal.SIGKILL)
    with opened(log, "second") as writer:
        add(writer, 10)
        writer.commit()
    answer = called(*arguments(log, address, schema, "--once"))
    assert answer.code == 0, answer.err
    digests = f"SELECT sequence, digest FROM {schema}.records ORDER BY sequence"  # noqa: S608  # as above
    assert server.ask(digests) == [(each.sequence, each.digest) for each in read_records(log)]


def test_ctrl_c_ends_a_follower_in_good_order(
    log: Path, address: Path, schema: str, server: Server
) -> None:
    command = [*COMMAND, *arguments(log, address, schema, "--every", "30")]
    count = f"SELECT count(*) FROM {schema}.records"  # noqa: S608  # a test's own name
    exists = f"SELECT to_regclass('{schema}.records')::text"
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment({}), text=True
    ) as follower:
        wait_until(lambda: server.ask(exists) != [(None,)] and server.ask(count) == [(2001,)])
        follower.send_signal(signal.SIGINT)
        out, err = follower.communicate(timeout=20)
    assert (follower.returncode, json.loads(out)["stopped"]) == (130, "interrupted"), err
    assert json.loads(out)["sequence"] == 2001


def reached(server: Server, count: str, least: int) -> bool:
    rows: list[tuple[int]] = server.ask(count)
    return rows[0][0] >= least


def wait_until(true: Callable[[], bool]) -> None:
    """Wait for something that takes long only when it never comes."""
    until = time.monotonic() + 60
    while not true():
        assert time.monotonic() < until
        time.sleep(0.02)
