"""How kernels become machine code: each is translated once and optimised where Python enters.

Left to itself numba makes every kernel ready to be called from Python: wrappers, optimisation and
machine code, of itself and again of all that it calls. Nine in ten of ours are called by other
kernels only. Here such a *part* stops at its own code in LLVM's language; an *entry* links the
parts that it can reach, adds the wrappers and goes through the optimiser once.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from llvmlite.binding import Linkage, ModuleRef
from numba.core import event, types, typing
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import Compiler, CompileResult
from numba.core.descriptors import TargetDescriptor
from numba.core.dispatcher import _FunctionCompiler
from numba.core.sigutils import normalize_signature

__all__ = ["EntryCompiler", "KernelParts", "told_of_parts"]

TRANSLATION: Final = "bot4:translation"
Types = tuple[types.Type, ...]


class _PartLibrary(JITCodeLibrary):
    """Code that waits to be linked: what it calls is remembered, not copied in."""

    def finalize(self) -> None:
        self._raise_if_finalized()
        self._finalize_dynamic_globals()
        self._finalized = True

    def _get_module_for_linking(self) -> ModuleRef:
        """Return all that is reachable as one module, every function of it free to go."""
        self._ensure_finalized()
        whole = self._final_module.clone()
        for library in _reachable(self)[1:]:
            part = isinstance(library, _PartLibrary)
            module = library._final_module if part else library._get_module_for_linking()
            whole.link_in(module, preserve=True)
        for function in whole.functions:
            if not function.is_declaration and function.linkage is Linkage.external:
                function.linkage = Linkage.linkonce_odr
        return whole


def _reachable(library: JITCodeLibrary) -> list[JITCodeLibrary]:
    """Return a library and what it calls at any depth, each once."""
    found = {library: None}
    pending = [library]
    while pending:
        current = pending.pop()
        if isinstance(current, _PartLibrary):
            fresh = [called for called in current._linking_libraries if called not in found]
            found.update(dict.fromkeys(fresh))
            pending += fresh
    return list(found)


class _PartPipeline(Compiler):
    """numba's compiler, without wrappers and into a part's library."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        flags = self.state.flags
        flags.no_compile = flags.no_cpython_wrapper = flags.no_cfunc_wrapper = True
        self.state.library = _PartLibrary(self.state.targetctx.codegen(), "part")


class KernelParts:
    """The forms of one kernel that other kernels call, by their arguments' types.

    Parameters
    ----------
    function : callable
        The plain function.
    target : TargetDescriptor
        numba's description of the processor.
    options : dict
        Compiler options.
    """

    def __init__(
        self, function: Callable[..., object], target: TargetDescriptor, options: dict[str, Any]
    ) -> None:
        self._name = function.__name__
        self._target = target.target_context
        self._compiler = _FunctionCompiler(function, target, options, {}, _PartPipeline)
        self._forms: dict[Types, CompileResult] = {}

    def form(self, arguments: Types) -> CompileResult:
        """Return the part for some types, translated now if it is new."""
        if arguments not in self._forms:
            with event.trigger_event(TRANSLATION, data=self._name):
                made = self._compiler.compile(arguments, None)
            self._target.insert_user_function(made.fndesc, made.fndesc, [made.library])
            self._forms[arguments] = made
        return self._forms[arguments]

    def call_template(self, positional: Types, named: dict[str, types.Type]) -> tuple[Any, ...]:
        """Type a call; a literal is any other integer, so that one form serves all of them."""
        signature, folded = self._compiler.fold_argument_types(positional, named)
        arguments = tuple(types.unliteral(argument) for argument in folded)
        known = [self.form(arguments).signature]
        template = typing.make_concrete_template(self._name, key=self._name, signatures=known)
        return template, signature, arguments, {}

    def overload(self, signature: object) -> object:
        """Return the key under which numba finds the part of a signature."""
        arguments, _ = normalize_signature(signature)
        return self._forms[tuple(arguments)].fndesc


class EntryCompiler(_FunctionCompiler):
    """Makes the forms of a kernel that Python calls, out of its parts."""

    def __init__(
        self,
        parts: KernelParts,
        function: Callable[..., object],
        target: TargetDescriptor,
        options: dict[str, Any],
    ) -> None:
        super().__init__(function, target, options, {}, Compiler)
        self._parts = parts

    def _compile_core(self, args: Types, return_type: types.Type | None) -> CompileResult:
        return _entry(self._parts.form(args))


def _entry(part: CompileResult) -> CompileResult:
    """Return a compile result that Python can call, optimised and in machine code."""
    target, described = part.target_context, part.fndesc
    codegen = target.codegen()
    library = codegen.create_library(described.qualname)
    library.enable_object_caching()
    library.add_linking_library(part.library)
    around = (library, described, part.environment, part.call_helper)
    with target.push_code_library(library):
        target.create_cpython_wrapper(*around, release_gil=True)
        target.create_cfunc_wrapper(*around)
    function = target.get_executable(library, described, part.environment)
    again = [start for each in _reachable(part.library) for start in each._reload_init]
    entry = part._replace(
        library=library, entry_point=function, type_annotation="", reload_init=again
    )
    for environment in entry._find_referenced_environments():
        codegen.set_env(environment.env_name, environment)
    return entry


class _PartListener(event.Listener):
    """Passes on the names of kernels that are translated."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell

    def on_start(self, event: event.Event) -> None:
        self._tell(event.data)

    def on_end(self, event: event.Event) -> None:
        pass


@contextmanager
def told_of_parts(tell: Callable[[str], None]) -> Iterator[None]:
    """Have the name of every kernel told when its translation begins."""
    with event.install_listener(TRANSLATION, _PartListener(tell)):
        yield
