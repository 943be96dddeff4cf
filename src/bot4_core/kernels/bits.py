"""Integers as the bits of floats and back, without arithmetic."""

import struct
from collections.abc import Callable
from typing import Any

from bot4_core.jit import intrinsic, ir, overload, types

__all__ = ["bits_of", "float_of"]


def bits_of(value: float) -> int:
    """Return the 64 bits of a float as a signed integer."""
    bits: int = struct.unpack("<q", struct.pack("<d", value))[0]
    return bits


def float_of(bits: int) -> float:
    """Return the float whose 64 bits are a signed integer."""
    value: float = struct.unpack("<d", struct.pack("<q", bits))[0]
    return value


# What follows is the compiled form. It runs inside numba's compiler only.


def _reinterpreting(
    result: types.Type, argument: types.Type, target: ir.Type
) -> Callable[..., Any]:
    def reinterpret(typingctx: Any, value: Any) -> Any:
        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            return builder.bitcast(args[0], target)

        return result(argument), codegen

    return intrinsic(reinterpret)


_bits_of = _reinterpreting(types.int64, types.float64, ir.IntType(64))
_float_of = _reinterpreting(types.float64, types.int64, ir.DoubleType())


@overload(bits_of, strict=False)
def _bits_of_form(value: Any) -> Any:
    return lambda value: _bits_of(float(value))


@overload(float_of, strict=False)
def _float_of_form(bits: Any) -> Any:
    return lambda bits: _float_of(bits)  # noqa: PLW0108  # numba compiles the lambda
