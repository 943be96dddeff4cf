"""How the Kraken adapter takes the conformance kit: a book with its checksums, and a print."""

import zlib
from collections.abc import Sequence
from typing import Final

from bot4_core.domain_types.canonical_types import Symbol, VenueName
from bot4_core.domain_types.instruments import Instrument, InstrumentKind, Settlement
from bot4_core.domain_types.number_text import text_from_scaled
from bot4_core.domain_types.records import ChainRule
from bot4_core.plugins.credentials import Credentials, Secret
from bot4_core.plugins.interfaces import Exchange
from bot4_core.testing.exchange_conformance import Heard
from bot4_core.testing.order_conformance import TradingConformance
from bot4_plugins.exchange_kraken.adapter import KrakenExchange
from bot4_plugins.exchange_kraken.settings import KrakenSettings

__all__ = ["KrakenConformance"]

SYMBOL: Final = "BTC/USD"
DEPTH: Final = 10
UPDATES: Final = 8
MOMENT: Final = "2026-08-02T03:35:50.295158Z"
Level = tuple[int, int]
"""Price in tenths and size in 1e-8."""


class KrakenConformance(TradingConformance):
    """One spot pair."""

    def adapter(self) -> Exchange:
        """Return an adapter that knows the pair."""
        pair = Instrument(
            venue=VenueName("kraken"),
            market="spot",
            symbol=Symbol(SYMBOL),
            base="BTC",
            quote="USD",
            kind=InstrumentKind.SPOT,
            settlement=Settlement.SPOT,
            price_exponent=-1,
            size_exponent=-8,
            tick=1,
            lot=1,
            min_size=5_000,
            chain=ChainRule.CHECKSUM,
            depth=DEPTH,
        )
        return KrakenExchange(KrakenSettings(symbols=(SYMBOL,), depth=DEPTH), (pair,))

    def messages(self) -> Sequence[Heard]:
        """Return a snapshot, updates and a print."""
        bids = {645_240 - place: 100_000_000 + place for place in range(6)}
        asks = {645_250 + place: 200_000_000 + place for place in range(3)}
        said = [_book("snapshot", bids, asks, list(bids.items()), list(asks.items()))]
        for step in range(UPDATES - 3):
            changed = (645_240, 300_000_000 + step), (645_260 + step, 50_000_000)
            bids.update(changed[:1])
            asks.update(changed[1:])
            said.append(_book("update", bids, asks, changed[:1], changed[1:]))
        return [*said, _print()]

    def credentials(self) -> Credentials:
        """Return made-up keys."""
        secret = "Y29uZm9ybWFuY2UtY29uZm9ybWFuY2UtY29uZm9ybWFuY2U="  # noqa: S105 - opens nothing
        return Credentials(key=Secret("conformance-key"), secret=Secret(secret))


def _checksum(bids: dict[int, int], asks: dict[int, int]) -> int:
    """Return the CRC-32 of the best levels' digits, asks first."""
    best = [*sorted(asks.items())[:DEPTH], *sorted(bids.items(), reverse=True)[:DEPTH]]
    return zlib.crc32("".join(f"{price}{size}" for price, size in best).encode())


def _book(
    kind: str,
    bids: dict[int, int],
    asks: dict[int, int],
    new_bids: Sequence[Level],
    new_asks: Sequence[Level],
) -> Heard:
    text = (
        f'{{"channel":"book","type":"{kind}","data":[{{"symbol":"{SYMBOL}",'
        f'"bids":[{_levels(new_bids)}],"asks":[{_levels(new_asks)}],'
        f'"checksum":{_checksum(bids, asks)},"timestamp":"{MOMENT}"}}]}}'
    )
    return Heard(text.encode())


def _levels(levels: Sequence[Level]) -> str:
    return ",".join(
        f'{{"price":{text_from_scaled(price, -1)},"qty":{text_from_scaled(size, -8)}}}'
        for price, size in levels
    )


def _print() -> Heard:
    text = (
        f'{{"channel":"trade","type":"update","data":[{{"symbol":"{SYMBOL}","side":"sell",'
        f'"price":64524.0,"qty":0.01000000,"ord_type":"limit","trade_id":4665906,'
        f'"timestamp":"{MOMENT}"}}]}}'
    )
    return Heard(text.encode())
