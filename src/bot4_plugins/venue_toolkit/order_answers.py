"""What a venue answers to requests that trade: taken, refused for certain, or in doubt."""

from collections.abc import Callable, Mapping
from typing import TypeAlias

import attrs

from bot4_core.domain_types.records import EventKind, OrderReason
from bot4_plugins.venue_toolkit.drafts import DraftEvent, DraftMessage, draft_message

__all__ = ["Numbering", "OrderAnswer", "VenueReply"]

Numbering: TypeAlias = Callable[[str], int]
"""Turns a client order id into an order number, -1 for foreign ones."""
GOOD = "0"


@attrs.frozen
class VenueReply:
    """The venue's answer to a frame or a request: code 0 is an acknowledgement."""

    code: str
    text: str


@attrs.frozen(kw_only=True)
class OrderAnswer:
    """What became of a request that trades.

    Parameters
    ----------
    action : str
        ``place``, ``cancel`` or ``amend``.
    code, text : str
        Code 0 says that the request was taken.
    time : int
    number : int
        Of the order.
    instrument : int
        Its number.
    """

    action: str
    code: str
    text: str = ""
    time: int = 0
    number: int
    instrument: int

    def drafts(
        self,
        symbol: str,
        refusal: Callable[[str], EventKind],
        rejects: Mapping[str, OrderReason],
        unknown: frozenset[str],
    ) -> tuple[DraftMessage, ...]:
        """Return the event that it proves; none for one that proves nothing.

        An acceptance is only that of the request: private streams tell of the order.

        Parameters
        ----------
        symbol : str
        refusal : callable
            Returns what a code says of a new order.
        rejects : mapping of str to OrderReason
            Codes that prove that a request was refused.
        unknown : frozenset of str
            Codes of a cancellation or change of an order that does not work.
        """
        if self.code == GOOD:
            return ()
        kind, reason = EventKind.CANCEL_REJECTED, rejects.get(self.code, OrderReason.VENUE)
        if self.action == "place":
            kind = refusal(self.code)
        elif self.code in unknown:
            reason = OrderReason.NOT_OPEN
        elif self.code not in rejects:
            return ()
        event = DraftEvent(kind=kind, time=self.time, size=-1, aux=int(reason), link=self.number)
        return (draft_message(symbol, event),)
