"""What an earlier plan fixes: every value the spec leaves open stays as decided until its part of the spec changes.

Rule: a pin holds while the part of the spec behind it has the same digest; the annotation that asks for a fresh plan
releases all. Where pins no longer give a legal plan they are released from the innermost: sizes, then context, then
product, then engine.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Any

from npuserve.engines.contract import ContextWindow, Parallelism
from npuserve.plan.plan import Record
from npuserve.plan.service import Service


@dataclass(frozen=True, slots=True)
class Pins:
    """Values of the earlier plan that this one keeps; empty ones are open."""

    product: str = ""
    resource: str = ""
    engine: str = ""
    version: str = ""
    image: str = ""
    parallelism: Parallelism | None = None
    context: ContextWindow | None = None


def parts_of(service: Service) -> tuple[tuple[str, str], ...]:
    """A digest for each part of the spec that the plan reads, by name.

    Replicas, labels and annotations are not among them.
    """
    spec = service.spec.to_wire()
    hardware = dict(spec.get("hardware", {}))
    template = spec.get("template", {})
    parts: dict[str, Any] = {
        "model": [spec.get("model"), spec.get("quantization"), service.model_digest],
        "backend": spec.get("backend"),
        "version": spec.get("backendVersion"),
        "sizes": [hardware.pop("devices", None), spec.get("parallelism")],
        "topology": [hardware.pop("topology", None), template.get("resources")],
        "hardware": [hardware, template.get("tolerations"), template.get("nodeAffinity")],
        "context": spec.get("context"),
        "engine": [spec.get("engineArgs"), spec.get("auth"), template.get("env")],
        "replan": service.replan,
    }
    return tuple((name, _digest(value)) for name, value in parts.items())


def _digest(value: Any) -> str:
    return blake2b(json.dumps(value, sort_keys=True, separators=(",", ":")).encode(), digest_size=8).hexdigest()


def pins_to_try(previous: Record | None, parts: tuple[tuple[str, str], ...]) -> Iterator[Pins]:
    """The pins of the earlier plan, then fewer and fewer, at last none."""
    if previous is not None and (pins := _pins(previous, dict(parts))) != Pins():
        looser = (
            pins,
            replace(pins, parallelism=None),
            replace(pins, parallelism=None, context=None),
            replace(pins, parallelism=None, context=None, product="", resource="", image=""),
        )
        yield from dict.fromkeys(looser)
    yield Pins()


def _pins(previous: Record, parts: Mapping[str, str]) -> Pins:
    earlier, plan = dict(previous.parts), previous.plan
    same = {name for name, digest in parts.items() if earlier.get(name) == digest}
    if "replan" not in same:
        return Pins()
    keeps_product, keeps_engine = "hardware" in same, "backend" in same
    keeps_version = keeps_engine and "version" in same
    keeps_model = "model" in same
    return Pins(
        product=plan.product if keeps_product else "",
        resource=plan.resource_name if keeps_product else "",
        engine=plan.backend if keeps_engine else "",
        version=plan.backend_version if keeps_version else "",
        image=plan.image if keeps_product and keeps_version else "",
        parallelism=plan.parallelism if keeps_model and "sizes" in same else None,
        context=plan.context if keeps_model and "context" in same else None,
    )
