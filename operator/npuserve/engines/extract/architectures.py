"""Which model architectures a version has code for: the server's registry and what the plugin registers on top."""

from __future__ import annotations

import ast

from npuserve.engines.extract.interpreter import Interpreter
from npuserve.engines.extract.sources import Library, Module
from npuserve.engines.extract.values import Scope


def read_architectures(library: Library, registry: Module, *, table: str, plugin: str) -> list[str]:
    """Sorted names: keys of the dictionary `table` of `registry`, and first arguments of `register_model` under
    `plugin`.

    The names are those of `config.json: architectures`. A model that is not among them may still be served through the
    server's generic backend, without the plugin's kernels.
    """
    interpreter = Interpreter(library)
    own = interpreter.evaluate(ast.Name(table), Scope(registry))
    names = set(own) if isinstance(own, dict) else set()
    for module in library.modules_under(plugin):
        for node in ast.walk(module.tree):
            match node:
                case ast.Call(func=ast.Attribute(attr="register_model"), args=[ast.Constant(value=str(name)), *_]):
                    names.add(name)
    return sorted(names)
