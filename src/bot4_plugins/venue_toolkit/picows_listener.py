"""A picows connection as a `Socket`; imported when the first one is opened."""

import asyncio
from typing import Final

import picows

from bot4_plugins.venue_toolkit.transports import SocketListener

__all__ = ["PicowsSocket"]

CONTENT: Final = (picows.WSMsgType.TEXT, picows.WSMsgType.BINARY, picows.WSMsgType.CONTINUATION)
CLOSE: Final = picows.WSMsgType.CLOSE
TEXT: Final = picows.WSMsgType.TEXT


class PicowsSocket(picows.WSListener):
    """Hands whole messages on, puts fragments together, and closes without asking.

    Parameters
    ----------
    listener : SocketListener
    largest : int
        Bytes of the largest message; a larger one ends the connection.
    """

    def __init__(self, listener: SocketListener, largest: int) -> None:
        self._listener: SocketListener | None = listener
        self._largest = largest
        self._parts: list[bytes] = []
        self._size = 0
        self._reason = "the connection was lost"
        self._transport: picows.WSTransport | None = None

    @property
    def is_open(self) -> bool:
        """Whether what is sent may still arrive."""
        return self._listener is not None and self._transport is not None

    def send(self, data: bytes) -> None:
        """Send one text frame."""
        if self._transport is not None:
            self._transport.send(TEXT, data)

    def ping(self) -> None:
        """Send a ping."""
        if self._transport is not None:
            self._transport.send_ping()

    def close(self) -> None:
        """Close at once; the listener hears of it only if the other side was faster."""
        self._listener = None
        if self._transport is not None:
            self._transport.disconnect(graceful=False)

    def on_ws_connected(self, transport: picows.WSTransport) -> None:
        """Take the connection."""
        self._transport = transport
        self._end = asyncio.ensure_future(transport.wait_disconnected())
        self._end.add_done_callback(self._ended)

    def _ended(self, end: "asyncio.Future[None]") -> None:
        """Take why picows itself ended the connection; nobody else asks for it."""
        error = None if end.cancelled() else end.exception()
        if error is not None:
            self._tell(str(error))

    def on_ws_frame(self, transport: picows.WSTransport, frame: picows.WSFrame) -> None:
        """Hand a message on when its last fragment is there."""
        listener = self._listener
        if listener is None:
            return
        kind = frame.msg_type
        if kind in CONTENT:
            if frame.payload_size > self._largest:
                self._fail(f"a message is larger than {self._largest:,} bytes")
            elif frame.fin and not self._parts:
                listener.on_message(frame.get_payload_as_bytes())
            else:
                self._gather(listener, frame)
        elif kind == CLOSE:
            reason = frame.get_close_reason() or ""
            self._reason = f"the venue closed ({frame.get_close_code().value}) {reason}".rstrip()
            transport.disconnect()
        else:
            listener.on_alive()

    def _gather(self, listener: SocketListener, frame: picows.WSFrame) -> None:
        """Keep a fragment, or hand on what the last one completes."""
        self._parts.append(frame.get_payload_as_bytes())
        self._size += frame.payload_size
        if self._size > self._largest:
            self._fail(f"a message is larger than {self._largest:,} bytes")
        elif frame.fin:
            whole = b"".join(self._parts)
            self._parts, self._size = [], 0
            listener.on_message(whole)

    def _fail(self, reason: str) -> None:
        self._parts, self._size = [], 0
        if self._transport is not None:
            self._transport.disconnect(graceful=False)
        self._tell(reason)

    def on_ws_disconnected(self, transport: picows.WSTransport) -> None:
        """Tell of the end."""
        self._transport = None
        self._tell(self._reason)

    def _tell(self, reason: str) -> None:
        """Tell of the end, once."""
        listener, self._listener = self._listener, None
        if listener is not None:
            listener.on_close(reason)
