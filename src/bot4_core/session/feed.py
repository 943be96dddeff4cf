"""Recordings read in one process and played in another, through a ring of messages.

The feed process makes the same market of recordings that a session would make by itself, and sends
what it yields in *frames*: its instruments, then events, always whole messages, and warnings as
they come up. A frame of events begins with how far the feed has come, so that the other side knows
of no event what it would not know without. Errors cross as they are.

The process itself, and its end, are the host's: see `FeedLink`.
"""

import pickle
from collections.abc import Callable, Iterator
from contextlib import suppress
from enum import IntEnum
from typing import Any, Final, NamedTuple, Protocol

import numpy as np

from bot4_core.domain_types.instruments import Instrument
from bot4_core.domain_types.records import EVENT_DTYPE, EventFlag
from bot4_core.errors import Bot4Error, ChannelError
from bot4_core.jit import Specialisation
from bot4_core.market.message_ring import (
    Bytes,
    Message,
    MessageReader,
    MessageWriter,
    message_kernels,
)
from bot4_core.market.rings import Pause
from bot4_core.plugins.interfaces import Records
from bot4_core.session.paper import PaperSettings
from bot4_core.session.paper_market import PaperMarket
from bot4_core.session.ports import Market

__all__ = ["FRAME", "FedMarket", "FeedLink", "feed_kernels", "serve_feed"]

FRAME: Final = 8192
"""Events of one frame, unless a single message has more."""
LAST: Final = int(EventFlag.LAST)
STATUS: Final = np.dtype(
    [("share", "<f8"), ("quarantined", "<i8"), ("more", "<i8"), ("spare", "<i8", (3,))]
)
"""What a frame of events begins with; ``more`` where its last message goes on in the next."""


class FeedMessage(IntEnum):
    """What a message of the ring is."""

    OPENED = 1
    EVENTS = 2
    WARNINGS = 3
    FAILED = 4
    ENDED = 5


class Opening(NamedTuple):
    """What the feed says first."""

    instruments: tuple[Instrument, ...]
    table: Records
    warnings: tuple[str, ...]


class FeedLink(Protocol):
    """The host's hold on a feed process."""

    def start(self) -> None:
        """Start the process, which gets ready and waits until its ring is read."""

    def open(self) -> MessageReader:
        """Take the ring's reading end; the process then runs `serve_feed`."""
        raise NotImplementedError

    def pause(self) -> None:
        """Let a moment pass; raise ``ChannelError`` if the process has ended."""

    def ending(self) -> str:
        """Say how the process ended, once it did."""
        raise NotImplementedError


# -- the feed process -----------------------------------------------------------------------------


def serve_feed(writer: MessageWriter, make_market: Callable[[], Market], pause: Pause) -> None:
    """Send everything that a market of recordings yields, then its end.

    Parameters
    ----------
    writer : MessageWriter
        Its ring takes frames of `FRAME` events.
    make_market : callable
        What this raises is sent, as is what the market raises later.
    pause : callable
        Called while the ring is full.

    Raises
    ------
    ChannelError
        If the reader died, or reads no more.
    """
    try:
        market = make_market()
        told = market.warnings
        opening = Opening(market.instruments, market.table.copy(), told)
        _send(writer, FeedMessage.OPENED, opening, pause)
        for batch in market.batches():
            if market.warnings != told:
                told = market.warnings
                _send(writer, FeedMessage.WARNINGS, told, pause)
            _send_events(writer, market, batch, pause)
        ended = (market.share, market.quarantined, market.warnings)
        _send(writer, FeedMessage.ENDED, ended, pause)
    except ChannelError:
        raise
    except Exception as error:  # noqa: BLE001 - it is the other side's to handle
        _send(writer, FeedMessage.FAILED, _portable(error), pause)


def _send(writer: MessageWriter, kind: FeedMessage, content: object, pause: Pause) -> None:
    writer.send_bytes(pickle.dumps(content), pause, kind)


def _portable(error: Exception) -> Exception:
    """Return an error that can be sent: itself, or its text."""
    with suppress(Exception):
        pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes
        return error
    return Bot4Error(f"{type(error).__name__}: {error}")


