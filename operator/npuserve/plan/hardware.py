"""Which products of the cluster a service may run on: the pools of nodes that its hardware fields leave.

Rule: a named product means its row (or all rows that begin with the name), on nodes that can be that row; without a
name a node is the first row it can be, which is the one with the least memory. Nodes with taints that the service does
not tolerate, and nodes that share devices by percentage, are left out.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import cast

from npuserve import chips
from npuserve.api.conditions import Reason
from npuserve.api.hardware import Hardware
from npuserve.api.template import NodeRequirement, Template, Toleration
from npuserve.chips import Product
from npuserve.cluster.facts import ClusterFacts, NodeFacts, Taint
from npuserve.cluster.flavours import FAMILIES, Flavour, of_family
from npuserve.cluster.nodes import TELLING_LABELS
from npuserve.configuration import Profile
from npuserve.plan.plan import Refusal

_TRANSIENT_TAINT = "node.kubernetes.io/"
"""Taints that the cluster itself puts on and takes off; they say nothing of what a node is."""


@dataclass(frozen=True, slots=True)
class Pool:
    """Nodes that offer one product under one resource name."""

    product: Product
    resource: str
    flavour: Flavour
    nodes: tuple[NodeFacts, ...]

    @property
    def largest(self) -> int:
        """Devices of the largest node; what the product's servers have where nodes are unknown."""
        return max((node.devices for node in self.nodes), default=self.product.largest_node())

    @property
    def chip(self) -> str:
        return next((node.chip for node in self.nodes if node.chip), "")

    @property
    def certain(self) -> bool:
        return all(node.certain for node in self.nodes)

    def telling_labels(self) -> dict[str, str]:
        """Labels that every node of the pool carries with one value and that keep replicas off nodes of other products."""
        return _common(self.nodes, (*TELLING_LABELS, *(key for key, _ in self.flavour.node_labels)))

    def reason(self) -> str:
        count = f"{len(self.nodes)} node{'s' * (len(self.nodes) != 1)}" if self.nodes else "nodes unknown"
        return f"hardware: {self.product.id}, {count} offering {self.resource} ({self.flavour.name})"


def narrowed(hardware: Hardware, profile: Profile) -> Hardware:
    """The wish within the nodes that the namespace's profile leaves; its selector does not yield to a service's."""
    if not profile.node_selector:
        return hardware
    return hardware.model_copy(update={"node_selector": {**hardware.node_selector, **profile.node_selector}})


def pools(hardware: Hardware, template: Template, cluster: ClusterFacts) -> tuple[Pool, ...] | Refusal:
    """The pools a service may use, in the order of the product table; never empty.

    Remembered in the cluster's memo: most services ask alike.
    """
    asked = (
        hardware.product,
        hardware.chip,
        hardware.resource_name,
        tuple(sorted(hardware.node_selector.items())),
        template.tolerations,
        template.node_affinity,
    )
    found = cluster.memo.get(asked)
    if found is None:
        found = cluster.memo[asked] = _pools(hardware, template, cluster)
    return cast("tuple[Pool, ...] | Refusal", found)


def _pools(hardware: Hardware, template: Template, cluster: ClusterFacts) -> tuple[Pool, ...] | Refusal:
    rows = _rows(hardware)
    if isinstance(rows, Refusal):
        return rows
    if not cluster.known and not cluster.nodes:
        return (
            tuple(_unseen(row, cluster, hardware.resource_name) for row in rows if hardware.product) or _nothing_known()
        )
    nodes = tuple(node for node in cluster.nodes if _suits(node, hardware, template))
    named = bool(hardware.product or hardware.chip)
    found = tuple(pool for row in rows for pool in _of_row(row, nodes, cluster, named=named))
    return found or _no_nodes(hardware, cluster)


def _rows(hardware: Hardware) -> tuple[Product, ...] | Refusal:
    rows = chips.find(hardware.product) if hardware.product else chips.PRODUCTS
    if not rows:
        near = difflib.get_close_matches(hardware.product, [row.id for row in chips.PRODUCTS], n=3, cutoff=0.5)
        return Refusal(
            Reason.UNKNOWN_HARDWARE,
            "spec.hardware.product",
            f"no product is called {hardware.product!r}; {_near(near)}",
        )
    if not hardware.chip:
        return rows
    carrying = tuple(row for row in chips.with_chip(hardware.chip) if row in rows)
    if carrying:
        return carrying
    return Refusal(
        Reason.UNKNOWN_HARDWARE,
        "spec.hardware.chip",
        f"{hardware.product or 'no product'} has no chip {hardware.chip!r}; "
        f"{'it has' if hardware.product else 'chips:'} {', '.join(dict.fromkeys(chip for row in rows for chip in row.chips))}",
    )


def _near(names: Iterable[str]) -> str:
    found = list(names)
    return f"nearest: {', '.join(found)}" if found else f"products: {', '.join(row.id for row in chips.PRODUCTS)}"


