"""What this distribution brings, without importing it."""

from collections.abc import Sequence

from bot4_core.plugins import Component, hookimpl

HOOK_API = 1


@hookimpl
def bot4_components() -> Sequence[Component]:
    """Describe the store."""
    return [
        Component(
            kind="store",
            name="postgres",
            load="bot4_plugins.store_postgres.store:PostgresStore",
            summary="A copy of the audit log in PostgreSQL, checked link by link",
        )
    ]
