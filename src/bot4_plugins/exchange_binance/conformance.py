"""How the Binance adapter takes the conformance kit: a snapshot, updates and a print."""

import json
from collections.abc import Sequence
from typing import Final

from bot4_core.domain_types.canonical_types import Symbol, VenueName
from bot4_core.domain_types.instruments import Instrument, InstrumentKind, Settlement
from bot4_core.domain_types.records import ChainRule
from bot4_core.plugins.credentials import Credentials, Secret
from bot4_core.plugins.interfaces import Exchange
from bot4_core.testing.exchange_conformance import Heard
from bot4_core.testing.order_conformance import TradingConformance
from bot4_plugins.exchange_binance.adapter import BinanceExchange, BinanceSettings

__all__ = ["BinanceConformance"]

SYMBOL: Final = "BTCUSDT"
UPDATES: Final = 8
TIME: Final = 1_700_000_000_000
SNAPSHOT: Final = 100


class BinanceConformance(TradingConformance):
    """One USD-M perpetual."""

    market = "usdm"

    def adapter(self) -> Exchange:
        """Return an adapter that knows the perpetual."""
        perpetual = Instrument(
            venue=VenueName("binance"),
            market=self.market,
            symbol=Symbol(SYMBOL),
            base="BTC",
            quote="USDT",
            kind=InstrumentKind.PERPETUAL,
            settlement=Settlement.LINEAR,
            price_exponent=-2,
            size_exponent=-3,
            tick=10,
            lot=1,
            min_size=1,
            settlement_asset="USDT",
            chain=ChainRule.LINK,
        )
        settings = BinanceSettings(market=self.market, symbols=(SYMBOL,))
        return BinanceExchange(settings, (perpetual,))

    def messages(self) -> Sequence[Heard]:
        """Return the reply to a depth request, updates that go on from it, and a print."""
        snapshot = {
            "lastUpdateId": SNAPSHOT,
            "E": TIME,
            "T": TIME,
            "bids": [["61800.10", "5"]],
            "asks": [["61810.00", "2"]],
        }
        path = f"/fapi/v1/depth?symbol={SYMBOL}&limit=1000"
        updates = [_update(SNAPSHOT + 1 + step, str(step + 1)) for step in range(UPDATES)]
        return [Heard(_compact(snapshot), path), *updates, _print()]

    def credentials(self) -> Credentials:
        """Return made-up keys."""
        return Credentials(key=Secret("conformance-key"), secret=Secret("conformance-secret"))


def _compact(fields: object) -> bytes:
    return json.dumps(fields, separators=(",", ":")).encode()


def _heard(stream: str, fields: object) -> Heard:
    return Heard(_compact({"stream": f"{SYMBOL.lower()}@{stream}", "data": fields}))


def _update(last: int, size: str) -> Heard:
    fields = {
        "e": "depthUpdate",
        "E": TIME + last,
        "T": TIME + last,
        "s": SYMBOL,
        "U": last,
        "u": last,
        "pu": last - 1,
        "b": [["61800.10", size]],
        "a": [[f"61{last + 800}.00", "2"]],
    }
    return _heard("depth@100ms", fields)


def _print() -> Heard:
    fields = {
        "e": "aggTrade",
        "E": TIME,
        "a": 9,
        "s": SYMBOL,
        "p": "61800.10",
        "q": "0.004",
        "f": 1,
        "l": 1,
        "T": TIME,
        "m": True,
    }
    return _heard("aggTrade", fields)
