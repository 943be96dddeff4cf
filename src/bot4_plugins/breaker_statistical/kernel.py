"""The compiled observation: how unlike a return is to those before it."""

import math
from enum import IntEnum
from typing import Final

import numpy as np

from bot4_core.domain_types.records import BookState
from bot4_core.jit import kernel
from bot4_core.kernels.elementary import log
from bot4_core.kernels.stats import prior_z, rolling_push, rolling_std

Row = np.void

LIVE: Final = int(BookState.LIVE)
LONGEST_WINDOW: Final = 960


class BreakerParam(IntEnum):
    """Slots of the parameter row: integers first, then the one float."""

    INTERVAL = 0  # ns, integer
    WINDOW = 1  # returns, integer
    EFFECT = 2  # BreakerEffect, integer
    THRESHOLD = 0  # standard deviations, float


class Memory(IntEnum):
    """Slots of the state row's integers; the cursor of the window takes three."""

    CURSOR = 0
    SAMPLED = 3  # time of the last sample, 0 for none
    LATCHED = 4


class BreakerValue(IntEnum):
    """Slots of the state row's floats; the window stands from WINDOW on."""

    RETURN = 0
    MEAN = 1
    DEVIATION = 2
    SCORE = 3
    MID = 4  # of the last sample
    MOMENTS = 5  # takes two
    WINDOW = 8


@kernel()
def start_sample(state: Row, time: int, mid: float) -> None:
    """Begin a new interval."""
    state["i"][Memory.SAMPLED] = time
    state["f"][BreakerValue.MID] = mid


@kernel()
def observe(view: Row, state: Row, params: Row) -> int:
    """Return the breaker's effect while latched, 0 otherwise.

    The return since the last sample is tested at every observation against the returns of the
    full intervals before it; once an interval is over, its return enters the window, also one
    that tripped. Nothing trips before the window is full.
    """
    memory, values = state["i"], state["f"]
    if memory[Memory.LATCHED]:
        return int(params["i"][BreakerParam.EFFECT])
    mid = float(view["mid"])
    if view["state"] != LIVE or not mid > 0.0:
        memory[Memory.SAMPLED] = 0
        return 0
    time = int(view["received"])
    if memory[Memory.SAMPLED] == 0:
        start_sample(state, time, mid)
        return 0
    size = int(params["i"][BreakerParam.WINDOW])
    window = values[BreakerValue.WINDOW : BreakerValue.WINDOW + size]
    moments = values[BreakerValue.MOMENTS : BreakerValue.MOMENTS + 2]
    cursor = memory[Memory.CURSOR : Memory.CURSOR + 3]
    change = log(mid / float(values[BreakerValue.MID]))
    values[BreakerValue.RETURN] = change
    values[BreakerValue.SCORE] = math.nan
    if cursor[0] == size:
        values[BreakerValue.MEAN] = moments[0]
        values[BreakerValue.DEVIATION] = rolling_std(moments, cursor)
        values[BreakerValue.SCORE] = prior_z(
            change, float(moments[0]), float(values[BreakerValue.DEVIATION])
        )
        if abs(values[BreakerValue.SCORE]) >= params["f"][BreakerParam.THRESHOLD]:
            memory[Memory.LATCHED] = 1
    if time - memory[Memory.SAMPLED] >= params["i"][BreakerParam.INTERVAL]:
        rolling_push(window, moments, cursor, change)
        start_sample(state, time, mid)
    return int(params["i"][BreakerParam.EFFECT]) if memory[Memory.LATCHED] else 0
