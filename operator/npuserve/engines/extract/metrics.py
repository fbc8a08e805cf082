"""Which metrics a version shows: what the server's loggers make, under the names that Prometheus' text format has.

A counter is made without `_total`, which the text format adds. Kinds are told by the maker: the loggers call Prometheus'
own classes through attributes such as `_counter_cls`.
"""

from __future__ import annotations

import ast

from npuserve.engines.extract.sources import Library

_KINDS = ("counter", "gauge", "histogram")


def read_metrics(library: Library, folder: str, *, prefix: str) -> dict[str, list[str]]:
    """Sorted names by kind, of the metrics below `folder` whose names begin with `prefix`."""
    found: dict[str, set[str]] = {kind: set() for kind in _KINDS}
    for module in library.modules_under(folder):
        for node in ast.walk(module.tree):
            match node:
                case ast.Call(func=ast.Attribute(attr=maker) | ast.Name(id=maker)):
                    kind = next((kind for kind in _KINDS if kind in maker.lower()), None)
                    for keyword in node.keywords:
                        match keyword:
                            case ast.keyword(arg="name", value=ast.Constant(value=str(name))):
                                if kind is not None and name.startswith(prefix):
                                    found[kind].add(_shown(kind, name))
    return {kind: sorted(names) for kind, names in found.items()}


def _shown(kind: str, name: str) -> str:
    return f"{name.removesuffix('_total')}_total" if kind == "counter" else name
