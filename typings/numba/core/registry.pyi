from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any, NamedTuple

from numba.core.compiler import TargetContext
from numba.core.descriptors import TargetDescriptor
from numba.core.dispatcher import _FunctionCompiler
from numba.core.types import Type

class _CompileStats(NamedTuple):
    cache_path: str | None
    cache_hits: Mapping[Any, int]
    cache_misses: Mapping[Any, int]

class CPUDispatcher:
    py_func: Any
    targetoptions: dict[str, Any]
    overloads: Mapping[tuple[Type, ...], Any]
    stats: _CompileStats
    targetdescr: TargetDescriptor
    targetctx: TargetContext
    _cache: Any
    _compiler: _FunctionCompiler
    _compiling_counter: AbstractContextManager[None]
    def __init__(self, py_func: object, *, targetoptions: Mapping[str, Any] = ...) -> None: ...
    def __call__(self, *args: object) -> Any: ...
    def compile(self, sig: object) -> Any: ...
    def typeof_pyval(self, val: object) -> Type: ...
    def inspect_asm(self, signature: object = ...) -> Any: ...
    def inspect_llvm(self, signature: object = ...) -> Any: ...
