from typing import Any

class Type:
    def __init__(self, name: str) -> None: ...
    def __call__(self, *args: Type) -> Any: ...

class Array(Type):
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

def unliteral(lit_type: Type) -> Type: ...
