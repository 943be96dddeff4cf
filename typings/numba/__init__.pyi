from numba.core.types import Type

__version__: str

def typeof(val: object) -> Type: ...
