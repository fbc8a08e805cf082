"""Values that tests of rendering and reporting start from: a plan, a spec, an owner, and live objects as the API server
holds them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from npuserve.api.resource import API_VERSION, KIND
from npuserve.api.spec import InferenceServiceSpec
from npuserve.configuration import Profile
from npuserve.engines.contract import ContextWindow, Parallelism
from npuserve.engines.launch import File, HttpCheck, Launch, Literally, OwnAddress, SecretValue, Variable
from npuserve.engines.weights import VolumeWeights
from npuserve.plan.plan import HugePages, MemoryBudget, Plan, Rollout, Timing, Topology
from npuserve.render.objects import Owner, render

GIB = 1 << 30
OWNER = Owner(name="qwen3-32b", namespace="team-a", uid="0e4c7b3e-5a55-4a3f-9a43-6d1f0f6b7a10")
SURGE = Rollout(surge=1, unavailable=0, recreate=False, reason="rollout: surge 1, free devices hold 2 more")
RECREATE = Rollout(surge=0, unavailable=1, recreate=True, reason="rollout: recreate, free devices are unknown")
PLAIN_PROFILE = Profile(name="default")
HUGE_PAGES = HugePages(size="2Mi", amount=8 * GIB)
FILES = (File("config.json", '{"Version": "1.0.0"}'), File("start.sh", 'exec server "$@"\n'))


def a_launch(**changes: Any) -> Launch:
    """An engine on port 8080 with one variable of each kind."""
    launch = Launch(
        command=(),
        args=("serve", "/models/Qwen3-32B", "--port", "8080"),
        environment=(
            Variable("LOG_LEVEL", Literally("info")),
            Variable("HOST_IP", OwnAddress()),
            Variable("API_KEY", SecretValue("clients", "token")),
        ),
        files=(),
        port=8080,
        started=HttpCheck("/health", 8080),
        ready=HttpCheck("/health", 8080),
        alive=HttpCheck("/health", 8080),
        drain=("python3", "/etc/npuserve/drain.py"),
    )
    return replace(launch, **changes)


def a_topology(**changes: Any) -> Topology:
    """Twenty CPUs, not pinned, and one GiB of shared memory."""
    topology = Topology(
        numa="none",
        cpu_pinning=False,
        cpus="20",
        memory="25Gi",
        shared_memory=GIB,
        scratch=0,
        hugepages=None,
    )
    return replace(topology, **changes)


def a_plan(**changes: Any) -> Plan:
    """Qwen3-32B on four devices of an A2 server, with weights on a claim. Keywords replace fields."""
    plan = Plan(
        backend="vllm-ascend",
        backend_version="0.23.0",
        image="quay.io/ascend/vllm-ascend:v0.23.0",
        product="Atlas 800I A2 64G",
        chip="910B3",
        resource_name="huawei.com/Ascend910",
        flavour="mindcluster-native",
        scheduler_name="",
        node_selector=(),
        devices=4,
        nodes=1,
        parallelism=Parallelism(tensor=4, pipeline=1, data=1, expert=1),
        dtype="bfloat16",
        quantization="none",
        memory=MemoryBudget(
            usable=60 * GIB,
            weights=16 * GIB,
            runtime=4 * GIB,
            kv_cache=40 * GIB,
            kv_cache_tokens=655_360,
            utilization=0.92,
        ),
        context=ContextWindow(max_model_len=40_960, max_sequences=64),
        topology=a_topology(),
        timing=Timing(startup=1205, drain=120, shutdown=30),
        weights=VolumeWeights(claim="weights", directory="Qwen3-32B"),
        served_name="Qwen3-32B",
        launch=a_launch(),
        reasons=("hardware: Atlas 800I A2 64G", "dtype: bfloat16, as the model is"),
    )
    return replace(plan, **changes)


def a_spec(**fields: Any) -> InferenceServiceSpec:
    """A spec as it stands in YAML, with the three fields that are enough; `template` and others by their names on the
    wire."""
    return InferenceServiceSpec.model_validate({"model": {"uri": "pvc://weights/Qwen3-32B"}, **fields})


def objects(
    plan: Plan | None = None,
    spec: InferenceServiceSpec | None = None,
    *,
    owner: Owner = OWNER,
    profile: Profile = PLAIN_PROFILE,
    rollout: Rollout = SURGE,
    record: str = "{}",
) -> dict[str, dict[str, Any]]:
    """What a plan is rendered to, by kind."""
    rendered = render(
        owner,
        spec or a_spec(),
        plan or a_plan(),
        profile=profile,
        rollout=rollout,
        record=record,
        pull_policy="IfNotPresent",
    )
    return {item["kind"]: item for item in rendered}


def a_pod(
    plan: Plan | None = None, spec: InferenceServiceSpec | None = None, *, profile: Profile = PLAIN_PROFILE
) -> dict[str, Any]:
    """The pod template that a plan is rendered to."""
    template: dict[str, Any] = objects(plan, spec, profile=profile)["Deployment"]["spec"]["template"]
    return template


def an_engine(plan: Plan | None = None, *, profile: Profile = PLAIN_PROFILE) -> dict[str, Any]:
    """The container that a plan is rendered to."""
    container: dict[str, Any] = a_pod(plan, profile=profile)["spec"]["containers"][0]
    return container


def as_stored(desired: Mapping[str, Any], **status: Any) -> dict[str, Any]:
    """The object as the API server gives it back: with identity, a default the server adds, and a status."""
    metadata = {**desired["metadata"], "uid": "11111111-2222", "resourceVersion": "7", "generation": 3}
    spec = {**desired["spec"], "serverDefault": "x"} if "spec" in desired else None
    return {
        **desired,
        "metadata": metadata,
        **({"spec": spec} if spec else {}),
        **({"status": status} if status else {}),
    }


def deployment_status(
    *,
    total: int = 1,
    updated: int = 1,
    available: int = 1,
    observed: int = 3,
    progressing: str = "NewReplicaSetAvailable",
) -> dict[str, Any]:
    """The status of a Deployment of generation 3."""
    return {
        "observedGeneration": observed,
        "replicas": total,
        "updatedReplicas": updated,
        "readyReplicas": available,
        "availableReplicas": available,
        "conditions": [{"type": "Progressing", "status": "True", "reason": progressing}],
    }


def service_object(
    *, generation: int = 1, status: Mapping[str, Any] | None = None, owner: Owner = OWNER
) -> dict[str, Any]:
    """The InferenceService as it is read."""
    metadata = {"name": owner.name, "namespace": owner.namespace, "uid": owner.uid, "generation": generation}
    return {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "metadata": metadata,
        **({"status": dict(status)} if status else {}),
    }
