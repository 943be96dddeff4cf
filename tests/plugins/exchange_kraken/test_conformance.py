"""The Kraken adapter passes the kit."""

from bot4_plugins.exchange_kraken.conformance import KrakenConformance


class TestKraken(KrakenConformance):
    """Every case, one by one."""
