"""Names that are passed on as settings and do nothing are refused by name, with what does the thing instead."""

from __future__ import annotations

from typing import Any

import pytest

from npuserve.api.conditions import Reason
from npuserve.engines.arguments import load_table
from npuserve.engines.vllm_ascend import ENGINE
from npuserve.engines.vllm_ascend_folklore import ARGUMENTS, VARIABLES
from tests.support.clusters import A2_64G, cluster
from tests.support.services import a_service, refused

A2 = cluster(A2_64G)
TABLES = [load_table(ENGINE.name, version) for version in ENGINE.versions]


def message(**spec: Any) -> str:
    answer = refused(a_service(backend=ENGINE.name, **spec), A2)
    assert answer.reason is Reason.UNKNOWN_ARGUMENT
    return answer.message


@pytest.mark.parametrize("name", sorted(VARIABLES))
def test_a_variable_that_does_nothing_is_refused_with_what_to_use(name: str) -> None:
    told = message(template={"env": [{"name": name, "value": "1"}]})
    assert f"{name} does nothing; {VARIABLES[name]}" in told


@pytest.mark.parametrize("name", sorted(ARGUMENTS))
def test_an_argument_that_does_nothing_is_refused_with_what_to_use(name: str) -> None:
    outer, _, inner = name.partition(".")
    told = message(engineArgs={outer: {inner: {}} if inner else "x"})
    assert f"{inner or outer} does nothing; {ARGUMENTS[name]}" in told


def test_op_fusion_is_refused_in_the_words_of_the_real_setting() -> None:
    told = message(template={"env": [{"name": "ASCEND_OP_FUSION", "value": "1"}]})
    assert told == (
        "vllm-ascend 0.23.0: ASCEND_OP_FUSION does nothing; use engineArgs.additional-config.ascend_compilation_config"
    )


def test_spellings_with_underscores_are_the_same_argument() -> None:
    assert "memory-policy does nothing" in message(engineArgs={"memory_policy": "static"}).replace("_", "-")


def test_no_version_knows_any_of_these_names() -> None:
    for table in TABLES:
        assert not set(VARIABLES) & set(table.environment)
        assert not {name for name in ARGUMENTS if "." not in name} & set(table.flags)
        keys = {name.removeprefix("additional-config.") for name in ARGUMENTS if "." in name}
        assert not keys & set(table.additional_config)


def test_what_is_named_instead_exists() -> None:
    newest_stable = load_table(ENGINE.name, ENGINE.stable[0])
    for instead in (*VARIABLES.values(), *ARGUMENTS.values()):
        for path in (word.strip(",;") for word in instead.split() if word.startswith("engineArgs.")):
            _, flag, *inner = path.split(".")
            assert flag in newest_stable.flags, path
            assert flag != "additional-config" or inner[0] in newest_stable.additional_config, path
