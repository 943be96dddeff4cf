"""The only door to numba: one decorator, one disk cache, one way to compile ahead.

Every kernel is compiled with the same options: GIL released, numpy's error model, no fused
multiply-add, cached on disk. With ``NUMBA_DISABLE_JIT=1`` a kernel is the plain function.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, ParamSpec, TypeVar, cast

import numba
from llvmlite import ir
from numba.core import cgutils, config, types
from numba.core.extending import intrinsic, models, overload, register_model
from numba.core.registry import CPUDispatcher

from bot4_core.jit_cache import KernelCache, KernelCacheWarning
from bot4_core.jit_linkage import EntryCompiler, KernelParts, told_of_parts

__all__ = [
    "KernelCacheWarning",
    "Specialisation",
    "cgutils",
    "compile_for",
    "entry_point",
    "function_address",
    "intrinsic",
    "ir",
    "is_compiling",
    "kernel",
    "models",
    "overload",
    "register_model",
    "types",
    "warm_up",
]

P = ParamSpec("P")
R = TypeVar("R")

OPTIONS: dict[str, Any] = {"nopython": True, "nogil": True, "error_model": "numpy"}
REASSOCIATE = frozenset({"reassoc", "nsz"})
CREEP = 0.96
"""What remains of a kernel's progress after each of those that it calls."""


class _Kernel(CPUDispatcher):
    """A numba dispatcher with our cache and our linking."""

    def __init__(self, function: Callable[..., object], options: dict[str, Any]) -> None:
        super().__init__(function, targetoptions=options)
        self._parts = KernelParts(function, self.targetdescr, options)
        self._compiler = EntryCompiler(self._parts, function, self.targetdescr, options)

    def enable_caching(self) -> None:
        self._cache = KernelCache(self.py_func, self.targetoptions)

    def get_call_template(self, args: Any, kws: Any) -> Any:
        with self._compiling_counter:
            return self._parts.call_template(args, kws)

    def get_overload(self, sig: object) -> Any:
        return self._parts.overload(sig)


def is_compiling() -> bool:
    """Return False where ``NUMBA_DISABLE_JIT`` keeps every kernel a plain function."""
    return not config.DISABLE_JIT


def kernel(
    *, reassociate: bool = False, inline: bool = False
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Compile a function when it is first called with arguments of a new type.

    Parameters
    ----------
    reassociate : bool
        Let the compiler reorder sums. Never on the decision path: the bits then depend on the
        width of the processor's vectors.
    inline : bool
        Copy the function's code into every kernel that calls it, where a call costs more than
        the work. Compiling takes longer for each caller.
    """
    options = {**OPTIONS, "forceinline": inline}  # left unsaid, it is taken over from the caller
    if reassociate:
        options["fastmath"] = set(REASSOCIATE)

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        if not is_compiling():
            return function
        dispatcher = _Kernel(function, options)
        dispatcher.enable_caching()
        return cast("Callable[P, R]", dispatcher)

    return decorate


class Specialisation(NamedTuple):
    """A kernel and example arguments of the types it will be called with."""

    function: Callable[..., object]
    arguments: tuple[object, ...]


def _signature(arguments: tuple[object, ...]) -> tuple[Any, ...]:
    return tuple(numba.typeof(argument) for argument in arguments)


def compile_for(function: Callable[..., object], *arguments: object) -> bool:
    """Compile a kernel for the types of example arguments, without calling it.

    Returns
    -------
    bool
        True if code was generated; False if it was there, in memory or on disk, or if
        compilation is switched off.
    """
    if not is_compiling():
        return False
    dispatcher = cast("_Kernel", function)
    before = sum(dispatcher.stats.cache_misses.values())
    dispatcher.compile(_signature(arguments))
    return bool(sum(dispatcher.stats.cache_misses.values()) > before)


def warm_up(
    kernels: Sequence[Specialisation],
    report: Callable[[float, int, str], None] | None = None,
) -> int:
    """Compile kernels ahead of the first event.

    Parameters
    ----------
    kernels : sequence of Specialisation
        Compiled in this order.
    report : callable, optional
        Called with ``(done, total, name)`` before each kernel and before each that it calls,
        where ``done`` grows by less and less because nobody knows how many those are; and once
        with the total and an empty name at the end.

    Returns
    -------
    int
        How many were generated rather than found.
    """
    generated = 0
    tell = report if report is not None else _say_nothing
    for done, (function, arguments) in enumerate(kernels):
        begun = -1  # the kernel's own translation is the first

        def creep(name: str, done: int = done) -> None:
            nonlocal begun
            begun += 1
            if begun > 0:
                tell(done + 1 - CREEP**begun, len(kernels), name)

        tell(done, len(kernels), function.__name__)
        with told_of_parts(creep):
            generated += compile_for(function, *arguments)
    tell(len(kernels), len(kernels), "")
    return generated


def _say_nothing(done: float, total: int, name: str) -> None:
    pass


def entry_point(function: Callable[..., R], *arguments: object) -> Callable[..., R]:
    """Return a kernel's compiled form for one set of argument types, without type dispatch.

    A call costs a third of a dispatched one. The caller guarantees the types: later arguments
    must have exactly those of the examples, since nothing checks them.
    """
    if not is_compiling():
        return function
    signature = _signature(arguments)
    dispatcher = cast("_Kernel", function)
    dispatcher.compile(signature)
    return cast("Callable[..., R]", dispatcher.overloads[signature].entry_point)


def function_address(function: Callable[..., int], *arguments: object) -> int:
    """Return where a kernel's machine code stands, for calls by address from other kernels.

    Uncompiled it is the function itself. It stays valid while the kernel lives.

    Raises
    ------
    TypeError
        If the function does not return an integer of 64 bits.
    """
    if not is_compiling():
        return cast("int", function)
    signature = _signature(arguments)
    dispatcher = cast("_Kernel", function)
    dispatcher.compile(signature)
    form = dispatcher.overloads[signature]
    if types.unliteral(form.signature.return_type) != types.int64:
        given = form.signature.return_type
        raise TypeError(f"{function.__name__} returns {given}, it must return int64")
    return int(form.library.get_pointer_to_function(form.fndesc.llvm_func_name))
