"""The Bybit adapter passes the kit."""

from bot4_plugins.exchange_bybit.conformance import BybitConformance


class TestBybit(BybitConformance):
    """Every case, one by one."""
