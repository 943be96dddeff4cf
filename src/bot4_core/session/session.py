"""The session: events in, effects out; its state is a function of configuration and events."""

from collections.abc import Sequence
from typing import Final

from bot4_core.domain_types.canonical_types import InstrumentId, Nanoseconds, Price, Quantity
from bot4_core.domain_types.decisions import BreakerEffect, BreakerScope, BreakerVerdict
from bot4_core.domain_types.instruments import Instrument
from bot4_core.domain_types.records import EVENT_DTYPE, OrderStatus, OrderType
from bot4_core.domain_types.venue_capabilities import Capabilities
from bot4_core.errors import OrderError, ValidationError
from bot4_core.orders import LocalEvidence
from bot4_core.orders.linked_plans import LinkedPlan, LinkedSettings
from bot4_core.plugins.interfaces import Records
from bot4_core.risk.panel import Rearm
from bot4_core.session.config import SessionConfig
from bot4_core.session.effects import Effect, Explained, OrderText
from bot4_core.session.order_notes import change_notes, rearm_note
from bot4_core.session.recovery import Recovered
from bot4_core.session.staged import StagedDriver
from bot4_core.session.state import Parts, SessionState

__all__ = ["Session"]

AMENDABLE: Final = frozenset({OrderStatus.OPEN, OrderStatus.PARTIAL})