def _suits(node: NodeFacts, hardware: Hardware, template: Template) -> bool:
    return (
        not node.shares_devices
        and (not hardware.resource_name or node.resource == hardware.resource_name)
        and (not hardware.chip or not node.chip or node.chip == chips.chip_name(hardware.chip))
        and node.carries(hardware.node_selector)
        and all(_tolerated(taint, template.tolerations) for taint in node.taints)
        and all(_meets(node.labels, requirement) for requirement in template.node_affinity)
    )


def _tolerated(taint: Taint, tolerations: tuple[Toleration, ...]) -> bool:
    if taint.key.startswith(_TRANSIENT_TAINT):
        return True
    return any(
        (not item.key or item.key == taint.key)
        and (item.operator == "Exists" or item.value == taint.value)
        and (item.effect is None or item.effect == taint.effect)
        for item in tolerations
    )


def _meets(labels: Mapping[str, str], requirement: NodeRequirement) -> bool:
    value = labels.get(requirement.key)
    match requirement.operator:
        case "In":
            return value in requirement.values
        case "NotIn":
            return value not in requirement.values
        case "Exists":
            return value is not None
        case "DoesNotExist":
            return value is None
        case "Gt" | "Lt":
            return _compares(value, requirement)


def _compares(value: str | None, requirement: NodeRequirement) -> bool:
    if value is None or not value.lstrip("-").isdigit() or not requirement.values:
        return False
    limit = requirement.values[0]
    if not limit.lstrip("-").isdigit():
        return False
    return int(value) > int(limit) if requirement.operator == "Gt" else int(value) < int(limit)


def _of_row(row: Product, nodes: tuple[NodeFacts, ...], cluster: ClusterFacts, *, named: bool) -> Iterable[Pool]:
    mine = [node for node in nodes if (row.id in node.products if named else node.products[0] == row.id)]
    for resource, family in dict.fromkeys((node.resource, node.family) for node in mine):
        members = tuple(node for node in mine if node.resource == resource and node.family == family)
        strangers = [node for node in cluster.nodes if node.resource == resource and row.id not in node.products]
        for group in _told_apart(members, strangers):
            yield Pool(row, resource, of_family(family, cluster.flavour), group)


def _told_apart(members: tuple[NodeFacts, ...], strangers: list[NodeFacts]) -> Iterable[tuple[NodeFacts, ...]]:
    """All members where the labels they share keep replicas off the strangers, else groups of members with the same
    labels."""
    shared = _common(members, TELLING_LABELS)
    if not any(node.carries(shared) for node in strangers):
        return (members,)
    groups: dict[tuple[str | None, ...], list[NodeFacts]] = {}
    for node in members:
        groups.setdefault(tuple(node.labels.get(key) for key in TELLING_LABELS), []).append(node)
    return map(tuple, groups.values())


def _common(nodes: tuple[NodeFacts, ...], keys: tuple[str, ...]) -> dict[str, str]:
    """The labels among `keys` that all nodes carry with one value."""
    values = {key: {node.labels.get(key, "") for node in nodes} for key in keys}
    return {key: found.pop() for key, found in values.items() if len(found) == 1 and found != {""}}


def _unseen(row: Product, cluster: ClusterFacts, resource: str) -> Pool:
    flavours = [of_family(family, cluster.flavour) for family in FAMILIES if row.resource_for(family)]
    chosen = next((flavour for flavour in flavours if flavour.name == cluster.flavour), flavours[0])
    return Pool(row, resource or row.resource_for(chosen.family)[0], chosen, ())


def _nothing_known() -> Refusal:
    return Refusal(
        Reason.NO_MATCHING_NODES,
        "spec.hardware.product",
        "the operator may not read nodes and its configuration lists no hardware for this namespace; name spec.hardware.product, "
        "or have the platform team fill profiles[].hardware",
    )


def _no_nodes(hardware: Hardware, cluster: ClusterFacts) -> Refusal:
    offered = dict.fromkeys(node.products[0] for node in cluster.nodes)
    there = f"the cluster offers {', '.join(offered)}" if offered else "no node of the cluster offers NPUs"
    wishes = {"product": hardware.product, "chip": hardware.chip, "resourceName": hardware.resource_name}
    asked = [(key, f"{key} {value!r}") for key, value in wishes.items() if value]
    asked += [("nodeSelector", f"nodeSelector {key}={value}") for key, value in sorted(hardware.node_selector.items())]
    field = f"spec.hardware.{asked[0][0]}" if asked else "spec.hardware.product"
    wanted = (
        f"no node matches {', '.join(told for _, told in asked)}"
        if asked
        else "no node can be used without tolerations or node affinity"
    )
    return Refusal(Reason.NO_MATCHING_NODES, field, f"{wanted}; {there}")
