"""The Binance market-data adapter: bytes and time in, event records and wanted bytes out."""

from collections import deque
from collections.abc import Sequence
from functools import partial
from typing import ClassVar

import attrs

from bot4_core.domain_types.canonical_types import InstrumentId, VenueName
from bot4_core.domain_types.instruments import Instrument
from bot4_core.domain_types.records import ChainRule
from bot4_core.errors import ConfigError
from bot4_core.kernels.wire_messages import MessageKernels
from bot4_core.plugins.exchange import Outbound
from bot4_core.plugins.part_settings import PartSettings
from bot4_plugins.exchange_binance.kernel_messages import MESSAGES
from bot4_plugins.exchange_binance.metadata import read_metadata
from bot4_plugins.exchange_binance.requests import (
    depth_request,
    metadata_request,
    request_symbol,
    subscriptions,
)
from bot4_plugins.exchange_binance.slow_decoder import Acknowledgement, Metadata, decode_slowly
from bot4_plugins.exchange_binance.symbol_names import guess_listing
from bot4_plugins.exchange_binance.venue import VENUES
from bot4_plugins.venue_toolkit.decoding_exchange import KEPT_MESSAGES, DecodingExchange
from bot4_plugins.venue_toolkit.drafts import DraftMessage
from bot4_plugins.venue_toolkit.symbol_registry import MarketRules, SymbolRegistry

__all__ = ["BinanceExchange", "BinanceSettings"]


@attrs.frozen(kw_only=True)
class BinanceSettings(PartSettings):
    """What to follow.

    Parameters
    ----------
    market : str
        ``spot``, ``usdm`` or ``coinm``.
    symbols : tuple of str
        As the venue spells them. Data of other symbols is decoded all the same.
    streams : tuple of str
        Of ``depth``, ``bookTicker``, ``trade``, ``aggTrade``, ``kline``, ``markPrice``.
    candle_interval : str
        Of the ``kline`` stream: ``1m``, ``1h`` ...
    """

    market: str = "spot"
    symbols: tuple[str, ...] = ()
    streams: tuple[str, ...] = ("depth", "bookTicker", "aggTrade")
    candle_interval: str = "1m"


class BinanceExchange(DecodingExchange):
    """Sans-I/O adapter of one Binance market.

    Parameters
    ----------
    settings : BinanceSettings
        Market, symbols and streams.
    instruments : sequence of Instrument
        Known from elsewhere; their position is their number.
    """

    name: ClassVar[str] = "binance"
    markets: ClassVar[tuple[str, ...]] = tuple(VENUES)
    settings_type: ClassVar[type[PartSettings]] = BinanceSettings
    kernels: ClassVar[MessageKernels] = MESSAGES

    def __init__(
        self,
        settings: BinanceSettings,
        instruments: Sequence[Instrument] = (),
    ) -> None:
        _check_settings(settings)
        self.settings = settings
        self.facts = VENUES[settings.market]
        self.replies: deque[Acknowledgement] = deque(maxlen=KEPT_MESSAGES)
        self.refused_listings: tuple[tuple[str, str], ...] = ()
        rules = MarketRules(
            venue=VenueName(self.name),
            market=self.facts.market,
            chain=self.facts.chain,
            fees=self.facts.default_fees,
            guess=partial(guess_listing, self.facts),
        )
        linked = {"linked": int(self.facts.chain is ChainRule.LINK)}
        super().__init__(
            SymbolRegistry(rules, MESSAGES.dtype, settings.symbols, instruments, linked)
        )

    def connect(self) -> Sequence[Outbound]:
        """Subscribe first, so that no update is missed, then ask for metadata and snapshots."""
        symbols = self.settings.symbols
        frames = subscriptions(
            self.facts, symbols, self.settings.streams, self.settings.candle_interval
        )
        books = symbols if "depth" in self.settings.streams else ()
        snapshots = [depth_request(self.facts, symbol) for symbol in books]
        return [metadata_request(self.facts, symbols), *frames, *snapshots]

    def resync(self, instrument: InstrumentId) -> Sequence[Outbound]:
        """Ask for a new snapshot of one book."""
        return [depth_request(self.facts, self.instruments[instrument].symbol)]

    def interpret(self, data: bytes) -> Sequence[DraftMessage]:
        """Say slowly and surely what a message means; metadata and acknowledgements are kept."""
        result = decode_slowly(data, linked=self.facts.chain is ChainRule.LINK)
        if isinstance(result, DraftMessage):
            return (result,)
        if isinstance(result, Metadata):
            catalogue = read_metadata(self.facts, result.content)
            self.refused_listings = tuple(catalogue.refused)
            self._learn(catalogue.instruments)
        else:
            self.replies.append(result)
        return ()

    def request_subject(self, url: str) -> str:
        """Return the symbol that a request is about, empty if it names none."""
        return request_symbol(url)


def _check_settings(settings: BinanceSettings) -> None:
    faults = []
    facts = VENUES.get(settings.market)
    if facts is None:
        known = ", ".join(VENUES)
        faults.append(("market", f"{settings.market!r} is not one of {known}"))
    else:
        faults += [
            ("streams", f"{kind!r} is not one of {', '.join(facts.stream_hosts)}")
            for kind in settings.streams
            if kind not in facts.stream_hosts
        ]
    faults += [
        ("symbols", f"{symbol!r} is given twice")
        for symbol in dict.fromkeys(settings.symbols)
        if settings.symbols.count(symbol) > 1
    ]
    if faults:
        raise ConfigError("binance settings", faults)
