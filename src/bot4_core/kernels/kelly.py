"""Stakes that make wealth grow fastest, given the chances of every outcome.

Stakes are shares of wealth, returns are simple, growth is the expected logarithm of what a unit
of wealth becomes.

References
----------
.. [1] Kelly, J. L. (1956). A new interpretation of information rate. Bell System Technical
   Journal 35(4), 917-926. doi:10.1002/j.1538-7305.1956.tb03809.x.
.. [2] Thorp, E. O. (2006). The Kelly criterion in blackjack, sports betting and the stock market.
   Handbook of Asset and Liability Management, vol. 1, sections 2, 3 and 8.
.. [3] Bertsekas, D. P. (1982). Projected Newton methods for optimization problems with simple
   constraints. SIAM Journal on Control and Optimization 20(2), 221-246. doi:10.1137/0320018.
"""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bot4_core.jit import kernel
from bot4_core.kernels.elementary import log1p

__all__ = ["best_stakes", "growth_of", "solve_positive"]

Floats = NDArray[np.float64]

NEWTON_STEPS: Final = 200
ENOUGH: Final = 1e-13
SINGULAR: Final = 1e-13  # of the largest diagonal entry
SHORTEST: Final = 1e-12


@kernel()
def growth_of(stakes: Floats, returns: Floats, chances: Floats) -> float:
    """Return the expected log growth; -inf where some outcome ruins.

    Parameters
    ----------
    stakes : (n,) float64
    returns : (m, n) float64
        Of each outcome in a row.
    chances : (m,) float64
        Adding up to 1.
    """
    total = 0.0
    for outcome in range(len(chances)):
        gain = 0.0
        for asset in range(len(stakes)):
            gain += stakes[asset] * returns[outcome, asset]
        if gain <= -1.0:
            if chances[outcome] > 0.0:
                return -math.inf
        else:
            total += chances[outcome] * log1p(gain)
    return total


@kernel()
def _substitute(factor: Floats, vector: Floats) -> None:
    """Solve with a Cholesky factor and its transpose, in place."""
    size = len(vector)
    for row in range(size):
        for place in range(row):
            vector[row] -= factor[row, place] * vector[place]
        vector[row] /= factor[row, row]
    for row in range(size - 1, -1, -1):
        for place in range(row + 1, size):
            vector[row] -= factor[place, row] * vector[place]
        vector[row] /= factor[row, row]


@kernel()
def solve_positive(matrix: Floats, vector: Floats) -> bool:
    """Solve a symmetric positive definite system in place by Cholesky; False if it is singular.

    Parameters
    ----------
    matrix : (n, n) float64
        Becomes its factor.
    vector : (n,) float64
        The right side becomes the solution.
    """
    size, largest = len(vector), 0.0
    for row in range(size):
        largest = max(largest, matrix[row, row])
    for row in range(size):
        for column in range(row + 1):
            left = matrix[row, column]
            for place in range(column):
                left -= matrix[row, place] * matrix[column, place]
            if row == column:
                if left <= SINGULAR * largest:
                    return False
                matrix[row, row] = math.sqrt(left)
            else:
                matrix[row, column] = left / matrix[column, column]
    _substitute(matrix, vector)
    return True


@kernel()
def _slopes(
    stakes: Floats, returns: Floats, chances: Floats, price: float, slope: Floats, bend: Floats
) -> None:
    """Write gradient (less the price of a stake) and negative Hessian of the growth."""
    slope[:] = -price
    bend[:] = 0.0
    for outcome in range(len(chances)):
        wealth = 1.0
        for asset in range(len(stakes)):
            wealth += stakes[asset] * returns[outcome, asset]
        for asset in range(len(stakes)):
            pull = returns[outcome, asset] / wealth
            slope[asset] += chances[outcome] * pull
            for other in range(len(stakes)):
                bend[asset, other] += chances[outcome] * pull * returns[outcome, other] / wealth


