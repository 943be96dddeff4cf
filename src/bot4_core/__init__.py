"""bot4: an embeddable trading kernel.

The names below are loaded when they are first used, so importing the package costs next to
nothing and loads no compiler.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from bot4_core.exit_codes import ExitCode
    from bot4_core.plugins.host import PluginHost
    from bot4_core.session.config import SessionConfig
    from bot4_core.session.report import SessionReport
    from bot4_core.session.runner import SessionRunner, run
    from bot4_core.session.session import Session
    from bot4_core.session.state import Parts
    from bot4_core.session.warming import warm_session

__all__ = [
    "ExitCode",
    "Parts",
    "PluginHost",
    "Session",
    "SessionConfig",
    "SessionReport",
    "SessionRunner",
    "run",
    "warm_session",
]

HOMES: Final = {
    "ExitCode": "exit_codes",
    "Parts": "session.state",
    "PluginHost": "plugins.host",
    "Session": "session.session",
    "SessionConfig": "session.config",
    "SessionReport": "session.report",
    "SessionRunner": "session.runner",
    "run": "session.runner",
    "warm_session": "session.warming",
}


def __getattr__(name: str) -> Any:
    """Load a public name from its module."""
    home = HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{home}"), name)


def __dir__() -> list[str]:
    """Return the public names, loaded or not."""
    return sorted({*globals(), *__all__})
