"""Reads a function of the engine as the engine would run it, far enough to see which arguments it declares.

Covered: names, constants, containers, comprehensions, comparisons, calls among the sources, `if`, `for` over known
values, assignments and `del`. A condition that cannot be decided takes both branches; every other construct is
`Unknown`.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence

from npuserve.engines.extract.calls import call_expression
from npuserve.engines.extract.expressions import EXPRESSIONS
from npuserve.engines.extract.sources import Foreign, Library, Module
from npuserve.engines.extract.statements import run
from npuserve.engines.extract.values import ClassRef, FunctionRef, Scope, Unknown, Value, reference

Hook = Callable[[list[Value], Mapping[str, Value]], Value]


class Interpreter:
    """Evaluates expressions and runs functions of one library; `hooks` replace functions by name."""

    def __init__(self, library: Library, hooks: Mapping[str, Hook] | None = None) -> None:
        self.library = library
        self.hooks = hooks or {}

    def evaluate(self, expression: ast.expr, scope: Scope) -> Value:
        """The value of `expression`, or `Unknown`."""
        if isinstance(expression, ast.Call):
            return call_expression(self, expression, scope)
        reader = EXPRESSIONS.get(type(expression))
        return reader(self, expression, scope) if reader else Unknown(ast.unparse(expression))

    def attribute(self, base: Value, name: str) -> Value:
        """`base.name`: of a module, a class (its bases searched too), or an unknown."""
        match base:
            case Module():
                return self._module_attribute(base, name)
            case ClassRef():
                return self.member(base, name)
            case Unknown(text=text):
                return Unknown(f"{text}.{name}")
        return Unknown(name)

    def member(self, owner: ClassRef, name: str) -> Value:
        """A method or class attribute of `owner` or of the first base that has it."""
        for cls in self.lineage(owner):
            scope = Scope(cls.module, owner=cls)
            for statement in cls.node.body:
                match statement:
                    case ast.FunctionDef(name=found) if found == name:
                        return FunctionRef(cls.module, statement, owner=cls)
                    case ast.AnnAssign(target=ast.Name(id=found), value=ast.expr() as value) if found == name:
                        return self.evaluate(value, scope)
                    case ast.Assign(targets=[ast.Name(id=found)], value=value) if found == name:
                        return self.evaluate(value, scope)
        return Unknown(f"{owner.name}.{name}")

    def lineage(self, owner: ClassRef) -> list[ClassRef]:
        """The class, then its bases among the sources, nearest first."""
        found = [owner]
        for base in owner.node.bases:
            value = self.evaluate(base, Scope(owner.module))
            if isinstance(value, ClassRef):
                found += [cls for cls in self.lineage(value) if all(cls.node is not seen.node for seen in found)]
        return found

    def call(
        self, function: FunctionRef, positional: Sequence[Value] = (), keywords: Mapping[str, Value] | None = None
    ) -> Value:
        """What `function` returns for these arguments; None when it ends without a return."""
        scope = Scope(function.module, self._bound(function, positional, keywords or {}), function.owner)
        if isinstance(function.node, ast.Lambda):
            return self.evaluate(function.node.body, scope)
        returned = run(self, function.node.body, scope)
        return returned.value if returned else None

    def resolved(self, module: Module, name: str) -> Value:
        """What a module-level name is worth."""
        found = self.library.resolve(module, name)
        if isinstance(found, Foreign):
            return Unknown(found.dotted)
        if isinstance(found, Module):
            return found
        node = found.node
        plain = self.evaluate(node, Scope(found.module)) if isinstance(node, ast.expr) else Unknown(name)
        return reference(found) or plain

    def _module_attribute(self, module: Module, name: str) -> Value:
        """A binding of the module, or what its own `__getattr__` answers."""
        lazy = module.bindings.get("__getattr__")
        if name not in module.bindings and isinstance(lazy, ast.FunctionDef):
            return self.call(FunctionRef(module, lazy), [name])
        return self.resolved(module, name)

    def _bound(
        self, function: FunctionRef, positional: Sequence[Value], keywords: Mapping[str, Value]
    ) -> dict[str, Value]:
        """The names a function starts with: what it closes over, its defaults, and the given arguments."""
        arguments = function.node.args
        names = [argument.arg for argument in (*arguments.posonlyargs, *arguments.args)]
        defaults = dict(zip(reversed(names), reversed(arguments.defaults), strict=False))
        optional = zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
        defaults |= {argument.arg: default for argument, default in optional if default is not None}
        home = Scope(function.module, dict(function.names), function.owner)
        bound = {name: self.evaluate(default, home) for name, default in defaults.items()}
        return {**function.names, **bound, **dict(zip(names, positional, strict=False)), **keywords}
