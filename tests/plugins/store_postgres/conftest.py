"""The server that these tests share, and what they need of it."""

import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from tests.plugins.store_postgres.server import Server, programs

from bot4_plugins.store_postgres.settings import PostgresSettings
from bot4_plugins.store_postgres.store import PostgresStore

NUMBERS = count(1)


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """Run a server; skip where there is none, fail in CI."""
    binaries = programs()
    if binaries is None:
        reason = "PostgreSQL is not installed: there is no initdb and pg_ctl"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    folder = Path(tempfile.mkdtemp(prefix="bot4-postgres-"))  # not below root's own folders
    try:
        running = Server(folder, binaries, free_port())
        running.make()
        running.start()
        try:
            yield running
        finally:
            running.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def schema() -> str:
    """Name a schema that no other test has."""
    return f"log_{next(NUMBERS)}"


@pytest.fixture
def settings(schema: str) -> PostgresSettings:
    """Return settings with that schema, which wait for nobody."""
    return PostgresSettings(schema=schema, lock_wait=0.0, connect_timeout=5.0, command_timeout=10.0)


@pytest.fixture
def store(server: Server, settings: PostgresSettings) -> Iterator[PostgresStore]:
    """Open a store in a schema of its own."""
    made = PostgresStore(settings, server.address())
    yield made
    made.close()
