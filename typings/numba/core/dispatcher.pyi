from collections.abc import Callable, Mapping
from typing import Any

from numba.core.compiler import Compiler, CompileResult
from numba.core.descriptors import TargetDescriptor
from numba.core.types import Type

class _FunctionCompiler:
    def __init__(
        self,
        py_func: Callable[..., object],
        targetdescr: TargetDescriptor,
        targetoptions: Mapping[str, Any],
        locals: Mapping[str, Type],
        pipeline_class: type[Compiler],
    ) -> None: ...
    def compile(self, args: tuple[Type, ...], return_type: Type | None) -> CompileResult: ...
    def _compile_core(self, args: tuple[Type, ...], return_type: Type | None) -> CompileResult: ...
    def fold_argument_types(
        self, args: tuple[Type, ...], kws: Mapping[str, Type]
    ) -> tuple[object, tuple[Type, ...]]: ...
