"""Where the weights are."""

from __future__ import annotations

from typing import Any

import pytest

from npuserve.api.conditions import Reason
from npuserve.api.model import ModelSource
from npuserve.configuration import Profile
from npuserve.engines.launch import SecretValue
from npuserve.engines.weights import HostWeights, HubWeights, ImageWeights, VolumeWeights, Weights
from npuserve.plan.plan import Refusal
from npuserve.plan.source import catalogue_path, default_served_name, locate

OPEN = Profile(name="open", host_path_roots=("/data/models", "/srv/"))


def source(uri: str, **fields: Any) -> ModelSource:
    return ModelSource.model_validate({"uri": uri, **fields})


def located(uri: str, profile: Profile = OPEN, **fields: Any) -> Weights | Refusal:
    return locate(source(uri, **fields), profile)


def test_a_hub_source_is_downloaded_by_the_engine() -> None:
    assert located("modelscope://Qwen/Qwen3-32B") == HubWeights("modelscope", "Qwen/Qwen3-32B", "", "", None)


def test_revision_cache_and_token_go_along() -> None:
    found = located("hf://Qwen/Qwen3-32B", revision="v1", cache={"claimName": "hub"}, secretRef={"name": "hub-token"})
    assert found == HubWeights("huggingface", "Qwen/Qwen3-32B", "v1", "hub", SecretValue("hub-token", "token"))


@pytest.mark.parametrize("uri", ["modelscope://Qwen3-32B", "hf://a/b/c"])
def test_a_hub_source_names_one_repository(uri: str) -> None:
    answer = located(uri)
    assert isinstance(answer, Refusal)
    assert (answer.reason, answer.field) == (Reason.INVALID_SPEC, "spec.model.uri")


def test_a_claim_is_mounted_and_a_path_in_it_read() -> None:
    assert located("pvc://weights/Qwen/Qwen3-32B") == VolumeWeights("weights", "Qwen/Qwen3-32B")
    assert located("pvc://weights") == VolumeWeights("weights", "")
    assert VolumeWeights("weights", "").path == "/models"
    assert VolumeWeights("weights", "a/b").path == "/models/a/b"


def test_an_image_is_mounted_by_its_whole_reference() -> None:
    assert located("oci://registry.example.com:5000/models/qwen3:1.0") == ImageWeights(
        "registry.example.com:5000/models/qwen3:1.0"
    )


@pytest.mark.parametrize("uri", ["host:///data/models/qwen", "host:///data/models", "host:///srv/x"])
def test_a_host_path_is_read_under_the_roots_that_the_profile_opens(uri: str) -> None:
    assert located(uri) == HostWeights(uri.removeprefix("host://"))


@pytest.mark.parametrize("uri", ["host:///data/modelsx/qwen", "host:///etc/passwd", "host:///data"])
def test_a_host_path_beside_the_roots_is_refused(uri: str) -> None:
    answer = located(uri)
    assert isinstance(answer, Refusal)
    assert answer.reason is Reason.UNSUPPORTED_SOURCE
    assert "/data/models" in answer.message


def test_a_profile_that_opens_nothing_says_so() -> None:
    answer = located("host:///data/models/qwen", Profile(name="closed"))
    assert isinstance(answer, Refusal)
    assert "it opens none" in answer.message


def test_s3_is_refused_with_what_can_be_used_instead() -> None:
    answer = located("s3://bucket/qwen")
    assert isinstance(answer, Refusal)
    assert (answer.reason, answer.field) == (Reason.UNSUPPORTED_SOURCE, "spec.model.uri")
    assert "pvc://" in answer.message


@pytest.mark.parametrize(
    ("uri", "path", "name"),
    [
        ("modelscope://Qwen/Qwen3-32B", "Qwen/Qwen3-32B", "Qwen3-32B"),
        ("hf://Qwen/Qwen3-32B/", "Qwen/Qwen3-32B", "Qwen3-32B"),
        ("pvc://weights/Qwen/Qwen3-32B", "Qwen/Qwen3-32B", "Qwen3-32B"),
        ("pvc://weights", "", "weights"),
        ("oci://registry.example.com/Qwen/Qwen3-32B:1.0", "Qwen/Qwen3-32B", "Qwen3-32B"),
        ("oci://registry.example.com/Qwen/Qwen3-32B", "Qwen/Qwen3-32B", "Qwen3-32B"),
        ("oci://registry.example.com/qwen@sha256:abc", "qwen", "qwen"),
        ("host:///data/models/qwen", "data/models/qwen", "qwen"),
    ],
)
def test_the_uri_says_what_the_catalogue_is_asked_and_what_clients_call_the_model(
    uri: str, path: str, name: str
) -> None:
    assert catalogue_path(source(uri)) == path
    assert default_served_name(source(uri)) == name
