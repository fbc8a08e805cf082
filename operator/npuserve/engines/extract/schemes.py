"""Which quantized layers a version has kernels for: what the plugin registers as (type, kind of layer).

The types are those of `quant_model_description.json` ("W8A8_DYNAMIC"), the kinds "linear", "moe" and "attention".
Kernels in a folder of one chip family count for that family alone; all others for the families without such a folder.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from npuserve.engines.extract.interpreter import Interpreter
from npuserve.engines.extract.sources import Library, Module
from npuserve.engines.extract.values import Scope

_DECORATOR = "register_scheme"


def read_schemes(library: Library, *, plugin: str, families: tuple[str, ...]) -> dict[str, dict[str, list[str]]]:
    """Sorted types by kind of layer, by chip family; "" holds those of all families without kernels of their own.

    `families` names the folders under `plugin` that hold one family's code: `_310p` for "310P".
    """
    found: dict[str, dict[str, set[str]]] = {}
    for module in library.modules_under(plugin):
        family = next((name for name in families if f"/_{name.lower()}/" in module.path), "")
        for kind, kernel in _registered(library, module):
            found.setdefault(family, {}).setdefault(kind, set()).add(kernel)
    return {
        family: {kind: sorted(kernels) for kind, kernels in sorted(kinds.items())}
        for family, kinds in sorted(found.items())
    }


def _registered(library: Library, module: Module) -> Iterator[tuple[str, str]]:
    """(kind of layer, type) of each class that is registered in a module."""
    interpreter, scope = Interpreter(library), Scope(module)
    for node in ast.walk(module.tree):
        if not isinstance(node, ast.ClassDef):
            continue
        for decorator in node.decorator_list:
            match decorator:
                case ast.Call(func=ast.Name(id=name), args=[kernel, kind]) if name == _DECORATOR:
                    told = interpreter.evaluate(kind, scope), interpreter.evaluate(kernel, scope)
                    if isinstance(told[0], str) and isinstance(told[1], str):
                        yield told[0], told[1]
