"""The pods of a service."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from npuserve.configuration import Downloads, Profile
from npuserve.engines.launch import FILES_DIR, Literally, Variable
from npuserve.engines.weights import CACHE_DIR, MODELS_DIR, HostWeights, HubWeights, ImageWeights, Weights
from npuserve.plan.plan import Plan
from npuserve.render.labels import SERVE, SERVICE_UID
from tests.support.plans import FILES, GIB, HUGE_PAGES, OWNER, a_launch, a_plan, a_pod, a_spec, a_topology, an_engine

HUB = HubWeights(hub="modelscope", repository="Qwen/Qwen3-32B", revision="", cache="", token=None)
VOLCANO = {"flavour": "mindcluster-volcano", "scheduler_name": "volcano"}
DUO = {"product": "Atlas 300I Duo 96G", "resource_name": "huawei.com/Ascend310P"}


def volume(pod: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(item for item in pod["spec"]["volumes"] if item["name"] == name)
    return found


def mount(pod: dict[str, Any], name: str) -> dict[str, Any]:
    mounts = pod["spec"]["containers"][0]["volumeMounts"]
    found: dict[str, Any] = next(item for item in mounts if item["name"] == name)
    return found


@pytest.mark.parametrize(
    "plan",
    [a_plan(), a_plan(flavour="hami", resource_name="huawei.com/Ascend910B3"), a_plan(**VOLCANO), a_plan(devices=8)],
)
def test_exactly_one_container_asks_for_devices_and_for_all_of_them(plan: Plan) -> None:
    containers = a_pod(plan)["spec"]["containers"]
    assert len(containers) == 1
    resources = containers[0]["resources"]
    assert resources["requests"][plan.resource_name] == str(plan.devices)
    assert resources["limits"] == {plan.resource_name: str(plan.devices)}
    assert "initContainers" not in a_pod(plan)["spec"]


def test_a_part_of_a_device_is_asked_for_by_its_memory() -> None:
    resources = an_engine(a_plan(devices=1, resource_name="huawei.com/Ascend910B3", flavour="hami", slice_mib=16384))[
        "resources"
    ]
    asked = {"huawei.com/Ascend910B3": "1", "huawei.com/Ascend910B3-memory": "16384"}
    assert resources["limits"] == asked
    assert asked.items() <= resources["requests"].items()


def test_replicas_stay_off_nodes_with_a_label_that_is_avoided_beside_what_the_service_asks() -> None:
    asked = {"nodeAffinity": [{"key": "zone", "operator": "In", "values": ["a"]}]}
    pod = a_pod(a_plan(avoided_labels=(("shared", "true"),)), a_spec(template=asked))
    (term,) = pod["spec"]["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"][
        "nodeSelectorTerms"
    ]
    assert term["matchExpressions"] == [
        {"key": "zone", "operator": "In", "values": ["a"]},
        {"key": "shared", "operator": "NotIn", "values": ["true"]},
    ]


def test_older_volcano_gets_the_cards_labels_and_devices_and_no_policy() -> None:
    older = VOLCANO | {"flavour": "mindcluster-volcano-before-7.3"}
    pod = a_pod(a_plan(**older, **DUO))
    assert pod["metadata"]["labels"]["duo"] == "true"
    assert "annotations" not in a_pod(a_plan(**older))["metadata"]
    assert "ASCEND_VISIBLE_DEVICES" in {item["name"] for item in an_engine(a_plan(**older))["env"]}


def test_pinned_cpus_make_the_pod_guaranteed() -> None:
    resources = an_engine(a_plan(topology=a_topology(cpu_pinning=True, hugepages=HUGE_PAGES)))["resources"]
    assert resources["requests"] == resources["limits"]
    assert resources["limits"]["cpu"] == "20"
    assert resources["limits"]["hugepages-2Mi"] == "8Gi"


def test_replicas_with_huge_pages_join_the_group_that_may_use_them() -> None:
    profile = Profile(name="p", hugetlb_group=1001)
    pages = a_plan(topology=a_topology(hugepages=HUGE_PAGES))
    assert a_pod(pages, profile=profile)["spec"]["securityContext"]["supplementalGroups"] == [1001]
    assert "supplementalGroups" not in a_pod(pages)["spec"]["securityContext"]
    assert "supplementalGroups" not in a_pod(profile=profile)["spec"]["securityContext"]


def test_cpus_and_memory_have_no_limit_unless_pinned() -> None:
    resources = an_engine(a_plan(topology=a_topology(cpus="2500m", memory="1.5Gi")))["resources"]
    assert resources["requests"] | {"cpu": "2500m", "memory": "1536Mi"} == resources["requests"]
    assert not {"cpu", "memory"} & set(resources["limits"])


def test_huge_pages_are_requested_limited_and_mounted() -> None:
    pod = a_pod(a_plan(topology=a_topology(hugepages=HUGE_PAGES)))
    resources = pod["spec"]["containers"][0]["resources"]
    assert resources["requests"]["hugepages-2Mi"] == resources["limits"]["hugepages-2Mi"] == "8Gi"
    assert volume(pod, "hugepages")["emptyDir"] == {"medium": "HugePages-2Mi"}
    assert mount(pod, "hugepages")["mountPath"] == "/hugepages"


def test_shared_memory_is_a_memory_volume_with_the_plans_limit() -> None:
    pod = a_pod()
    assert volume(pod, "shm")["emptyDir"] == {"medium": "Memory", "sizeLimit": "1Gi"}
    assert mount(pod, "shm")["mountPath"] == "/dev/shm"


def test_the_pod_gets_no_token_and_no_service_variables() -> None:
    spec = a_pod()["spec"]
    assert spec["automountServiceAccountToken"] is False
    assert spec["enableServiceLinks"] is False
    assert "serviceAccountName" not in spec


def test_a_replica_has_time_to_drain_before_it_is_killed() -> None:
    pod = a_pod()
    assert pod["spec"]["terminationGracePeriodSeconds"] == a_plan().timing.grace
    hook = pod["spec"]["containers"][0]["lifecycle"]["preStop"]["exec"]["command"]
    assert hook == ["python3", "/etc/npuserve/drain.py"]


def test_an_engine_without_a_drain_has_no_hook() -> None:
    assert "lifecycle" not in an_engine(a_plan(launch=a_launch(drain=())))


def test_a_start_may_take_at_least_as_long_as_the_plan_says() -> None:
    probe = an_engine()["startupProbe"]
    assert probe["periodSeconds"] * probe["failureThreshold"] == 1210


def test_probes_ask_the_ports_of_the_launch() -> None:
    checks = {"started": 9001, "ready": 9002, "alive": 9003}
    base = a_launch()
    launch = a_launch(**{name: replace(base.alive, path=f"/{name}", port=port) for name, port in checks.items()})
    engine = an_engine(a_plan(launch=launch))
    assert engine["startupProbe"]["httpGet"] == {"path": "/started", "port": 9001}
    assert engine["readinessProbe"]["httpGet"] == {"path": "/ready", "port": 9002}
    assert engine["livenessProbe"]["httpGet"] == {"path": "/alive", "port": 9003}
    assert engine["ports"] == [{"name": "http", "containerPort": 8080, "protocol": "TCP"}]


def test_each_kind_of_variable_is_written_in_its_own_way() -> None:
    assert an_engine()["env"] == [
        {"name": "LOG_LEVEL", "value": "info"},
        {"name": "HOST_IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
        {"name": "API_KEY", "valueFrom": {"secretKeyRef": {"name": "clients", "key": "token"}}},
    ]


def test_an_empty_value_is_written_as_the_api_server_stores_it() -> None:
    engine = an_engine(a_plan(launch=a_launch(environment=(Variable("EMPTY", Literally("")),))))
    assert engine["env"] == [{"name": "EMPTY"}]


def test_a_name_given_twice_appears_once_with_the_later_value() -> None:
    twice = (Variable("A", Literally("1")), Variable("B", Literally("2")), Variable("A", Literally("3")))
    engine = an_engine(a_plan(launch=a_launch(environment=twice)))
    assert engine["env"] == [{"name": "A", "value": "3"}, {"name": "B", "value": "2"}]


def expanded(text: str, known: dict[str, str]) -> str:
    """Kubernetes' expansion, written from its rules: `$$` is a dollar, `$(NAME)` a value, all else itself."""
    out, at = "", 0
    while at < len(text):
        if text.startswith("$$", at):
            out, at = out + "$", at + 2
        elif text.startswith("$(", at) and ")" in text[at:]:
            end = text.index(")", at)
            name = text[at + 2 : end]
            out, at = out + known.get(name, f"$({name})"), end + 1
        else:
            out, at = out + text[at], at + 1
    return out


