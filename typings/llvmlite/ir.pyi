from typing import Any

class Type:
    def as_pointer(self, addrspace: int = ...) -> Type: ...

class IntType(Type):
    def __init__(self, bits: int) -> None: ...

class DoubleType(Type): ...

class VectorType(Type):
    def __init__(self, element: Type, count: int) -> None: ...

Undefined: Any

class Constant:
    def __init__(self, typ: Type, constant: object) -> None: ...

class Function: ...

IRBuilder = Any
