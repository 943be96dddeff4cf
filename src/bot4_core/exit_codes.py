"""What a process that ran bot4 says to its shell."""

from enum import IntEnum
from typing import Final

from bot4_core.errors import (
    Bot4Error,
    ChainError,
    ConfigError,
    PluginError,
    ValidationError,
    VenueError,
)

__all__ = ["ExitCode", "exit_code"]


class ExitCode(IntEnum):
    """Exit codes of the command line; public and stable."""

    OK = 0
    FAILURE = 1
    USAGE = 2
    CONFIG = 3  # a configuration is invalid
    PLUGIN = 4  # a plugin is missing or broken
    VENUE = 5  # a venue or the network failed
    AUTHENTICATION = 6
    RISK_HALT = 7  # a breaker tripped or a limit ended the session
    RECONCILIATION = 8  # the venue and the local state differ
    AUDIT = 9  # the audit log does not verify
    INTERRUPTED = 130


BY_ERROR: Final[tuple[tuple[type[BaseException], ExitCode], ...]] = (
    (ConfigError, ExitCode.CONFIG),
    (ValidationError, ExitCode.CONFIG),
    (PluginError, ExitCode.PLUGIN),
    (ChainError, ExitCode.AUDIT),
    (VenueError, ExitCode.VENUE),
    (Bot4Error, ExitCode.FAILURE),
    (KeyboardInterrupt, ExitCode.INTERRUPTED),
)


def exit_code(error: BaseException) -> ExitCode:
    """Return the exit code that an error ends a process with."""
    for kind, code in BY_ERROR:
        if isinstance(error, kind):
            return code
    return ExitCode.FAILURE
