"""Eight float64 lanes as one value: an LLVM ``<8 x double>`` when compiled, an array when not.

Each function here is the plain form; beside it stands the code that numba emits instead. Both
do the same operations in the same order, so a sum has the same bits whatever the width of the
processor's registers. Operators ``+ - *`` work lane by lane.
"""

import operator
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bot4_core.jit import cgutils, intrinsic, ir, models, overload, register_model, types

__all__ = [
    "LANES",
    "highest",
    "larger",
    "last",
    "load",
    "load_part",
    "lowest",
    "running",
    "smaller",
    "splat",
    "store",
    "store_part",
    "total",
]

LANES = 8
Floats = NDArray[np.float64]


def splat(value: float) -> Floats:
    """Return one value in every lane."""
    return np.full(LANES, value)


def load(values: Floats, start: int) -> Floats:
    """Return ``values[start : start + 8]``; the array is contiguous and long enough."""
    return values[start : start + LANES].copy()


def load_part(values: Floats, start: int, count: int, fill: float) -> Floats:
    """Return fewer than eight values, the other lanes filled."""
    lanes = np.full(LANES, fill)
    lanes[:count] = values[start : start + count]
    return lanes


def store(values: Floats, start: int, lanes: Floats) -> None:
    """Write eight values."""
    values[start : start + LANES] = lanes


def store_part(values: Floats, start: int, count: int, lanes: Floats) -> None:
    """Write the first ``count`` lanes."""
    values[start : start + count] = lanes[:count]


def smaller(a: Floats, b: Floats) -> Floats:
    """Return the lesser of each pair of lanes; ``a`` where they are equal or unordered."""
    return np.where(b < a, b, a)


def larger(a: Floats, b: Floats) -> Floats:
    """Return the greater of each pair of lanes; ``a`` where they are equal or unordered."""
    return np.where(b > a, b, a)


def total(lanes: Floats) -> float:
    """Add the lanes as a tree: ``((0+4) + (2+6)) + ((1+5) + (3+7))``."""
    four = lanes[:4] + lanes[4:]
    two = four[:2] + four[2:]
    return float(two[0] + two[1])


def lowest(lanes: Floats) -> float:
    """Return the least lane, by the same tree with the comparison of `smaller`."""
    four = smaller(lanes[:4], lanes[4:])
    two = smaller(four[:2], four[2:])
    return float(smaller(two[:1], two[1:])[0])


def highest(lanes: Floats) -> float:
    """Return the greatest lane, by the same tree with the comparison of `larger`."""
    four = larger(lanes[:4], lanes[4:])
    two = larger(four[:2], four[2:])
    return float(larger(two[:1], two[1:])[0])


def running(lanes: Floats) -> Floats:
    """Return the prefix sums of the lanes, in three steps that shift by 1, 2 and 4."""
    for step in (1, 2, 4):
        shifted = np.zeros(LANES)
        shifted[step:] = lanes[:-step]
        lanes = lanes + shifted
    return lanes


def last(lanes: Floats) -> float:
    """Return the highest lane."""
    return float(lanes[LANES - 1])


# What follows is the compiled form. It runs inside numba's compiler only.

VECTOR = ir.VectorType(ir.DoubleType(), LANES)
INDEX = ir.IntType(32)


class LaneVector(types.Type):
    """numba's type of a ``<8 x double>`` value."""

    def __init__(self) -> None:
        super().__init__(name="LaneVector")


LANE_VECTOR = LaneVector()


@register_model(LaneVector)
class LaneVectorModel(models.PrimitiveModel):
    """Holds a lane vector in a register."""

    def __init__(self, dmm: Any, fe_type: Any) -> None:
        super().__init__(dmm, fe_type, VECTOR)


def _address(context: Any, builder: Any, kind: Any, array: Any, start: Any) -> Any:
    data = context.make_array(kind)(context, builder, array).data
    return builder.gep(data, [start], inbounds=True)


def _vector_address(builder: Any, address: Any) -> Any:
    return builder.bitcast(address, VECTOR.as_pointer())


def _shuffle(builder: Any, first: Any, second: Any, order: list[int]) -> Any:
    mask = ir.Constant(ir.VectorType(INDEX, len(order)), order)
    return builder.shuffle_vector(first, second, mask)


def _spread(builder: Any, value: Any) -> Any:
    one = builder.insert_element(ir.Constant(VECTOR, ir.Undefined), value, ir.Constant(INDEX, 0))
    return _shuffle(builder, one, one, [0] * LANES)


