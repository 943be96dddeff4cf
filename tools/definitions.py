"""Read the definitions of a Python file off its syntax tree."""

import ast
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ENUM_BASES = {"Enum", "IntEnum", "StrEnum", "Flag", "IntFlag"}
ALIAS_CALLS = {"NewType", "TypedDict", "NamedTuple", "namedtuple", "Enum", "IntEnum", "StrEnum"}
FEWEST_FIELDS = 2
"""Classes with fewer annotated fields have no shape of their own."""
TELLING_NAMES = 3
"""From so many fields on, their names alone are the shape, whatever their annotations."""
FEWEST_NODES = 40
"""Function bodies with fewer syntax nodes are too small to be a copy."""


@dataclass(frozen=True)
class Definition:
    """One definition: what it is, where it stands, what it looks like."""

    kind: str
    name: str
    path: str
    line: int
    shape: str = ""

    def keys(self) -> dict[str, str]:
        """Return what may not recur, by rule."""
        if self.kind == "function":
            return {"body": self.shape}
        keys = {} if self.name.startswith("_") else {"name": self.name}
        if self.shape:
            keys["shape"] = f"{self.kind}:{self.shape}"
        return keys


def definitions_of(path: Path) -> list[Definition]:
    """Return the types and functions of one file.

    Raises
    ------
    SyntaxError
        If the file is no Python.
    """
    tree = ast.parse(path.read_bytes(), str(path))
    return [*_classes(tree, str(path)), *_aliases(tree, str(path)), *_functions(tree, str(path))]


def _last_name(node: ast.expr) -> str:
    if isinstance(node, ast.Subscript):
        return _last_name(node.value)
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _class_kind(node: ast.ClassDef) -> str:
    bases = {_last_name(base) for base in node.bases}
    if bases & ENUM_BASES:
        return "enum"
    for kind in ("Protocol", "TypedDict", "NamedTuple"):
        if kind in bases:
            return kind.lower()
    if any(base.endswith(("Error", "Exception", "Warning")) for base in bases):
        return "error"
    return "class"


def _class_shape(node: ast.ClassDef, kind: str) -> str:
    if kind == "enum":
        names = [
            target.id
            for item in node.body
            if isinstance(item, ast.Assign)
            for target in item.targets
            if isinstance(target, ast.Name)
        ]
        return ",".join(sorted(names)) if len(names) >= FEWEST_FIELDS else ""
    fields = [
        f"{item.target.id}:{ast.unparse(item.annotation)}"
        for item in node.body
        if isinstance(item, ast.AnnAssign)
        and isinstance(item.target, ast.Name)
        and "ClassVar" not in ast.unparse(item.annotation)
    ]
    if kind == "protocol" and not fields:
        fields = [
            f"{item.name}{ast.unparse(item.args)}"
            for item in node.body
            if isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef)
        ]
    if len(fields) >= TELLING_NAMES:
        fields = [field.partition(":")[0] for field in fields]
    return ",".join(sorted(fields)) if len(fields) >= FEWEST_FIELDS else ""


def _classes(tree: ast.Module, path: str) -> Iterator[Definition]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            kind = _class_kind(node)
            yield Definition(kind, node.name, path, node.lineno, _class_shape(node, kind))


def _aliases(tree: ast.Module, path: str) -> Iterator[Definition]:
    for node in tree.body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            if _last_name(node.annotation) == "TypeAlias" and node.value is not None:
                shape = ast.unparse(node.value)
                yield Definition("alias", node.target.id, path, node.lineno, shape)
        elif type(node).__name__ == "TypeAlias":  # ``type X = ...``, from Python 3.12
            name, _, shape = ast.unparse(node).removeprefix("type ").partition(" = ")
            yield Definition("alias", name, path, node.lineno, shape)
        elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
            made_by = _last_name(node.value.func)
            if made_by in ALIAS_CALLS and isinstance(node.targets[0], ast.Name):
                name = node.targets[0].id
                yield Definition(made_by.lower(), name, path, node.lineno)


def _functions(tree: ast.Module, path: str) -> Iterator[Definition]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            shape = _body_shape(node)
            if shape:
                yield Definition("function", node.name, path, node.lineno, shape)


class _LocalNames(ast.NodeTransformer):
    """Replace arguments and local variables by their order of appearance."""

    def __init__(self, names: set[str]) -> None:
        self.names = names
        self.order: dict[str, str] = {}

    def _placed(self, name: str) -> str:
        if name not in self.names:
            return name
        return self.order.setdefault(name, f"${len(self.order)}")

    def visit_Name(self, node: ast.Name) -> ast.Name:
        return ast.Name(id=self._placed(node.id), ctx=node.ctx)

    def visit_arg(self, node: ast.arg) -> ast.arg:
        return ast.arg(arg=self._placed(node.arg))

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        node.annotation = ast.Name(id="_", ctx=ast.Load())
        return self.generic_visit(node)


def _body_shape(node: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    body = node.body
    if isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant):
        body = body[1:]
    copy = ast.parse(ast.unparse(ast.Module(body=body, type_ignores=[])))
    if sum(1 for _ in ast.walk(copy)) < FEWEST_NODES:
        return ""
    every = node.args
    arguments = [*every.posonlyargs, *every.args, *every.kwonlyargs]
    arguments += [item for item in (every.vararg, every.kwarg) if item]
    names = {item.arg for item in arguments}
    names |= {
        item.id
        for item in ast.walk(copy)
        if isinstance(item, ast.Name) and isinstance(item.ctx, ast.Store)
    }
    text = ast.dump(_LocalNames(names).visit(copy))
    return hashlib.sha256(text.encode()).hexdigest()
