"""Which products of the cluster a service may run on: the pools of nodes that its hardware fields leave.

Rule: a named product means its row (or all rows that begin with the name), on nodes that can be that row; without a
name a node is the first row it can be, which is the one with the least memory. Nodes with taints that the service does
not tolerate, and nodes that share devices by percentage, are left out; replicas are kept off the latter, because the same
resource means a percentage there.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import cast

from npuserve import chips
from npuserve.api.conditions import Reason
from npuserve.api.hardware import Hardware
from npuserve.api.template import Template
from npuserve.chips import Product, Slice
from npuserve.cluster.facts import ClusterFacts, NodeFacts
from npuserve.cluster.flavours import FAMILIES, SHARED, Flavour, of_family
from npuserve.cluster.nodes import TELLING_LABELS, TYPE_LABEL, told_memory
from npuserve.configuration import Profile
from npuserve.plan.plan import Refusal
from npuserve.plan.suitability import suits


@dataclass(frozen=True, slots=True)
class Pool:
    """Nodes that offer one product under one resource name."""

    product: Product
    resource: str
    flavour: Flavour
    nodes: tuple[NodeFacts, ...]
    avoided: tuple[tuple[str, str], ...] = ()
    """Labels of nodes that offer the resource and must not be used."""
    part: Slice | None = None
    """The part of one device that a replica gets; None: whole devices."""

    @property
    def request_sizes(self) -> tuple[int, ...]:
        """Devices that a replica may ask for on these nodes."""
        return tuple(size for size in self.product.sizes_for(self.flavour.family) if size <= self.largest)

    @property
    def largest(self) -> int:
        """Devices of the largest node; what the product's servers have where nodes are unknown."""
        if self.part is not None:
            return 1
        return max((node.devices for node in self.nodes), default=self.product.largest_node())

    @property
    def chip(self) -> str:
        return next((node.chip for node in self.nodes if node.chip), "")

    @property
    def certain(self) -> bool:
        return all(node.certain for node in self.nodes)

    def telling_labels(self) -> dict[str, str]:
        """Labels that every node of the pool carries with one value and that keep replicas off nodes of other products."""
        shape = {TYPE_LABEL: self.product.accelerator_types[0]} if _selects_shape(self.product, self.flavour) else {}
        return shape | _common(self.nodes, (*TELLING_LABELS, *(key for key, _ in self.flavour.node_labels)))

    def reason(self) -> str:
        count = f"{len(self.nodes)} node{'s' * (len(self.nodes) != 1)}" if self.nodes else "nodes unknown"
        part = f", {self.part.mib} MiB of one device ({self.part.name})" if self.part else ""
        return f"hardware: {self.product.id}, {count} offering {self.resource} ({self.flavour.name}){part}"


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
    nodes = tuple(node for node in cluster.nodes if suits(node, hardware, template))
    named = bool(hardware.product or hardware.chip)
    found = tuple(pool for row in rows for pool in _of_row(row, nodes, cluster, named=named))
    return found or _shapeless(rows, nodes, cluster) or _no_nodes(hardware, cluster)


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


def _of_row(row: Product, nodes: tuple[NodeFacts, ...], cluster: ClusterFacts, *, named: bool) -> Iterable[Pool]:
    mine = [node for node in nodes if (row.id in node.products if named else node.products[0] == row.id)]
    for resource, family in dict.fromkeys((node.resource, node.family) for node in mine):
        flavour = of_family(family, cluster.flavour)
        members = tuple(
            node
            for node in mine
            if node.resource == resource and node.family == family and _tells_shape(node, row, flavour)
        )
        offering = [node for node in cluster.nodes if node.resource == resource]
        strangers = [node for node in offering if row.id not in node.products]
        avoided = (SHARED,) if any(node.shares_devices for node in offering) else flavour.avoids
        for group in _told_apart(members, strangers) if members else ():
            yield Pool(_with_told_memory(row, group), resource, flavour, group, avoided)


def _with_told_memory(row: Product, nodes: tuple[NodeFacts, ...]) -> Product:
    """A row whose memory no source states, with the least that its nodes state."""
    told = [told_memory(node.labels) for node in nodes]
    known = [gib for gib in told if gib is not None]
    return row.with_memory(min(known)) if row.memory_gib is None and len(known) == len(nodes) else row


def _selects_shape(row: Product, flavour: Flavour) -> bool:
    return flavour.shape == "label" and bool(row.accelerator_types)


def _tells_shape(node: NodeFacts, row: Product, flavour: Flavour) -> bool:
    """Whether the scheduler can learn the server's shape from the node; declared nodes, which have no labels, are
    believed."""
    return not _selects_shape(row, flavour) or not node.labels or node.labels.get(TYPE_LABEL) in row.accelerator_types


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
    return Pool(row, resource or row.resource_for(chosen.family)[0], chosen, (), chosen.avoids)


def _nothing_known() -> Refusal:
    return Refusal(
        Reason.NO_MATCHING_NODES,
        "spec.hardware.product",
        "the operator may not read nodes and its configuration lists no hardware for this namespace; name spec.hardware.product, "
        "or have the platform team fill profiles[].hardware",
    )


def _shapeless(rows: tuple[Product, ...], nodes: tuple[NodeFacts, ...], cluster: ClusterFacts) -> Refusal | None:
    """Nodes that could be used if they told the scheduler what server they are."""
    untold = [
        row
        for row in rows
        for node in nodes
        if row.id == node.products[0] and not _tells_shape(node, row, of_family(node.family, cluster.flavour))
    ]
    if not untold:
        return None
    row = untold[0]
    return Refusal(
        Reason.NO_MATCHING_NODES,
        "spec.hardware.product",
        f"MindCluster before 7.3 learns the shape of a server from the node label {TYPE_LABEL}, which no {row.id} node carries; have the platform "
        f"team set {TYPE_LABEL}={row.accelerator_types[0]} on them, or flavour: mindcluster-volcano where MindCluster is newer",
    )


def _no_nodes(hardware: Hardware, cluster: ClusterFacts) -> Refusal:
    offered = dict.fromkeys(
        f"{node.products[0]}{' shared by percentage' * node.shares_devices}" for node in cluster.nodes
    )
    there = f"the cluster offers {', '.join(offered)}" if offered else "no node of the cluster offers NPUs"
    wishes = {"product": hardware.product, "chip": hardware.chip, "resourceName": hardware.resource_name}
    asked = [(key, f"{key} {value!r}") for key, value in wishes.items() if value]
    asked += [("nodeSelector", f"nodeSelector {key}={value}") for key, value in sorted(hardware.node_selector.items())]
    field = f"spec.hardware.{asked[0][0]}" if asked else "spec.hardware.product"
    if asked:
        wanted = f"no node matches {', '.join(told for _, told in asked)}"
    elif cluster.nodes and all(node.shares_devices for node in cluster.nodes):
        wanted = "a replica asks for whole devices, and every node shares its devices by percentage"
    else:
        wanted = "no node can be used without tolerations or node affinity"
    return Refusal(Reason.NO_MATCHING_NODES, field, f"{wanted}; {there}")
