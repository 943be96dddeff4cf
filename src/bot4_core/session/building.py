"""From names in a configuration to objects: exchange, parts, market."""

from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar

import attrs

from bot4_core.convert import structure
from bot4_core.domain_types.instruments import Instrument
from bot4_core.errors import ConfigError, RecordingError, ValidationError
from bot4_core.plugins.host import PluginHost
from bot4_core.plugins.interfaces import (
    Breaker,
    Exchange,
    Part,
    PartSettings,
    Router,
    Sizer,
    Strategy,
)
from bot4_core.session.config import BreakerConfig, PartConfig, SessionConfig, SessionMode
from bot4_core.session.event_stream import ReadingOptions
from bot4_core.session.feed import FedMarket, FeedLink
from bot4_core.session.markets import (
    ExchangeFactory,
    RecordedMarket,
    SimulatedMarket,
    SimulatedVenue,
)
from bot4_core.session.ports import Connect, Market
from bot4_core.session.state import Parts

__all__ = [
    "build_market",
    "build_parts",
    "exchange_factory",
    "recorded_market",
    "require_parts",
    "require_recordings",
]

P = TypeVar("P", bound=Part[Any])
LATENCY: Final = 1_000_000


def require_parts(config: SessionConfig, host: PluginHost) -> None:
    """Check everything in a configuration that needs no instruments, before anything slow.

    Raises
    ------
    MissingPluginError, PluginLoadError
        If a plugin is not there or is broken.
    ConfigError
        If settings are wrong, or there is nothing to play.
    """
    choose_part(host, Strategy, "strategy", config.strategy, "strategy")
    choose_part(host, Sizer, "sizer", config.sizer, "sizer")
    if config.router is not None:
        choose_part(host, Router, "router", config.router, "router")
    for place, each in enumerate(config.breakers):
        choose_part(host, Breaker, "breaker", each, f"breakers[{place}]")
    exchange = exchange_factory(config, host)(config.instruments)
    if config.source.live or config.mode is SessionMode.LIVE:
        require_reachable(config, exchange)
    elif not config.source.recordings:
        require_simulation(config, exchange)


def require_reachable(config: SessionConfig, exchange: Exchange) -> None:
    """Check that an adapter can do live what the configuration wants.

    Raises
    ------
    ConfigError
        If it cannot.
    """
    kind, real = type(exchange), config.mode is SessionMode.LIVE
    if not config.source.live:
        fault = "real orders need the venue's own data; set it to true"
        raise ConfigError("session", [("source.live", fault)])
    if kind.connections is Exchange.connections:
        fault = f"the {config.venue.plugin} adapter has no connections to a live venue"
    elif real and kind.place is Exchange.place:
        fault = f"the {config.venue.plugin} adapter cannot place real orders"
    else:
        return
    raise ConfigError("session", [("venue.plugin", fault)])


def choose_part(
    host: PluginHost,
    interface: type[P],
    kind: str,
    chosen: PartConfig | BreakerConfig,
    path: str,
) -> tuple[type[P], Any]:
    """Return a part's class and the settings that the configuration gives it."""
    part = host.load_as(interface, kind, chosen.plugin)
    return part, structure(chosen.settings, part.settings_type, "session", f"{path}.settings")


def build_parts(
    config: SessionConfig, host: PluginHost, instruments: Sequence[Instrument]
) -> Parts:
    """Load and make the decision parts that a configuration names.

    Raises
    ------
    MissingPluginError, PluginLoadError
        If a plugin is not there or is broken.
    ConfigError
        If its settings are wrong.
    """

    def make(
        interface: type[P], kind: str, chosen: PartConfig | BreakerConfig, path: str = ""
    ) -> P:
        part, settings = choose_part(host, interface, kind, chosen, path or kind)
        return part(settings, instruments)

    return Parts(
        strategy=make(Strategy, "strategy", config.strategy),
        sizer=make(Sizer, "sizer", config.sizer),
        router=make(Router, "router", config.router) if config.router is not None else None,
        breakers=tuple(
            (each.label, each.scope, make(Breaker, "breaker", each, f"breakers[{place}]"))
            for place, each in enumerate(config.breakers)
        ),
    )


