"""Requests by httpx: each is sent once, redirects are not followed, replies have a limit."""

import ssl
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from bot4_core.domain_types.canonical_types import Nanoseconds
from bot4_core.errors import MissingPluginError, VenueError, VenueRefusedError
from bot4_core.plugins.exchange import Connection, Outbound, Reply
from bot4_plugins.venue_toolkit.transports import require_safe, rerouted, verified_context

if TYPE_CHECKING:
    import httpx

__all__ = ["HttpRequests"]

SECONDS: Final = 10.0
LARGEST: Final = 1 << 26
INSTALL: Final = "requests need httpx: pip install 'bot4-venue-toolkit[live]'"
REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
UNAVAILABLE_FOR_LEGAL_REASONS: Final = 451


class HttpRequests:
    """Sends requests to a venue's hosts.

    Parameters
    ----------
    hosts : mapping of str to str
        Addresses on this machine in place of a venue's.
    context : ssl.SSLContext, optional
        In place of the system's certificate authorities.
    seconds : float
        How long a reply may take.
    """

    def __init__(
        self,
        hosts: Mapping[str, str] | None = None,
        context: ssl.SSLContext | None = None,
        seconds: float = SECONDS,
    ) -> None:
        self._hosts = dict(hosts or {})
        self._context = context
        self._seconds = seconds
        self._client: httpx.AsyncClient | None = None

    async def request(self, connection: Connection, outbound: Outbound) -> Reply:
        """Send a request once and return what came back, whatever its status.

        Raises
        ------
        VenueRefusedError
            If the venue sends us elsewhere or will not serve this place.
        VenueError
            If no whole reply came; the request may have arrived all the same.
        """
        client = self._opened()
        url = f"{rerouted(connection.url, self._hosts)}{outbound.path}"
        require_safe(url)
        request = client.build_request(
            outbound.method,
            url,
            headers=[*connection.headers, *outbound.headers],
            content=outbound.body or None,
        )
        try:
            async with _closing(await client.send(request, stream=True)) as response:
                body = await _body(response, max(connection.largest, LARGEST))
        except _errors() as error:
            said = str(error) or type(error).__name__
            raise VenueError(f"{_place(outbound)}: {said}") from error
        _require_welcome(response, outbound)
        return Reply(
            status=response.status_code,
            body=body,
            received=Nanoseconds(0),
            headers=tuple((name.lower(), value) for name, value in response.headers.items()),
        )

    async def close(self) -> None:
        """Close the connections kept between requests."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    def _opened(self) -> "httpx.AsyncClient":
        if self._client is None:
            try:
                import httpx  # noqa: PLC0415 - only who connects needs it
            except ImportError as error:
                raise MissingPluginError(INSTALL) from error
            self._client = httpx.AsyncClient(
                verify=self._context or verified_context(),
                follow_redirects=False,
                trust_env=False,
                timeout=self._seconds,
                transport=None,
            )
        return self._client


class _closing:  # noqa: N801 - a context manager, used as a word
    """Closes a response at the end, whether it was read or not."""

    def __init__(self, response: "httpx.Response") -> None:
        self._response = response

    async def __aenter__(self) -> "httpx.Response":
        return self._response

    async def __aexit__(self, *error: object) -> None:
        await self._response.aclose()


def _errors() -> tuple[type[Exception], ...]:
    import httpx  # noqa: PLC0415 - only who connects needs it

    return (httpx.HTTPError, httpx.InvalidURL, OSError)


async def _body(response: "httpx.Response", largest: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    async for part in response.aiter_bytes():
        size += len(part)
        if size > largest:
            raise OSError(f"the reply is larger than {largest:,} bytes")
        parts.append(part)
    return b"".join(parts)


def _require_welcome(response: "httpx.Response", outbound: Outbound) -> None:
    status = response.status_code
    if status in REDIRECTS:
        target = urlsplit(response.headers.get("location", "")).hostname or "elsewhere"
        raise VenueRefusedError(
            f"{_place(outbound)}: the venue redirects to {target}; redirects are not followed"
        )
    if status == UNAVAILABLE_FOR_LEGAL_REASONS:
        raise VenueRefusedError(f"{_place(outbound)}: the venue does not serve this place (451)")


def _place(outbound: Outbound) -> str:
    """Name a request without its query, which may hold a signature."""
    return f"{outbound.method} {outbound.path.partition('?')[0]}"
