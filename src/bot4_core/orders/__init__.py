"""Orders: what evidence says of them, what they hold in reserve, and which quotes to change."""

from bot4_core.orders.client_ids import client_order_id, parse_client_order_id, run_tag
from bot4_core.orders.evidence import (
    TERMINAL,
    TRANSITIONS,
    LocalEvidence,
    OrderAlarm,
    may_become,
)
from bot4_core.orders.quoting import QuotePlan, QuoteTolerance, Target, plan_quotes
from bot4_core.orders.registry import OrderChange, Orders
from bot4_core.orders.working import WorkingOrder

__all__ = [
    "TERMINAL",
    "TRANSITIONS",
    "LocalEvidence",
    "OrderAlarm",
    "OrderChange",
    "Orders",
    "QuotePlan",
    "QuoteTolerance",
    "Target",
    "WorkingOrder",
    "client_order_id",
    "may_become",
    "parse_client_order_id",
    "plan_quotes",
    "run_tag",
]
