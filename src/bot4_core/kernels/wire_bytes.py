"""Single loads from byte buffers, and arrays without reference counts.

Each function here is the plain form; beside it stands what numba emits instead. The caller knows
that what is read lies within the buffer, and keeps the buffer alive.
"""

from collections.abc import Callable
from typing import Any, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from bot4_core.jit import cgutils, intrinsic, ir, overload, types

__all__ = ["Buffer", "Text", "borrowed", "byte", "leading_bytes", "text_of", "word"]

T = TypeVar("T")
Buffer: TypeAlias = bytes | NDArray[np.uint8]
"""``bytes`` or a C-contiguous array of bytes."""
Text: TypeAlias = Buffer
"""What scans read from: a buffer, or in compiled code its address (see `text_of`)."""


def text_of(data: Buffer) -> Text:
    """Return a buffer's address.

    Compiled functions that hand an array to one another count its references at every step;
    an address is a number.
    """
    return data


def borrowed(array: T) -> T:
    """Return the same array without its reference count."""
    return array


def byte(text: Text, at: int) -> int:
    """Return one byte."""
    if not 0 <= at < len(text):
        raise IndexError(f"byte {at} of {len(text)}")
    return int(text[at])


def word(text: Text, at: int) -> int:
    """Return eight bytes as a signed little-endian integer."""
    if not 0 <= at <= len(text) - 8:
        raise IndexError(f"eight bytes at {at} of {len(text)}")
    return int.from_bytes(bytes(text[at : at + 8]), "little", signed=True)


def leading_bytes(marks: int) -> int:
    """Return the number of bytes, from the lowest, before the first that is not zero; or 8."""
    low = marks & 0xFFFFFFFFFFFFFFFF
    return ((low & -low).bit_length() - 1) // 8 if low else 8


# What follows is the compiled form. It runs inside numba's compiler only.


def _parts(context: Any, builder: Any, array_type: Any, value: Any) -> Any:
    return cgutils.create_struct_proxy(array_type)(context, builder, value)


@intrinsic
def _address(typingctx: Any, array: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        data = _parts(context, builder, signature.args[0], args[0]).data
        return builder.ptrtoint(data, ir.IntType(64))

    return types.int64(array), codegen


@intrinsic
def _borrow(typingctx: Any, array: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        parts = _parts(context, builder, signature.args[0], args[0])
        parts.meminfo = cgutils.get_null_value(parts.meminfo.type)
        parts.parent = cgutils.get_null_value(parts.parent.type)
        return parts._getvalue()

    return array(array), codegen


def _loading(width: int) -> Callable[..., Any]:
    def load(typingctx: Any, address: Any, at: Any) -> Any:
        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            place = builder.inttoptr(args[0], ir.IntType(8).as_pointer())
            place = builder.gep(place, [args[1]])
            loaded = builder.load(builder.bitcast(place, ir.IntType(width).as_pointer()))
            loaded.align = 1
            return builder.zext(loaded, ir.IntType(64)) if width < 64 else loaded

        return types.int64(types.int64, types.int64), codegen

    return intrinsic(load)


_load_byte = _loading(8)
_load_word = _loading(64)


@intrinsic
def _trailing_zeros(typingctx: Any, value: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.cttz(args[0], ir.Constant(ir.IntType(1), 0))

    return types.int64(types.int64), codegen


# ruff: noqa: PLW0108 - numba compiles these lambdas


@overload(text_of, strict=False)
def _text_of_form(data: Any) -> Any:
    return lambda data: _address(data)


@overload(borrowed, strict=False)
def _borrowed_form(array: Any) -> Any:
    return lambda array: _borrow(array)


@overload(byte, strict=False)
def _byte_form(text: Any, at: Any) -> Any:
    if isinstance(text, types.Integer):
        return lambda text, at: _load_byte(text, at)
    return lambda text, at: _load_byte(_address(text), at)


@overload(word, strict=False)
def _word_form(text: Any, at: Any) -> Any:
    if isinstance(text, types.Integer):
        return lambda text, at: _load_word(text, at)
    return lambda text, at: _load_word(_address(text), at)


@overload(leading_bytes, strict=False)
def _leading_bytes_form(marks: Any) -> Any:
    return lambda marks: _trailing_zeros(marks) >> 3
