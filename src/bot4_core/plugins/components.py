"""What a plugin says it brings, without importing it."""

from enum import StrEnum

import attrs

__all__ = ["Component", "ComponentKind"]


class ComponentKind(StrEnum):
    """What a component is for; each kind has one interface in ``interfaces``."""

    EXCHANGE = "exchange"
    STRATEGY = "strategy"
    SIZER = "sizer"
    BREAKER = "breaker"
    ROUTER = "router"
    EXECUTION = "execution"
    STORE = "store"
    SINK = "sink"
    RUNNER = "runner"
    COMMAND = "command"


def _kind(value: "ComponentKind | str") -> ComponentKind:
    return ComponentKind(value)


@attrs.frozen(kw_only=True)
class Component:
    """A light description of one part; the class behind it is imported when a session asks.

    Parameters
    ----------
    kind : ComponentKind or str
        What the part is for.
    name : str
        The name that configurations use; unique within its kind.
    load : str
        ``"package.module:Class"``. The class is a subclass of the kind's interface and carries
        the same ``name``.
    summary : str
        One line for listings.
    capabilities : tuple of str
        Words that listings and routers show, such as ``"market_data"`` or ``"compiled"``.
    conformance : str
        ``"package.module:Class"`` of a conformance kit that the part passes, if it brings one.
    """

    kind: ComponentKind = attrs.field(converter=_kind)
    name: str
    load: str
    summary: str = ""
    capabilities: tuple[str, ...] = ()
    conformance: str = ""
