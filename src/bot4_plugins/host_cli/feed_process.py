"""A process of its own that reads a session's recordings: ``bot4 run --feed-process``."""

import multiprocessing
import os
import signal
import threading
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from types import TracebackType
from typing import Final, Self

from bot4_core.errors import ChannelError
from bot4_core.jit import KernelCacheWarning, warm_up
from bot4_core.market.message_ring import MessageReader, MessageRing
from bot4_core.session.building import recorded_market
from bot4_core.session.config import SessionConfig
from bot4_core.session.feed import serve_feed
from bot4_core.session.markets import RecordedMarket
from bot4_core.session.replay_kernels import reading_kernels
from bot4_plugins.host_cli.plugins_command import installed_host
from bot4_plugins.host_cli.reading import reading_ahead
from bot4_plugins.host_cli.talk import Talk

__all__ = ["FeedProcess", "feed_recordings"]

LINES: Final = 1 << 16
"""Of 64 bytes: 4 MB, eight frames of events."""
PAUSE: Final = 1e-3
"""Seconds between looks: a frame takes longer to decode, and the ring holds eight of them."""
PATIENCE: Final = 5.0
"""Seconds that a feed which is no longer read has to end by itself."""


class FeedProcess:
    """Starts the process when it is asked to, and leaves none behind.

    The process imports what it needs while the session compiles, and reads once that is done, so
    that nothing is compiled twice.

    Parameters
    ----------
    config : SessionConfig
        Names the recordings and the venue.
    quiet : bool
        The process keeps its warnings back.
    """

    def __init__(self, config: SessionConfig, *, quiet: bool) -> None:
        self._config = config
        self._quiet = quiet
        self._process: BaseProcess | None = None
        self._ring: MessageRing | None = None
        self._reader: MessageReader | None = None

    def start(self) -> None:
        """Start the process, which gets ready and waits until its ring is read."""
        ring = self._ring = MessageRing.create(LINES)
        context = multiprocessing.get_context("spawn")
        arguments = (ring.name, self._config, self._quiet)
        process = self._process = context.Process(
            target=feed_recordings, args=arguments, name="bot4-feed", daemon=True
        )
        with interrupts_held():
            process.start()

    def open(self) -> MessageReader:
        """Take the reading end of the ring, whereupon the process begins.

        Raises
        ------
        ChannelError
            If no process was started.
        """
        if self._ring is None:
            raise ChannelError(self.ending())
        reader = self._reader = self._ring.reader()
        return reader

    def pause(self) -> None:
        """Let a moment pass; raise ``ChannelError`` if the process has ended."""
        if self._process is not None and self._process.exitcode is not None:
            raise ChannelError(self.ending())
        time.sleep(PAUSE)

    def ending(self) -> str:
        """Say how the process ended."""
        if self._process is None:
            return "it was never started"
        self._process.join(PATIENCE)
        code = self._process.exitcode
        if code is None:
            return f"process {self._process.pid} hangs"
        how = f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
        return f"process {self._process.pid}, {how}"

    def close(self) -> None:
        """Let the process end, or end it, and give the memory back."""
        if self._reader is not None:
            self._reader.close()
        if self._ring is not None:
            self._ring.unlink()
        if self._process is not None:
            try:
                if self._reader is not None:  # else it waits for one
                    self._process.join(PATIENCE)
            finally:  # whoever is impatient interrupts
                self._process.kill()
                self._process.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


@contextmanager
def interrupts_held() -> Iterator[None]:
    """Hold SIGINT back; a process that is started meanwhile never sees one from the keyboard."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def feed_recordings(name: str, config: SessionConfig, quiet: bool) -> None:
    """Be the feed process: read, decode and send, until everything is sent or nobody reads."""
    end_with_parent()
    warnings.simplefilter("ignore", KernelCacheWarning)  # the session's process warns of it
    talk = Talk()
    talk.quiet = quiet
    warnings.showwarning = lambda message, *_, **__: talk.warn(message)
    with (
        suppress(ChannelError),
        MessageRing.attach(name).writer() as writer,
        reading_ahead() as options,
    ):
        while not writer.ring.status().reader:
            time.sleep(PAUSE)

        def make_market() -> RecordedMarket:
            market = recorded_market(config, installed_host(), options)
            warm_up([*reading_kernels(), *market.exchange.specialisations()])
            return market

        serve_feed(writer, make_market, lambda: time.sleep(PAUSE))


def end_with_parent() -> None:
    """End this process at once when the one that started it is gone, whatever it does then."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def watch() -> None:
        wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=watch, name="bot4-parent", daemon=True).start()
