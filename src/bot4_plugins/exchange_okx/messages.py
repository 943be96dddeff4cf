"""The venue's messages as typed structs: the fields read, with the types they must have."""

import msgspec
from msgspec import UNSET, UnsetType

__all__ = [
    "AlgoOrderItem",
    "BalanceItem",
    "BookItem",
    "CoinDetail",
    "FillItem",
    "FundingItem",
    "IndexItem",
    "LiquidationDetail",
    "LiquidationItem",
    "MarkItem",
    "OkxOrderItem",
    "OkxPositionItem",
    "OkxTradeItem",
    "TickerItem",
]

Levels = list[tuple[str, str, str, str]]


class BookItem(msgspec.Struct, rename="camel"):
    """A book message: price, size, a zero, orders; the checksum is 0 since June 2026."""

    asks: Levels
    bids: Levels
    ts: str
    checksum: int = 0
    seq_id: int | UnsetType = UNSET
    prev_seq_id: int | UnsetType = UNSET


class OkxTradeItem(msgspec.Struct, rename="camel"):
    """A trade; the side is the taker's."""

    inst_id: str
    trade_id: str
    px: str
    sz: str
    side: str
    ts: str


class TickerItem(msgspec.Struct, rename="camel"):
    """Best prices; empty where a side has no orders."""

    inst_id: str
    bid_px: str
    bid_sz: str
    ask_px: str
    ask_sz: str
    ts: str


class MarkItem(msgspec.Struct, rename="camel"):
    """A mark price."""

    inst_id: str
    mark_px: str
    ts: str


class IndexItem(msgspec.Struct, rename="camel"):
    """An index price, of a pair and not of an instrument."""

    inst_id: str
    idx_px: str
    ts: str


class FundingItem(msgspec.Struct, rename="camel"):
    """A funding rate, and when it is settled."""

    inst_id: str
    funding_rate: str
    funding_time: str
    ts: str = ""


class LiquidationDetail(msgspec.Struct, rename="camel"):
    """One liquidation order."""

    side: str
    bk_px: str
    sz: str
    ts: str


class LiquidationItem(msgspec.Struct, rename="camel"):
    """Liquidation orders of one instrument."""

    inst_id: str
    details: list[LiquidationDetail]


class OkxOrderItem(msgspec.Struct, rename="camel"):
    """An order, as the ``orders`` channel and order lists have it; with at most one execution."""

    inst_id: str
    inst_type: str
    ord_id: str
    side: str
    state: str
    sz: str
    acc_fill_sz: str
    cl_ord_id: str = ""
    algo_cl_ord_id: str = ""
    px: str = ""
    tgt_ccy: str = ""
    category: str = ""
    cancel_source: str = ""
    trade_id: str = ""
    fill_px: str = ""
    fill_sz: str = ""
    fill_time: str = ""
    fill_fee: str = ""
    fill_fee_ccy: str = ""
    fee: str = ""
    fee_ccy: str = ""
    exec_type: str = ""
    u_time: str = ""


class AlgoOrderItem(msgspec.Struct, rename="camel"):
    """An order that waits for a trigger."""

    inst_id: str
    inst_type: str
    algo_id: str
    side: str
    state: str
    sz: str
    algo_cl_ord_id: str = ""
    trigger_px: str = ""
    sl_trigger_px: str = ""
    tp_trigger_px: str = ""
    active_px: str = ""
    ord_px: str = ""
    u_time: str = ""


class FillItem(msgspec.Struct, rename="camel"):
    """An execution, as lists of fills have it."""

    inst_id: str
    trade_id: str
    ord_id: str
    side: str
    fill_px: str
    fill_sz: str
    exec_type: str
    ts: str
    inst_type: str = ""
    cl_ord_id: str = ""
    fee: str = ""
    fee_ccy: str = ""


class OkxPositionItem(msgspec.Struct, rename="camel"):
    """A position; net ones are signed, the two of a hedged contract are not."""

    inst_id: str
    inst_type: str
    pos: str
    pos_side: str = "net"
    avg_px: str = ""


class CoinDetail(msgspec.Struct, rename="camel"):
    """One asset of the account."""

    ccy: str
    cash_bal: str


class BalanceItem(msgspec.Struct, rename="camel"):
    """The account's balances."""

    details: list[CoinDetail]
