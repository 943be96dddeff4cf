"""The venue's error codes and reasons: which of them prove that an order was refused, and why."""

from typing import Final

from bot4_core.domain_types.records import OrderReason

__all__ = ["DUPLICATE_ID", "REASONS", "REJECTS", "UNKNOWN_ORDER", "reason_of"]

REJECTS: Final[dict[str, OrderReason]] = {
    "HTTP403": OrderReason.VENUE,  # access too frequent, or an address that may not trade
    "HTTP429": OrderReason.VENUE,
    "10001": OrderReason.UNSUPPORTED,  # a parameter is wrong
    "10002": OrderReason.VENUE,  # the request's time is outside its window
    "10003": OrderReason.VENUE,  # key
    "10004": OrderReason.VENUE,  # signature
    "10005": OrderReason.VENUE,  # permission
    "10006": OrderReason.VENUE,  # too many visits
    "10009": OrderReason.VENUE,  # address banned
    "10010": OrderReason.VENUE,  # address not bound to the key
    "10018": OrderReason.VENUE,  # too many visits from the address
    "10429": OrderReason.VENUE,  # frequency protection
    "110003": OrderReason.BAD_PRICE,
    "110004": OrderReason.VENUE,  # balance
    "110006": OrderReason.VENUE,
    "110007": OrderReason.VENUE,
    "110009": OrderReason.TOO_MANY,
    "110012": OrderReason.VENUE,
    "110017": OrderReason.WOULD_INCREASE,
    "110020": OrderReason.TOO_MANY,
    "110021": OrderReason.VENUE,  # open interest
    "110044": OrderReason.VENUE,
    "110045": OrderReason.VENUE,
    "110052": OrderReason.VENUE,
    "110072": OrderReason.DUPLICATE,
    "110074": OrderReason.NOT_TRADING,
    "110092": OrderReason.BAD_PRICE,  # the trigger lies on the wrong side
    "110093": OrderReason.BAD_PRICE,
    "110094": OrderReason.BELOW_MINIMUM,
    "170121": OrderReason.UNKNOWN_INSTRUMENT,
    "170124": OrderReason.BAD_SIZE,
    "170131": OrderReason.VENUE,
    "170132": OrderReason.BAD_PRICE,
    "170133": OrderReason.BAD_PRICE,
    "170134": OrderReason.BAD_PRICE,
    "170135": OrderReason.BAD_SIZE,
    "170136": OrderReason.BELOW_MINIMUM,
    "170137": OrderReason.BAD_SIZE,
    "170140": OrderReason.BELOW_MINIMUM,
    "170141": OrderReason.DUPLICATE,
}
"""Codes that prove that an order was not taken. Left out on purpose: 10000, 10016, 10019, 170007,
170146 and 170147, which are timeouts and restarts, after which it may be working."""

UNKNOWN_ORDER: Final = frozenset({"110001", "110008", "110010", "170142", "170213"})
"""Codes of a cancellation or change of an order that does not work (any more)."""
DUPLICATE_ID: Final = frozenset({"110072", "170141"})

REASONS: Final[dict[str, OrderReason]] = {
    "": OrderReason.NONE,
    "UNKNOWN": OrderReason.NONE,
    "EC_NoError": OrderReason.NONE,
    "EC_PerCancelRequest": OrderReason.REQUESTED,
    "CancelByUser": OrderReason.REQUESTED,
    "EC_PostOnlyWillTakeLiquidity": OrderReason.WOULD_TAKE,
    "EC_NoImmediateQtyToFill": OrderReason.UNFILLED,
    "EC_NoEnoughQtyToFill": OrderReason.UNFILLED,
    "EC_CancelForNoFullFill": OrderReason.UNFILLED,
    "EC_BySelfMatch": OrderReason.SELF_TRADE,
    "EC_StopBySelfMatch": OrderReason.SELF_TRADE,
    "CancelBySmp": OrderReason.SELF_TRADE,
    "CancelByReduceOnly": OrderReason.WOULD_INCREASE,
    "EC_QtyCannotBeZero": OrderReason.BAD_SIZE,
    "EC_InvalidPriceScale": OrderReason.BAD_PRICE,
    "EC_LimitOrderInvalidPrice": OrderReason.BAD_PRICE,
    "EC_MarketOrderPriceIsNotZero": OrderReason.BAD_PRICE,
    "EC_MarketOrderNoSupportTIF": OrderReason.UNSUPPORTED,
    "EC_UnknownOrderType": OrderReason.UNSUPPORTED,
    "EC_UnknownTimeInForce": OrderReason.UNSUPPORTED,
    "EC_DuplicatedClOrdID": OrderReason.DUPLICATE,
    "EC_ReachMaxTradeNum": OrderReason.TOO_MANY,
}
"""``rejectReason`` and ``cancelType``; a word that is not here is the venue's own reason."""


def reason_of(reject: str, cancel: str) -> OrderReason:
    """Return why an order ended, from the two words that the venue gives."""
    found = REASONS.get(reject, OrderReason.VENUE)
    return found if found is not OrderReason.NONE else REASONS.get(cancel, OrderReason.VENUE)
