"""The venue's error texts: what they prove, and why an order was refused."""

from typing import Final

from bot4_core.domain_types.records import OrderReason

__all__ = ["DEFINITIVE", "error_code", "reason_of"]

DEFINITIVE: Final = frozenset(
    {
        "EAPI:Bad request",
        "EAPI:Feature disabled",
        "EAPI:Invalid key",
        "EAPI:Invalid nonce",
        "EAPI:Invalid signature",
        "EAPI:Rate limit exceeded",
        "EAccount:Invalid permissions",
        "EGeneral:Invalid arguments",
        "EGeneral:Permission denied",
        "EGeneral:Temporary lockout",
        "EGeneral:Unknown method",
        "EGeneral:Unknown Method",
        "EOrder:Cost minimum not met",
        "EOrder:Insufficient funds",
        "EOrder:Insufficient margin",
        "EOrder:Invalid price",
        "EOrder:Margin allowance exceeded",
        "EOrder:Margin level too low",
        "EOrder:Margin position size exceeded",
        "EOrder:Order minimum not met",
        "EOrder:Orders limit exceeded",
        "EOrder:Positions limit exceeded",
        "EOrder:Post only order",
        "EOrder:Rate limit exceeded",
        "EOrder:Reduce only",
        "EOrder:Tick size check failed",
        "EOrder:Trading agreement required",
        "EQuery:Unknown asset pair",
        "EService:Deadline elapsed",
        "EService:Market in cancel_only mode",
        "EService:Market in limit_only mode",
        "EService:Market in post_only mode",
        "ESession:Invalid session",
        "ETrade:Locked",
        "Token(s) not found",
    }
)
"""Nothing was placed. Not here: unavailable, busy, timeout, internal error, and unknown texts."""

REASONS: Final[dict[str, OrderReason]] = {
    "EOrder:Post only order": OrderReason.WOULD_TAKE,
    "EOrder:Invalid price": OrderReason.BAD_PRICE,
    "EOrder:Tick size check failed": OrderReason.BAD_PRICE,
    "EOrder:Order minimum not met": OrderReason.BELOW_MINIMUM,
    "EOrder:Cost minimum not met": OrderReason.BELOW_MINIMUM,
    "EOrder:Orders limit exceeded": OrderReason.TOO_MANY,
    "EOrder:Reduce only": OrderReason.WOULD_INCREASE,
    "EOrder:Unknown order": OrderReason.NOT_OPEN,
    "EQuery:Unknown asset pair": OrderReason.UNKNOWN_INSTRUMENT,
    "EService:Market in cancel_only mode": OrderReason.NOT_TRADING,
    "EService:Market in limit_only mode": OrderReason.NOT_TRADING,
    "EService:Market in post_only mode": OrderReason.NOT_TRADING,
}


def error_code(text: str) -> str:
    """Return an error without its details: ``EGeneral:Invalid arguments:type`` loses the last."""
    return ":".join(text.split(":")[:2])


def reason_of(text: str) -> OrderReason:
    """Return why an order or a request to change one was refused."""
    return REASONS.get(error_code(text), OrderReason.VENUE)