@kernel()
def _newton_step(stakes: Floats, most: float, slope: Floats, bend: Floats, out: Floats) -> None:
    """Write Newton's step over the stakes that are not held by a bound."""
    free, trace = 0, 0.0
    places = np.zeros(len(stakes), np.int64)
    for asset in range(len(stakes)):
        out[asset] = 0.0
        trace += bend[asset, asset]
        up, down = slope[asset] > 0.0, slope[asset] < 0.0
        if (up and stakes[asset] < most) or (down and stakes[asset] > 0.0):
            places[free] = asset
            free += 1
    matrix, vector = np.zeros((free, free)), np.zeros(free)
    for row in range(free):
        vector[row] = slope[places[row]]
        for column in range(free):
            matrix[row, column] = bend[places[row], places[column]]
        # directions without curvature are climbed too, and none is singular
        matrix[row, row] += SHORTEST * trace + SINGULAR
    solve_positive(matrix, vector)
    for row in range(free):
        out[places[row]] = vector[row]


@kernel()
def _priced_growth(stakes: Floats, returns: Floats, chances: Floats, price: float) -> float:
    """Return the growth less what the stakes cost."""
    return growth_of(stakes, returns, chances) - price * float(np.sum(stakes))


@kernel()
def _line_search(
    stakes: Floats,
    step: Floats,
    most: float,
    returns: Floats,
    chances: Floats,
    price: float,
) -> bool:
    """Move stakes along a step cut to the bounds, half as far each time until they grow more."""
    before = _priced_growth(stakes, returns, chances, price)
    length = 1.0
    while length > SHORTEST:
        trial = np.minimum(most, np.maximum(0.0, stakes + length * step))
        if _priced_growth(trial, returns, chances, price) > before:
            stakes[:] = trial
            return True
        length *= 0.5
    return False


@kernel()
def _climb(returns: Floats, chances: Floats, price: float, most: float, stakes: Floats) -> float:
    """Maximise growth less the price of stakes from 0 to ``most`` each; return their sum.

    Where a bound bends Newton's step so that nothing is gained, the gradient's is taken, which
    gains wherever anything can be gained.
    """
    count = len(stakes)
    slope, bend, step = np.zeros(count), np.zeros((count, count)), np.zeros(count)
    steps, better = 0, True
    while better and steps < NEWTON_STEPS:
        steps += 1
        _slopes(stakes, returns, chances, price, slope, bend)
        _newton_step(stakes, most, slope, bend, step)
        better = _line_search(stakes, step, most, returns, chances, price)
        if not better:
            step[:] = slope / (np.trace(bend) + SINGULAR)
            better = _line_search(stakes, step, most, returns, chances, price)
    return float(np.sum(stakes))


@kernel()
def best_stakes(returns: Floats, chances: Floats, budget: float, out: Floats) -> float:
    """Write the stakes of largest growth, at least 0 each and a budget together.

    Where the budget binds, a price of stakes is found by halving at which they just cost it, and
    the stakes on both sides of that price are mixed so that they do.

    Parameters
    ----------
    returns : (m, n) float64
    chances : (m,) float64
        Adding up to 1.
    budget : float
        Above 0.
    out : (n,) float64

    Returns
    -------
    float
        What a little more of the budget would add to the growth; 0.0 where it does not bind.
    """
    out[:] = 0.0
    spent = _climb(returns, chances, 0.0, budget, out)
    if spent <= budget:
        return 0.0
    slope, bend = np.zeros(len(out)), np.zeros((len(out), len(out)))
    thrifty = np.zeros(len(out))
    _slopes(thrifty, returns, chances, 0.0, slope, bend)
    low, high, trial, saved = 0.0, float(np.max(slope)), np.zeros(len(out)), 0.0
    middle = 0.5 * high
    while high - low > ENOUGH * high and low < middle < high:
        trial[:] = thrifty
        cost = _climb(returns, chances, middle, budget, trial)
        if cost > budget:
            low, spent = middle, cost
            out[:] = trial
        else:
            high, saved = middle, cost
            thrifty[:] = trial
        middle = 0.5 * (low + high)
    share = (budget - saved) / (spent - saved)
    for asset in range(len(out)):
        out[asset] = thrifty[asset] + share * (out[asset] - thrifty[asset])
    return high