class Session:
    """A trading session without any outside: no file, no socket, no clock.

    Parameters
    ----------
    config : SessionConfig
    instruments : sequence of Instrument
        Position = instrument id of the event records.
    table : (n,) INSTRUMENT
        The same instruments for kernels, as ``Exchange.table`` gives them.
    parts : Parts
    run : str
        Name of the run; marks its client order ids and decides nothing else.
    capabilities : Capabilities, optional
        Of the venue that orders go to; what it does not look after by itself the kernel does.

    Attributes
    ----------
    state : SessionState
        Books, views, orders, ledger, limits and breakers, to be read.
    text : OrderText
        Writes intents as text for the audit log.
    driver : StagedDriver
        Walks the stages of a decision.
    """

    def __init__(
        self,
        config: SessionConfig,
        instruments: Sequence[Instrument],
        table: Records,
        parts: Parts,
        run: str = "session",
        capabilities: Capabilities | None = None,
    ) -> None:
        self.state = SessionState(config, instruments, table, parts, run, capabilities)
        state = self.state
        explained = Explained(state.strategy.explain, state.sizer.explain, state.panel.read)
        self.text = OrderText(state.instruments, state.account.limits, explained)
        self.driver = StagedDriver(self.state)
        for settings in config.linked:
            state.links.plan(settings, now=0)
        self._take = state.ordering.take
        self._checked: Records | None = None

    @property
    def now(self) -> int:
        """The latest receive time seen, ns: the only clock there is."""
        return self.state.now

    def restore(self, recovered: Recovered) -> list[Effect]:
        """Go on from what an earlier run left behind, before the first event.

        Orders that were not over work on under their own client ids, the books are the same, and
        what was tripped stays tripped.
        """
        self.state.restore(recovered)
        for verdict in recovered.trips:
            self.driver.trip(verdict)
        return self.take_effects()

    def step(self, records: Records, start: int = 0, stop: int | None = None) -> list[Effect]:
        """Take in event records, in order, and say what is wanted done.

        Decisions are made at the ends of messages. The caller keeps every ``RecordIntent`` before
        it lets the ``SendOrder`` after it go; if it cannot, it calls `withhold`.

        Raises
        ------
        ValidationError
            If the array is not of event records or names an instrument that is not known.
        """
        if records is not self._checked:
            self._check(records)
        self.driver.run(records, start, len(records) if stop is None else stop)
        return self._take()

    def decide(self, records: Records, start: int = 0, stop: int | None = None) -> None:
        """Take in event records as `step` does; `take_effects` then says what is wanted done.

        When it returns, orders are judged, reserved and copied with all that explains them.

        Raises
        ------
        ValidationError
            If the array is not of event records or names an instrument that is not known.
        """
        if records is not self._checked:
            self._check(records)
        self.driver.run(records, start, len(records) if stop is None else stop)

    def _check(self, records: Records) -> None:
        """Refuse what is no array of events; a batch is looked at once."""
        if records.dtype != EVENT_DTYPE or not records.flags.c_contiguous:
            fault = f"{records.dtype} is no contiguous array of event records"
            raise ValidationError([("records", fault)])
        self._checked = records

    def take_effects(self) -> list[Effect]:
        """Return the effects gathered so far and start a new list."""
        return self.state.ordering.take()

    def audit_failed(self, *, failed: bool = True) -> None:
        """Say that the audit log cannot be written (no new risk from now on), or can again."""
        self.state.gate.healthy = not failed

    def withhold(self, number: int, why: str = "", *, rest: bool = False) -> None:
        """Say that an order's bytes will never leave, and why; its side may rest for a while."""
        account = self.state.account
        change = account.orders.note(number, LocalEvidence.WITHHELD, self.now)
        order = account.orders[number]
        self.state.links.look_again()
        self.state.ordering.reconsider(order.instrument)
        if rest:
            self.state.ordering.let_rest(order.instrument, order.side, self.now)
        if change is not None:
            rules = self.state.instruments[order.instrument]
            notes = change_notes(change, account.orders.client_id(number), rules, self.now)
            said = [note._replace(payload={**note.payload, "withheld": why}) for note in notes]
            self.state.ordering.say(*said)

    def amend(
        self, number: int, *, price: Price | None = None, size: Quantity | None = None
    ) -> tuple[int, list[Effect]]:
        """Change the price or the whole size of a working limit order.

        It is replaced in two legs: the cancellation of the old order, and a new one for what the
        old one had not filled, judged like any other. Either may fail alone, and until there is
        evidence the worst case counts both. A quoting strategy may take the new one for its own.

        Returns
        -------
        int
            Number of the new order, 0 where the gate kept it back; then the old one stands.
        list of Effect

        Raises
        ------
        OrderError
            If no such order works, or it has no price to be changed.
        ValidationError
            If nothing would be left to fill.
        PrecisionError
            If a number has digits below the instrument's exponents.
        """
        orders = self.state.account.orders
        old = orders[number]
        if old.type != OrderType.LIMIT or old.status not in AMENDABLE or orders.is_linked(number):
            fault = f"order {number} is {old.status.name.lower()} or no plain limit order"
            raise OrderError(f"{fault}; what rests and belongs to no linked order may be changed")
        rules = self.state.instruments[old.instrument]
        scaled = old.price if price is None else price.scaled_at(rules.price_exponent)
        whole = old.size if size is None else size.scaled_at(rules.size_exponent)
        if whole <= old.executed:
            raise ValidationError([("size", f"{whole} is filled already, {old.executed} of it")])
        made = self.state.ordering.replace(number, scaled, whole - old.executed, self.now)
        self.state.ordering.reconsider(old.instrument)
        return made, self.take_effects()

    def place_linked(
        self, plan: LinkedSettings | LinkedPlan, instrument: int = 0
    ) -> tuple[int, list[Effect]]:
        """Place a linked order: OCO, bracket, trailing stop or iceberg; return its number.

        Its children leave as the orders of the strategy do, at the next message of a LIVE book.

        Parameters
        ----------
        plan : LinkedSettings or LinkedPlan
            In decimal numbers with a symbol, or in scaled integers.
        instrument : int
            Of a `LinkedPlan`.

        Raises
        ------
        ValidationError
            With every fault at once, if the instrument is not known or its venue would not take
            the orders.
        """
        links, now = self.state.links, self.now
        if isinstance(plan, LinkedPlan):
            return links.place(instrument, plan, now), self.take_effects()
        return links.plan(plan, now), self.take_effects()

    def cancel_linked(self, number: int, reason: str) -> list[Effect]:
        """End a linked order: its children are cancelled, and what it has filled stays.

        Raises
        ------
        OrderError
            If there is none of this number.
        """
        self.state.links.cancel(number, reason, self.now)
        return self.take_effects()

    def halt(self, actor: str, reason: str, *, flatten: bool = False) -> list[Effect]:
        """Stop the whole session: cancel everything, and close what is held if asked to.

        Orders leave again after `rearm` of the breaker ``"operator"``.
        """
        verdict = BreakerVerdict(
            breaker="operator",
            effect=BreakerEffect.FLATTEN if flatten else BreakerEffect.CANCEL_ALL,
            scope=BreakerScope.SESSION,
            instrument=InstrumentId(0),
            time=Nanoseconds(self.now),
            reason=f"{actor}: {reason}",
        )
        self.driver.trip(verdict)
        return self.take_effects()

    def rearm(
        self, breaker: str, *, actor: str, reason: str, instrument: int | None = None
    ) -> tuple[Rearm, list[Effect]]:
        """Loosen a breaker; somebody's name stands for it.

        Raises
        ------
        ValidationError
            If nobody is named, no reason is given, or there is no such breaker.
        """
        entry = self.state.panel.rearm(
            breaker, actor=actor, reason=reason, time=self.now, instrument=instrument
        )
        self.state.ordering.say(rearm_note(entry, self.state.instruments))
        self.state.links.look_again()
        return entry, self.take_effects()

    def cancel_everything(self, reason: str) -> list[Effect]:
        """Ask for the cancellation of every working order, as at the end of a run."""
        self.state.links.cancel_all(reason, self.now)
        for instrument in range(len(self.state.instruments)):
            self.state.ordering.cancel_all(instrument, reason, self.now)
        return self.take_effects()
