"""What the laws are tried on: services, clusters and configurations, legal and not, of every kind the API can hold."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from npuserve.api.spec import InferenceServiceSpec
from npuserve.chips import PRODUCTS, Product
from npuserve.cluster.facts import ClusterFacts
from npuserve.cluster.flavours import FLAVOURS, SHARED
from npuserve.cluster.nodes import read_node
from npuserve.configuration import Configuration
from npuserve.engines import ENGINES
from npuserve.models.catalogue import lookup, names
from npuserve.plan.description import known
from npuserve.plan.service import Service
from npuserve.plan.source import catalogue_path
from tests.cluster.nodes import A2_64G, A2_SHARED, A3, HAMI_A2, HAMI_A3, Machine

VERSIONS = ("", *(version for engine in ENGINES for version in engine.versions))
COMMON = (
    "Qwen/Qwen3-8B",
    "Qwen/Qwen3-32B",
    "Qwen/Qwen3-30B-A3B",
    "Qwen/Qwen3-235B-A22B",
    "deepseek-ai/DeepSeek-V3.1",
    "openai/gpt-oss-20b",
)
"""Drawn more often than the rest of the catalogue: a dense, three mixtures, one with latent attention, one with windows."""
SOURCES = (
    *("modelscope://{}", "pvc://weights/{}") * 3,
    *("hf://{}", "oci://registry.example.com/{}:1", "host:///data/{}", "s3://bucket/{}"),
)


def maybe(strategy: st.SearchStrategy[Any], *, empty: Any = None) -> st.SearchStrategy[Any]:
    """Mostly left open."""
    return st.one_of(st.just(empty), st.just(empty), strategy)


models = st.one_of(st.sampled_from(COMMON), st.sampled_from(names()))
sizes = st.sampled_from((1, 2, 3, 4, 5, 6, 8, 12, 16, 17, 32))
quantities = st.sampled_from(("1", "10", "500m", "1.5", "64Gi", "1e3"))
schemes = st.sampled_from(
    (
        "auto",
        "none",
        "",
        "W8A8",
        "w8a8-dynamic",
        "W4A8",
        "W4A16",
        "W8A8SC",
        "W8A8C8",
        "FP8",
        "MXFP8",
        "AWQ",
        "GGUF",
        "odd",
    )
)
backends = st.sampled_from(("auto", "auto", "", *(engine.name for engine in ENGINES), "odd"))
products = st.sampled_from(("", *(row.id for row in PRODUCTS), "Atlas 800I A2", "atlas 300i duo", "Atlas", "odd"))
arguments = st.dictionaries(
    st.sampled_from((
        "max-num-batched-tokens", "gpu-memory-utilization", "enable-prefix-caching", "no-enable-prefix-caching", "additional-config", "port",
        "compilation-config", "--Max_Num_Seqs", "speculative-config", "ScheduleConfig.maxPrefillTokens", "ScheduleConfig", "odd", "chat-template",
        "compilation-config.backend", "ModelConfig.tp",
    )),
    st.one_of(
        st.sampled_from((0, 1, 4096, 0.5, 0.9, 1.5, True, False, "4096", "x", "{}", "{{ x }}", None)),
        st.sampled_from(({"weight_nz_mode": 2}, {"backend": "x"}, {"maxPrefillBatchSize": 8}, {"odd": 1}, [1, 2], {})),
    ),
    max_size=2,
)  # fmt: skip
topologies = st.fixed_dictionaries(
    {},
    optional={
        "numa": st.sampled_from(("none", "preferred", "required")),
        "cpuPinning": st.booleans(),
        "hugepages": st.fixed_dictionaries(
            {"size": st.sampled_from(("2Mi", "1Gi", "512Mi")), "amount": st.sampled_from(("8Gi", "3Mi", "500m", 0))}
        ),
    },
)
hardware = st.fixed_dictionaries(
    {},
    optional={
        "product": products,
        "chip": st.sampled_from(("", "910B3", "Ascend910B4", "910C", "Ascend910_9391", "310P3", "odd")),
        "devices": sizes,
        "memory": st.sampled_from(("1Gi", "16Gi", "64Gi", "500m", 0)),
        "resourceName": st.sampled_from(("", "huawei.com/Ascend910", "huawei.com/odd")),
        "nodeSelector": st.dictionaries(st.sampled_from(("zone", "pool")), st.sampled_from(("a", "b")), max_size=1),
        "topology": topologies,
    },
)
parallelism = st.fixed_dictionaries(
    {}, optional={"tensor": sizes, "pipeline": sizes, "data": sizes, "expert": st.booleans()}
)
contexts = st.fixed_dictionaries(
    {},
    optional={
        "maxModelLen": st.sampled_from((1, 512, 4096, 32768, 131072, 10_000_000)),
        "maxSequences": st.sampled_from((1, 16, 64, 4096, 65536)),
    },
)
templates = st.fixed_dictionaries(
    {},
    optional={
        "labels": st.dictionaries(st.sampled_from(("team", "huawei.com/x")), st.just("a"), max_size=1),
        "resources": st.fixed_dictionaries({}, optional={"cpu": quantities, "memory": quantities}),
        "env": st.lists(
            st.sampled_from(("VLLM_LOGGING_LEVEL", "TZ", "LD_LIBRARY_PATH", "ODD", "HCCL_BUFFSIZE")),
            max_size=2,
            unique=True,
        ).map(lambda variables: [{"name": name, "value": "1"} for name in variables]),
        "tolerations": st.lists(
            st.sampled_from(({"key": "npu", "operator": "Exists"}, {"key": "odd", "value": "x"})), max_size=1
        ),
    },
)


@st.composite
def specs(draw: st.DrawFn) -> InferenceServiceSpec:
    """Anything the API accepts."""
    path = draw(models)
    scheme = draw(st.sampled_from(SOURCES))
    model = {"uri": scheme.format(path), **draw(st.fixed_dictionaries({}, optional={
        "revision": st.just("main"), "servedName": st.sampled_from(("short", "with/slash", "x" * 128)), "cache": st.just({"claimName": "cache"}),
        "secretRef": st.just({"name": "token"}),
    }))}  # fmt: skip
    wire = draw(st.fixed_dictionaries({}, optional={
        "quantization": schemes, "backend": backends, "backendVersion": st.sampled_from((*VERSIONS, "9.9")), "hardware": hardware,
        "parallelism": maybe(parallelism, empty={}), "context": maybe(contexts, empty={}), "engineArgs": maybe(arguments, empty={}),
        "auth": maybe(st.just({"apiKeySecretRef": {"name": "clients"}}), empty={}), "replicas": st.integers(0, 4), "template": maybe(templates, empty={}),
    }))  # fmt: skip
    return InferenceServiceSpec.model_validate({**wire, "model": model})


@st.composite
def wishes(draw: st.DrawFn) -> InferenceServiceSpec:
    """Specs that often become plans: known models from volumes and hubs, few wishes."""
    path, scheme = draw(models), draw(st.sampled_from(("modelscope://{}", "pvc://weights/{}")))
    wire = draw(st.fixed_dictionaries({}, optional={
        "backend": st.sampled_from(("auto", *(engine.name for engine in ENGINES))), "context": contexts, "replicas": st.integers(0, 3),
        "parallelism": st.fixed_dictionaries({}, optional={"tensor": st.sampled_from((1, 2, 4, 8)), "data": st.sampled_from((1, 2)), "expert": st.booleans()}),
        "hardware": st.fixed_dictionaries({}, optional={"devices": st.sampled_from((1, 2, 4, 8)), "memory": st.sampled_from(("8Gi", "32Gi"))}),
    }))  # fmt: skip
    return InferenceServiceSpec.model_validate({**wire, "model": {"uri": scheme.format(path)}})


likely = st.one_of(wishes(), wishes(), specs())
"""For laws about plans: mostly specs that become one."""


@st.composite
def node_objects(draw: st.DrawFn, name: str = "node", *, labelled: bool = False) -> dict[str, Any]:
    """A Node of any product under any device plugin, with all, some or none of its labels; `labelled`: all."""
    row: Product = draw(st.sampled_from(PRODUCTS))
    resource = draw(
        st.sampled_from((row.resource, *row.hami_resources, *((row.cce_resource,) if row.cce_resource else ())))
    )
    told = {
        "node.kubernetes.io/npu.chip.name": draw(st.sampled_from(row.chips)),
        "mind-cluster/npu-chip-memory": f"{row.memory_gib}G" if row.memory_gib else "",
        "accelerator-type": draw(st.sampled_from(row.accelerator_types)) if row.accelerator_types else "",
        "infer-card-type": row.card_label,
        "server-usage": row.usage_label,
        "ascend": "on" if resource in row.hami_resources else "",
        SHARED[0]: draw(st.sampled_from(("", "", "", SHARED[1]))),
    }
    kept = set(told) if labelled else draw(st.sets(st.sampled_from(sorted(told))))
    labels = {key: value for key, value in told.items() if value and key in kept}
    labels |= draw(st.dictionaries(st.sampled_from(("zone", "pool")), st.sampled_from(("a", "b")), max_size=2))
    spec = draw(
        st.fixed_dictionaries(
            {}, optional={"unschedulable": st.booleans(), "taints": st.just([{"key": "npu", "effect": "NoSchedule"}])}
        )
    )
    devices = draw(st.integers(1, max(row.devices_per_node)))
    sizes = draw(
        st.fixed_dictionaries(
            {"cpu": st.sampled_from(("8", "192", "1500m")), "memory": st.sampled_from(("32Gi", "1536Gi"))}
        )
    )
    return {
        "metadata": {"name": name, "labels": labels},
        "spec": spec,
        "status": {
            "allocatable": {resource: str(devices), "hugepages-2Mi": draw(st.sampled_from(("0", "64Gi"))), **sizes}
        },
    }


@st.composite
def clusters(draw: st.DrawFn) -> ClusterFacts:
    """Up to four nodes and what is in use on them; now and then nodes that cannot be read."""
    count = draw(st.integers(0, 4))
    nodes = tuple(facts for number in range(count) for facts in read_node(draw(node_objects(name=f"node-{number}"))))
    used = draw(
        st.dictionaries(st.sampled_from(tuple(f"node-{number}" for number in range(4))), st.integers(0, 16), max_size=4)
    )
    flavour = draw(st.sampled_from(("auto", "auto", *(row.name for row in FLAVOURS))))
    return ClusterFacts(nodes, used, known=draw(st.sampled_from((True, True, True, False))), flavour=flavour)


@st.composite
def labelled_clusters(draw: st.DrawFn) -> ClusterFacts:
    """Two to four nodes with all labels that their plugins and administrators give."""
    names_of = [f"node-{number}" for number in range(draw(st.integers(2, 4)))]
    return ClusterFacts(
        tuple(facts for name in names_of for facts in read_node(draw(node_objects(name, labelled=True))))
    )


roomy = st.builds(
    lambda node, used: ClusterFacts(read_node(node), {"node": used}),
    st.sampled_from(tuple(
        {"metadata": {"name": "node", "labels": {"node.kubernetes.io/npu.chip.name": chip, "mind-cluster/npu-chip-memory": memory}},
         "status": {"allocatable": {resource: str(devices), "cpu": "192", "memory": "1536Gi"}}}
        for chip, memory, resource, devices in (
            ("910B4-1", "64G", "huawei.com/Ascend910", 8), ("910B4", "32G", "huawei.com/Ascend910", 8),
            ("Ascend910", "64G", "huawei.com/Ascend910", 16), ("310P3", "48G", "huawei.com/Ascend310P", 8),
            ("910B4-1", "64G", "huawei.com/Ascend910B4-1", 8), ("Ascend910", "64G", "huawei.com/Ascend910C", 16),
        )
    )),
    st.integers(0, 16),
)  # fmt: skip
"""One whole, fully labelled server of a product that engines support."""


def _cluster(machines: list[Machine], flavour: str = "auto") -> ClusterFacts:
    nodes = (machine.node(f"node-{number}") for number, machine in enumerate(machines))
    return ClusterFacts(tuple(facts for node in nodes for facts in read_node(node)), flavour=flavour)


beside_shared = st.builds(
    _cluster,
    st.lists(st.sampled_from((A2_SHARED, A2_64G, A3)), min_size=2, max_size=4),
    st.sampled_from([row.name for row in FLAVOURS]),
)
"""Servers of which some share their devices by percentage, under the same resource and labels."""
slicing = st.builds(
    _cluster,
    st.lists(
        st.sampled_from((HAMI_A2, HAMI_A3, replace(HAMI_A2, resource="huawei.com/Ascend910B2"))), min_size=1, max_size=2
    ),
)
"""Servers with HAMi."""
parts = st.builds(
    lambda path, memory, scheme: InferenceServiceSpec.model_validate(
        {
            "model": {"uri": f"pvc://weights/{path}"},
            "hardware": {"memory": memory},
            "quantization": scheme,
        }
    ),
    st.sampled_from(("Qwen/Qwen3-0.6B", "Qwen/Qwen3-1.7B", "Qwen/Qwen3-4B", "Qwen/Qwen3-8B")),
    st.sampled_from(("1Gi", "8Gi", "9Gi", "16Gi", "20Gi", "32Gi")),
    st.sampled_from(("none", "W8A8")),
)
"""Small models that ask for a part of a device."""


configurations = st.builds(
    Configuration.model_validate,
    st.fixed_dictionaries({}, optional={
        "flavour": st.sampled_from(("auto", "mindcluster-volcano", "mindcluster-volcano-before-7.3", "hami")),
        "enginePreference": st.permutations([engine.name for engine in ENGINES]),
        "images": st.sampled_from(({"os": "openeuler"}, {"registry": "mirror.example.com"}, {"mirrors": {"quay.io": "mirror.example.com/quay"}}, {"overrides": [{"engine": ENGINES[0].name, "image": "own:1"}]})),
        "allow": st.sampled_from(({"trustRemoteCode": True}, {"tolerations": [{"key": "npu"}]})),
        "profiles": st.sampled_from((
            [{"name": "open", "hostPathRoots": ["/data"], "topologyPolicy": "restricted"}], [{"name": "apart", "nodeSelector": {"pool": "a"}}],
            [{"name": "user", "runAsUser": 1000, "driverMounts": ["/usr/local/dcmi"]}], [],
            [{"name": "one", "topologyPolicy": "single-numa-node", "hugetlbGroup": 1001}],
        )),
        "drainSeconds": st.sampled_from((0, 120)),
    }),
)  # fmt: skip


def as_service(spec: InferenceServiceSpec, configuration: Configuration, *, replan: str = "") -> Service:
    """A service of that spec, with what the catalogue knows of its model; a host path's last two segments name it."""
    path = catalogue_path(spec.model)
    facts = known(path).facts or lookup("/".join(path.split("/")[-2:]))
    return Service("svc", "team-a", replan, spec, facts, configuration.profile("team-a"))


json_values: st.SearchStrategy[Any] = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=8), inner, max_size=3)),
    max_leaves=8,
)


def readable(value: Any) -> str:
    """A JSON value as text, to compare values whose mappings keep no order."""
    return json.dumps(value, sort_keys=True)
