from collections.abc import Callable
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])

def intrinsic(func: Callable[..., Any]) -> Callable[..., Any]: ...
def overload(
    func: Callable[..., Any],
    jit_options: dict[str, Any] = ...,
    strict: bool = ...,
    inline: str = ...,
) -> Callable[[F], F]: ...
def register_model(fe_type: type) -> Callable[[type], type]: ...

class models:
    class PrimitiveModel:
        def __init__(self, dmm: Any, fe_type: Any, be_type: Any) -> None: ...
