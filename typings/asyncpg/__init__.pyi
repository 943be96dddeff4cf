"""What is called of asyncpg, which ships no types."""

from collections.abc import Iterator, Mapping
from ssl import SSLContext
from typing import Any

class Record:
    """A row."""

    def __iter__(self) -> Iterator[Any]: ...
    def __getitem__(self, key: int | str) -> Any: ...

class Transaction:
    """A transaction, entered as a context."""

    async def __aenter__(self) -> None: ...
    async def __aexit__(self, kind: object, error: object, trace: object) -> bool | None: ...

class Connection:
    """A connection to a server."""

    async def execute(self, query: str, *args: object) -> str: ...
    async def fetch(self, query: str, *args: object) -> list[Record]: ...
    async def fetchrow(self, query: str, *args: object) -> Record | None: ...
    async def fetchval(self, query: str, *args: object) -> Any: ...
    def transaction(self) -> Transaction: ...
    async def close(self, *, timeout: float | None = None) -> None: ...
    def terminate(self) -> None: ...

async def connect(
    dsn: str,
    *,
    ssl: SSLContext | None = None,
    timeout: float = 60,
    command_timeout: float | None = None,
    server_settings: Mapping[str, str] | None = None,
) -> Connection: ...

class PostgresError(Exception):
    """The server refused."""

    sqlstate: str

class InterfaceError(Exception):
    """The driver refused."""
