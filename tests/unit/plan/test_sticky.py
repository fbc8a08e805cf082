"""Plans keep what they decided, part by part."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from npuserve.configuration import Configuration
from npuserve.engines.contract import Parallelism
from npuserve.plan.notices import notices
from npuserve.plan.plan import Plan, Record, Refusal
from npuserve.plan.record import dump, load
from npuserve.plan.resolve import resolve
from npuserve.plan.sticky import parts_of
from tests.support.clusters import A2_32G, A2_64G, A3, cluster, named
from tests.support.services import a_service, decided

FIRST = cluster(A2_64G)
QWEN = "pvc://w/Qwen/Qwen3-32B"
RECORD = decided(a_service(QWEN), FIRST)
LATER = Configuration.model_validate(
    {"enginePreference": ["mindie"], "images": {"mirrors": {"quay.io": "mirror.example.com"}}, "drainSeconds": 10}
)
"""Newer defaults of every kind: another engine, other images, other times."""


def again(*, on: Any = FIRST, previous: Record = RECORD, configuration: Configuration = LATER, **spec: Any) -> Plan:
    return decided(a_service(QWEN, **spec), on, configuration, previous=previous).plan


def test_an_unchanged_service_has_the_same_record_whatever_the_defaults() -> None:
    assert decided(a_service(QWEN), cluster(A2_32G, A3), LATER, previous=RECORD) is RECORD


def test_without_an_earlier_plan_the_new_defaults_are_taken() -> None:
    assert decided(a_service(QWEN), FIRST, LATER).plan.backend == "mindie"


@pytest.mark.parametrize(
    "spec",
    [
        {"replicas": 3},
        {"template": {"labels": {"team": "a"}}},
        {"template": {"annotations": {"team": "a"}}},
        {"template": {"imagePullSecrets": [{"name": "x"}]}},
    ],
)
def test_replicas_labels_and_pull_secrets_are_no_part_of_the_plan(spec: dict[str, Any]) -> None:
    assert decided(a_service(QWEN, **spec), FIRST, LATER, previous=RECORD) is RECORD


@pytest.mark.parametrize(
    "spec",
    [
        {"context": {"maxModelLen": 8192}},
        {"engineArgs": {"enable-prefix-caching": False}},
        {"hardware": {"topology": {"cpuPinning": True}}},
        {"quantization": "W8A8"},
        {"hardware": {"devices": 4}},
        {"template": {"env": [{"name": "TZ", "value": "UTC"}]}},
    ],
)
def test_an_edit_keeps_engine_version_image_and_product(spec: dict[str, Any]) -> None:
    plan = again(on=cluster(A2_64G, A2_32G, A3), **spec)
    kept = RECORD.plan
    assert (plan.backend, plan.backend_version, plan.image, plan.product) == (
        kept.backend,
        kept.backend_version,
        kept.image,
        kept.product,
    )


def test_an_edit_of_the_arguments_keeps_sizes_and_context() -> None:
    four = decided(a_service(QWEN, hardware={"devices": 4}), FIRST)
    plan = again(previous=four, hardware={"devices": 4}, engineArgs={"enable-prefix-caching": False})
    assert (plan.parallelism, plan.context) == (four.plan.parallelism, four.plan.context)


def test_a_longer_context_keeps_the_sizes_while_they_hold_it() -> None:
    assert again(context={"maxModelLen": 40_960}).parallelism == RECORD.plan.parallelism


def test_sizes_that_no_longer_hold_are_released_and_the_rest_is_kept() -> None:
    one = decided(a_service("pvc://w/Qwen/Qwen3-8B", hardware={"devices": 1}), cluster(A2_32G))
    assert one.plan.parallelism.devices == 1
    wish: dict[str, Any] = {"context": {"maxModelLen": 40_960, "maxSequences": 4096}}
    before = decided(a_service("pvc://w/Qwen/Qwen3-32B"), FIRST)
    tight = replace(before, plan=replace(before.plan, parallelism=Parallelism(1, 1, 1, 1)))
    plan = decided(a_service("pvc://w/Qwen/Qwen3-32B", **wish), FIRST, LATER, previous=tight).plan
    assert plan.parallelism.tensor > 1
    assert (plan.backend, plan.image) == (before.plan.backend, before.plan.image)


def test_a_changed_model_releases_sizes_and_context_only() -> None:
    plan = decided(a_service("pvc://w/Qwen/Qwen3-8B"), FIRST, LATER, previous=RECORD).plan
    assert plan.parallelism.devices == 1
    assert (plan.backend, plan.image) == (RECORD.plan.backend, RECORD.plan.image)


def test_a_changed_engine_wish_releases_version_and_image_and_keeps_the_product() -> None:
    plan = again(on=cluster(A2_64G, A2_32G), backend="mindie")
    assert (plan.backend, plan.product) == ("mindie", RECORD.plan.product)
    assert "mindie" in plan.image


def test_a_changed_version_takes_that_versions_image() -> None:
    assert again(backendVersion="0.18.0").image == "mirror.example.com/ascend/vllm-ascend:v0.18.0"


def test_a_changed_product_releases_the_image_and_keeps_the_engine() -> None:
    plan = again(on=cluster(A2_64G, A3), hardware={"product": "Atlas 800I A3 64G"})
    assert (plan.backend, plan.backend_version) == (RECORD.plan.backend, RECORD.plan.backend_version)
    assert plan.image == "mirror.example.com/ascend/vllm-ascend:v0.23.0-a3"


def test_a_product_that_is_gone_is_released_with_its_image() -> None:
    plan = again(on=cluster(A3), context={"maxModelLen": 8192})
    assert (plan.product, plan.image) == ("Atlas 800I A3 64G", "mirror.example.com/ascend/vllm-ascend:v0.23.0-a3")


def test_new_nodes_of_another_product_change_nothing_of_an_edited_service() -> None:
    more = cluster(A2_64G, named(A2_64G, "b"), A2_32G, used={"a2-64g": 8, "b": 8})
    assert again(on=more, context={"maxModelLen": 8192}).product == RECORD.plan.product


def test_a_new_value_of_the_replan_annotation_releases_everything() -> None:
    service = a_service(QWEN, replan="1")
    plan = decided(service, cluster(A2_64G, A2_32G), LATER, previous=RECORD).plan
    assert (plan.backend, plan.product) == ("mindie", "Atlas 800I A2 32G")


def test_an_engine_that_the_operator_no_longer_has_is_released() -> None:
    gone = replace(RECORD, plan=replace(RECORD.plan, backend="gone", backend_version="1.0"))
    assert again(previous=gone, context={"maxModelLen": 8192}).backend in ("vllm-ascend", "mindie")
    assert decided(a_service(QWEN), FIRST, previous=gone) is gone


def test_a_refused_edit_says_what_is_wrong_with_the_edit() -> None:
    answer = resolve(a_service(QWEN, hardware={"devices": 16}), FIRST, LATER, previous=RECORD)
    assert isinstance(answer, Refusal)
    assert answer.field == "spec.hardware.devices"


def test_each_part_of_the_spec_has_a_digest_of_its_own() -> None:
    plain = dict(parts_of(a_service(QWEN)))
    changed = {
        "model": a_service(QWEN, model={"revision": "v1"}),
        "backend": a_service(QWEN, backend="mindie"),
        "version": a_service(QWEN, backendVersion="0.18.0"),
        "sizes": a_service(QWEN, parallelism={"tensor": 2}),
        "topology": a_service(QWEN, template={"resources": {"cpu": "9"}}),
        "hardware": a_service(QWEN, hardware={"nodeSelector": {"zone": "a"}}),
        "context": a_service(QWEN, context={"maxSequences": 3}),
        "engine": a_service(QWEN, auth={"apiKeySecretRef": {"name": "k"}}),
        "replan": a_service(QWEN, replan="x"),
    }
    assert set(changed) == set(plain)
    for part, service in changed.items():
        assert [name for name, digest in parts_of(service) if digest != plain[name]] == [part]


def test_another_description_of_the_model_is_another_model() -> None:
    assert dict(parts_of(a_service(QWEN, model_digest="1")))["model"] != dict(parts_of(a_service(QWEN)))["model"]


def test_a_newer_default_is_told_and_not_taken() -> None:
    older = replace(RECORD.plan, backend_version="0.18.0")
    assert "0.23.0 available" in "\n".join(notices(older))
    assert list(notices(RECORD.plan)) == []
    assert "no longer knows gone" in "\n".join(notices(replace(RECORD.plan, backend="gone")))


def test_a_record_of_an_earlier_version_lacks_what_was_added_since_and_is_the_same_plan() -> None:
    kept = json.loads(dump(RECORD))
    for added in ("avoided_labels", "slice_mib"):
        del kept["plan"][added]
    assert load(json.dumps(kept)) == RECORD
