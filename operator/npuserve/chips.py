"""Which NPU products exist, and what each means for a plan: one row per product id.

Hardware identity is (chip, memory per device): products that share both share plans. A *device* is what one unit of the
resource is: on A3 a die, on 300I Duo one of the card's two chips. `usable_mib` is what torch_npu reports as total
memory (60.96 GiB measured on 64 GiB A2 and A3 devices, other sizes scaled by the same 0.9525), the figure that an
engine's utilization applies to; npu-smi shows more. Rows whose memory no source states carry None; they are planned for
where the nodes' labels state it, and refused with that reason elsewhere.

Sources: MC = Ascend/mind-cluster, HDP = Project-HAMi/ascend-device-plugin, VA = vllm-project/vllm-ascend.
MC:docs/en/scheduling/api/k8s.md and volcano.md (names, request sizes, policies), HDP:ascend-device-configmap.yaml (HAMi
names, memory), Project-HAMi/HAMi:pkg/device/ascend/device.go (whole pairs of dies, templates of parts),
VA:docs/source/getting_started/installation.md (image suffixes), VA#4148 and #8746 (memory shown by npu-smi).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

MIB = 1024 * 1024
_VISIBLE = 0.9525
"""Share of the nominal memory that torch_npu reports."""


@dataclass(frozen=True, slots=True)
class Slice:
    """A part of a device that HAMi hands out: the name of its template and its memory."""

    name: str
    mib: int

    @property
    def usable_mib(self) -> int:
        """What torch_npu shows of it, in proportion to whole devices; measured by nobody."""
        return round(self.mib * _VISIBLE)


@dataclass(frozen=True, slots=True)
class Product:
    """One row: a server or card product with one memory size."""

    id: str
    generation: str
    """The SoC family that images and engines are built for."""
    chips: tuple[str, ...]
    """Different chips that the row is sold with."""
    memory_gib: int | None
    usable_mib: int | None
    dtypes: tuple[str, ...]
    devices_per_node: tuple[int, ...]
    request_sizes: tuple[int, ...]
    """Devices of one server that work together without leaving part of its interconnect to others; MindCluster's
    scheduler gives no other numbers."""
    resource: str
    """MindCluster's name of the resource."""
    hami_resources: tuple[str, ...] = ()
    hami_request_sizes: tuple[int, ...] = ()
    """Request sizes under HAMi where they are others."""
    cce_resource: str = ""
    policy: str = ""
    """MindCluster's huawei.com/schedule_policy (release 7.3.0 and newer)."""
    accelerator_types: tuple[str, ...] = ()
    """Values of the node label accelerator-type (MindCluster up to 26.0)."""
    card_label: str = ""
    """Value of the node label infer-card-type."""
    usage_label: str = ""
    """Value of the node label server-usage that marks this row among rows of one chip."""
    labelled: bool = False
    """Assumed only of nodes whose labels say so, because plainer rows share its resource."""
    pod_labels: tuple[tuple[str, str], ...] = ()
    spellings: tuple[str, ...] = ()
    """Other names that labels and tools show for the row's one chip; one that ends in _93 stands for all that begin so.
    """
    image_suffix: str | None = ""
    devices_per_card: int = 1
    devices_per_numa_node: int | None = None
    """Devices that share a NUMA node of the host, where dumps of `npu-smi info -t topo` agree (modelscope/swift:docs).
    """
    numa_nodes: int | None = None
    """NUMA nodes of the host: four Kunpeng 920 with two each (VA#2999)."""
    tera_operations: float = 70
    """Dense operations a second of one device at 16 bits, in 10^12: an estimate that still wants a source; only
    `npuserve simulate` reads it."""
    terabytes: float = 0.204
    """Bytes of device memory read a second, in 10^12: likewise."""
    cost: int = 50
    """Order in which products that fit equally well are taken: lower first.

    Our own order: older and smaller parts first.
    """

    @property
    def usable_bytes(self) -> int | None:
        return None if self.usable_mib is None else self.usable_mib * MIB

    def with_memory(self, gib: int) -> Product:
        """The row with the memory that its nodes state."""
        return replace(self, memory_gib=gib, usable_mib=round(gib * 1024 * _VISIBLE))

    def resource_for(self, family: str) -> tuple[str, ...]:
        """The names under which a device plugin family offers this product."""
        names = {
            "mindcluster": (self.resource,),
            "hami": self.hami_resources,
            "cce": (self.cce_resource,) if self.cce_resource else (),
        }
        return names.get(family, ())

    def sizes_for(self, family: str) -> tuple[int, ...]:
        """Devices that one replica may ask for under a device plugin family."""
        return (family == "hami" and self.hami_request_sizes) or self.request_sizes

    def largest_node(self) -> int:
        return max(self.devices_per_node, default=0)


