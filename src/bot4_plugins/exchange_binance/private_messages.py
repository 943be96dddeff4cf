"""What the venue tells an account, as typed structs: the fields read, with their types.

Texts that the venue sometimes leaves out or sends as ``null`` are optional here.
"""

import msgspec

__all__ = [
    "AlgoBody",
    "AlgoOrderReply",
    "AlgoUpdate",
    "ExecutionReport",
    "OrderReply",
    "OrderTradeUpdate",
    "OrderUpdateBody",
    "TradeReply",
]


class ExecutionReport(msgspec.Struct):
    """``executionReport`` of spot: one event of one order.

    q size, z filled, l last fill, L its price, n its fee in N, t its trade; x what happened, X
    what the order is now; C the client id of an order that c, the cancellation's, was for.
    """

    s: str
    c: str
    S: str
    o: str
    f: str
    q: str
    p: str
    P: str
    x: str
    X: str
    i: int
    l: str  # noqa: E741 - the venue's name
    z: str
    L: str
    T: int
    t: int
    m: bool = False
    w: bool = True
    n: str | None = None
    N: str | None = None
    C: str = ""
    r: str = "NONE"
    A: str = "0"


class OrderUpdateBody(msgspec.Struct):
    """``o`` of ``ORDER_TRADE_UPDATE``: as of `ExecutionReport`."""

    s: str
    c: str
    S: str
    o: str
    f: str
    q: str
    p: str
    x: str
    X: str
    i: int
    l: str  # noqa: E741
    z: str
    L: str
    T: int
    t: int
    m: bool = False
    sp: str | None = None
    n: str | None = None
    N: str | None = None


class OrderTradeUpdate(msgspec.Struct):
    """``ORDER_TRADE_UPDATE`` of futures."""

    o: OrderUpdateBody


class AlgoBody(msgspec.Struct):
    """``o`` of ``ALGO_UPDATE``: aid and caid the order's ids, X its state, tp its trigger.

    ai is the id of the order that it turned into when it was triggered, aq what that one filled.
    """

    caid: str
    aid: int
    s: str
    S: str
    q: str
    X: str
    o: str = ""
    tp: str = "0"
    p: str = "0"
    ai: str = ""
    aq: str = "0"


class AlgoUpdate(msgspec.Struct):
    """``ALGO_UPDATE`` of futures."""

    o: AlgoBody
    E: int
    T: int


class OrderReply(msgspec.Struct, rename="camel"):
    """An order as replies to requests show it."""

    symbol: str
    order_id: int
    client_order_id: str
    status: str
    side: str
    price: str
    orig_qty: str
    executed_qty: str
    type: str = ""
    time_in_force: str = ""
    orig_client_order_id: str = ""
    is_working: bool = True
    stop_price: str = "0"
    transact_time: int = 0
    update_time: int = 0
    time: int = 0
    fills: list["FillReply"] = []


class FillReply(msgspec.Struct, rename="camel"):
    """A fill within the reply to a new spot order."""

    price: str
    qty: str
    commission: str
    commission_asset: str
    trade_id: int


class AlgoOrderReply(msgspec.Struct, rename="camel"):
    """A conditional futures order as replies to requests show it."""

    algo_id: int
    client_algo_id: str
    symbol: str
    side: str
    algo_status: str = "NEW"
    quantity: str = "0"
    trigger_price: str = "0"
    price: str = "0"
    actual_order_id: str | None = None
    update_time: int = 0
    create_time: int = 0


class TradeReply(msgspec.Struct, rename="camel"):
    """A trade of the account; spot and futures spell side and liquidity differently."""

    symbol: str
    id: int
    order_id: int
    price: str
    qty: str
    commission: str
    commission_asset: str
    time: int
    side: str = ""
    is_buyer: bool = False
    is_maker: bool = False
    maker: bool = False