@pytest.mark.parametrize(
    "text", ["$(HOME)", "$$", "$$(HOME)", "a$", "$HOME", 'trap "$@" $$; x=$(date)', "$$$", "$$$(HOME)$"]
)
def test_words_reach_the_engine_as_the_plan_has_them(text: str) -> None:
    launch = a_launch(command=(text,), args=(text,), environment=(Variable("V", Literally(text)),))
    engine = an_engine(a_plan(launch=launch))
    for written in (engine["command"][0], engine["args"][0], engine["env"][0]["value"]):
        assert expanded(written, {"HOME": "/root"}) == text


@pytest.mark.parametrize(
    ("weights", "source", "path", "read_only"),
    [
        (replace(HUB, cache="hub-cache"), {"persistentVolumeClaim": {"claimName": "hub-cache"}}, CACHE_DIR, False),
        (a_plan().weights, {"persistentVolumeClaim": {"claimName": "weights", "readOnly": True}}, MODELS_DIR, True),
        (
            ImageWeights("registry.example.com/qwen3:1"),
            {"image": {"reference": "registry.example.com/qwen3:1", "pullPolicy": "IfNotPresent"}},
            MODELS_DIR,
            True,
        ),
        (HostWeights("/data/qwen3"), {"hostPath": {"path": "/data/qwen3", "type": "Directory"}}, MODELS_DIR, True),
    ],
)
def test_weights_are_mounted_where_the_engine_reads_them(
    weights: Weights, source: dict[str, Any], path: str, *, read_only: bool
) -> None:
    pod = a_pod(a_plan(weights=weights))
    assert volume(pod, "weights") == {"name": "weights", **source}
    assert mount(pod, "weights")["mountPath"] == path
    assert mount(pod, "weights").get("readOnly", False) is read_only
    assert "ephemeral-storage" not in pod["spec"]["containers"][0]["resources"]["requests"]


