"""How the Bybit adapter takes the conformance kit: a book, its updates and prints."""

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
from bot4_plugins.exchange_bybit.adapter import BybitExchange
from bot4_plugins.exchange_bybit.settings import BybitSettings

__all__ = ["BybitConformance"]

SYMBOL: Final = "BTCUSDT"
UPDATES: Final = 8
TIME: Final = 1_700_000_000_000


class BybitConformance(TradingConformance):
    """One linear contract."""

    market = "linear"

    def adapter(self) -> Exchange:
        """Return an adapter that knows the contract."""
        contract = Instrument(
            venue=VenueName("bybit"),
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
            chain=ChainRule.STEP,
        )
        settings = BybitSettings(market=self.market, symbols=(SYMBOL,))
        return BybitExchange(settings, (contract,))

    def messages(self) -> Sequence[Heard]:
        """Return a snapshot, updates and a print."""
        updates = [
            _book("delta", 101 + step, [("65095.30", f"0.{step + 1}")], [(f"651{step}0.00", "2")])
            for step in range(UPDATES)
        ]
        snapshot = _book("snapshot", 100, [("65095.30", "0.005")], [("65116.80", "2.302")])
        return [snapshot, *updates, _print()]

    def credentials(self) -> Credentials:
        """Return made-up keys."""
        return Credentials(key=Secret("conformance-key"), secret=Secret("conformance-secret"))


def _heard(fields: object) -> Heard:
    return Heard(json.dumps(fields, separators=(",", ":")).encode())


def _book(
    kind: str, number: int, bids: Sequence[tuple[str, str]], asks: Sequence[tuple[str, str]]
) -> Heard:
    data = {"s": SYMBOL, "b": bids, "a": asks, "u": number, "seq": 5 * number}
    head = {"topic": f"orderbook.200.{SYMBOL}", "type": kind, "ts": TIME + number}
    return _heard({**head, "data": data, "cts": TIME + number - 1})


def _print() -> Heard:
    item = {
        "T": TIME,
        "s": SYMBOL,
        "S": "Sell",
        "v": "0.004",
        "p": "65095.30",
        "L": "MinusTick",
        "i": "a9188a0a-82bc-50de-be60-03eedbe3cdd7",
        "BT": False,
        "RPI": False,
        "seq": 900,
    }
    head = {"topic": f"publicTrade.{SYMBOL}", "type": "snapshot", "ts": TIME}
    return _heard({**head, "data": [item]})