def _send_events(writer: MessageWriter, market: Market, batch: Records, pause: Pause) -> None:
    """Send a batch in frames cut at the ends of messages."""
    status = np.zeros(1, STATUS)
    status["share"], status["quarantined"] = market.share, market.quarantined
    ends = np.flatnonzero(batch["flags"] & LAST) + 1
    start = 0
    while start < len(batch):
        stop = min(start + FRAME, len(batch))
        if stop < len(batch):
            end = int(ends[np.searchsorted(ends, stop, side="right") - 1]) if len(ends) else 0
            status["more"] = end <= start
            stop = end if end > start else stop
        else:
            status["more"] = 0
        _send_frame(writer, status, batch[start:stop], pause)
        start = stop


def _send_frame(writer: MessageWriter, status: Records, events: Records, pause: Pause) -> None:
    def fill(room: Bytes) -> None:
        room[: STATUS.itemsize] = status.view(np.uint8)
        room[STATUS.itemsize :].view(EVENT_DTYPE)[:] = events

    writer.send(STATUS.itemsize + events.nbytes, fill, pause, FeedMessage.EVENTS)


# -- the session's side ---------------------------------------------------------------------------


class FedMarket(PaperMarket):
    """Recordings that another process reads, and a paper venue that takes the orders.

    Parameters
    ----------
    link : FeedLink
        Its process is opened here.
    matching : PaperSettings

    Raises
    ------
    ChannelError
        If the process died.
    Bot4Error
        Whatever the recordings or the configuration made the feed raise.
    """

    def __init__(self, link: FeedLink, matching: PaperSettings) -> None:
        self._link = link
        self._reader = link.open()
        self._share, self._quarantined = 0.0, 0
        opening: Opening = _content(self._next())
        self._reader.release()
        self.warnings: tuple[str, ...] = opening.warnings
        super().__init__(opening.instruments, opening.table, matching)

    @property
    def share(self) -> float:
        """How much of the files was read when the last events were made."""
        return self._share

    @property
    def quarantined(self) -> int:
        """Messages that were applied nowhere."""
        return self._quarantined

    def batches(self) -> Iterator[Records]:
        """Yield the events, whole messages, where they stand in the ring.

        Raises
        ------
        ChannelError
            If the feed process died.
        Bot4Error
            Whatever the feed raised.
        """
        parts: list[Records] = []
        while (message := self._next()).kind != FeedMessage.ENDED:
            if message.kind == FeedMessage.EVENTS:
                events, more = self._events(message)
                if more or parts:
                    parts.append(events.copy())
                if not more:
                    yield np.concatenate(parts) if parts else events
                    parts.clear()
            else:
                self.warnings = _content(message)
            self._reader.release()
        self._share, self._quarantined, self.warnings = _content(message)
        self._reader.release()

    def _events(self, message: Message) -> tuple[Records, bool]:
        """Take note of how far the feed is; return its events and whether the last goes on."""
        status = message.data[: STATUS.itemsize].view(STATUS)
        self._share, self._quarantined = float(status["share"][0]), int(status["quarantined"][0])
        return message.data[STATUS.itemsize :].view(EVENT_DTYPE), bool(status["more"][0])

    def _next(self) -> Message:
        """Return the next frame; raise what the feed raised, or that it died."""
        try:
            self._reader.wait(self._link.pause)
        except ChannelError as error:
            raise self._died() from error
        message = self._reader.peek()
        if message is None:
            raise self._died()
        if message.kind == FeedMessage.FAILED:
            raise _content(message)
        return message

    def _died(self) -> ChannelError:
        return ChannelError(
            f"the feed process ended before the recordings did ({self._link.ending()}); "
            "start again, or read them in the same process"
        )


def _content(message: Message) -> Any:
    return pickle.loads(message.data.tobytes())  # noqa: S301 - from the process that we started


def feed_kernels() -> list[Specialisation]:
    """Return what both sides call, to be compiled before the first event."""
    return message_kernels()
