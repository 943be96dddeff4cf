"""The store: records in, in order, once each; never two under one number."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import ClassVar, Final, TypeAlias, TypeVar

import asyncpg

from bot4_core.domain_types.audit_records import AuditRecord
from bot4_core.domain_types.validation import validate
from bot4_core.errors import ChainError, StorageError, StoreUnreachableError
from bot4_core.plugins.interfaces import PartSettings, Store
from bot4_plugins.store_postgres.address import checked_address
from bot4_plugins.store_postgres.connection import connected
from bot4_plugins.store_postgres.failures import FAILURES, named_failure
from bot4_plugins.store_postgres.settings import PostgresSettings

__all__ = ["PostgresStore"]

T = TypeVar("T")
_Columns: TypeAlias = list[list[int] | list[str] | list[bytes]]

_MISFIT: Final = "23"  # of SQLSTATE: a constraint does not hold
_TYPES: Final = ("bigint",) * 3 + ("text",) * 5 + ("bytea",) * 2
_GIVEN: Final = f"unnest({', '.join(f'${at}::{kind}[]' for at, kind in enumerate(_TYPES, 1))})"
_COLUMNS: Final = (
    "sequence, wall_time, event_time, run, kind, actor, correlation, payload, previous, digest"
)
_INSERT: Final = (
    f"INSERT INTO {{schema}}.records ({_COLUMNS}) SELECT * FROM {_GIVEN}"  # noqa: S608 - constant
    " ON CONFLICT (sequence) DO NOTHING"
)
_DIFFERENT: Final = (
    f"SELECT min(given.sequence) FROM {_GIVEN} AS given ({_COLUMNS})"  # noqa: S608 - constant
    " JOIN {schema}.records AS kept USING (sequence)"
    " WHERE (given.*) IS DISTINCT FROM (kept.*)"
)


class PostgresStore(Store):
    """Keeps records in PostgreSQL over one connection, which is made when it is first needed.

    It waits for the server inside each call, so give it a thread without an event loop. After
    `StoreUnreachableError` the next call connects anew.

    Parameters
    ----------
    settings : PostgresSettings
    address : str
        A URL, ``postgresql://USER:PASSWORD@HOST:PORT/DATABASE``.

    Raises
    ------
    ValidationError
        If a setting breaks a rule.
    StorageError
        If the address is none.
    """

    name: ClassVar[str] = "postgres"
    settings_type: ClassVar[type[PartSettings]] = PostgresSettings

    def __init__(self, settings: PartSettings, address: str) -> None:
        if not isinstance(settings, PostgresSettings):
            raise TypeError(f"settings are {type(settings).__name__}, not PostgresSettings")
        self.settings = validate(settings)
        self._address = checked_address(address)
        self._runner = asyncio.Runner()
        self._connection: asyncpg.Connection | None = None
        self._held = False

    def write(self, records: Sequence[AuditRecord]) -> None:
        """Keep records in one transaction; those that are there already are compared.

        Raises
        ------
        ChainError
            If the database has another record under one of the numbers; nothing is kept then.
        AuditError
            If the database finds that a record does not fit those before it.
        StoreUnreachableError
            If the server cannot be reached; whether the records are kept is not known then.
        StorageError
            If the server refuses.
        """
        if records:
            self._done(lambda connection: self._write(connection, records), "keep records")

    def last_sequence(self) -> int:
        """Return the highest sequence number kept, 0 for none.

        Raises
        ------
        StoreUnreachableError
            If the server cannot be reached.
        StorageError
            If the server refuses, or another follower is at work.
        """
        statement = f"SELECT coalesce(max(sequence), 0) FROM {self.settings.schema}.records"  # noqa: S608 - a checked name

        async def asked(connection: asyncpg.Connection) -> int:
            return int(await connection.fetchval(statement))

        return self._done(asked, "read where the copy ends")

    def close(self) -> None:
        """End the connection, and with it the lock."""
        connection, self._connection = self._connection, None
        if connection is not None:
            try:
                self._runner.run(connection.close(timeout=self.settings.connect_timeout))
            except FAILURES:
                connection.terminate()
        self._runner.close()

    def _done(self, action: Callable[[asyncpg.Connection], Awaitable[T]], doing: str) -> T:
        try:
            return self._runner.run(self._acted(action))
        except StoreUnreachableError:
            self._drop()
            raise
        except StorageError:
            raise
        except FAILURES as error:
            failure = named_failure(error, self._address, doing)
            if isinstance(failure, StoreUnreachableError):
                self._drop()
            raise failure from None  # what the driver says may hold the address

    async def _acted(self, action: Callable[[asyncpg.Connection], Awaitable[T]]) -> T:
        if self._connection is None:
            self._connection = await connected(self._address, self.settings, again=self._held)
            self._held = True
        return await action(self._connection)

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.terminate()
        self._runner.run(asyncio.sleep(0))  # so that the socket is closed

    async def _write(self, connection: asyncpg.Connection, records: Sequence[AuditRecord]) -> None:
        columns, schema = _columns(records), self.settings.schema
        try:
            async with connection.transaction():
                done = await connection.execute(_INSERT.format(schema=schema), *columns)
                if int(done.rpartition(" ")[2]) < len(records):
                    await self._compare(connection, columns)
        except asyncpg.PostgresError as error:
            if error.sqlstate.startswith(_MISFIT):  # perhaps because another one was there before
                await self._compare(connection, columns)
            raise

    async def _compare(self, connection: asyncpg.Connection, columns: _Columns) -> None:
        schema = self.settings.schema
        number = await connection.fetchval(_DIFFERENT.format(schema=schema), *columns)
        if number is not None:
            raise ChainError(
                number,
                f"schema {schema} in PostgreSQL keeps another record under this number;"
                " verify the log, and look at the view `faults` in that schema",
            ) from None


def _columns(records: Sequence[AuditRecord]) -> _Columns:
    return [
        [each.sequence for each in records],
        [int(each.wall_time) for each in records],
        [int(each.event_time) for each in records],
        [each.run for each in records],
        [each.kind.value for each in records],
        [each.actor for each in records],
        [each.correlation for each in records],
        [each.payload.decode() for each in records],
        [each.previous for each in records],
        [each.digest for each in records],
    ]