def test_weights_without_a_cache_are_downloaded_into_bounded_scratch_space() -> None:
    pod = a_pod(a_plan(weights=HUB, topology=a_topology(scratch=72 * GIB)))
    assert volume(pod, "weights") == {"name": "weights", "emptyDir": {"sizeLimit": "72Gi"}}
    assert pod["spec"]["containers"][0]["resources"]["requests"]["ephemeral-storage"] == "72Gi"


def test_files_are_mounted_read_only_and_their_content_names_the_template() -> None:
    pod = a_pod(a_plan(launch=a_launch(files=FILES)))
    other = a_pod(a_plan(launch=a_launch(files=(replace(FILES[0], content="{}"), FILES[1]))))
    assert volume(pod, "files")["configMap"]["defaultMode"] == 0o444
    assert mount(pod, "files") == {"name": "files", "mountPath": FILES_DIR, "readOnly": True}
    assert volume(pod, "files") != volume(other, "files")


def test_driver_files_come_from_the_profile_read_only() -> None:
    profile = Profile(name="plain-nodes", driver_mounts=("/usr/local/dcmi", "/usr/local/Ascend/driver/lib64"))
    pod = a_pod(profile=profile)
    for index, path in enumerate(profile.driver_mounts):
        assert volume(pod, f"driver-{index}")["hostPath"] == {"path": path}
        assert mount(pod, f"driver-{index}") == {"name": f"driver-{index}", "mountPath": path, "readOnly": True}


