from collections.abc import Sequence

def make_concrete_template(
    name: str, key: object, signatures: Sequence[object]
) -> type[object]: ...
