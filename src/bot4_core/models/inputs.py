"""Arrays and numbers on their way into a model, checked together."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bot4_core.domain_types.validation import faults_of
from bot4_core.errors import ValidationError

__all__ = [
    "LARGEST",
    "FloatInput",
    "Floats",
    "Inputs",
    "IntegerInput",
    "Integers",
    "MatrixInput",
]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
FloatInput = Sequence[float] | NDArray[np.float64] | NDArray[np.int64]
MatrixInput = Sequence[Sequence[float]] | NDArray[np.float64] | NDArray[np.int64]
IntegerInput = Sequence[int] | NDArray[np.int64]

LARGEST = 2**53
"""Integers above it are not exact as floats."""


class Inputs:
    """Collects what is wrong with the inputs of one call, to raise it all at once.

    Parameters
    ----------
    settings : object, optional
        An attrs object whose own rules are asked first.
    """

    def __init__(self, settings: object = None) -> None:
        self._faults = faults_of(settings)

    def refuse(self, path: str, text: str) -> None:
        """Note a fault."""
        self._faults.append((path, text))

    def require(self, holds: bool, path: str, text: str) -> None:
        """Note a fault unless a rule holds."""
        if not holds:
            self.refuse(path, text)

    def settle(self) -> None:
        """Raise ValidationError if anything was wrong."""
        if self._faults:
            raise ValidationError(self._faults)

    def vector(self, path: str, values: FloatInput, *, least: int = 0) -> Floats:
        """Return finite float64 values, contiguous; an empty array where there is a fault."""
        return self._floats(path, values, 1, least)

    def matrix(self, path: str, values: MatrixInput) -> Floats:
        """Return a matrix of finite float64 values with at least one row and one column."""
        return self._floats(path, values, 2, 1)

    def _floats(
        self, path: str, values: FloatInput | MatrixInput, dimensions: int, least: int
    ) -> Floats:
        nothing = np.zeros((0,) * dimensions)
        try:
            array = np.ascontiguousarray(values, np.float64)
        except (TypeError, ValueError) as error:
            self.refuse(path, f"is not an array of numbers ({error})")
            return nothing
        if array.ndim != dimensions or min(array.shape) < least:
            wanted = "x".join([f"{least} or more"] * dimensions)
            self.refuse(path, f"has shape {array.shape}, must be {wanted}")
            return nothing
        odd = np.argwhere(~np.isfinite(array))
        if len(odd):
            place = ", ".join(map(str, odd[0]))
            self.refuse(f"{path}[{place}]", f"{array[tuple(odd[0])]} is not a finite number")
            return nothing
        return array

    def counts(self, path: str, values: IntegerInput, *, least: int = 0) -> Integers:
        """Return whole numbers from 0 to 2**53 as int64."""
        array = np.asarray(values)
        if array.size == 0:
            array = np.zeros(0, np.int64)
        if array.ndim != 1 or len(array) < least or not np.issubdtype(array.dtype, np.integer):
            self.refuse(path, f"must be a list of {least} or more whole numbers")
            return np.zeros(0, np.int64)
        odd = np.flatnonzero((array < 0) | (array > LARGEST))
        if len(odd):
            self.refuse(f"{path}[{odd[0]}]", f"{array[odd[0]]} is not from 0 to 2**53")
            return np.zeros(0, np.int64)
        return np.ascontiguousarray(array, np.int64)