def test_an_engine_that_downloads_is_told_of_the_proxy_and_the_authority_of_its_profile() -> None:
    told = Downloads(https_proxy="http://proxy:3128", no_proxy=".svc,.example.com", ca_config_map="site-authority")
    pod = a_pod(a_plan(weights=HUB), profile=Profile(name="p", downloads=told))
    variables = {item["name"]: item.get("value") for item in pod["spec"]["containers"][0]["env"]}
    bundle = f"{mount(pod, 'authority')['mountPath']}/ca-bundle.crt"
    assert (variables["HTTPS_PROXY"], variables["NO_PROXY"]) == ("http://proxy:3128", ".svc,.example.com")
    assert (variables["REQUESTS_CA_BUNDLE"], variables["SSL_CERT_FILE"]) == (bundle, bundle)
    assert volume(pod, "authority")["configMap"]["name"] == "site-authority"
    assert "HTTP_PROXY" not in variables


def test_a_service_may_name_another_proxy_than_its_profile() -> None:
    profile = Profile(name="p", downloads=Downloads(https_proxy="http://proxy:3128"))
    own = (Variable("HTTPS_PROXY", Literally("http://other:3128")),)
    pod = a_pod(a_plan(weights=HUB, launch=a_launch(environment=own)), profile=profile)
    named = [item for item in pod["spec"]["containers"][0]["env"] if item["name"] == "HTTPS_PROXY"]
    assert named == [{"name": "HTTPS_PROXY", "value": "http://other:3128"}]


def test_an_engine_that_downloads_nothing_is_told_of_no_proxy_and_no_authority() -> None:
    told = Downloads(https_proxy="http://proxy:3128", ca_config_map="site-authority")
    assert a_pod(profile=Profile(name="p", downloads=told)) == a_pod(profile=Profile(name="p"))


def test_a_pod_has_no_host_path_unless_the_profile_or_its_weights_ask() -> None:
    assert not any("hostPath" in item for item in a_pod()["spec"]["volumes"])


