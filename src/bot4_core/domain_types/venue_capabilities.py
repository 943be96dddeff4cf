"""What one market of a venue offers, as its adapter uses it: one machine-readable row."""

from enum import StrEnum

import attrs

from bot4_core.domain_types.orders import OrderLinkKind, TriggerSource
from bot4_core.domain_types.records import EventKind, OrderFlag, OrderType, TimeInForce

__all__ = ["BookProof", "Capabilities", "RequestRoute"]


class BookProof(StrEnum):
    """What shows a client that its copy of a book is the venue's."""

    NONE = "none"
    CHAIN = "chain"  # each update names the one before it
    STEP = "step"  # update numbers rise by one
    CONNECTION = "connection"  # frames of a connection are numbered
    CHECKSUM = "checksum"  # of the best levels, in every message


class RequestRoute(StrEnum):
    """How requests that trade reach the venue."""

    WEBSOCKET = "websocket"
    REST = "rest"


@attrs.frozen(kw_only=True)
class Capabilities:
    """What a market offers; an adapter without orders leaves the order fields empty.

    Parameters
    ----------
    data : tuple of EventKind
        Market data that the adapter can subscribe to.
    proof : BookProof
    depths : tuple of int
        Levels a side that can be subscribed, 0 for all.
    order_types, times_in_force, flags
        What `Exchange.place` encodes for the venue; anything else is refused before it is sent.
    trigger_sources : tuple of TriggerSource
    linked : tuple of OrderLinkKind
        Links that the venue looks after by itself; others are the kernel's work.
    routes : tuple of RequestRoute
        The one that is used first comes first.
    amend, cancel_all, dead_man_switch, query_by_client_id : bool
        Whether the venue has it, and the adapter uses it.
    batch : int
        Orders in one request at most.
    as_of : str
        Date of the facts, ISO 8601.
    source : str
    """

    data: tuple[EventKind, ...]
    proof: BookProof
    depths: tuple[int, ...] = ()
    order_types: tuple[OrderType, ...] = ()
    times_in_force: tuple[TimeInForce, ...] = ()
    flags: OrderFlag = OrderFlag.NONE
    trigger_sources: tuple[TriggerSource, ...] = ()
    linked: tuple[OrderLinkKind, ...] = ()
    routes: tuple[RequestRoute, ...] = ()
    amend: bool = False
    cancel_all: bool = False
    dead_man_switch: bool = False
    query_by_client_id: bool = False
    batch: int = 1
    as_of: str
    source: str

    @property
    def trades(self) -> bool:
        """Whether orders can be placed."""
        return bool(self.order_types)
