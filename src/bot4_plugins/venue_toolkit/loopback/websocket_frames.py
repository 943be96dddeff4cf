"""The server's half of RFC 6455, written out so that every byte of it can be spoiled."""

import base64
import hashlib
from enum import IntEnum
from typing import Final, NamedTuple

__all__ = ["ClientFrame", "ClientFrames", "Opcode", "accept_key", "frame_bytes"]

MAGIC: Final = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
FIN: Final = 0x80
MASKED: Final = 0x80
SHORT: Final = 125
TWO_BYTES: Final = 126
EIGHT_BYTES: Final = 127


class Opcode(IntEnum):
    """What a frame carries."""

    CONTINUATION = 0
    TEXT = 1
    BINARY = 2
    CLOSE = 8
    PING = 9
    PONG = 10


class ClientFrame(NamedTuple):
    """One frame of a client, unmasked."""

    opcode: Opcode
    final: bool
    payload: bytes


def accept_key(key: str) -> str:
    """Answer a client's ``Sec-WebSocket-Key``."""
    digest = hashlib.sha1(key.encode() + MAGIC, usedforsecurity=False).digest()
    return base64.b64encode(digest).decode()


def frame_bytes(payload: bytes, opcode: Opcode = Opcode.TEXT, *, final: bool = True) -> bytes:
    """Write one frame as a server does, unmasked."""
    head = bytearray([(FIN if final else 0) | opcode])
    size = len(payload)
    if size <= SHORT:
        head.append(size)
    elif size < 1 << 16:
        head.append(TWO_BYTES)
        head += size.to_bytes(2)
    else:
        head.append(EIGHT_BYTES)
        head += size.to_bytes(8)
    return bytes(head) + payload


class ClientFrames:
    """Takes bytes as they come and gives whole frames."""

    def __init__(self) -> None:
        self._bytes = bytearray()

    def feed(self, data: bytes) -> list[ClientFrame]:
        """Take bytes; return the frames that they complete."""
        self._bytes += data
        frames: list[ClientFrame] = []
        while (frame := self._next()) is not None:
            frames.append(frame)
        return frames

    def _next(self) -> ClientFrame | None:
        data = self._bytes
        if len(data) < 2:
            return None
        size, start = data[1] & ~MASKED, 2
        if size in {TWO_BYTES, EIGHT_BYTES}:
            start = 4 if size == TWO_BYTES else 10
            if len(data) < start:
                return None
            size = int.from_bytes(data[2:start])
        masked = bool(data[1] & MASKED)
        begin = start + (4 if masked else 0)
        if len(data) < begin + size:
            return None
        payload = bytes(data[begin : begin + size])
        if masked:
            mask = bytes(data[start:begin])
            payload = _unmasked(payload, mask)
        frame = ClientFrame(Opcode(data[0] & 0x0F), bool(data[0] & FIN), payload)
        del data[: begin + size]
        return frame


def _unmasked(payload: bytes, mask: bytes) -> bytes:
    size = len(payload)
    repeated = (mask * (size // 4 + 1))[:size]
    return (int.from_bytes(payload) ^ int.from_bytes(repeated)).to_bytes(size)
