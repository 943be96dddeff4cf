"""Words of shared memory, in the order in which another process may see them.

Compiled these are LLVM's atomic accesses, which neither the compiler nor the processor moves past
what they order. Uncompiled they are plain accesses: the interpreter keeps the order of the program,
and so does an x86 processor.
"""

import platform
from collections.abc import Callable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from bot4_core.domain_types.records import Records
from bot4_core.jit import cgutils, intrinsic, ir, is_compiling, types

__all__ = [
    "Words",
    "load_acquire",
    "order_loads",
    "order_stores",
    "relax",
    "store_release",
    "words_of",
]

Words = NDArray[np.int64]
COMPILING: Final = is_compiling()
WORD: Final = 8  # bytes, and the alignment of every word
HAS_PAUSE: Final = platform.machine().lower() in {"x86_64", "amd64"}


def _load(words: Words, place: int) -> int:
    return int(words[place])


def _store(words: Words, place: int, value: int) -> None:
    words[place] = value


def _view(records: Records) -> Words:
    return records.view(np.int64)


def _nothing() -> None:
    pass


load_acquire: Callable[[Words, int], int] = _load
"""Return a word; what follows sees all that was written before the word was."""
store_release: Callable[[Words, int, int], None] = _store
"""Write a word, for others to see after all that was written before."""
order_loads: Callable[[], None] = _nothing
"""Let what was read before be read before all that follows."""
order_stores: Callable[[], None] = _nothing
"""Let what was written before be seen before all that follows."""
words_of: Callable[[Records], Words] = _view
"""Return contiguous records as the words they are made of."""
relax: Callable[[], None] = _nothing
"""Leave the processor to others for a moment, within a loop that waits."""

if COMPILING:

    def _address(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        memory = context.make_array(signature.args[0])(context, builder, arguments[0]).data
        return builder.gep(memory, [arguments[1]], inbounds=True)

    def _load_acquire(typing_context: Any, words: Any, place: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            address = _address(context, builder, signature, arguments)
            return builder.load_atomic(address, "acquire", WORD)

        return types.int64(words, types.int64), generate

    def _store_release(typing_context: Any, words: Any, place: Any, value: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            address = _address(context, builder, signature, arguments)
            builder.store_atomic(arguments[2], address, "release", WORD)
            return context.get_dummy_value()

        return types.void(words, types.int64, types.int64), generate

    def _fence(ordering: str) -> Callable[[Any], Any]:
        def fence(typing_context: Any) -> Any:
            def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
                builder.fence(ordering)
                return context.get_dummy_value()

            return types.void(), generate

        return fence

    def _words_of(typing_context: Any, records: Any) -> Any:
        words = types.Array(types.int64, 1, "C")

        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            given = context.make_array(signature.args[0])(context, builder, arguments[0])
            made = context.make_array(words)(context, builder)
            word = context.get_value_type(types.int64)
            size = context.get_constant(types.intp, WORD)
            count = builder.sdiv(builder.mul(given.nitems, given.itemsize), size)
            made.data = builder.bitcast(given.data, word.as_pointer())
            made.shape = cgutils.pack_array(builder, [count])
            made.strides = cgutils.pack_array(builder, [size])
            made.itemsize = size
            made.nitems = count
            return made._getvalue()

        return words(records), generate

    def _pause(typing_context: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            if HAS_PAUSE:
                kind = ir.FunctionType(ir.VoidType(), [])
                name = "llvm.x86.sse2.pause"
                builder.call(cgutils.get_or_insert_function(builder.module, kind, name), [])
            return context.get_dummy_value()

        return types.void(), generate

    load_acquire = intrinsic(_load_acquire)
    store_release = intrinsic(_store_release)
    order_loads = intrinsic(_fence("acquire"))
    order_stores = intrinsic(_fence("release"))
    words_of = intrinsic(_words_of)
    relax = intrinsic(_pause)
