"""Which choices a plugin adds to fields of the engine it extends, by replacing their type when it is loaded."""

from __future__ import annotations

import ast
from collections.abc import Mapping

from npuserve.engines.extract.sources import Library, Module


def widened_choices(library: Library, folder: str) -> Mapping[tuple[str, str], tuple[str, ...]]:
    """(class, field) to the texts in the `Literal` that a module under `folder` assigns as
    `Class.__annotations__["field"]`."""
    found: dict[tuple[str, str], tuple[str, ...]] = {}
    for module in library.modules_under(folder):
        for node in ast.walk(module.tree):
            match node:
                case ast.Assign(
                    targets=[
                        ast.Subscript(
                            value=ast.Attribute(value=owner, attr="__annotations__"),
                            slice=ast.Constant(value=str(field)),
                        )
                    ],
                    value=value,
                ):
                    place = (_class_name(module, owner), field)
                    found[place] = tuple(dict.fromkeys((*found.get(place, ()), *_texts(_assigned(module, value)))))
    return found


def _class_name(module: Module, owner: ast.expr) -> str:
    return ast.unparse(_assigned(module, owner)).rpartition(".")[2]


def _assigned(module: Module, expression: ast.expr) -> ast.expr:
    """What a local name was assigned last before, when it is one."""
    if isinstance(expression, ast.Name):
        for node in ast.walk(module.tree):
            match node:
                case ast.Assign(targets=[ast.Name(id=name)], value=value) if name == expression.id:
                    return value
    return expression


def _texts(expression: ast.expr) -> tuple[str, ...]:
    """Texts of every `Literal[...]` in the expression."""
    literals = [
        n
        for n in ast.walk(expression)
        if isinstance(n, ast.Subscript) and ast.unparse(n.value).rpartition(".")[2] == "Literal"
    ]
    return tuple(
        str(constant.value)
        for literal in literals
        for constant in ast.walk(literal.slice)
        if isinstance(constant, ast.Constant) and isinstance(constant.value, str)
    )