def exchange_factory(config: SessionConfig, host: PluginHost) -> ExchangeFactory:
    """Return what makes the configured venue's adapter for given instruments.

    Market, symbols and seed are passed on to adapters whose settings have such a field. Fees of
    the configuration take the place of those of every instrument that the adapter knows.

    Raises
    ------
    MissingPluginError, PluginLoadError
        If the plugin is not there or is broken.
    ConfigError
        If the adapter does not serve the market, or its settings are wrong.
    """
    venue = config.venue
    adapter: type[Any] = host.load_as(Exchange, "exchange", venue.plugin)
    if venue.market not in adapter.markets:
        known = ", ".join(adapter.markets)
        fault = f"{venue.market!r} is no market of {venue.plugin}; it serves {known}"
        raise ConfigError("session", [("venue.market", fault)])
    settings_type: type[Any] = getattr(adapter, "settings_type", PartSettings)
    fields = {field.name for field in attrs.fields(settings_type)}
    common = {"market": venue.market, "symbols": list(venue.symbols), "seed": config.seed}
    given = {name: value for name, value in common.items() if name in fields}
    if not venue.symbols:
        given.pop("symbols", None)
    settings = structure({**given, **venue.settings}, settings_type, "session", "venue.settings")
    fees = config.fees

    def make(instruments: Sequence[Instrument]) -> Exchange:
        try:
            exchange: Exchange = adapter(settings, instruments)
        except ValidationError as error:
            faults = [(_place(path), text) for path, text in error.faults]
            raise ConfigError("session", faults) from error
        if fees is None:
            return exchange
        # the adapter may know instruments that nobody listed
        priced = [attrs.evolve(each, fees=fees) for each in exchange.instruments]
        charging: Exchange = adapter(settings, priced)
        return charging

    return make


def _place(path: str) -> str:
    """Return where in a configuration something stands that an adapter refuses."""
    if path.startswith("instruments"):
        return path
    return f"venue.{path}" if path.startswith(("symbols", "market")) else f"venue.settings.{path}"


def build_market(
    config: SessionConfig,
    host: PluginHost,
    options: ReadingOptions | None = None,
    feed: FeedLink | None = None,
    connect: Connect | None = None,
) -> Market:
    """Make the market that a configuration describes: recordings, a simulated venue, or a live one.

    Parameters
    ----------
    config : SessionConfig
    host : PluginHost
    options : ReadingOptions, optional
        How recordings are read.
    feed : FeedLink, optional
        Starts a process that reads them, in place of this one; only where there are any.
    connect : Connect, optional
        Opens the live market.

    Raises
    ------
    ConfigError
        If there is neither, or the mode does not fit.
    RecordingError
        If the recordings cannot be read, or tell of no instrument.
    """
    if feed is not None:
        return FedMarket(feed, config.matching)
    if config.source.recordings:
        return recorded_market(config, host, options)
    factory = exchange_factory(config, host)
    exchange = factory(config.instruments)
    if config.source.live:
        if connect is None:
            fault = "nothing here connects to venues; `bot4 run` does"
            raise ConfigError("session", [("source.live", fault)])
        return connect(config, exchange)
    venue = require_simulation(config, exchange)()
    if not isinstance(venue, SimulatedVenue):
        raise ConfigError("session", [("venue.plugin", f"{venue!r} is no simulated venue")])
    latency = int(getattr(getattr(exchange, "settings", None), "latency_ns", LATENCY))
    return SimulatedMarket(exchange, venue, config.source.seconds, latency)


def recorded_market(
    config: SessionConfig, host: PluginHost, options: ReadingOptions | None = None
) -> RecordedMarket:
    """Make the market of a configuration's recordings.

    Raises
    ------
    RecordingError
        If they cannot be read, or tell of no instrument.
    """
    factory, paths = exchange_factory(config, host), config.source.recordings
    market = RecordedMarket(paths, factory, config.instruments, config.matching, options)
    if not market.instruments:
        files = ", ".join(map(str, paths))
        asked = f"{config.venue.plugin} {config.venue.market}"
        raise RecordingError(
            f"{files}: no message tells of an instrument of {asked}; "
            "is the recording of another venue or market?"
        )
    return market


def require_recordings(config: SessionConfig) -> None:
    """Check that there is something for a feed process to read.

    Raises
    ------
    ConfigError
        If there is not.
    """
    if not config.source.recordings:
        fault = "a process of its own reads recordings, and there are none"
        raise ConfigError("session", [("source.recordings", fault)])


def require_simulation(config: SessionConfig, exchange: Exchange) -> Callable[[], object]:
    """Return what opens the venue that an adapter simulates.

    Raises
    ------
    ConfigError
        If there is none, or the configuration does not want one.
    """
    open_venue: Callable[[], object] | None = getattr(exchange, "open_venue", None)
    if config.mode is SessionMode.BACKTEST or open_venue is None:
        fault = f"there is nothing to play: name recordings of {config.venue.plugin}"
        raise ConfigError("session", [("source.recordings", fault)])
    if config.source.seconds <= 0:
        fault = "a simulated session lasts some seconds, above 0"
        raise ConfigError("session", [("source.seconds", fault)])
    return open_venue
