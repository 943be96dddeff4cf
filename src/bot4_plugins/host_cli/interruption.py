"""Ctrl-C while a session runs: once for a stop in good order, twice for a stop at once."""

import signal
import threading
from types import FrameType, TracebackType
from typing import Any, Self

import click

from bot4_plugins.host_cli.talk import Talk

__all__ = ["Interruption"]


class Interruption:
    """Takes SIGINT while it is entered.

    Attributes
    ----------
    graceful : bool
        Whether a session runs that asks for the reason; before, an interrupt ends all at once.
    reason : str
        Why the session should stop; empty to go on.
    """

    def __init__(self, talk: Talk) -> None:
        self.graceful = False
        self.reason = ""
        self._talk = talk
        self._before: Any = None

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            self._before = signal.signal(signal.SIGINT, self._taken)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)

    def _taken(self, number: int, frame: FrameType | None) -> None:
        if self.reason or not self.graceful:
            raise KeyboardInterrupt
        self.reason = "interrupted"
        if not self._talk.quiet:
            click.echo("bot4: stopping in good order; Ctrl-C again stops at once", err=True)
