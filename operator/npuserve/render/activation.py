"""The EndpointSlice by which the activator stands in for replicas, and how it is read.

Rule: it lies beside the slices of the Service's pods and gives the same port name another number, one per service, by
which the activator knows whom a request is for. It is there for as long as the service may be without replicas, so
that its port stays its own; it holds addresses only while requests are to come to the activator.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from npuserve.plan.activation import Holding
from npuserve.render import labels
from npuserve.render.container import PORT_NAME
from npuserve.render.names import child_name
from npuserve.render.owner import Owner, metadata


@dataclass(frozen=True, slots=True)
class Activation:
    """One service as the activator gets to know it; `since` when, as the API server wrote it down."""

    service: Owner
    port: int
    holding: Holding
    since: str = ""


@dataclass(frozen=True, slots=True)
class Answering:
    """One slice of a Service's pods: the namespace and UID of whose it is, and the address and port of each that takes
    requests."""

    service: tuple[str, str]
    replicas: tuple[tuple[str, int], ...]


def activation_slice(
    owner: Owner, backend: str, *, port: int, holding: Holding, family: str, addresses: Sequence[str]
) -> dict[str, Any]:
    """The slice; `addresses` are those of the activator, none while replicas answer. A slice keeps the family that it
    was made with."""
    marks = {
        **labels.of_child(owner, backend),
        labels.OF_SERVICE: child_name(owner.name),
        labels.SLICE_MANAGER: labels.SLICES_OF_ACTIVATOR,
    }
    notes = {
        labels.HELD_REQUESTS: str(holding.requests),
        labels.HOLD_SECONDS: str(holding.seconds),
        **({labels.MODEL: holding.model} if holding.model else {}),
    }
    ready = {"ready": True, "serving": True, "terminating": False}
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": metadata(owner, child_name(owner.name), labels=marks, annotations=notes),
        "addressType": family,
        "endpoints": [{"addresses": [address], "conditions": ready} for address in addresses],
        "ports": [{"name": PORT_NAME, "port": port, "protocol": "TCP"}],
    }


def led_to(item: Mapping[str, Any], addresses: Sequence[str]) -> dict[str, Any] | None:
    """A slice of ours as it is, but leading to these addresses; None for one that cannot be understood."""
    found = read_activation(item)
    if found is None:
        return None
    backend = item["metadata"]["labels"].get(labels.NAME, "")
    return activation_slice(
        found.service,
        backend,
        port=found.port,
        holding=found.holding,
        family=item["addressType"],
        addresses=addresses,
    )


def read_activation(item: Mapping[str, Any]) -> Activation | None:
    """What a slice says about holding requests; None for one that is not the activator's, or cannot be understood."""
    meta = item["metadata"]
    marks, notes = meta.get("labels") or {}, meta.get("annotations") or {}
    owner = next((entry for entry in meta.get("ownerReferences") or () if entry.get("controller")), None)
    port = serving_port(item)
    if marks.get(labels.SLICE_MANAGER) != labels.SLICES_OF_ACTIVATOR or owner is None or port is None:
        return None
    try:
        holding = Holding(
            requests=int(notes[labels.HELD_REQUESTS]),
            seconds=int(notes[labels.HOLD_SECONDS]),
            model=notes.get(labels.MODEL, ""),
        )
    except (KeyError, ValueError):
        return None
    service = Owner(owner["name"], meta["namespace"], owner["uid"])
    return Activation(service, port, holding, str(meta.get("creationTimestamp") or ""))


def read_answering(item: Mapping[str, Any]) -> Answering | None:
    """The replicas in a slice of a Service's pods; None for a slice of the activator or of no service.

    The namespace counts beside the UID: a label can say anything.
    """
    marks = item["metadata"].get("labels") or {}
    uid = marks.get(labels.SERVICE_UID)
    if not uid or marks.get(labels.SLICE_MANAGER) == labels.SLICES_OF_ACTIVATOR:
        return None
    port = serving_port(item)
    found = ready_addresses(item) if port is not None else ()
    service = (str(item["metadata"].get("namespace", "")), uid)
    return Answering(service, tuple((address, port) for address in found if port is not None))


def ready_addresses(item: Mapping[str, Any]) -> tuple[str, ...]:
    """One address per endpoint that takes connections: an endpoint's addresses are alternatives, and no word on whether
    it is ready means that it is (the API's own rule)."""
    return tuple(address for address, ready in known_addresses(item) if ready)


def known_addresses(item: Mapping[str, Any]) -> tuple[tuple[str, bool], ...]:
    """One address per endpoint, and whether it takes connections; what is ending is among them."""
    return tuple(
        (entry["addresses"][0], (entry.get("conditions") or {}).get("ready") is not False)
        for entry in item.get("endpoints") or ()
        if entry.get("addresses")
    )


def serving_port(item: Mapping[str, Any]) -> int | None:
    """The port of that name in a slice; None when it has none."""
    found = (entry.get("port") for entry in item.get("ports") or () if entry.get("name") == PORT_NAME)
    return next(found, None)