_ANY_TO_8 = (1, 2, 3, 4, 5, 6, 7, 8)
_PAIRS_TO_16 = (1, 2, 4, 6, 8, 10, 12, 14, 16)
_PLAIN = ("float16", "bfloat16")
_950 = ("float16", "bfloat16", "float8", "float4")
_CCE_910 = "huawei.com/ascend-1980"

_A2 = Product(
    id="", generation="A2", chips=(), memory_gib=64, usable_mib=62423, dtypes=_PLAIN, devices_per_node=(8,), request_sizes=_ANY_TO_8,
    resource="huawei.com/Ascend910", cce_resource=_CCE_910, policy="chip8-node8", accelerator_types=("module-910b-8",), cost=30,
    devices_per_numa_node=2, numa_nodes=8, tera_operations=313, terabytes=1.6,
)  # fmt: skip
_A3 = Product(
    id="", generation="A3", chips=("910C",), spellings=("Ascend910_93", "Ascend910"), memory_gib=64, usable_mib=62423, dtypes=_PLAIN, devices_per_node=(16,),
    request_sizes=_PAIRS_TO_16, resource="huawei.com/Ascend910", hami_resources=("huawei.com/Ascend910C",), hami_request_sizes=_PAIRS_TO_16[1:], cce_resource=_CCE_910,
    policy="chip2-node16", accelerator_types=("module-a3-16",), image_suffix="-a3", devices_per_card=2, cost=40,
    tera_operations=376, terabytes=1.6,
)  # fmt: skip
_310P = Product(
    id="", generation="310P", chips=("310P3", "310P"), memory_gib=24, usable_mib=20504, dtypes=("float16",), devices_per_node=(2, 4, 6, 8),
    request_sizes=_ANY_TO_8, resource="huawei.com/Ascend310P", hami_resources=("huawei.com/Ascend310P",), image_suffix="-310p",
    pod_labels=(("ring-controller.atlas", "ascend-310P"),), cost=10,
)  # fmt: skip
_DUO = replace(
    _310P,
    card_label="card-300i-duo",
    devices_per_card=2,
    pod_labels=(*_310P.pod_labels, ("duo", "true"), ("npu-310-strategy", "chip")),
)
_950DT = Product(
    id="", generation="950", chips=("Ascend950DT",), memory_gib=96, usable_mib=None, dtypes=_950, devices_per_node=(8,), request_sizes=(1, 2, 4, 8),
    resource="huawei.com/npu", policy="chip8-node8", image_suffix="-a5", tera_operations=500, terabytes=1.6, cost=60,
)  # fmt: skip
_950PR = replace(_950DT, chips=("Ascend950PR",), memory_gib=None, devices_per_node=(8, 16), image_suffix=None)

PRODUCTS: tuple[Product, ...] = (
    replace(_A2, id="Atlas 800I A2 64G", chips=("910B4-1", "910B3"), usage_label="infer",
            hami_resources=("huawei.com/Ascend910B4-1", "huawei.com/Ascend910B3")),
    replace(_A2, id="Atlas 800I A2 32G", chips=("910B4",), memory_gib=32, usable_mib=31212, usage_label="infer", cost=20,
            hami_resources=("huawei.com/Ascend910B4",)),
    replace(_A2, id="Atlas 800T A2 64G", chips=("910B1", "910B2", "910B2C", "910B3"),
            hami_resources=("huawei.com/Ascend910B2", "huawei.com/Ascend910B3")),
    replace(_A2, id="Atlas 200I A2 Box", labelled=True, devices_per_numa_node=None, chips=("910B",), memory_gib=None, usable_mib=None),
    replace(_A2, id="Atlas 200I A2 Box16", labelled=True, devices_per_numa_node=None, chips=("910B",), memory_gib=None, usable_mib=None, devices_per_node=(16,),
            request_sizes=(*_ANY_TO_8, 10, 12, 14, 16), policy="chip8-node16", accelerator_types=("module-910b-16",)),
    replace(_A2, id="Atlas 300I A2 32G", labelled=True, devices_per_numa_node=None, chips=("910B4",), memory_gib=32, usable_mib=31212, devices_per_node=_ANY_TO_8, policy="",
            accelerator_types=("card-910b-infer",), cost=20),
    replace(_A2, id="Atlas 300I A2 64G", labelled=True, devices_per_numa_node=None, chips=("910B4-1",), devices_per_node=_ANY_TO_8, policy="", accelerator_types=("card-910b-infer",)),
    replace(_A3, id="Atlas 800I A3 64G"),
    replace(_A3, id="Atlas 800T A3 64G"),
    replace(_A3, id="Atlas 900 A3 SuperPoD 64G", labelled=True, policy="chip2-node16-sp", accelerator_types=("module-a3-16-super-pod",)),
    replace(_A3, id="Atlas 9000 A3 SuperPoD 64G", labelled=True, devices_per_node=(8,), request_sizes=(1, 2, 4, 6, 8), policy="chip2-node8-sp",
            accelerator_types=("module-a3-8-super-pod",)),
    replace(_DUO, id="Atlas 300I Duo 96G", memory_gib=48, usable_mib=41618),
    replace(_DUO, id="Atlas 300I Duo 48G"),
    replace(_310P, id="Atlas 300I Pro 24G", devices_per_node=_ANY_TO_8),
    replace(_310P, id="Atlas 300V Pro 48G", devices_per_node=_ANY_TO_8, memory_gib=48, usable_mib=41618),
    replace(_310P, id="Atlas 300V Pro 24G", devices_per_node=_ANY_TO_8),
    replace(_310P, id="Atlas 300V 24G", devices_per_node=_ANY_TO_8),
    replace(_310P, id="Atlas 200I SoC A1", labelled=True, chips=("310P",), memory_gib=None, usable_mib=None, devices_per_node=(1,), request_sizes=(1,)),
    replace(_950PR, id="Atlas 350", labelled=True, request_sizes=tuple(range(1, 17)), policy="chip1-node8", accelerator_types=("350-Atlas-8", "350-Atlas-16")),
    replace(_950PR, id="Atlas 350 4-mesh", labelled=True, request_sizes=(1, 2, 3, 4, 8, 12, 16), policy="chip4-node8",
            accelerator_types=("350-Atlas-4p-8", "350-Atlas-4p-16")),
    replace(_950DT, id="Atlas 850 96G", usable_mib=93634, accelerator_types=("850-Atlas-8p-8",)),
    replace(_950DT, id="Atlas 850 SuperPoD 96G", labelled=True, usable_mib=93634, policy="chip8-node8-sp", accelerator_types=("850-SuperPod-Atlas-8",)),
    replace(_950DT, id="Atlas 950 SuperPoD 96G", labelled=True, usable_mib=93634, policy="chip8-node8-ra64-sp", request_sizes=_ANY_TO_8,
            accelerator_types=("950-SuperPod-Atlas-8",)),
    Product(
        id="Atlas 800 910A 32G", labelled=True, generation="910A", chips=("910A", "910ProB"), memory_gib=32, usable_mib=31212, dtypes=("float16",),
        devices_per_node=(8,), request_sizes=(1, 2, 4, 8), resource="huawei.com/Ascend910", hami_resources=("huawei.com/Ascend910A",),
        policy="chip4-node8", accelerator_types=("module",), image_suffix=None,
    ),
)  # fmt: skip

