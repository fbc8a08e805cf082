"""Laws of `resolve`: what holds for every service on every cluster."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import assume, given

from npuserve import chips
from npuserve.api.crd import resource_schema
from npuserve.api.spec import InferenceServiceSpec
from npuserve.cluster.facts import ClusterFacts
from npuserve.configuration import Configuration
from npuserve.plan.plan import Plan, Record, Refusal
from npuserve.plan.record import dump, load
from npuserve.plan.resolve import resolve
from npuserve.quantity import whole
from tests.laws import strategies
from tests.laws.strategies import as_service

DEFAULTS = Configuration()


def accepted(spec: InferenceServiceSpec, cluster: ClusterFacts, configuration: Configuration = DEFAULTS) -> Plan:
    """The plan; examples that are refused are passed over."""
    found = resolve(as_service(spec, configuration), cluster, configuration, previous=None)
    assume(isinstance(found, Record))
    assert isinstance(found, Record)
    return found.plan


@given(strategies.specs(), strategies.clusters(), strategies.configurations)
def test_every_service_gets_an_answer_and_the_same_one_again(
    spec: InferenceServiceSpec, cluster: ClusterFacts, configuration: Configuration
) -> None:
    service = as_service(spec, configuration)
    answer = resolve(service, cluster, configuration, previous=None)
    assert isinstance(answer, Record | Refusal)
    assert resolve(service, replace(cluster), configuration, previous=None) == answer


@given(strategies.specs(), strategies.clusters(), strategies.configurations)
def test_every_refusal_has_a_message_and_names_a_field_of_the_resource(
    spec: InferenceServiceSpec, cluster: ClusterFacts, configuration: Configuration
) -> None:
    answer = resolve(as_service(spec, configuration), cluster, configuration, previous=None)
    assume(isinstance(answer, Refusal))
    assert isinstance(answer, Refusal)
    assert answer.message
    assert is_a_field(answer.field), answer


def is_a_field(path: str) -> bool:
    """Whether the resource has the field; below free objects and inside lists and maps any name is one."""
    schema = resource_schema()
    for step in path.replace("[", ".[").split("."):
        if schema.get("x-kubernetes-preserve-unknown-fields") or "additionalProperties" in schema or "items" in schema:
            return True
        if step not in schema.get("properties", {}):
            return False
        schema = schema["properties"][step]
    return path.startswith("spec")


@given(strategies.wishes(), strategies.clusters())
def test_a_replica_never_asks_for_more_devices_than_a_node_has(
    spec: InferenceServiceSpec, cluster: ClusterFacts
) -> None:
    plan = accepted(spec, cluster)
    fitting = [node for node in cluster.nodes if node.resource == plan.resource_name and node.devices >= plan.devices]
    assert plan.devices == plan.parallelism.devices
    assert any(node.carries(dict(plan.node_selector)) and plan.product in node.products for node in fitting)


@given(strategies.wishes(), strategies.labelled_clusters())
def test_labels_keep_replicas_off_nodes_of_other_products(spec: InferenceServiceSpec, cluster: ClusterFacts) -> None:
    plan = accepted(spec, cluster)
    open_to_it = [
        node for node in cluster.nodes if node.resource == plan.resource_name and node.carries(dict(plan.node_selector))
    ]
    assert open_to_it
    assert all(plan.product in node.products for node in open_to_it)


@given(strategies.wishes(), strategies.beside_shared)
def test_replicas_are_kept_off_nodes_that_share_devices_by_percentage(
    spec: InferenceServiceSpec, cluster: ClusterFacts
) -> None:
    plan = accepted(spec, cluster)
    open_to_it = [
        node
        for node in cluster.nodes
        if node.resource == plan.resource_name
        and node.carries(dict(plan.node_selector))
        and not any(node.labels.get(key) == value for key, value in plan.avoided_labels)
    ]
    assert open_to_it
    assert not any(node.shares_devices for node in open_to_it)


@given(strategies.parts, strategies.slicing)
def test_a_part_of_a_device_has_the_memory_that_is_asked_for_and_bounds_the_budget(
    spec: InferenceServiceSpec, cluster: ClusterFacts
) -> None:
    plan = accepted(spec, cluster)
    assert plan.devices == 1
    assert whole(spec.hardware.memory) <= plan.slice_mib * chips.MIB
    assert plan.memory.weights < plan.memory.usable < plan.slice_mib * chips.MIB


@given(strategies.likely, strategies.roomy)
def test_a_replica_asks_for_a_number_of_devices_that_the_product_gives(
    spec: InferenceServiceSpec, cluster: ClusterFacts
) -> None:
    plan = accepted(spec, cluster)
    product = chips.by_id(plan.product)
    assert product is not None
    assert plan.devices in product.request_sizes
    assert plan.dtype in product.dtypes


@given(strategies.wishes(), strategies.roomy)
def test_sizes_that_the_service_names_are_never_overridden(spec: InferenceServiceSpec, cluster: ClusterFacts) -> None:
    plan = accepted(spec, cluster)
    named, split, context = spec.parallelism, plan.parallelism, spec.context
    assert named.tensor in (None, split.tensor)
    assert named.pipeline in (None, split.pipeline)
    assert named.data in (None, split.data)
    assert named.expert in (None, split.expert > 1) or split.tensor * split.data == 1
    assert spec.hardware.devices in (None, plan.devices)
    assert context.max_model_len in (None, plan.context.max_model_len)
    assert context.max_sequences in (None, plan.context.max_sequences)
    assert spec.backend in ("auto", plan.backend)


@given(strategies.wishes(), strategies.roomy)
def test_the_budget_of_a_device_adds_up_and_holds_a_request_of_full_length(
    spec: InferenceServiceSpec, cluster: ClusterFacts
) -> None:
    memory = accepted(spec, cluster).memory
    assert memory.usable == memory.weights + memory.runtime + memory.kv_cache
    assert min(memory.weights, memory.runtime, memory.kv_cache) > 0
    assert memory.kv_cache_tokens >= accepted(spec, cluster).context.max_model_len


@given(strategies.wishes(), strategies.roomy)
def test_every_reason_says_what_it_is_about(spec: InferenceServiceSpec, cluster: ClusterFacts) -> None:
    subjects = [line.partition(": ")[0] for line in accepted(spec, cluster).reasons]
    assert {
        "backend",
        "hardware",
        "quantization",
        "dtype",
        "parallelism",
        "memory",
        "context",
        "topology",
        "timing",
    } <= {*subjects}
    assert all(subject.isalpha() for subject in subjects)


@given(strategies.likely, strategies.roomy, strategies.clusters(), strategies.configurations)
def test_an_unchanged_service_keeps_its_plan_whatever_happens_around_it(
    spec: InferenceServiceSpec, cluster: ClusterFacts, later: ClusterFacts, configuration: Configuration
) -> None:
    service = as_service(spec, DEFAULTS)
    record = resolve(service, cluster, DEFAULTS, previous=None)
    assume(isinstance(record, Record))
    assert isinstance(record, Record)
    changed = configuration.model_copy(update={"allow": DEFAULTS.allow})
    assert resolve(service, later, changed, previous=record) is record


@given(strategies.wishes(), strategies.roomy)
def test_a_record_survives_being_written_down(spec: InferenceServiceSpec, cluster: ClusterFacts) -> None:
    record = resolve(as_service(spec, DEFAULTS), cluster, DEFAULTS, previous=None)
    assume(isinstance(record, Record))
    assert isinstance(record, Record)
    assert load(dump(record)) == record


@given(strategies.json_values)
def test_text_that_is_no_record_is_none(value: object) -> None:
    assert load(strategies.readable(value)) is None
