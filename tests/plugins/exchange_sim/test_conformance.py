"""The simulated venue passes the kit."""

from bot4_plugins.exchange_sim.conformance import SimConformance


class TestSim(SimConformance):
    """Every case, one by one."""
