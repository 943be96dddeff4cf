"""Where in the database the records go, and how long to wait for it."""

import re
from collections.abc import Iterator
from typing import Final

import attrs

from bot4_core.plugins.interfaces import PartSettings

__all__ = ["PostgresSettings"]

_NAME: Final = re.compile(r"[a-z_][a-z0-9_]{0,62}")
_NAME_RULE: Final = "is not made of small letters, digits and underscores, or begins with pg_"


@attrs.frozen(kw_only=True)
class PostgresSettings(PartSettings):
    """How the copy is kept.

    Parameters
    ----------
    schema : str
        Holds one log's records; another log gets another schema.
    writer : str
        The role that may insert and read records and nothing else; made when it is not there.
    connect_timeout, command_timeout : float
        Seconds after which the server counts as unreachable.
    lock_wait : float
        Seconds to wait, at the start, for another follower of the same schema to end.
    """

    schema: str = "bot4_audit"
    writer: str = "bot4_audit_writer"
    connect_timeout: float = 10.0
    command_timeout: float = 60.0
    lock_wait: float = 5.0

    def faults(self) -> Iterator[tuple[str, str]]:
        """Yield what is wrong."""
        for key in ("schema", "writer"):
            name = getattr(self, key)
            if not _NAME.fullmatch(name) or name.startswith("pg_"):
                yield key, f"{name!r} {_NAME_RULE}"
        for key in ("connect_timeout", "command_timeout"):
            if not getattr(self, key) > 0:
                yield key, f"{getattr(self, key)} is not above 0"
        if not self.lock_wait >= 0:
            yield "lock_wait", f"{self.lock_wait} is not 0 or above"
