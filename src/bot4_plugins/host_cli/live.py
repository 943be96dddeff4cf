"""What commands that connect to venues need; the toolkit is imported when one does."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from bot4_core.errors import ConfigError, MissingPluginError
from bot4_core.session.config import SessionConfig
from bot4_core.session.ports import Connect

if TYPE_CHECKING:
    from bot4_core.plugins.credentials import Credentials
    from bot4_plugins.venue_toolkit.network import NetworkTransport

__all__ = ["HOSTS", "connecting", "network"]

HOSTS: Final = "BOT4_HOSTS"
"""Names addresses on this machine that stand in for venues: ``wss://a=ws://127.0.0.1:1,...``."""
INSTALL: Final = "connecting to venues needs more: pip install 'bot4-host-cli[live]'"


@contextmanager
def connecting(settings: SessionConfig) -> Iterator[Connect | None]:
    """Yield what opens a session's live market, None where it has none; close it at the end.

    Raises
    ------
    MissingPluginError
        If the toolkit is not installed.
    """
    if not settings.source.live:
        yield None
        return
    transport = network()
    from bot4_plugins.venue_toolkit.live_link import LiveLink  # noqa: PLC0415 - only live

    with LiveLink(transport, keys_of) as link:
        yield link


def network(environ: Mapping[str, str] = os.environ) -> "NetworkTransport":
    """Return the network, with this machine in place of the venues that `HOSTS` names.

    Raises
    ------
    MissingPluginError
        If the toolkit is not installed.
    """
    try:
        from bot4_plugins.venue_toolkit.network import NetworkTransport  # noqa: PLC0415 - only live
    except ImportError as error:
        raise MissingPluginError(INSTALL) from error
    return NetworkTransport(stand_ins(environ.get(HOSTS, "")))


def stand_ins(text: str) -> dict[str, str]:
    """Read which addresses stand in for which.

    Raises
    ------
    ConfigError
        If it cannot be read.
    """
    pairs = [pair.partition("=") for pair in text.split(",") if pair.strip()]
    if not all(origin.strip() and target.strip() for origin, _, target in pairs):
        raise ConfigError("environment", [(HOSTS, f"{text!r} is no list of origin=address")])
    return {origin.strip(): target.strip() for origin, _, target in pairs}


def keys_of(venue: str) -> "Credentials | None":
    """Return a venue's keys from the environment, files or the keyring."""
    from bot4_plugins.venue_toolkit.keys import read_credentials, system_keyring  # noqa: PLC0415

    return read_credentials(venue, keyring=system_keyring())
