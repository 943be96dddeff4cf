from collections.abc import Mapping
from typing import Any, NamedTuple

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
    _cache: Any
    def __init__(self, py_func: object, *, targetoptions: Mapping[str, Any] = ...) -> None: ...
    def __call__(self, *args: object) -> Any: ...
    def compile(self, sig: object) -> Any: ...
    def typeof_pyval(self, val: object) -> Type: ...
    def inspect_asm(self, signature: object = ...) -> Any: ...
    def inspect_llvm(self, signature: object = ...) -> Any: ...
