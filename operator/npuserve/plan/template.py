"""Which additions to its replicas a service may make.

Rule: nothing that schedulers, device plugins or the operator act on, and nothing that the configuration keeps closed.
Keys that MindCluster acts on: MC:docs/en/scheduling/api/k8s.md and volcano.md; a product's own marks are in its row of
the product table.
"""

from __future__ import annotations

from collections.abc import Iterator

from npuserve.api.conditions import Reason
from npuserve.api.template import NodeRequirement, Template, Toleration
from npuserve.chips import PRODUCTS
from npuserve.configuration import Allow
from npuserve.plan.plan import Refusal

_RESERVED_DOMAINS = (
    "npuserve.io",
    "kubernetes.io",
    "k8s.io",
    "huawei.com",
    "hami.io",
    "volcano.sh",
    "hccl",
    "mind-cluster",
)
"""Domains whose keys, and those of whose subdomains, are acted on by the cluster."""
_INJECTORS = ("sidecar.istio.io", "vault.hashicorp.com", "linkerd.io", "config.linkerd.io")
"""Domains whose annotations make an injector add containers and volumes; leaving a mesh is open to everyone."""
_LEAVES_A_MESH = frozenset(("sidecar.istio.io/inject", "linkerd.io/inject"))
_RESERVED_KEYS = frozenset(
    (
        "ring-controller.atlas", "fault-scheduling", "fault-retry-times", "pod-rescheduling", "subHealthyStrategy",
        "distributed", "deploy-name", "inferserviceid", "sp-block", "sp-fit", "super-pod-id", "predicate-time",
    )
) | {key for product in PRODUCTS for key, _ in product.pod_labels}  # fmt: skip


def reserved_template_key(key: str) -> bool:
    """Whether a label or annotation of replicas is not the user's to set."""
    domain, slash, _ = key.rpartition("/")
    if not slash:
        return key in _RESERVED_KEYS
    if domain in _INJECTORS:
        return key not in _LEAVES_A_MESH
    return any(domain == reserved or domain.endswith(f".{reserved}") for reserved in _RESERVED_DOMAINS)


def template_refusal(template: Template, allow: Allow) -> Refusal | None:
    """The first thing in the template that is not allowed, with the way out; None when all of it is."""
    return next(_refusals(template, allow), None)


def _refusals(template: Template, allow: Allow) -> Iterator[Refusal]:
    yield from _reserved("spec.template.labels", template.labels)
    yield from _reserved("spec.template.annotations", template.annotations)
    for index, toleration in enumerate(template.tolerations):
        yield from _toleration(f"spec.template.tolerations[{index}]", toleration, allow)
    yield from _priority_class(template.priority_class_name, allow)
    for index, requirement in enumerate(template.node_affinity):
        yield from _requirement(f"spec.template.nodeAffinity[{index}]", requirement, allow)


def _reserved(field: str, added: dict[str, str]) -> Iterator[Refusal]:
    for key in added:
        if reserved_template_key(key):
            yield _forbidden(field, f"{key!r} is acted on by the operator, a scheduler or a device plugin; remove it")


def _toleration(field: str, item: Toleration, allow: Allow) -> Iterator[Refusal]:
    if item.operator == "Exists" and item.value:
        yield _invalid(field, f"operator Exists compares no value; remove value {item.value!r} or use Equal")
    if not item.key and item.operator == "Equal":
        yield _invalid(field, "operator Equal needs a key; name the key of the taint")
    if item.toleration_seconds is not None and item.effect != "NoExecute":
        yield _invalid(field, "tolerationSeconds applies to effect NoExecute only; remove it or set that effect")
    if not any(_opens(allowed.key, allowed.value, item) for allowed in allow.tolerations):
        opened = ", ".join(f"{it.key}={it.value}" if it.value else it.key for it in allow.tolerations)
        yield _forbidden(field, f"the key {item.key or '(every key)'} {_closed('allow.tolerations', opened)}")


def _opens(key: str, value: str, item: Toleration) -> bool:
    """Whether an allowed key and value cover the toleration; one that takes any value is wider than one allowed value."""
    return bool(key) and key == item.key and (not value or (item.operator == "Equal" and item.value == value))


def _priority_class(name: str, allow: Allow) -> Iterator[Refusal]:
    if name and name not in allow.priority_class_names:
        closed = _closed("allow.priorityClassNames", ", ".join(allow.priority_class_names))
        yield _forbidden("spec.template.priorityClassName", f"{name!r} {closed}")


def _requirement(field: str, item: NodeRequirement, allow: Allow) -> Iterator[Refusal]:
    match item.operator:
        case "In" | "NotIn" if not item.values:
            yield _invalid(field, f"operator {item.operator} needs at least one value; add it to values")
        case "Exists" | "DoesNotExist" if item.values:
            yield _invalid(field, f"operator {item.operator} compares no values; remove values")
        case "Gt" | "Lt" if len(item.values) != 1 or not item.values[0].lstrip("-").isdecimal():
            yield _invalid(field, f"operator {item.operator} needs exactly one whole number in values")
        case _:
            pass
    if item.key not in allow.node_affinity_keys:
        closed = _closed("allow.nodeAffinityKeys", ", ".join(allow.node_affinity_keys))
        yield _forbidden(field, f"the label {item.key} {closed}")


def _closed(setting: str, opened: str) -> str:
    where = f"is not in {setting} of the operator's configuration, which opens {opened or 'nothing'}"
    return f"{where}; remove it, or ask the platform team to add it"


def _forbidden(field: str, message: str) -> Refusal:
    return Refusal(Reason.FORBIDDEN_TEMPLATE, field, message)


def _invalid(field: str, message: str) -> Refusal:
    return Refusal(Reason.INVALID_SPEC, field, message)
