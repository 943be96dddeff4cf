"""What reports and the audit log say of linked orders, and what is read back from it."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import attrs

from bot4_core.domain_types.audit_records import AuditKind
from bot4_core.domain_types.canonical_types import scaled_from_text, text_from_scaled
from bot4_core.domain_types.instruments import Instrument
from bot4_core.domain_types.records import OrderStatus, Side
from bot4_core.orders import Orders
from bot4_core.orders.linked import ChildRole, KeptChild, LinkedOrder, NativeOrder
from bot4_core.orders.linked_plans import LinkedForm, LinkedPlan
from bot4_core.session.effects import Note

__all__ = [
    "KeptLink",
    "KeptLinks",
    "LinkedChildReport",
    "LinkedReport",
    "link_report",
    "linked_note",
]

PRICES: Final = ("entry", "target", "stop", "trail")
SIZES: Final = ("size", "visible", "smallest")
COUNTS: Final = ("tries", "pause")
ENDS: Final = frozenset({"done", "unentered", "cancelled"})


@attrs.frozen(kw_only=True)
class LinkedChildReport:
    """One child: its order number (0 where the gate kept it back), role, status, filled size."""

    order: int
    role: str
    status: str
    filled: str


@attrs.frozen(kw_only=True)
class LinkedReport:
    """One linked order, and who looked after it."""

    id: int
    name: str
    symbol: str
    kind: str
    form: str
    status: str
    children: tuple[LinkedChildReport, ...]


def link_report(
    number: int, name: str, rules: Instrument, order: LinkedOrder, numbers: Sequence[int]
) -> LinkedReport:
    """Describe a linked order as it stands."""
    children = zip(numbers, order.children, strict=True)
    return LinkedReport(
        id=number,
        name=name,
        symbol=str(rules.symbol),
        kind=order.plan.kind.value,
        form=form_of(order),
        status=order.status.value,
        children=tuple(
            LinkedChildReport(
                order=each,
                role=role.name.lower(),
                status=status.name.lower(),
                filled=text_from_scaled(filled, rules.size_exponent),
            )
            for each, (role, status, filled) in children
        ),
    )


def form_of(order: LinkedOrder) -> str:
    """Return who looks after a linked order."""
    native = isinstance(order, NativeOrder)
    return (LinkedForm.NATIVE if native else LinkedForm.EMULATED).value


def linked_note(
    number: int, what: str, rules: Instrument, order: LinkedOrder, time: int, **more: Any
) -> Note:
    """Return the record of a step of a linked order; with its plan where it begins."""
    payload: dict[str, Any] = {"linked": number, "what": what}
    if what == "placed":
        kind, form = order.plan.kind.value, form_of(order)
        payload |= {"instrument": str(rules.symbol), "kind": kind, "form": form}
        payload |= {"plan": plan_text(order.plan, rules), **more}
    elif "reason" in more:
        payload["reason"] = more["reason"]
    if what in ("trail", "stopped"):
        payload["extreme"] = text_from_scaled(order.extreme, rules.price_exponent)
    return Note(AuditKind.LINKED, "linked", "", time, payload)


def plan_text(plan: LinkedPlan, rules: Instrument) -> dict[str, Any]:
    """Write a plan in decimal text."""
    text: dict[str, Any] = {"side": plan.side.name.lower()}
    for names, exponent in ((PRICES, rules.price_exponent), (SIZES, rules.size_exponent)):
        text |= {name: text_from_scaled(getattr(plan, name), exponent) for name in names}
    return text | {name: getattr(plan, name) for name in COUNTS}


def plan_from(text: Mapping[str, Any], rules: Instrument) -> LinkedPlan:
    """Read a plan back."""
    scaled: dict[str, int] = {name: text[name] for name in COUNTS}
    for names, exponent in ((PRICES, rules.price_exponent), (SIZES, rules.size_exponent)):
        scaled |= {name: scaled_from_text(text[name], exponent) for name in names}
    return LinkedPlan(side=Side[text["side"].upper()], **scaled)


@attrs.define(kw_only=True)
class KeptLinkChild:
    """What a log kept of a child; its last status counts where the order itself is over."""

    number: int
    role: ChildRole
    size: int
    status: OrderStatus
    filled: int = 0
    time: int = 0


@attrs.define(kw_only=True)
class KeptLink:
    """What a log kept of one linked order."""

    instrument: int
    plan: LinkedPlan
    name: str
    by_strategy: bool
    native: bool = False
    extreme: int = 0
    stopped: bool = False
    cancelled: bool = False
    ended: bool = False
    children: list[KeptLinkChild] = attrs.field(factory=list)

    def order(self, orders: Orders) -> LinkedOrder:
        """Return it at work again, with what the restored orders say of its children."""
        known = []
        for each in self.children:
            status, filled, at_stake = each.status, each.filled, 0
            if each.number in orders:
                working = orders[each.number]
                status, filled, at_stake = working.status, working.filled, working.reserved
            known.append(KeptChild(each.role, each.size, status, filled, at_stake, each.time))
        return (NativeOrder if self.native else LinkedOrder).restored(
            self.plan,
            known,
            extreme=self.extreme,
            stopped=self.stopped,
            cancelled=self.cancelled,
        )


class KeptLinks:
    """Follows the records of linked orders and their children."""

    def __init__(self) -> None:
        self.links: dict[int, KeptLink] = {}
        self._children: dict[int, KeptLinkChild] = {}

    def placed(self, payload: Mapping[str, Any], rules: Instrument, instrument: int) -> None:
        """Take note of a linked order that begins."""
        self.links[int(payload["linked"])] = KeptLink(
            instrument=instrument,
            plan=plan_from(payload["plan"], rules),
            name=payload["name"],
            by_strategy=bool(payload["by_strategy"]),
            native=payload["form"] == LinkedForm.NATIVE.value,
        )

    def step(self, payload: Mapping[str, Any], instruments: Sequence[Instrument]) -> None:
        """Follow what became of a linked order."""
        link, what = self.links[int(payload["linked"])], payload["what"]
        link.cancelled |= what == "cancel"
        link.stopped |= what == "stopped"
        link.ended |= what in ENDS
        if "extreme" in payload:
            exponent = instruments[link.instrument].price_exponent
            link.extreme = scaled_from_text(payload["extreme"], exponent)

    def child(self, told: Mapping[str, Any], number: int, size: int, time: int) -> None:
        """Take note of a child: its order, or its refusal where the number is 0."""
        status = OrderStatus.CREATED if number else OrderStatus.REJECTED
        role = ChildRole[told["role"].upper()]
        made = KeptLinkChild(number=number, role=role, size=size, status=status, time=time)
        self.links[int(told["linked"])].children.append(made)
        if number:
            self._children[number] = made

    def over(self, number: int, status: OrderStatus, filled: int, time: int) -> None:
        """Take note of how an order ended, or what it has filled since."""
        child = self._children.get(number)
        if child is not None:
            child.status, child.filled, child.time = status, filled, time
