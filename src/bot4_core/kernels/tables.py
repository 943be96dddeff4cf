"""Many tables behind one argument.

Handing an array to a compiled function costs time for each, and a decision works on two dozen.
So the arrays of a session stand in a *table set*: one integer array of addresses and lengths that
is handed over alone. A kernel takes what it needs out of it with ``table_at``. Functions of
decision parts are called by address as well, so that one compiled loop serves all.

Uncompiled, a table set is a plain list of arrays, and an address is the function itself.
"""

from collections.abc import Callable
from typing import Any, Final, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from bot4_core.jit import cgutils, function_address, intrinsic, is_compiling, types

__all__ = ["TableSet", "Tables", "call_at", "part_address", "table_at"]

TableSet: TypeAlias = NDArray[np.int64]
"""What kernels are handed; made by ``Tables`` only."""
WIDTH: Final = 2  # address and length
COMPILING: Final = is_compiling()


class Tables:
    """The arrays of a session by slot number, kept alive here.

    Parameters
    ----------
    slots : int
        How many there may be.
    """

    def __init__(self, slots: int) -> None:
        self._arrays: list[Any] = [None] * slots
        self._memory = np.zeros(slots * WIDTH, np.int64)
        self._inner: list[Tables] = []

    def put(self, slot: int, array: NDArray[Any]) -> None:
        """Place an array, or another one instead of it.

        Raises
        ------
        ValueError
            If it is not one-dimensional and contiguous.
        """
        if array.ndim != 1 or not array.flags.c_contiguous:
            raise ValueError(f"table {slot} of shape {array.shape} is no contiguous row of records")
        self._arrays[slot] = array
        self._memory[slot * WIDTH] = array.ctypes.data
        self._memory[slot * WIDTH + 1] = len(array)

    def nest(self, slot: int, inner: "Tables") -> None:
        """Place a table set within this one; kernels take it out as an array of integers."""
        self._arrays[slot] = inner.handle
        self._inner.append(inner)
        self._memory[slot * WIDTH] = inner._memory.ctypes.data
        self._memory[slot * WIDTH + 1] = len(inner._memory)

    def __getitem__(self, slot: int) -> Any:
        return self._arrays[slot]

    @property
    def handle(self) -> TableSet:
        """What kernels are handed; stays valid when an array is replaced."""
        return self._memory if COMPILING else cast("TableSet", self._arrays)


def _table_in_list(tables: TableSet, slot: int, dtype: np.dtype[Any]) -> NDArray[Any]:
    return cast("NDArray[Any]", tables[slot])


def _call_directly(address: Callable[..., int], *arguments: object) -> int:
    return address(*arguments)


table_at: Callable[[TableSet, int, np.dtype[Any]], NDArray[Any]] = _table_in_list
"""Return the table at a slot; its rows must be of the ``dtype`` given, which nothing checks."""
call_at: Callable[..., int] = _call_directly
"""Call the function at an address with what follows; nothing checks that the types are its own."""

if COMPILING:

    def _table_at(typing_context: Any, tables: Any, slot: Any, dtype: Any) -> Any:
        """Return the table at a slot; its rows must be of ``dtype``, which nothing checks."""
        array = types.Array(dtype.dtype, 1, "C")

        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            word = context.get_value_type(types.intp)
            memory = context.make_array(signature.args[0])(context, builder, arguments[0]).data
            place = builder.mul(
                context.cast(builder, arguments[1], signature.args[1], types.intp),
                context.get_constant(types.intp, WIDTH),
            )
            address = builder.load(builder.gep(memory, [place]))
            next_place = builder.add(place, context.get_constant(types.intp, 1))
            length = builder.load(builder.gep(memory, [next_place]))
            made = context.make_array(array)(context, builder)
            item = context.get_data_type(array.dtype)
            size = context.get_constant(types.intp, context.get_abi_sizeof(item))
            made.data = builder.inttoptr(address, item.as_pointer())
            made.shape = cgutils.pack_array(builder, [length], ty=word)
            made.strides = cgutils.pack_array(builder, [size], ty=word)
            made.itemsize = size
            made.nitems = length
            return made._getvalue()

        return array(tables, slot, dtype), generate

    def _call_at(typing_context: Any, address: Any, *arguments: Any) -> Any:
        """Call the function at an address, which must take exactly these types and return int64."""
        first = arguments[0]
        kinds = tuple(first) if isinstance(first, types.BaseTuple | tuple) else arguments
        given = types.StarArgTuple.from_types(kinds)

        def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            convention = context.call_conv
            function = convention.get_function_type(types.int64, kinds).as_pointer()
            pointer = builder.inttoptr(values[0], function)
            unpacked = cgutils.unpack_tuple(builder, values[1])
            status, result = convention.call_function(
                builder, pointer, types.int64, kinds, unpacked
            )
            with cgutils.if_unlikely(builder, status.is_error):
                convention.return_status_propagate(builder, status)
            return result

        return types.int64(address, given), generate

    table_at = intrinsic(_table_at)
    call_at = intrinsic(_call_at)


def part_address(function: Callable[..., int], *arguments: object) -> int:
    """Return what ``call_at`` calls: a kernel compiled for the types of example arguments.

    Uncompiled it is the function itself.

    Raises
    ------
    TypeError
        If the function does not return an integer of 64 bits.
    """
    return function_address(function, *arguments)
