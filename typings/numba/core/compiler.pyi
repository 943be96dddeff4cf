from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol, Self

from numba.core.codegen import CPUCodegen, JITCodeLibrary

class Flags:
    no_compile: bool
    no_cpython_wrapper: bool
    no_cfunc_wrapper: bool

class StateDict:
    flags: Flags
    library: JITCodeLibrary | None
    targetctx: TargetContext

class Compiler:
    state: StateDict
    def __init__(self, *arguments: Any) -> None: ...

class FunctionDescriptor:
    qualname: str

class Environment:
    env_name: str

class TargetContext(Protocol):
    def codegen(self) -> CPUCodegen: ...
    def refresh(self) -> None: ...
    def push_code_library(self, lib: JITCodeLibrary) -> AbstractContextManager[None]: ...
    def create_cpython_wrapper(
        self,
        library: JITCodeLibrary,
        fndesc: FunctionDescriptor,
        env: Environment,
        call_helper: object,
        release_gil: bool = ...,
    ) -> None: ...
    def create_cfunc_wrapper(
        self,
        library: JITCodeLibrary,
        fndesc: FunctionDescriptor,
        env: Environment,
        call_helper: object,
    ) -> None: ...
    def get_executable(
        self, library: JITCodeLibrary, fndesc: FunctionDescriptor, env: Environment
    ) -> object: ...
    def insert_user_function(
        self, func: object, fndesc: FunctionDescriptor, libs: Sequence[JITCodeLibrary]
    ) -> None: ...

class CompileResult:
    library: JITCodeLibrary
    fndesc: FunctionDescriptor
    environment: Environment
    call_helper: object
    signature: object
    target_context: TargetContext
    def _replace(
        self,
        *,
        library: JITCodeLibrary,
        entry_point: object,
        type_annotation: str,
        reload_init: list[Any],
    ) -> Self: ...
    def _find_referenced_environments(self) -> list[Environment]: ...
