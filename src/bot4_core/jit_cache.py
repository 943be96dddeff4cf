"""The disk cache of compiled kernels: keyed by content, checked on reading, never in the way.

numba's own cache looks at the file of the compiled function alone, so an edited function that
others call, or a changed constant, leaves stale machine code behind. Here the key of an entry
covers every function and constant that can be reached from the kernel.
"""

import contextlib
import functools
import hashlib
import inspect
import pickle
import types
import warnings
from collections.abc import Callable, Iterator, Mapping
from enum import Enum, EnumType
from pathlib import Path
from typing import Any, ClassVar, cast

import llvmlite
import numba
import numpy as np
from numba.core import caching, config
from numba.core.runtime import rtsys
from numba.core.serialize import dumps
from numba.misc.appdirs import AppDirs

__all__ = ["KernelCache", "KernelCacheWarning", "source_digest"]

CONSTANTS = (int, float, complex, str, bytes, bool, type(None), np.generic, np.dtype, range)
VERSIONED = ("numpy", "numba")  # their versions are part of the stamp


class KernelCacheWarning(RuntimeWarning):
    """Compiled kernels cannot be kept on disk, so every process compiles its own."""


@functools.cache
def _warn_once(text: str) -> None:
    warnings.warn(text, KernelCacheWarning, stacklevel=2)


@functools.cache
def _file_digest(path: str, modified: int, size: int) -> bytes:
    """Digest one source file; time and length are arguments so that an edit is noticed."""
    return hashlib.sha256(Path(path).read_bytes()).digest()


