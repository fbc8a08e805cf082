"""Which keys the plugin accepts in its nested configuration, in both styles the plugin has had.

Read style: keys are read one by one; an unknown key is ignored. Declared style: a dataclass that forbids other keys,
plus the keys its factory takes out and reads itself.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from typing import Any

from npuserve.engines.extract.classes import config_fields
from npuserve.engines.extract.hints import is_config
from npuserve.engines.extract.interpreter import Interpreter
from npuserve.engines.extract.nested_reads import Read, direct_reads, read_keys
from npuserve.engines.extract.shapes import Shape, json_default, key_shape, key_tree
from npuserve.engines.extract.sources import Library, Module
from npuserve.engines.extract.values import ClassRef, FunctionRef, Scope, Unknown, Value, known


def read_nested(library: Library, *, root: ClassRef, argument: str, package: str) -> dict[str, Any]:
    """`{"strict": ..., "keys": ...}` of the nested configuration `argument` that `root` (in its module) makes sense of.

    In the read style, keys that other modules under `package` read count too.
    """
    interpreter = Interpreter(library)
    keys = _best(interpreter, read_keys(interpreter, root.module, argument))
    strict = is_config(root)
    if strict:
        keys = _declared(interpreter, root, keys)
    else:
        others = (module for module in library.modules_under(package) if module is not root.module)
        keys = _best(interpreter, (r for m in others for r in read_keys(interpreter, m, argument))) | keys
    return {"strict": strict, "keys": _with_moved(keys)}


def _best(interpreter: Interpreter, reads: Iterable[Read]) -> dict[str, Shape]:
    """One shape per key: of the first read that tells the type."""
    found: dict[str, Shape] = {}
    for read in reads:
        if found.get(read.key, {"type": "any"})["type"] == "any":
            found[read.key] = _shape_of_read(interpreter, read)
    return found


def _declared(interpreter: Interpreter, root: ClassRef, read: dict[str, Shape]) -> dict[str, Shape]:
    """Fields of the class that the factory passes on, and the keys it takes out and reads itself."""
    taken_out = _constant_set(root.module, containing="refresh")
    passed_on = {name: shape for name, shape in key_tree(interpreter, root).items() if name not in taken_out}
    own = config_fields(interpreter, root)
    for name in taken_out & read.keys():
        shape = read[name]
        typed = name in own and "keys" not in shape
        passed_on[name] = key_shape(interpreter, own[name].hints) | {"default": shape["default"]} if typed else shape
    return passed_on


def _constant_set(module: Module, *, containing: str) -> frozenset[str]:
    """The set of names in the module that lists the keys its factory takes out."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Set):
            names = {str(item.value) for item in node.value.elts if isinstance(item, ast.Constant)}
            if containing in names:
                return frozenset(names)
    return frozenset()


def _shape_of_read(interpreter: Interpreter, read: Read) -> Shape:
    default = read.default
    keys = _keys_below(interpreter, read)
    if not keys and isinstance(default, dict):
        keys = {key: _leaf(value) for key, value in default.items()}
    return _leaf(default) | ({"type": "json", "keys": keys} if keys else {})


def _leaf(value: Value) -> Shape:
    kinds = {bool: "bool", int: "int", float: "float", str: "str", list: "list", tuple: "list", dict: "json"}
    return {"type": kinds.get(type(value), "any"), "default": json_default(value)}


def _keys_below(interpreter: Interpreter, read: Read) -> dict[str, Shape]:
    """Keys of the value that is read: what the class it is handed to makes of it."""
    for call, starred, position in _handed_to(read):
        callee = call.func.value if isinstance(call.func, ast.Attribute) else call.func
        cls = interpreter.evaluate(callee, Scope(read.module))
        if isinstance(cls, ClassRef):
            if is_config(cls):
                return key_tree(interpreter, cls)
            return _keys_of_constructor(interpreter, cls, starred=starred, position=position)
    return {}


def _handed_to(read: Read) -> Iterator[tuple[ast.Call, bool, int]]:
    """Calls that get the value, directly or through a variable: whether as `**`, else at which position."""
    variable = next(
        (
            node.targets[0].id
            for node in ast.walk(read.module.tree)
            if isinstance(node, ast.Assign) and node.value is read.place and isinstance(node.targets[0], ast.Name)
        ),
        None,
    )

    def is_value(expression: ast.expr) -> bool:
        by_name = isinstance(expression, ast.Name) and expression.id == variable
        return expression is read.place or by_name

    for call in (node for node in ast.walk(read.module.tree) if isinstance(node, ast.Call)):
        if any(keyword.arg is None and is_value(keyword.value) for keyword in call.keywords):
            yield call, True, 0
        for position, given in enumerate(call.args):
            if is_value(given):
                yield call, False, position


def _keys_of_constructor(interpreter: Interpreter, cls: ClassRef, *, starred: bool, position: int) -> dict[str, Shape]:
    """Keys from `__init__`: its keyword parameters and what it reads from the rest, or from the parameter at
    `position`."""
    constructor = interpreter.member(cls, "__init__")
    if not isinstance(constructor, FunctionRef) or not isinstance(constructor.node, ast.FunctionDef):
        return {}
    arguments = constructor.node.args
    scope = Scope(cls.module, owner=cls)
    found: dict[str, Shape] = {}
    rest = arguments.kwarg.arg if arguments.kwarg else ""
    if starred:
        optional = zip(reversed(arguments.args), reversed(arguments.defaults), strict=False)
        found = {argument.arg: _leaf(interpreter.evaluate(default, scope)) for argument, default in optional}
    else:
        rest = arguments.args[position + 1].arg
    for node in ast.walk(constructor.node):
        for key, default in direct_reads(node, rest):
            if isinstance(key, ast.Constant):
                found[str(key.value)] = _leaf(_default_in(interpreter, cls, default))
    return found or _keys_of_defaults(interpreter, cls)


def _keys_of_defaults(interpreter: Interpreter, cls: ClassRef) -> dict[str, Shape]:
    """Keys of the class's own table of defaults, for a constructor that loops over it."""
    declared = interpreter.member(cls, "_defaults")
    return (
        {key: _leaf(value) for key, value in declared.items()} if isinstance(declared, dict) and known(declared) else {}
    )


def _default_in(interpreter: Interpreter, cls: ClassRef, default: ast.expr | None) -> Value:
    match default:
        case None:
            return Unknown("no default")
        case ast.Attribute(value=ast.Name(id="self"), attr=name):
            return interpreter.member(cls, name)
    return interpreter.evaluate(default, Scope(cls.module, owner=cls))


def _with_moved(keys: dict[str, Shape]) -> dict[str, Shape]:
    """A key that has moved below another one keeps the shape it has there, where its own is not known."""
    below = {name: shape for tree in keys.values() for name, shape in tree.get("keys", {}).items()}
    moved = {
        name: below[name] | {"deprecated": "moved"}
        for name, shape in keys.items()
        if "keys" in below.get(name, {}) and "keys" not in shape
    }
    return dict(sorted((keys | moved).items()))
