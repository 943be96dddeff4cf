"""One connection that may insert, holds the lock of its schema, and has looked at its guards."""

import asyncio
from typing import Final

import asyncpg

from bot4_core.errors import StorageError, StoreUnreachableError
from bot4_plugins.store_postgres.address import encryption
from bot4_plugins.store_postgres.schema import CREATED, GUARDS, TRIGGERS, creation, grants
from bot4_plugins.store_postgres.settings import PostgresSettings

__all__ = ["connected"]

_OLDEST: Final = 140_000
_LOCKS: Final = 0x62743461 << 32  # "bt4a", and below it the number of the table
_LOCK: Final = "SELECT pg_try_advisory_lock($1)"
_PAUSE: Final = 0.05
_SESSION: Final = {
    "application_name": "bot4 audit follow",
    "synchronous_commit": "on",
    "search_path": "pg_catalog",
    "enable_hashjoin": "off",  # plans are made while the table is small, and kept
    "enable_mergejoin": "off",
    "enable_seqscan": "off",
    "tcp_keepalives_idle": "20",  # so that the lock of a follower that vanished is free again
    "tcp_keepalives_interval": "10",
    "tcp_keepalives_count": "3",
}


async def connected(address: str, settings: PostgresSettings, *, again: bool) -> asyncpg.Connection:
    """Connect, make the schema where it is not there, and become the one follower of it.

    Parameters
    ----------
    address : str
    settings : PostgresSettings
    again : bool
        Whether this process held the lock before; then the server may still think that it does.

    Raises
    ------
    StorageError
        If another follower is at work, or the schema is not what it should be.
    asyncpg.PostgresError, asyncpg.InterfaceError, OSError
        If the server cannot be reached or refuses.
    """
    connection = await asyncpg.connect(
        address,
        ssl=encryption(address),
        timeout=settings.connect_timeout,
        command_timeout=settings.command_timeout,
        server_settings=_SESSION,
    )
    try:
        await _require_server(connection)
        table = await _table(connection, settings.schema)
        if table is None:
            await _create(connection, settings)
            table = await _table(connection, settings.schema)
        await connection.execute(f"SET ROLE {settings.writer}")
        await _require_guards(connection, settings, table)
        await _take_lock(connection, settings, table or 0, again=again)
    except BaseException:
        connection.terminate()
        raise
    return connection


async def _table(connection: asyncpg.Connection, schema: str) -> int | None:
    number: int | None = await connection.fetchval(
        "SELECT c.oid::bigint FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace"
        " WHERE n.nspname = $1 AND c.relname = 'records'",
        schema,
    )
    return number


async def _require_server(connection: asyncpg.Connection) -> None:
    version = int(await connection.fetchval("SHOW server_version_num"))
    if version < _OLDEST:
        raise StorageError(f"PostgreSQL: the server is of version {version // 10_000}; want 14")
    encoding = await connection.fetchval("SHOW server_encoding")
    if encoding != "UTF8":
        raise StorageError(f"PostgreSQL: the database is in {encoding}; make one in UTF8")


async def _create(connection: asyncpg.Connection, settings: PostgresSettings) -> None:
    """Make role, schema and guards, all or nothing, once even if two try."""
    schema, writer = settings.schema, settings.writer
    async with connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock($1)", _LOCKS)
        if await _table(connection, schema) is not None:
            return
        known = "SELECT count(*) FROM pg_roles WHERE rolname = $1"
        if not await connection.fetchval(known, writer):
            await connection.execute(f"CREATE ROLE {writer} NOLOGIN")
        if not await connection.fetchval("SELECT pg_has_role($1, 'MEMBER')", writer):
            await connection.execute(f"GRANT {writer} TO CURRENT_USER")
        for statement in (*creation(schema), *grants(schema, writer)):
            await connection.execute(statement)


async def _require_guards(
    connection: asyncpg.Connection, settings: PostgresSettings, table: int | None
) -> None:
    found = await connection.fetchrow(GUARDS, table)
    comment, triggers, mighty = found if found is not None else (None, 0, False)
    where = f"PostgreSQL: {settings.schema}.records"
    if comment != CREATED:
        raise StorageError(f"{where} was not made by this version; name another schema")
    if triggers != TRIGGERS:
        raise StorageError(f"{where} lacks its guards: a trigger was removed or switched off")
    if mighty:
        raise StorageError(f"{where}: role {settings.writer} may do more than insert; revoke that")


async def _take_lock(
    connection: asyncpg.Connection,
    settings: PostgresSettings,
    table: int,
    *,
    again: bool,
) -> None:
    clock = asyncio.get_running_loop().time
    until = clock() + settings.lock_wait
    while not await connection.fetchval(_LOCK, _LOCKS | table):
        if clock() < until:
            await asyncio.sleep(_PAUSE)
            continue
        text = f"PostgreSQL: another follower copies into schema {settings.schema}"
        if again:  # perhaps the connection before this one, which the server has not missed yet
            raise StoreUnreachableError(text)
        raise StorageError(f"{text}; one log has one follower: stop it, or name another schema")