def _names(code: types.CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _names(constant)


def _plain_function(value: object) -> Callable[..., object] | None:
    """Return the Python function behind a kernel, an intrinsic or a function."""
    for attribute in ("py_func", "_defn"):
        inner = getattr(value, attribute, None)
        if isinstance(inner, types.FunctionType):
            return inner
    if isinstance(value, types.FunctionType):
        home = value.__module__ or ""
        return None if home.startswith(VERSIONED) else value
    return None


def options_text(options: Mapping[str, object]) -> str:
    """Describe compiler options, sets among them, always in the same words."""
    plain = {
        name: sorted(value) if isinstance(value, set) else value for name, value in options.items()
    }
    return repr(sorted(plain.items()))


def _constant(value: object) -> bytes:
    """Describe a value that a kernel reads, by content where the compiler freezes it."""
    if isinstance(value, types.FunctionType):
        code = value.__code__
        return f"{code.co_filename}:{code.co_firstlineno}:{value.__qualname__}".encode()
    if isinstance(value, EnumType):
        members = cast("list[Enum]", list(value))
        return repr([(member.name, member.value) for member in members]).encode()
    if isinstance(value, np.ndarray):
        return str(value.dtype).encode() + value.tobytes()
    if isinstance(value, tuple):
        return b"(" + b",".join(map(_constant, value)) + b")"
    if isinstance(value, CONSTANTS):
        return repr(value).encode()
    return type(value).__qualname__.encode()


def _reachable(function: types.FunctionType) -> Iterator[tuple[str, object]]:
    """Yield the globals, module attributes and closure cells that a function may read."""
    names = sorted(set(_names(function.__code__)))
    for name in names:
        if name not in function.__globals__:
            continue
        value = function.__globals__[name]
        yield name, value
        if isinstance(value, types.ModuleType):
            inside = vars(value)
            yield from ((f"{name}.{inner}", inside[inner]) for inner in names if inner in inside)
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        yield name, cell.cell_contents


def source_digest(function: Callable[..., object]) -> str:
    """Digest the sources of a function, of all it can call, and the constants it can read."""
    first = _plain_function(function)
    pending = [first] if first is not None else []
    seen = set(pending)
    lines: list[bytes] = []
    while pending:
        current = pending.pop()
        assert isinstance(current, types.FunctionType)  # noqa: S101  # narrows the type
        path = inspect.getfile(current)
        with contextlib.suppress(OSError):
            status = Path(path).stat()
            lines.append(_file_digest(path, status.st_mtime_ns, status.st_size))
        lines.append(f"{current.__qualname__}".encode() + current.__code__.co_code)
        for name, value in _reachable(current):
            called = _plain_function(value)
            lines.append(name.encode() + b"=" + _constant(value if called is None else called))
            lines.append(options_text(getattr(value, "targetoptions", {})).encode())
            if called is not None and called not in seen:
                seen.add(called)
                pending.append(called)
    return hashlib.sha256(b"\n".join(lines)).hexdigest()


class _CheckedFile(caching.IndexDataCacheFile):
    """numba's index and data files with a digest before each body."""

    def _dump(self, obj: object) -> bytes:
        body = dumps(obj)
        return hashlib.sha256(body).digest() + bytes(body)

    def _checked(self, raw: bytes, path: str) -> Any:
        digest, body = raw[:32], raw[32:]
        if hashlib.sha256(body).digest() != digest:
            raise pickle.UnpicklingError(f"{path} is damaged")
        return pickle.loads(body)  # noqa: S301  # our own folder, digest checked

    def _load_index(self) -> dict[Any, str]:
        path = Path(self._index_path)
        if not path.exists():
            return {}
        stamp, names = self._checked(path.read_bytes(), self._index_path)
        return dict(names) if stamp == self._source_stamp else {}

    def _save_index(self, overloads: Mapping[Any, str]) -> None:
        with self._open_for_write(self._index_path) as file:
            file.write(self._dump((self._source_stamp, dict(overloads))))

    def _load_data(self, name: str) -> Any:
        path = self._data_path(name)
        return self._checked(Path(path).read_bytes(), path)


def cache_folder() -> Path:
    """Return ``NUMBA_CACHE_DIR``, or a folder of our own in the user's cache."""
    if config.CACHE_DIR:
        return Path(config.CACHE_DIR)
    return Path(AppDirs(appname="bot4", appauthor=False).user_cache_dir) / "kernels"


@functools.cache
def compiler_digest() -> str:
    """Digest the sources that say how kernels are compiled and linked."""
    sources = (Path(__file__).with_name(name) for name in ("jit.py", "jit_linkage.py"))
    return hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()


class _Locator(caching._CacheLocator):
    """Puts a function's entries below the cache folder, apart by source folder and version."""

    def __init__(self, function: types.FunctionType, path: str) -> None:
        self._py_file = path
        self._line = function.__code__.co_firstlineno
        subfolder = self.get_suitable_cache_subpath(path)
        self._folder = cache_folder() / subfolder

    @classmethod
    def from_function(cls, py_func: types.FunctionType, py_file: str) -> "_Locator":
        return cls(py_func, py_file)

    def ensure_cache_path(self) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def get_cache_path(self) -> str:
        return str(self._folder)

    def get_source_stamp(self) -> tuple[str, ...]:
        return numba.__version__, llvmlite.__version__, np.__version__, compiler_digest()

    def get_disambiguator(self) -> str:
        return str(self._line)


class _Entries(caching.CompileResultCacheImpl):
    _locator_classes: ClassVar[list[type[caching._CacheLocator]]] = [_Locator]


class KernelCache(caching.FunctionCache):
    """Cache of one kernel; trouble with the disk costs a compilation, never an exception."""

    _impl_class = _Entries

    def __init__(self, function: types.FunctionType, options: Mapping[str, object]) -> None:
        super().__init__(function)
        self._options = options_text(options)
        self._cache_file = _CheckedFile(
            self._cache_path, self._impl.filename_base, self._impl.locator.get_source_stamp()
        )

    @functools.cached_property
    def _digest(self) -> str:
        return source_digest(self._py_func)

    def _index_key(self, sig: object, codegen: Any) -> tuple[object, ...]:
        modes = (config.BOUNDSCHECK, config.OPT, config.DEBUGINFO_DEFAULT)
        return sig, codegen.magic_tuple(), self._options, str(modes), self._digest

    def load_overload(self, sig: object, target_context: Any) -> Any:
        """Return the compiled form, or None where it is absent, stale or damaged.

        What has machine code already needs numba's memory functions and nothing else; numba would
        load everything that it can compile, which takes a second at each start.
        """
        try:
            rtsys.initialize(target_context)
            with self._guard_against_spurious_io_errors():
                return self._load_overload(sig, target_context)
        except OSError as error:
            self._give_up(error)
        except Exception:  # noqa: BLE001  # a damaged pickle can raise anything
            self._discard()
        return None

    def save_overload(self, sig: object, data: Any) -> None:
        """Keep a compiled form; a folder that cannot be written is reported once."""
        try:
            super().save_overload(sig, data)
        except OSError as error:
            self._give_up(error)

    def _give_up(self, error: OSError) -> None:
        self.disable()
        _warn_once(
            f"kernel cache folder {cache_folder()} cannot be used ({error.strerror or error}); "
            "kernels are compiled in memory at every start. Point NUMBA_CACHE_DIR at a "
            "writable folder."
        )

    def _discard(self) -> None:
        folder = Path(self._cache_path)
        for path in folder.glob(f"{self._impl.filename_base}.*"):
            try:
                path.unlink()
            except OSError as error:
                self._give_up(error)
                return
        _warn_once(f"damaged entries in kernel cache folder {cache_folder()} were recompiled")
