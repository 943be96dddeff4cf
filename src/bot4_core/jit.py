"""The only door to numba: one decorator with the project's compiler options."""

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

import numba

__all__ = ["kernel"]

P = ParamSpec("P")
R = TypeVar("R")


def kernel(*, reassociate: bool = False) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Compile a function on first call.

    Parameters
    ----------
    reassociate : bool
        Let the compiler reorder sums. Never on the decision path: the bits then depend on the
        processor's vector width.
    """
    options: dict[str, Any] = {"cache": True, "nogil": True, "error_model": "numpy"}
    if reassociate:
        options["fastmath"] = {"reassoc", "nsz"}

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        compiled: Callable[P, R] = numba.njit(**options)(function)
        return compiled

    return decorate