def test_root_keeps_only_the_capability_that_opens_device_files() -> None:
    context = an_engine()["securityContext"]
    assert context == {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"], "add": ["DAC_OVERRIDE"]}}
    assert a_pod()["spec"]["securityContext"] == {"seccompProfile": {"type": "RuntimeDefault"}}


def test_a_profiles_user_runs_without_any_capability() -> None:
    pod = a_pod(profile=Profile(name="restricted", run_as_user=1000, run_as_group=1000))
    assert pod["spec"]["containers"][0]["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    context = pod["spec"]["securityContext"]
    assert (context["runAsUser"], context["runAsGroup"], context["runAsNonRoot"]) == (1000, 1000, True)


def test_nothing_of_the_scheduler_is_written_on_a_native_cluster() -> None:
    pod = a_pod(a_plan(**DUO))
    assert "schedulerName" not in pod["spec"]
    assert "annotations" not in pod["metadata"]
    assert not {"duo", "ring-controller.atlas"} & set(pod["metadata"]["labels"])
    assert all(item["name"] != "ASCEND_VISIBLE_DEVICES" for item in pod["spec"]["containers"][0]["env"])


def test_volcano_is_told_the_server_and_tells_the_devices() -> None:
    pod = a_pod(a_plan(**VOLCANO))
    assert pod["spec"]["schedulerName"] == "volcano"
    assert pod["metadata"]["annotations"] == {"huawei.com/schedule_policy": "chip8-node8"}
    assert pod["spec"]["containers"][0]["env"][-1] == {
        "name": "ASCEND_VISIBLE_DEVICES",
        "valueFrom": {"fieldRef": {"fieldPath": "metadata.annotations['huawei.com/Ascend910']"}},
    }


def test_volcano_is_told_the_card_by_labels() -> None:
    labels = a_pod(a_plan(**VOLCANO, **DUO))["metadata"]["labels"]
    assert labels | {"duo": "true", "npu-310-strategy": "chip", "ring-controller.atlas": "ascend-310P"} == labels


def test_a_flavours_runtime_class_gives_way_to_the_profiles() -> None:
    hami = a_plan(flavour="hami", resource_name="huawei.com/Ascend910B3", scheduler_name="hami-scheduler")
    assert a_pod(hami)["spec"]["runtimeClassName"] == "ascend"
    assert a_pod(hami)["spec"]["schedulerName"] == "hami-scheduler"
    assert a_pod(hami, profile=Profile(name="p", runtime_class_name="own"))["spec"]["runtimeClassName"] == "own"
    assert "runtimeClassName" not in a_pod()["spec"]


def test_a_flavour_that_no_table_knows_is_an_error() -> None:
    with pytest.raises(ValueError, match="not in the table"):
        a_pod(a_plan(flavour="nobody"))


def test_users_labels_and_annotations_never_replace_ours() -> None:
    template = {
        "labels": {"team": "search", SERVE: "no"},
        "annotations": {"note": "x", "huawei.com/schedule_policy": "y"},
    }
    metadata = a_pod(a_plan(**VOLCANO), a_spec(template=template))["metadata"]
    assert metadata["labels"] | {"team": "search", SERVE: "true", SERVICE_UID: OWNER.uid} == metadata["labels"]
    assert metadata["annotations"] == {"note": "x", "huawei.com/schedule_policy": "chip8-node8"}


def test_placement_that_the_configuration_opened_is_rendered() -> None:
    template = {
        "imagePullSecrets": [{"name": "registry"}],
        "priorityClassName": "batch-low",
        "tolerations": [
            {"key": "npu", "operator": "Equal", "value": "yes", "effect": "NoExecute", "tolerationSeconds": 0},
            {"key": "spot", "operator": "Exists"},
        ],
        "nodeAffinity": [
            {"key": "zone", "operator": "In", "values": ["b", "a"]},
            {"key": "spot", "operator": "DoesNotExist"},
        ],
    }
    spec = a_pod(a_plan(node_selector=(("zone", "a"),)), a_spec(template=template))["spec"]
    assert spec["imagePullSecrets"] == [{"name": "registry"}]
    assert spec["priorityClassName"] == "batch-low"
    assert spec["nodeSelector"] == {"zone": "a"}
    assert spec["tolerations"] == [
        {"key": "npu", "operator": "Equal", "value": "yes", "effect": "NoExecute", "tolerationSeconds": 0},
        {"key": "spot", "operator": "Exists"},
    ]
    terms = spec["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"]
    assert terms == [
        {
            "matchExpressions": [
                {"key": "zone", "operator": "In", "values": ["b", "a"]},
                {"key": "spot", "operator": "DoesNotExist"},
            ]
        }
    ]


def test_an_empty_template_leaves_placement_to_the_cluster() -> None:
    placed = {"nodeSelector", "tolerations", "priorityClassName", "affinity", "imagePullSecrets", "schedulerName"}
    assert not placed & set(a_pod()["spec"])


def test_replicas_and_rollout_leave_the_template_as_it_is() -> None:
    assert a_pod(spec=a_spec(replicas=1)) == a_pod(spec=a_spec(replicas=7))


def test_the_record_of_the_plan_is_not_in_the_template() -> None:
    assert "npuserve.io/plan" not in json.dumps(a_pod())


def test_the_same_plan_is_rendered_the_same_to_the_letter() -> None:
    assert json.dumps(a_pod()) == json.dumps(a_pod())
