"""The activator's EndpointSlice: what the operator writes is what the activator reads."""

from __future__ import annotations

from typing import Any

import pytest

from npuserve.plan.activation import Holding
from npuserve.reconcile.ownership import Ownership, ownership
from npuserve.render import labels
from npuserve.render.activation import (
    Activation,
    activation_slice,
    known_addresses,
    read_activation,
    read_answering,
    ready_addresses,
)
from npuserve.render.names import child_name
from npuserve.render.owner import Owner
from npuserve.render.service import service

OWNER = Owner("Qwen.chat" * 8, "team-a", "uid-1")
HOLDING = Holding(100, 600, "Qwen/Qwen3-8B")


def made(*addresses: str, holding: Holding = HOLDING, family: str = "IPv4") -> dict[str, Any]:
    return activation_slice(OWNER, "vllm-ascend", port=20_007, holding=holding, family=family, addresses=addresses)


@pytest.mark.parametrize("holding", [HOLDING, Holding(1, 1, "")])
@pytest.mark.parametrize("addresses", [(), ("10.0.0.1", "10.0.0.2")])
def test_what_is_written_is_read_back(holding: Holding, addresses: tuple[str, ...]) -> None:
    item = made(*addresses, holding=holding)
    assert read_activation(item) == Activation(OWNER, 20_007, holding)
    assert ready_addresses(item) == addresses
    assert read_answering(item) is None


def test_it_belongs_to_the_service_and_lies_beside_the_slices_of_its_pods() -> None:
    item, address = made("10.0.0.1"), service(OWNER, "vllm-ascend")
    assert ownership(OWNER, item) is Ownership.OURS
    assert item["metadata"]["name"] == child_name(OWNER.name)
    assert item["metadata"]["labels"][labels.OF_SERVICE] == address["metadata"]["name"]
    assert item["ports"][0]["name"] == address["spec"]["ports"][0]["targetPort"]
    assert item["metadata"]["labels"][labels.SLICE_MANAGER] != labels.SLICES_OF_PODS


def of_pods(*endpoints: dict[str, Any], port: int | None = 8000) -> dict[str, Any]:
    marks = {labels.SERVICE_UID: OWNER.uid, labels.SLICE_MANAGER: labels.SLICES_OF_PODS}
    ports = [{"name": "http", "port": port}] if port else None
    return {
        "metadata": {"namespace": OWNER.namespace, "labels": marks},
        "endpoints": list(endpoints) or None,
        "ports": ports,
    }


def test_a_replica_answers_when_it_is_ready_and_when_nothing_is_said() -> None:
    item = of_pods(
        {"addresses": ["10.0.0.1"], "conditions": {"ready": True}},
        {"addresses": ["10.0.0.2"], "conditions": {"ready": False, "serving": True, "terminating": True}},
        {"addresses": ["10.0.0.3"]},
        {"addresses": [], "conditions": {"ready": True}},
    )
    found = read_answering(item)
    assert found is not None
    assert found.service == (OWNER.namespace, OWNER.uid)
    assert found.replicas == (("10.0.0.1", 8000), ("10.0.0.3", 8000))
    assert known_addresses(item)[1] == ("10.0.0.2", False)


@pytest.mark.parametrize("item", [of_pods(), of_pods({"addresses": ["10.0.0.1"]}, port=None)])
def test_a_slice_without_endpoints_or_ports_holds_no_replica(item: dict[str, Any]) -> None:
    found = read_answering(item)
    assert found is not None
    assert found.replicas == ()


def test_a_slice_of_another_service_is_nobodys() -> None:
    assert read_answering({"metadata": {}, "endpoints": []}) is None
    assert read_activation({"metadata": {}, "endpoints": []}) is None
