"""The venue's error codes and reasons: which of them prove that an order was refused, and why."""

from typing import Final

from bot4_core.domain_types.records import EventFlag, OrderReason

__all__ = ["CANCEL_SOURCES", "CATEGORIES", "NOT_FOUND", "REJECTS", "UNKNOWN_ORDER"]

REJECTS: Final[dict[str, OrderReason]] = {
    "HTTP429": OrderReason.VENUE,
    "50011": OrderReason.VENUE,  # too many requests
    "50061": OrderReason.VENUE,
    "50014": OrderReason.UNSUPPORTED,  # a parameter is missing
    "50101": OrderReason.VENUE,  # key of another environment
    "50102": OrderReason.VENUE,  # timestamp expired
    "50103": OrderReason.VENUE,
    "50104": OrderReason.VENUE,
    "50105": OrderReason.VENUE,  # passphrase
    "50107": OrderReason.VENUE,
    "50110": OrderReason.VENUE,  # address not on the key's list
    "50111": OrderReason.VENUE,  # key
    "50112": OrderReason.VENUE,
    "50113": OrderReason.VENUE,  # signature
    "50114": OrderReason.VENUE,
    "50120": OrderReason.VENUE,  # permission
    "51000": OrderReason.UNSUPPORTED,  # a parameter is wrong
    "51001": OrderReason.UNKNOWN_INSTRUMENT,
    "51004": OrderReason.BAD_SIZE,
    "51005": OrderReason.BAD_SIZE,
    "51006": OrderReason.BAD_PRICE,
    "51008": OrderReason.VENUE,  # balance
    "51010": OrderReason.UNSUPPORTED,  # account mode
    "51014": OrderReason.UNKNOWN_INSTRUMENT,
    "51016": OrderReason.DUPLICATE,
    "51020": OrderReason.BELOW_MINIMUM,
    "51021": OrderReason.NOT_TRADING,
    "51022": OrderReason.NOT_TRADING,
    "51023": OrderReason.WOULD_INCREASE,  # no position
    "51024": OrderReason.VENUE,  # account frozen
    "51025": OrderReason.TOO_MANY,
    "51027": OrderReason.NOT_TRADING,
    "51028": OrderReason.NOT_TRADING,
    "51030": OrderReason.NOT_TRADING,
    "51111": OrderReason.TOO_MANY,
    "51119": OrderReason.VENUE,
    "51120": OrderReason.BELOW_MINIMUM,
    "51121": OrderReason.BAD_SIZE,
    "51127": OrderReason.VENUE,
    "51131": OrderReason.VENUE,
    "51169": OrderReason.WOULD_INCREASE,
    "51201": OrderReason.BAD_SIZE,
    "51202": OrderReason.BAD_SIZE,
    "51203": OrderReason.BAD_SIZE,
}
"""Codes that prove that an order was not taken. Left out on purpose: 50001, 50004, 50013, 50026
and 51149, which are timeouts and temporary failures, after which it may be working."""

UNKNOWN_ORDER: Final = frozenset(
    {"51400", "51401", "51402", "51405", "51503", "51509", "51510", "51603"}
)
"""Codes of a cancellation or change of an order that does not work (any more)."""
NOT_FOUND: Final = frozenset({"51603"})
"""Codes of a question about an order that the venue does not know."""

CANCEL_SOURCES: Final[dict[str, OrderReason]] = {
    "": OrderReason.NONE,
    "1": OrderReason.REQUESTED,
    "2": OrderReason.WOULD_INCREASE,
    "13": OrderReason.UNFILLED,  # fill or kill
    "14": OrderReason.UNFILLED,  # immediate or cancel
    "20": OrderReason.REQUESTED,  # the dead man's switch
    "22": OrderReason.WOULD_INCREASE,
    "23": OrderReason.WOULD_INCREASE,
    "31": OrderReason.WOULD_TAKE,
    "32": OrderReason.SELF_TRADE,
}
"""``cancelSource``; a number that is not here is the venue's own reason."""

CATEGORIES: Final[dict[str, EventFlag]] = {
    "": EventFlag.NONE,
    "normal": EventFlag.NONE,
    "twap": EventFlag.NONE,
    "ddh": EventFlag.NONE,
    "auto_conversion": EventFlag.NONE,
    "adl": EventFlag.DELEVERAGED,
    "full_liquidation": EventFlag.LIQUIDATED,
    "partial_liquidation": EventFlag.LIQUIDATED,
    "delivery": EventFlag.SETTLED,
}
"""What ``category`` says of an order's fills."""
