"""What the venue answers to requests that trade: taken, refused for certain, or in doubt."""

from collections.abc import Mapping
from typing import Final

from bot4_core.errors import DecodeError
from bot4_core.plugins.connections import Outbound, Reply
from bot4_plugins.exchange_okx.order_requests import AMEND, CANCEL, OPERATIONS, PLACE
from bot4_plugins.venue_toolkit.order_answers import OrderAnswer
from bot4_plugins.venue_toolkit.strict_json import plain_object, typed

__all__ = ["ACTIONS", "answer_of_frame", "answer_of_reply", "code_of"]

ACTIONS: Final = frozenset({PLACE, CANCEL, AMEND})
GOOD: Final = "0"
DONE: Final = 200
INSTRUMENT_DIGITS: Final = 4
ID_DIGITS: Final = 20
MICROSECOND: Final = 1000


def code_of(content: Mapping[str, object]) -> tuple[str, str]:
    """Return code and text of a body: an item's own are told even under a good code of all.

    Raises
    ------
    DecodeError
        If there is no code.
    """
    code, data = content.get("code"), content.get("data")
    if not isinstance(code, str):
        raise DecodeError("neither a channel, nor an event, nor a reply")
    item = data[0] if isinstance(data, list) and data else None
    if isinstance(item, dict) and isinstance(item.get("sCode"), str):
        own = str(item["sCode"])
        if own != GOOD or code == GOOD:
            return own, str(item.get("sMsg", ""))[:512]
    return code, str(content.get("msg", ""))[:512]


def answer_of_reply(request: Outbound, reply: Reply) -> OrderAnswer:
    """Read the reply to a request; one that cannot be read says nothing for certain."""
    try:
        code, text = code_of(plain_object(reply.body))
    except DecodeError as error:
        code, text = f"HTTP{reply.status}", str(error)
    if code == GOOD and reply.status != DONE:
        code = f"HTTP{reply.status}"
    return OrderAnswer(
        action=request.tag,
        code=code,
        text=text,
        number=request.order,
        instrument=max(request.cost.instrument, 0),
    )


def answer_of_frame(content: Mapping[str, object]) -> OrderAnswer:
    """Read an answer of the private socket, whose id names order and instrument.

    Raises
    ------
    DecodeError
        If it is none of ours.
    """
    request, sent = typed(content.get("id"), str), typed(content.get("outTime", "0"), str)
    if len(request) != ID_DIGITS or not sent.isdigit():
        raise DecodeError(f"{request[:40]!r} is no request of ours")
    try:
        instrument = int(request[:INSTRUMENT_DIGITS], 16)
        number = int(request[INSTRUMENT_DIGITS:], 16)
    except ValueError:
        raise DecodeError(f"{request!r} is no request of ours") from None
    code, text = code_of(content)
    return OrderAnswer(
        action=OPERATIONS[typed(content["op"], str)],
        code=code,
        text=text,
        time=int(sent) * MICROSECOND,
        number=number,
        instrument=instrument,
    )
