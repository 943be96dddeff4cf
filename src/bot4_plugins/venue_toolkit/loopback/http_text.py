"""HTTP/1.1 as far as a loopback venue needs it: heads in, answers out."""

import asyncio
from http import HTTPStatus
from typing import NamedTuple
from urllib.parse import parse_qsl, urlsplit

__all__ = ["HttpAnswer", "HttpRequest", "answer_bytes", "read_request"]


class HttpRequest(NamedTuple):
    """A client's request; header names in lower case."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def path(self) -> str:
        """The target without its query."""
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, str]:
        """The query's fields."""
        return dict(parse_qsl(urlsplit(self.target).query, keep_blank_values=True))


class HttpAnswer(NamedTuple):
    """What is answered."""

    body: bytes = b"{}"
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()


async def read_request(reader: asyncio.StreamReader) -> HttpRequest | None:
    """Read one request; None when the client is gone."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        method, target, _ = lines[0].split(" ", 2)
        pairs = (line.partition(":") for line in lines[1:] if line)
        headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
    except (asyncio.IncompleteReadError, ConnectionError, ValueError):
        return None
    return HttpRequest(method, target, headers, body)


def answer_bytes(answer: HttpAnswer) -> bytes:
    """Write an answer."""
    lines = [
        f"HTTP/1.1 {answer.status} {_phrase(answer.status)}",
        f"Content-Length: {len(answer.body)}",
        "Content-Type: application/json",
        *(f"{name}: {value}" for name, value in answer.headers),
    ]
    return "\r\n".join([*lines, "", ""]).encode() + answer.body


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"
