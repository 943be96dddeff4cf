"""Orders: what evidence says of them, and what they hold in reserve."""

from bot4_core.domain_types.order_codes import LocalEvidence, OrderAlarm
from bot4_core.orders.changes import OrderChange
from bot4_core.orders.client_ids import client_order_id, parse_client_order_id, run_tag
from bot4_core.orders.evidence import TERMINAL, TRANSITIONS, may_become
from bot4_core.orders.registry import Orders
from bot4_core.orders.working import WorkingOrder

__all__ = [
    "TERMINAL",
    "TRANSITIONS",
    "LocalEvidence",
    "OrderAlarm",
    "OrderChange",
    "Orders",
    "WorkingOrder",
    "client_order_id",
    "may_become",
    "parse_client_order_id",
    "run_tag",
]
