"""Laws of the house, read off the syntax trees: where names may stand, and what a new engine takes."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import npuserve.engines
import npuserve.plan.backend
from npuserve.chips import PRODUCTS, Product
from npuserve.configuration import Configuration
from npuserve.engines import ENGINES
from npuserve.engines.contract import (
    Caution,
    Choice,
    ContextWindow,
    Fault,
    Footprint,
    LaunchRequest,
    Obstacle,
    Overhead,
    Parallelism,
)
from npuserve.engines.launch import SERVICE_PORT, HttpCheck, Launch, Literally, Variable
from npuserve.plan.rollout import choose_rollout
from npuserve.render.objects import render
from tests.support.clusters import A2_64G, cluster
from tests.support.plans import OWNER
from tests.support.services import a_service, planned, said

ROOT = Path(__file__).parents[2] / "operator"
HOUSE = ROOT / "npuserve"
MODULES = sorted(HOUSE.rglob("*.py"))

ENGINE_WORDS = {
    engine.name: {engine.name, engine.name.replace("-", "_"), engine.name.partition("-")[0]} for engine in ENGINES
}
CHIP_WORDS = {name for row in PRODUCTS for name in (*row.chips, *row.spellings)}
FAMILIES = {row.generation for row in PRODUCTS}


def test_the_source_root_is_no_package() -> None:
    """`operator/__init__.py` would shadow Python's own `operator`."""
    assert not (ROOT / "__init__.py").exists()
    assert not list(ROOT.glob("*.py"))


