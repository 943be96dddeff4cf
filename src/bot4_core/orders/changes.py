"""What one piece of evidence changed."""

import attrs

from bot4_core.domain_types.order_codes import OrderAlarm
from bot4_core.domain_types.orders import Fill
from bot4_core.domain_types.records import OrderStatus
from bot4_core.orders.working import WorkingOrder

__all__ = ["OrderChange"]


@attrs.define(eq=False)
class OrderChange:
    """What one piece of evidence changed.

    Attributes
    ----------
    order : WorkingOrder or None
        As it is now; None where the order is not of this run (alarm ``EXTERNAL``).
    before, after : OrderStatus
        Equal where only quantities changed.
    fill : Fill or None
        An execution not seen before, or as it was corrected, to be booked.
    alarms : OrderAlarm
        All alarms of the order now.
    reversal : Fill or None
        What takes an execution back that was busted or corrected, to be booked first.
    """

    order: WorkingOrder | None
    before: OrderStatus
    after: OrderStatus
    fill: Fill | None = None
    alarms: OrderAlarm = OrderAlarm.NONE
    reversal: Fill | None = None

    @property
    def bookings(self) -> tuple[Fill, ...]:
        """What is to be booked, in order."""
        return tuple(each for each in (self.reversal, self.fill) if each is not None)
