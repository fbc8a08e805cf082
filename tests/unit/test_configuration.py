"""The platform team's file."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from npuserve.cluster.flavours import FLAVOURS
from npuserve.configuration import Configuration


def read(**content: Any) -> Configuration:
    return Configuration.model_validate(content)


def test_an_empty_file_opens_nothing_to_tenants() -> None:
    allow = read().allow
    assert (allow.tolerations, allow.priority_class_names, allow.node_affinity_keys) == ((), (), ())
    assert not allow.trust_remote_code
    assert read().profile("any").host_path_roots == ()


@pytest.mark.parametrize(
    "content", [{"flavor": "hami"}, {"images": {"mirror": {}}}, {"profiles": [{"name": "x", "hostpathRoots": []}]}]
)
def test_an_unknown_key_is_refused_wherever_it_is(content: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="Extra inputs"):
        read(**content)


@pytest.mark.parametrize(
    "content",
    [
        {"flavour": "openshift"},
        {"drainSeconds": -1},
        {"readBytesPerSecond": 10},
        {"images": {"os": "debian"}},
        {"profiles": [{}]},
    ],
)
def test_a_value_without_meaning_is_refused(content: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        read(**content)


def test_an_image_for_a_chip_that_does_not_exist_is_refused_with_those_there_are() -> None:
    with pytest.raises(ValidationError, match=r"no chip is called 'A22'.*A2, A3, 310P"):
        read(images={"overrides": [{"engine": "vllm-ascend", "chip": "A22", "image": "own:1"}]})


def test_a_renamed_resource_says_which_published_one_it_is() -> None:
    named = {"example.com/npu": "huawei.com/Ascend910"}
    assert read(resourceNames=named).resource_names == named
    with pytest.raises(ValidationError, match=r"example.com/npu: 'huawei.com/Ascend' is no published name"):
        read(resourceNames={"example.com/npu": "huawei.com/Ascend"})


def test_every_flavour_of_the_table_can_be_configured() -> None:
    assert [read(flavour=row.name).flavour for row in FLAVOURS] == [row.name for row in FLAVOURS]


def test_the_first_profile_that_covers_a_namespace_applies() -> None:
    configuration = read(
        profiles=[{"name": "a", "namespaces": ["team-*", "lab"]}, {"name": "b", "namespaces": ["team-x", "prod"]}]
    )
    assert [configuration.profile(namespace).name for namespace in ("team-x", "lab", "prod")] == ["a", "a", "b"]


def test_a_namespace_that_no_profile_covers_gets_an_empty_one() -> None:
    profile = read(
        profiles=[{"name": "a", "namespaces": ["team-*"], "hostPathRoots": ["/data"], "runAsUser": 1000}]
    ).profile("other")
    assert (profile.name, profile.host_path_roots, profile.run_as_user) == ("none", (), None)


def test_patterns_do_not_reach_beyond_what_they_say() -> None:
    configuration = read(profiles=[{"name": "a", "namespaces": ["team-?"]}])
    assert configuration.profile("team-a").name == "a"
    assert configuration.profile("team-ab").name == "none"
    assert configuration.profile("TEAM-A").name == "none"
