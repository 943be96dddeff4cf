"""What the venue answers to requests that trade: taken, refused for certain, or in doubt."""

from collections.abc import Callable, Mapping
from typing import Final

from bot4_core.errors import DecodeError
from bot4_core.plugins.exchange import Outbound, Reply
from bot4_plugins.exchange_bybit.order_requests import AMEND, CANCEL, CLIENT_ID_LENGTH, CREATE
from bot4_plugins.exchange_bybit.replies import read_body
from bot4_plugins.venue_toolkit.order_answers import OrderAnswer
from bot4_plugins.venue_toolkit.strict_json import typed
from bot4_plugins.venue_toolkit.time_text import milliseconds_text

__all__ = ["ANSWERED", "FRAMES", "frame_answer", "reply_answer"]

ANSWERED: Final = frozenset({"place", "cancel", "amend"})
FRAMES: Final = {CREATE: "place", CANCEL: "cancel", AMEND: "amend"}
"""What the frames of the trade socket do."""
DONE: Final = 200


def reply_answer(request: Outbound, reply: Reply) -> OrderAnswer:
    """Read the reply to a request; one that cannot be read says nothing for certain."""
    code, text, time = f"HTTP{reply.status}", "", 0
    if reply.status == DONE:
        try:
            body = read_body(reply.body)
            code, text, time = body.code, body.text, int(body.time)
        except DecodeError as error:
            code, text = "", str(error)
    return OrderAnswer(
        action=request.tag,
        code=code,
        text=text,
        time=time,
        number=request.order,
        instrument=max(request.cost.instrument, 0),
    )


def frame_answer(content: Mapping[str, object], number_of: Callable[[str], int]) -> OrderAnswer:
    """Read an answer of the trade socket, whose id names order and instrument.

    Raises
    ------
    DecodeError
        If it is none.
    """
    request, headers = typed(content.get("reqId", ""), str), content.get("header")
    client_id, place = request[:CLIENT_ID_LENGTH], request[CLIENT_ID_LENGTH:]
    sent = headers.get("Timenow", "") if isinstance(headers, dict) else ""
    return OrderAnswer(
        action=FRAMES[typed(content["op"], str)],
        code=str(typed(content.get("retCode"), int)),
        text=str(content.get("retMsg", ""))[:512],
        time=milliseconds_text(str(sent)) if sent else 0,
        number=number_of(client_id),
        instrument=_instrument(place),
    )


def _instrument(place: str) -> int:
    try:
        return int(place, 16) if place else 0
    except ValueError:
        raise DecodeError(f"{place[:40]!r} is not the number of an instrument") from None