_QUARTERS_OF_64G = (Slice("vir05_1c_16g", 16384), Slice("vir10_3c_32g", 32768))

HAMI_SLICES: dict[str, tuple[Slice, ...]] = {
    "huawei.com/Ascend910A": (Slice("vir02", 2184), Slice("vir04", 4369), Slice("vir08", 8738), Slice("vir16", 17476)),
    "huawei.com/Ascend910B2": (Slice("vir03_1c_8g", 8192), Slice("vir06_1c_16g", 16384), Slice("vir12_3c_32g", 32768)),
    "huawei.com/Ascend910B3": _QUARTERS_OF_64G,
    "huawei.com/Ascend910B4-1": _QUARTERS_OF_64G,
    "huawei.com/Ascend910B4": (Slice("vir05_1c_8g", 8192), Slice("vir10_3c_16g", 16384)),
    "huawei.com/Ascend310P": (Slice("vir01", 3072), Slice("vir02", 6144), Slice("vir04", 12288)),
}
"""HAMi's templates by resource, smallest first (Project-HAMi/HAMi@4707fb02:charts/hami/templates/scheduler/
device-configmap.yaml).

910C has templates there, too, but its requests are raised to a whole pair of dies, which no template serves.
"""


def find(product: str) -> tuple[Product, ...]:
    """Rows whose id is `product`, else all rows whose id begins with it as whole words; () when none does."""
    wanted = product.casefold()
    exact = tuple(row for row in PRODUCTS if row.id.casefold() == wanted)
    return exact or tuple(row for row in PRODUCTS if row.id.casefold().startswith(wanted + " "))


def by_id(product: str) -> Product | None:
    """The row of exactly that id."""
    return next((row for row in PRODUCTS if row.id == product), None)


def with_chip(chip: str) -> tuple[Product, ...]:
    """Rows that carry a chip, whether written `910B3` or `Ascend910B3`."""
    name = chip_name(chip)
    return tuple(row for row in PRODUCTS if name in row.chips)


def chip_name(written: str) -> str:
    """The table's name of a chip as labels and users write it: `Ascend910_9391` is `910C`; as it is where no row knows
    it."""
    bare = _bare(written)
    own = next((chip for row in PRODUCTS for chip in row.chips if _bare(chip) == bare), None)
    return own or next(
        (row.chips[0] for row in PRODUCTS if any(_spells(name, bare) for name in row.spellings)), written
    )


def _bare(name: str) -> str:
    return name.casefold().removeprefix("ascend")


def _spells(spelling: str, bare: str) -> bool:
    known = _bare(spelling)
    return bare == known or (known.endswith("_93") and bare.startswith(known))
