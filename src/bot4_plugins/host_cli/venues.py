"""Make exchange adapters by plugin name."""

import difflib
from collections.abc import Callable, Sequence

import click

from bot4_core.convert import structure
from bot4_core.domain_types.instruments import Instrument
from bot4_core.plugins.interfaces import Exchange
from bot4_plugins.host_cli.plugins_command import installed_host

__all__ = ["adapter_factory", "require_market", "venue_options"]


def adapter_factory(venue: str, market: str) -> Callable[[Sequence[Instrument]], Exchange]:
    """Return what makes fresh adapters of one market of a venue.

    Raises
    ------
    MissingPluginError
        If no plugin brings the venue.
    BadParameter
        If the venue has no such market.
    """
    kind, _ = require_market(venue, market)

    def make(instruments: Sequence[Instrument]) -> Exchange:
        settings = structure({"market": market}, kind.settings_type, "--market")
        adapter: Exchange = kind(settings, instruments)
        return adapter

    return make


def require_market(venue: str, market: str | None) -> tuple[type[Exchange], str]:
    """Return a venue's adapter, and the market; its first one if none is named.

    Raises
    ------
    MissingPluginError
        If no plugin brings the venue.
    BadParameter
        If the venue has no such market.
    """
    kind: type[Exchange] = installed_host().load("exchange", venue)
    market = market or kind.markets[0]
    if market not in kind.markets:
        near = difflib.get_close_matches(market, kind.markets, n=1)
        hint = f", did you mean {near[0]!r}?" if near else ""
        known = ", ".join(kind.markets)
        raise click.BadParameter(
            f"{venue} has no market {market!r}{hint} (it has {known})",
            ctx=click.get_current_context(),
            param_hint="--market",
        )
    return kind, market


def venue_options(command: Callable[..., object]) -> Callable[..., object]:
    """Add the options that say how foreign recordings are to be understood."""
    command = click.option(
        "--market", help="The venue's own division; as recorded by us, else spot."
    )(command)
    return click.option(
        "--venue", help="Exchange plugin that decodes; as recorded by us, else binance."
    )(command)
