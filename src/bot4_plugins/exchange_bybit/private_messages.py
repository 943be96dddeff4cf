"""What the venue says of an account, as typed structs: the fields read."""

import msgspec

__all__ = ["CoinBalance", "ExecutionItem", "OrderItem", "PositionItem", "WalletItem"]


class OrderItem(msgspec.Struct, rename="camel"):
    """An order, as the ``order`` topic and order lists have it."""

    symbol: str
    order_id: str
    side: str
    order_status: str
    qty: str
    order_link_id: str = ""
    category: str = ""
    price: str = ""
    cum_exec_qty: str = "0"
    trigger_price: str | None = ""
    reject_reason: str | None = ""
    cancel_type: str | None = ""
    updated_time: str = ""


class ExecutionItem(msgspec.Struct, rename="camel"):
    """An execution, as the ``execution`` topic and execution lists have it."""

    symbol: str
    order_id: str
    side: str
    exec_id: str
    exec_price: str
    exec_qty: str
    exec_type: str
    is_maker: bool
    exec_time: str
    exec_fee: str = ""
    fee_currency: str = ""
    order_link_id: str = ""
    category: str = ""


class PositionItem(msgspec.Struct, rename="camel"):
    """A position; the two of a hedged contract come as two."""

    symbol: str
    side: str
    size: str
    category: str = ""
    position_idx: int = 0
    avg_price: str = ""  # lists
    entry_price: str = ""  # the topic


class CoinBalance(msgspec.Struct, rename="camel"):
    """One asset of a wallet."""

    coin: str
    wallet_balance: str


class WalletItem(msgspec.Struct, rename="camel"):
    """A wallet."""

    coin: list[CoinBalance]
