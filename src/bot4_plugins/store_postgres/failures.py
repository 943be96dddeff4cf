"""What the server's and the driver's errors mean: try again, or stop."""

import ssl
from typing import Final

import asyncpg

from bot4_core.errors import AuditError, StorageError, StoreUnreachableError
from bot4_plugins.store_postgres.address import without_secrets

__all__ = ["FAILURES", "named_failure"]

FAILURES: Final = (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, ValueError)
"""Everything that a call of the driver raises."""

# SQLSTATE classes: connection, resources, intervention by an operator, rolled back; and a server
# that is a stand-by for the moment
_PASSING: Final = ("08", "53", "57", "40", "55P03", "25006")
_REMEDIES: Final = (
    ("28", "check user and password of the address, and the server's pg_hba.conf"),
    ("3D", "create the database, or name another in the address"),
    ("42501", "let a role that may make roles and schemas follow once, or grant what is missing"),
)
_MALFORMED: Final = "the address of the server is malformed"


def named_failure(error: BaseException, address: str, doing: str) -> StorageError:
    """Return our error for one of the driver's, with no secret in its text."""
    state = getattr(error, "sqlstate", None) or ""
    told = error.args[0] if state and error.args else error
    cause = without_secrets(str(told), address) or type(error).__name__
    text = f"PostgreSQL: cannot {doing}: {cause}"
    if state.startswith("23"):
        return AuditError(text)
    if state and not state.startswith(_PASSING):
        remedy = next((words for start, words in _REMEDIES if state.startswith(start)), "")
        return StorageError(f"{text}; {remedy}" if remedy else text)
    if isinstance(error, ssl.SSLCertVerificationError):
        return StorageError(f"{text}; check the name in the address, or give its certificate")
    if isinstance(error, ValueError):  # the driver quotes what it could not read
        return StorageError(
            text if "certificate" in cause else f"PostgreSQL: cannot {doing}: {_MALFORMED}"
        )
    return StoreUnreachableError(text)