def test_every_module_says_what_it_answers_and_every_public_function_and_class_what_it_does() -> None:
    silent = []
    for file in MODULES:
        tree = ast.parse(file.read_text())
        silent += [
            f"{file.relative_to(HOUSE)}: {getattr(node, 'name', 'the module')}"
            for node in (tree, *tree.body)
            if isinstance(node, ast.Module | ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
            if not getattr(node, "name", "").startswith("_") and not ast.get_docstring(node)
        ]
    assert silent == []


@dataclass(frozen=True)
class Text:
    """A string constant of the code: where it stands and what it says."""

    file: str
    line: int
    value: str


@cache
def texts() -> tuple[Text, ...]:
    """String constants of the package but its documentation: docstrings, and what the API shows as examples of its fields."""
    return tuple(_texts())


def _texts() -> Iterator[Text]:
    for file in MODULES:
        tree = ast.parse(file.read_text())
        documentation = {
            id(part) for node in ast.walk(tree) for part in _documenting(node, api=file.parent.name == "api")
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documentation:
                yield Text(str(file.relative_to(HOUSE)), node.lineno, node.value)


def _documenting(node: ast.AST, *, api: bool) -> Iterator[ast.AST]:
    """Docstrings of modules, classes, functions and fields. In `api` the examples too: `kubectl explain` reads with real names, and nothing is decided by them."""
    for statement in getattr(node, "body", []) if not isinstance(node, ast.Lambda | ast.IfExp) else []:
        if isinstance(statement, ast.Expr):
            yield statement.value
    if api and isinstance(node, ast.keyword) and node.arg == "examples":
        yield from ast.walk(node)


def naming(words: set[str]) -> re.Pattern[str]:
    """Matches any of the words, in any capitals, where neither letter nor digit touches it."""
    listed = "|".join(map(re.escape, sorted(words, key=len, reverse=True)))
    return re.compile(rf"(?<![A-Za-z0-9])({listed})(?![A-Za-z0-9])", re.IGNORECASE)


def belongs_to(engine: str, file: str) -> bool:
    """Whether a file is that engine's own: `engines/NAME.py`, or one below `engines/` whose name begins with it."""
    return file.startswith("engines/") and Path(file).name.startswith(engine.replace("-", "_"))


@pytest.mark.parametrize("engine", ENGINE_WORDS)
def test_an_engine_is_named_in_its_own_files_only(engine: str) -> None:
    named = naming(ENGINE_WORDS[engine])
    assert [text for text in texts() if named.search(text.value) and not belongs_to(engine, text.file)] == []


def test_chips_are_named_in_their_table_only() -> None:
    named = naming(CHIP_WORDS)
    assert [
        text
        for text in texts()
        if named.search(text.value) and text.file != "chips.py" and not text.file.startswith("engines/")
    ] == []


def test_nothing_but_an_engine_decides_by_a_family_of_chips() -> None:
    assert [
        text
        for text in texts()
        if text.value in FAMILIES and text.file != "chips.py" and not text.file.startswith("engines/")
    ] == []


def test_the_law_finds_what_it_forbids() -> None:
    assert naming({"910B3"}).search("resource huawei.com/Ascend-910b3 of")
    assert not naming({"910B"}).search("910B3")
    assert belongs_to("vllm-ascend", "engines/extract/vllm_ascend.py")
    assert not belongs_to("vllm-ascend", "plan/vllm_ascend.py")
    assert any(naming(CHIP_WORDS).search(text.value) for text in texts() if text.file == "chips.py")
    assert any("vllm" in text.value for text in texts() if text.file == "engines/vllm_ascend.py")


class Tiny:
    """An engine as small as the contract allows: what one new file holds."""

    name = "tiny"
    versions = stable = ("1.0",)
    pads_heads = False

    def obstacle(self, choice: Choice) -> Obstacle | None:
        return None if choice.product.generation == "A2" else Obstacle("hardware", "only A2")

    def footprint(self, choice: Choice, arguments: Mapping[str, Any]) -> Footprint:
        return Footprint(choice.scheme)

    def longest_context(self, choice: Choice, arguments: Mapping[str, Any]) -> int:
        return choice.model.max_context

    def caution(self, product: Product, version: str) -> Caution | None:
        return None

    def image(self, product: Product, version: str, *, os: str) -> str | None:
        return f"registry.example.com/tiny:{version}"

    def tensor_obstacle(self, choice: Choice, parallelism: Parallelism, *, named: bool) -> str | None:
        return None

    def spreads_data(self, choice: Choice) -> bool:
        return False

    def utilization(self, version: str, arguments: Mapping[str, Any]) -> float:
        return 0.5

    def overhead(
        self,
        choice: Choice,
        parallelism: Parallelism,
        *,
        context: ContextWindow,
        arguments: Mapping[str, Any],
        variables: Mapping[str, str],
    ) -> Overhead:
        return Overhead(1, 1, 1)

    def default_sequences(self, choice: Choice) -> int:
        return 4

    def faults(
        self,
        choice: Choice,
        *,
        arguments: Mapping[str, Any],
        variables: Mapping[str, str],
        api_key: bool,
        remote_code: bool,
    ) -> tuple[Fault, ...]:
        return tuple(Fault("unknown", f"spec.engineArgs.{name}", "tiny takes none") for name in arguments)

    def shared_memory(self, parallelism: Parallelism) -> int:
        return 1 << 30

    def launch(self, request: LaunchRequest) -> Launch:
        check = HttpCheck("/", SERVICE_PORT)
        return Launch(
            ("tiny",),
            (request.choice.weights.path,),
            (Variable("A", Literally("b")),),
            (),
            SERVICE_PORT,
            check,
            check,
            check,
            (),
        )


@pytest.fixture
def with_tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    """The registry with one more line."""
    for module in (npuserve.engines, npuserve.plan.backend):
        monkeypatch.setattr(module, "ENGINES", (*ENGINES, Tiny()))


@pytest.mark.usefixtures("with_tiny")
def test_a_new_engine_is_one_file_and_one_line_of_the_registry() -> None:
    service, a2 = a_service(backend="tiny"), cluster(A2_64G)
    plan = planned(service, a2)
    assert (plan.backend, plan.backend_version, plan.image) == ("tiny", "1.0", "registry.example.com/tiny:1.0")
    assert (plan.launch.args, plan.context.max_sequences) == (("/models/Qwen/Qwen3-8B",), 4)
    objects = render(
        OWNER,
        service.spec,
        plan,
        profile=service.profile,
        rollout=choose_rollout(1, None),
        record="",
        pull_policy="Always",
    )
    assert objects[-1]["spec"]["template"]["spec"]["containers"][0]["command"] == ["tiny"]


@pytest.mark.usefixtures("with_tiny")
def test_a_new_engine_comes_after_the_others_until_a_platform_team_prefers_it() -> None:
    a2 = cluster(A2_64G)
    assert "not tiny: it comes later in the preference" in said(planned(a_service(), a2), "backend")
    assert planned(a_service(), a2, Configuration(engine_preference=("tiny",))).backend == "tiny"
