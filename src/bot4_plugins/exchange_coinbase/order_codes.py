"""The venue's words for why, and what they prove."""

from typing import Final

from bot4_core.domain_types.records import OrderReason

__all__ = ["DEFINITIVE", "reason_of"]

DEFINITIVE: Final = frozenset(
    {
        "INSUFFICIENT_FUND",
        "INSUFFICIENT_FUNDS",
        "INVALID_LIMIT_PRICE",
        "INVALID_LIMIT_PRICE_POST_ONLY",
        "INVALID_NO_LIQUIDITY",
        "INVALID_PRICE_PRECISION",
        "INVALID_PRODUCT_ID",
        "INVALID_REQUEST",
        "INVALID_SIDE",
        "INVALID_SIZE_PRECISION",
        "INVALID_LEDGER_BALANCE",
        "INVALID_CANCEL_REQUEST",
        "INVALID_ARGUMENT",
        "ORDER_ENTRY_DISABLED",
        "INELIGIBLE_PAIR",
        "INVALID_STOP_PRICE",
        "UNSUPPORTED_ORDER_CONFIGURATION",
        "PRODUCT_NOT_FOUND",
        "PERMISSION_DENIED",
        "UNAUTHENTICATED",
        "401",
        "403",
        "429",
    }
)
"""Nothing was placed. Not here: UNKNOWN_FAILURE_REASON, 5xx, and unknown words."""

REASONS: Final[dict[str, OrderReason]] = {
    "INVALID_LIMIT_PRICE_POST_ONLY": OrderReason.WOULD_TAKE,
    "INVALID_LIMIT_PRICE": OrderReason.BAD_PRICE,
    "INVALID_PRICE_PRECISION": OrderReason.BAD_PRICE,
    "INVALID_STOP_PRICE": OrderReason.BAD_PRICE,
    "INVALID_SIZE_PRECISION": OrderReason.BAD_SIZE,
    "INVALID_NO_LIQUIDITY": OrderReason.UNFILLED,
    "INVALID_PRODUCT_ID": OrderReason.UNKNOWN_INSTRUMENT,
    "PRODUCT_NOT_FOUND": OrderReason.UNKNOWN_INSTRUMENT,
    "ORDER_ENTRY_DISABLED": OrderReason.NOT_TRADING,
    "UNSUPPORTED_ORDER_CONFIGURATION": OrderReason.UNSUPPORTED,
    "UNKNOWN_CANCEL_ORDER": OrderReason.NOT_OPEN,
    "DUPLICATE_CANCEL_REQUEST": OrderReason.NOT_OPEN,
    "ORDER_NOT_FOUND": OrderReason.NOT_OPEN,
    "User requested cancel": OrderReason.REQUESTED,
}


def reason_of(word: str) -> OrderReason:
    """Return what a word of the venue means."""
    return REASONS.get(word, OrderReason.VENUE)
