"""Feed processes that end as tests want it, found by name in the processes that they are."""

import os
import signal
from collections.abc import Iterator

from bot4_core.market.message_ring import MessageRing
from bot4_core.plugins.interfaces import Records
from bot4_core.session.building import recorded_market
from bot4_core.session.config import SessionConfig
from bot4_core.session.feed import serve_feed
from bot4_plugins.host_cli.plugins_command import installed_host


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def killed_at_once(name: str, config: SessionConfig, quiet: bool) -> None:
    die()


def killed_midway(name: str, config: SessionConfig, quiet: bool) -> None:
    """Send the first batch, then die."""
    market = recorded_market(config, installed_host())
    batches = market.batches()

    def first() -> Iterator[Records]:
        yield next(batches)
        die()

    market.batches = first  # type: ignore[method-assign]  # this one alone
    serve_feed(MessageRing.attach(name).writer(), lambda: market, die)
