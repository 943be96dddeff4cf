"""What a decision works on, put into a session's tables."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from bot4_core.domain_types.records import (
    INTENT_DTYPE,
    PARAMS_DTYPE,
    SIGNAL_DTYPE,
    STATE_DTYPE,
    VIEW_DTYPE,
)
from bot4_core.kernels.order_entry import MOST_CHILDREN
from bot4_core.kernels.order_gate import LIMIT_NUMBERS
from bot4_core.kernels.order_rows import (
    ACTION_DTYPE,
    CONDUCT_DTYPE,
    MEASURED_DTYPE,
    MOST_ACTIONS,
    MOST_SIGNALS,
    SIZED_DTYPE,
    WANTED_DTYPE,
    Slot,
)
from bot4_core.kernels.tables import Tables
from bot4_core.session.account import MONEY_UNIT
from bot4_core.session.config import QuotingConfig
from bot4_core.session.parts import CompiledMemory

__all__ = ["part_table", "place_decision_tables", "place_part"]

IN_FLIGHT: Final = 1


def place_decision_tables(tables: Tables, quoting: QuotingConfig) -> None:
    """Put what a decision works on into a session's tables; parts come later."""
    terms = np.zeros(1, CONDUCT_DTYPE)
    terms["behind"], terms["ahead"] = quoting.keep_behind, quoting.keep_ahead
    terms["size_percent"], terms["in_flight"] = quoting.keep_size_percent, IN_FLIGHT
    terms["post_only"], terms["rest"] = quoting.post_only, quoting.retry_ms * 1_000_000
    terms["healthy"] = terms["asking"] = terms["spelled"] = 1
    terms["money_unit"] = MONEY_UNIT
    tables.put(Slot.CONDUCT, terms)
    tables.put(Slot.SIGNALS, np.zeros(MOST_SIGNALS, SIGNAL_DTYPE))
    tables.put(Slot.SIZED, np.zeros(MOST_SIGNALS, SIZED_DTYPE))
    tables.put(Slot.WANTED, np.zeros(MOST_SIGNALS, WANTED_DTYPE))
    tables.put(Slot.ACTIONS, np.zeros(MOST_ACTIONS, ACTION_DTYPE))
    tables.put(Slot.SHOWN_VIEWS, np.zeros(MOST_ACTIONS, VIEW_DTYPE))
    tables.put(Slot.SHOWN_SIGNALS, np.zeros(MOST_ACTIONS, SIGNAL_DTYPE))
    tables.put(Slot.SHOWN_SIZED, np.zeros(MOST_ACTIONS, SIZED_DTYPE))
    tables.put(Slot.SHOWN_BREAKERS, np.zeros(MOST_ACTIONS, MEASURED_DTYPE))
    tables.put(Slot.NUMBERS, np.zeros(MOST_ACTIONS * LIMIT_NUMBERS, np.int64))
    tables.put(Slot.INTENTS, np.zeros(1, INTENT_DTYPE))
    tables.put(Slot.CHILDREN, np.zeros(MOST_CHILDREN, INTENT_DTYPE))


def place_part(tables: Tables, states: Slot, params: Slot, memory: CompiledMemory | None) -> None:
    """Put a compiled part's memory into a session's tables; of a Python part there is none."""
    tables.put(states, memory.states if memory else np.zeros(0, STATE_DTYPE))
    tables.put(params, memory.params if memory else np.zeros(0, PARAMS_DTYPE))


def part_table(functions: list[int]) -> NDArray[np.int64]:
    """Return addresses as a table; uncompiled they are the functions themselves."""
    if all(isinstance(each, int) for each in functions):
        return np.array(functions, np.int64)
    return np.array(functions, object)
