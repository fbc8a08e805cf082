"""What a name means in a package that is only read: modules, their bindings, and the way from an import to a
definition.

Rule: a name is looked up where it is used, and imports are followed until a class, a function or a value is reached.
Under `if TYPE_CHECKING:` the running program takes the `else` branch, so those bindings win over the ones for type
checkers.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

_MAX_HOPS = 32
"""Imports followed from one name; a longer chain is a cycle."""


@dataclass(frozen=True, slots=True)
class Imported:
    """`name` of `module`; the module itself when `name` is empty."""

    module: str
    name: str


Binding = ast.ClassDef | ast.FunctionDef | ast.expr | Imported


@dataclass(frozen=True, slots=True, eq=False)
class Module:
    """One parsed file."""

    name: str
    path: str
    text: str
    tree: ast.Module
    bindings: Mapping[str, Binding]


@dataclass(frozen=True, slots=True, eq=False)
class Definition:
    """A node and the module whose names it uses."""

    module: Module
    node: ast.ClassDef | ast.FunctionDef | ast.expr


@dataclass(frozen=True, slots=True)
class Foreign:
    """A name of a package that is not among the sources, or one nobody binds; `dotted` as far as it is known."""

    dotted: str


class Library:
    """The files of the packages, parsed when first asked for.

    `files` maps paths such as `vllm/config/cache.py` to their text. `widened` maps (class, field) to the choices that a
    plugin adds to that field at start-up.
    """

    def __init__(
        self, files: Mapping[str, str], widened: Mapping[tuple[str, str], tuple[str, ...]] | None = None
    ) -> None:
        self.files = files
        self.widened = widened or {}
        self._modules: dict[str, Module | None] = {}

    def module(self, name: str) -> Module | None:
        """The module of that dotted name, or None when its file is not among the sources."""
        if name not in self._modules:
            self._modules[name] = self._parse(name)
        return self._modules[name]

    def modules_under(self, prefix: str) -> Iterator[Module]:
        """Every module whose path starts with `prefix`, in path order."""
        for path in sorted(self.files):
            if path.startswith(prefix) and path.endswith(".py"):
                found = self.module(path.removesuffix(".py").removesuffix("/__init__").replace("/", "."))
                if found is not None:
                    yield found

    def resolve(self, module: Module, name: str) -> Definition | Module | Foreign:
        """What `name` means inside `module`, imports followed."""
        for _ in range(_MAX_HOPS):
            bound = module.bindings.get(name)
            if bound is None:
                return self.module(f"{module.name}.{name}") or Foreign(name)
            if not isinstance(bound, Imported):
                return Definition(module, bound)
            target = self.module(bound.module)
            if not bound.name:
                return target or Foreign(bound.module)
            if target is None:
                return self.module(f"{bound.module}.{bound.name}") or Foreign(f"{bound.module}.{bound.name}")
            module, name = target, bound.name
        return Foreign(name)

    def _parse(self, name: str) -> Module | None:
        stem = name.replace(".", "/")
        path = next((p for p in (f"{stem}.py", f"{stem}/__init__.py") if p in self.files), None)
        if path is None:
            return None
        package = name if path.endswith("/__init__.py") else name.rpartition(".")[0]
        tree = ast.parse(self.files[path], filename=path)
        return Module(name, path, self.files[path], tree, _bindings(tree.body, package))


def imports(statement: ast.Import | ast.ImportFrom, package: str) -> dict[str, Binding]:
    """The names one import statement binds in a module of `package`."""
    if isinstance(statement, ast.Import):
        return {
            alias.asname or alias.name.partition(".")[0]: Imported(
                alias.name if alias.asname else alias.name.partition(".")[0], ""
            )
            for alias in statement.names
        }
    source = statement.module or ""
    if statement.level:
        parents = package.split(".")
        base = ".".join(parents[: len(parents) - statement.level + 1])
        source = f"{base}.{source}" if source else base
    return {alias.asname or alias.name: Imported(source, alias.name) for alias in statement.names}


def _bindings(body: list[ast.stmt], package: str) -> dict[str, Binding]:
    found: dict[str, Binding] = {}
    for statement in body:
        match statement:
            case ast.Import() | ast.ImportFrom():
                found |= imports(statement, package)
            case ast.ClassDef() | ast.FunctionDef():
                found[statement.name] = statement
            case ast.Assign(targets=targets, value=value):
                found |= {target.id: value for target in targets if isinstance(target, ast.Name)}
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                found[name] = value
            case ast.If(test=test):
                first, last = statement.body, statement.orelse
                if not _for_type_checkers(test):
                    first, last = last, first
                found |= _bindings(first, package) | _bindings(last, package)
            case ast.Try():
                found |= _bindings(statement.body, package)
    return found


def _for_type_checkers(test: ast.expr) -> bool:
    return ast.unparse(test).endswith("TYPE_CHECKING")
