"""The whole way from a service to a plan or a refusal."""

from __future__ import annotations

from dataclasses import replace

from npuserve.api.conditions import Reason
from npuserve.configuration import Configuration
from npuserve.plan.resolve import resolve
from tests.support.clusters import A2_64G, A3, DUO, a_node, cluster, named
from tests.support.services import a_service, argument, planned, refused, said

A2 = cluster(A2_64G)


def test_an_unknown_model_is_refused_with_models_that_look_like_it_and_the_way_to_describe_it() -> None:
    answer = refused(a_service("modelscope://Qwen/Qwen3-32C"), A2)
    assert (answer.reason, answer.field) == (Reason.MODEL_UNKNOWN, "spec.model")
    assert "Qwen/Qwen3-32B" in answer.message
    assert "config.json" in answer.message
    assert "namespace team-a" in answer.message


def test_the_name_of_the_model_is_the_last_part_of_its_uri_unless_it_is_given() -> None:
    assert planned(a_service("pvc://w/Qwen/Qwen3-8B"), A2).served_name == "Qwen3-8B"
    assert argument(planned(a_service(model={"servedName": "chat"}), A2), "--served-model-name") == "chat"


def test_a_chip_without_bfloat16_computes_in_float16_and_the_reason_is_told() -> None:
    plan = planned(a_service("modelscope://Qwen/Qwen3-8B"), cluster(DUO))
    assert plan.dtype == "float16"
    assert "does not compute in the model's bfloat16" in said(plan, "dtype")


def test_weights_in_float32_are_served_in_bfloat16() -> None:
    service = a_service("pvc://w/Qwen/Qwen3-8B")
    assert service.model is not None
    assert planned(replace(service, model=replace(service.model, dtype="float32")), A2).dtype == "bfloat16"


def test_without_a_cache_every_replica_downloads_into_scratch_space_and_a_reason_says_so() -> None:
    plan = planned(a_service("hf://Qwen/Qwen3-8B"), A2)
    assert plan.topology.scratch % (1 << 30) == 0
    assert plan.topology.scratch > plan.memory.weights
    assert "every replica downloads" in said(plan, "weights")


def test_with_a_cache_nothing_is_downloaded_twice() -> None:
    plan = planned(a_service("hf://Qwen/Qwen3-8B", model={"cache": {"claimName": "hub"}}), A2)
    assert plan.topology.scratch == 0
    assert said(plan, "weights") == ""


def test_the_profiles_nodes_are_the_only_ones_planned_for() -> None:
    apart = Configuration.model_validate({"profiles": [{"name": "apart", "nodeSelector": {"pool": "inference"}}]})
    inside = named(a_node(labels={"pool": "inference", "mind-cluster/npu-chip-memory": "32G"}), "inside")
    plan = planned(a_service(configuration=apart), cluster(A3, inside), apart)
    assert plan.product == "Atlas 800I A2 32G"
    assert dict(plan.node_selector)["pool"] == "inference"
    answer = refused(a_service(configuration=apart), A2, apart)
    assert (answer.reason, "pool=inference" in answer.message) == (Reason.NO_MATCHING_NODES, True)


def test_a_service_cannot_choose_its_way_out_of_its_profiles_nodes() -> None:
    apart = Configuration.model_validate({"profiles": [{"name": "apart", "nodeSelector": {"pool": "inference"}}]})
    facts = cluster(a_node(name="a", labels={"pool": "inference"}), a_node(name="b", labels={"pool": "training"}))
    plan = planned(a_service(configuration=apart, hardware={"nodeSelector": {"pool": "training"}}), facts, apart)
    assert dict(plan.node_selector)["pool"] == "inference"


def test_the_configured_scheduler_goes_before_the_flavours() -> None:
    volcano = cluster(A2_64G, flavour="mindcluster-volcano")
    assert planned(a_service(), volcano).scheduler_name == "volcano"
    assert planned(a_service(), volcano, Configuration(scheduler_name="own")).scheduler_name == "own"
    assert planned(a_service(), A2).scheduler_name == ""


def test_a_product_whose_memory_no_source_states_is_refused_by_name() -> None:
    facts = cluster(a_node("huawei.com/npu", labels={"accelerator-type": "350-Atlas-8"}))
    answer = refused(a_service(), facts)
    assert answer.reason is Reason.UNKNOWN_HARDWARE
    assert "no source states the memory of Atlas 350" in answer.message


def test_the_template_is_checked_before_anything_else() -> None:
    answer = resolve(
        a_service("s3://b/x", template={"labels": {"huawei.com/x": "y"}}), A2, Configuration(), previous=None
    )
    assert getattr(answer, "reason", None) is Reason.FORBIDDEN_TEMPLATE


def test_a_template_that_is_closed_later_is_refused_although_it_was_planned_before() -> None:
    opened = Configuration.model_validate({"allow": {"priorityClassNames": ["high"]}})
    service = a_service(template={"priorityClassName": "high"})
    record = resolve(service, A2, opened, previous=None)
    answer = resolve(service, A2, Configuration(), previous=record)  # type: ignore[arg-type]
    assert getattr(answer, "reason", None) is Reason.FORBIDDEN_TEMPLATE