@intrinsic
def _splat(typingctx: Any, value: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return _spread(builder, args[0])

    return LANE_VECTOR(types.float64), codegen


@intrinsic
def _load(typingctx: Any, values: Any, start: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        address = _address(context, builder, signature.args[0], args[0], args[1])
        return builder.load(_vector_address(builder, address), align=8)

    return LANE_VECTOR(values, types.intp), codegen


@intrinsic
def _load_part(typingctx: Any, values: Any, start: Any, count: Any, fill: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        array, start, count, fill = args
        room = cgutils.alloca_once(builder, VECTOR)
        builder.store(_spread(builder, fill), room)
        lanes = builder.bitcast(room, ir.DoubleType().as_pointer())
        source = _address(context, builder, signature.args[0], array, start)
        with cgutils.for_range(builder, count) as loop:
            value = builder.load(builder.gep(source, [loop.index]), align=8)
            builder.store(value, builder.gep(lanes, [loop.index]))
        return builder.load(room)

    return LANE_VECTOR(values, types.intp, types.intp, types.float64), codegen


@intrinsic
def _store(typingctx: Any, values: Any, start: Any, lanes: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        address = _address(context, builder, signature.args[0], args[0], args[1])
        builder.store(args[2], _vector_address(builder, address), align=8)
        return context.get_dummy_value()

    return types.void(values, types.intp, lanes), codegen


@intrinsic
def _store_part(typingctx: Any, values: Any, start: Any, count: Any, lanes: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        array, start, count, lanes = args
        room = cgutils.alloca_once(builder, VECTOR)
        builder.store(lanes, room)
        source = builder.bitcast(room, ir.DoubleType().as_pointer())
        target = _address(context, builder, signature.args[0], array, start)
        with cgutils.for_range(builder, count) as loop:
            value = builder.load(builder.gep(source, [loop.index]))
            builder.store(value, builder.gep(target, [loop.index]), align=8)
        return context.get_dummy_value()

    return types.void(values, types.intp, types.intp, lanes), codegen


def _reducing(combine: Callable[[Any, Any, Any], Any]) -> Callable[..., Any]:
    def reduce(typingctx: Any, lanes: Any) -> Any:
        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            part = args[0]
            for half in (4, 2, 1):
                low = _shuffle(builder, part, part, list(range(half)))
                high = _shuffle(builder, part, part, list(range(half, 2 * half)))
                part = combine(builder, low, high)
            return builder.extract_element(part, ir.Constant(INDEX, 0))

        return types.float64(lanes), codegen

    return intrinsic(reduce)


def _choose(comparison: str) -> Callable[[Any, Any, Any], Any]:
    def choose(builder: Any, a: Any, b: Any) -> Any:
        return builder.select(builder.fcmp_ordered(comparison, b, a), b, a)

    return choose


@intrinsic
def _running(typingctx: Any, lanes: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        zeros = ir.Constant(VECTOR, [0.0] * LANES)
        lanes = args[0]
        for step in (1, 2, 4):
            order = [LANES] * step + list(range(LANES - step))
            lanes = builder.fadd(lanes, _shuffle(builder, lanes, zeros, order))
        return lanes

    return LANE_VECTOR(lanes), codegen


@intrinsic
def _last(typingctx: Any, lanes: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.extract_element(args[0], ir.Constant(INDEX, LANES - 1))

    return types.float64(lanes), codegen


def _combining(combine: Callable[[Any, Any, Any], Any]) -> Callable[..., Any]:
    def operate(typingctx: Any, a: Any, b: Any) -> Any:
        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            return combine(builder, args[0], args[1])

        return LANE_VECTOR(a, b), codegen

    return intrinsic(operate)


_total = _reducing(lambda builder, a, b: builder.fadd(a, b))
_lowest, _highest = _reducing(_choose("<")), _reducing(_choose(">"))
_smaller, _larger = _combining(_choose("<")), _combining(_choose(">"))
_add = _combining(lambda builder, a, b: builder.fadd(a, b))
_subtract = _combining(lambda builder, a, b: builder.fsub(a, b))
_multiply = _combining(lambda builder, a, b: builder.fmul(a, b))


def _form(plain: Callable[..., Any], form: Callable[..., Any], accepts: Any) -> None:
    """Let the compiler put ``form`` where a kernel calls ``plain`` with accepted types."""

    @overload(plain, strict=False)
    def choose(*arguments: Any) -> Any:
        return form if accepts(arguments) else None


def _on_array(arguments: tuple[Any, ...]) -> bool:
    kind = arguments[0]
    return (
        isinstance(kind, types.Array)
        and kind.dtype == types.float64
        and kind.ndim == 1
        and kind.layout == "C"
    )


def _on_lanes(arguments: tuple[Any, ...]) -> bool:
    return all(kind == LANE_VECTOR for kind in arguments)


def _on_number(arguments: tuple[Any, ...]) -> bool:
    return True


# ruff: noqa: PLW0108  # numba compiles these lambdas; an intrinsic itself is no form
_form(splat, lambda value: _splat(float(value)), _on_number)
_form(load, lambda values, start: _load(values, start), _on_array)
_form(
    load_part,
    lambda values, start, count, fill: _load_part(values, start, count, float(fill)),
    _on_array,
)
_form(store, lambda values, start, lanes: _store(values, start, lanes), _on_array)
_form(
    store_part,
    lambda values, start, count, lanes: _store_part(values, start, count, lanes),
    _on_array,
)
_form(smaller, lambda a, b: _smaller(a, b), _on_lanes)
_form(larger, lambda a, b: _larger(a, b), _on_lanes)
_form(total, lambda lanes: _total(lanes), _on_lanes)
_form(lowest, lambda lanes: _lowest(lanes), _on_lanes)
_form(highest, lambda lanes: _highest(lanes), _on_lanes)
_form(running, lambda lanes: _running(lanes), _on_lanes)
_form(last, lambda lanes: _last(lanes), _on_lanes)
_form(operator.add, lambda a, b: _add(a, b), _on_lanes)
_form(operator.sub, lambda a, b: _subtract(a, b), _on_lanes)
_form(operator.mul, lambda a, b: _multiply(a, b), _on_lanes)
