"""The digest of a run: events, effects and final ledger, and nothing that differs between runs."""

import hashlib

import numpy as np

from bot4_core.domain_types.records import SIGNAL_DTYPE
from bot4_core.plugins.interfaces import Records
from bot4_core.session.effects import CancelOrder, Effect, Note, RecordIntent, SendOrder
from bot4_core.session.state import SessionState

__all__ = ["TraceDigest"]


class TraceDigest:
    """SHA-256 over what happened, in order.

    Client order ids and wall-clock times stay out: they name a run, and decide nothing in it.
    """

    def __init__(self) -> None:
        self._hash = hashlib.sha256()

    def events(self, records: Records, start: int = 0, stop: int | None = None) -> None:
        """Add event records, message by message: batches may be cut anywhere."""
        self._hash.update(np.ascontiguousarray(records[start:stop]).view(np.uint8).data)

    def effect(self, effect: Effect) -> None:
        """Add an effect."""
        self._hash.update(repr(effect_facts(effect)).encode())

    def close(self, state: SessionState) -> str:
        """Add the final ledger and return the digest."""
        self._hash.update(repr(state.account.ledger.digest()).encode())
        return self._hash.hexdigest()


def signal_facts(signal: bytes) -> tuple[object, ...]:
    """Return a signal's fields but its values, of which not all need be used."""
    return tuple(np.frombuffer(signal, SIGNAL_DTYPE)[0].item()[:-1]) if signal else ()


def effect_facts(effect: Effect) -> tuple[object, ...]:
    """Return what of an effect depends on configuration and events alone."""
    if isinstance(effect, RecordIntent):
        facts = (signal_facts(effect.grounds.signal), effect.reason, effect.wish, effect.route)
        return ("intent", effect.intent, facts, effect.broken, effect.refusals)
    if isinstance(effect, SendOrder):
        return ("send", effect.number, effect.time)
    if isinstance(effect, CancelOrder):
        return ("cancel", effect.number, effect.time, effect.reason)
    if isinstance(effect, Note):
        return (
            "note",
            effect.kind.value,
            effect.actor,
            effect.time,
            sorted(effect.payload.items()),
        )
    return ("resync", effect.instrument, effect.time)
