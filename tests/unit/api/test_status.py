"""What the operator writes into the status."""

import pytest
from pydantic import ValidationError

from npuserve.api.status import (
    InferenceServiceStatus,
    PlannedMemory,
    PlannedTopology,
    PlannedVariable,
    StatusCondition,
)


def condition(**changed: object) -> StatusCondition:
    fields = {
        "type": "Ready",
        "status": "True",
        "reason": "Ready",
        "message": "",
        "observed_generation": 1,
        "last_transition_time": "2026-01-01T00:00:00Z",
    }
    return StatusCondition.model_validate({**fields, **changed})


def test_a_status_goes_out_in_camel_case_and_without_what_is_unknown() -> None:
    status = InferenceServiceStatus(observed_generation=3, conditions=(condition(),), ready_replicas=2)
    assert status.to_wire() == {
        "observedGeneration": 3,
        "conditions": [
            {
                "type": "Ready",
                "status": "True",
                "reason": "Ready",
                "message": "",
                "observedGeneration": 1,
                "lastTransitionTime": "2026-01-01T00:00:00Z",
            }
        ],
        "readyReplicas": 2,
    }


def test_a_long_message_is_cut_and_not_refused() -> None:
    message = condition(message="x" * 10_000).message
    assert len(message) == 4096
    assert message.endswith("…")


def test_a_reason_outside_camel_case_is_a_mistake_of_ours() -> None:
    with pytest.raises(ValidationError):
        condition(reason="rolling out")


def test_a_variable_from_a_secret_shows_its_name_only() -> None:
    assert PlannedVariable(name="HF_TOKEN").to_wire() == {"name": "HF_TOKEN"}


def test_processors_are_a_quantity_and_bytes_are_exact() -> None:
    assert PlannedTopology(numa="none", cpu_pinning=False, cpus="20").to_wire()["cpus"] == "20"
    memory = PlannedMemory(usable=2**36, weights=1, runtime=2, kv_cache=3, kv_cache_tokens=4, utilization="0.92")
    assert memory.to_wire()["usable"] == 2**36


def test_a_share_of_memory_above_one_is_a_mistake_of_ours() -> None:
    with pytest.raises(ValidationError):
        PlannedMemory(usable=1, weights=1, runtime=1, kv_cache=1, kv_cache_tokens=1, utilization="1.2")
