from collections.abc import Iterator, Sequence
from typing import Any

class Type:
    def __init__(self, name: str) -> None: ...
    def __call__(self, *args: Type) -> Any: ...

class Array(Type):
    def __init__(self, dtype: Type, ndim: int, layout: str) -> None: ...
    dtype: Type
    layout: str
    ndim: int
    mutable: bool

class Integer(Type): ...
class Float(Type): ...
class Record(Type): ...
class FunctionType(Type): ...

float64: Type
int64: Type
uint64: Type
intp: Type
boolean: Type
void: Type

class BaseTuple(Type):
    def __iter__(self) -> Iterator[Type]: ...

class StarArgTuple(BaseTuple):
    @staticmethod
    def from_types(types: Sequence[Type]) -> Type: ...

def unliteral(lit_type: Type) -> Type: ...
