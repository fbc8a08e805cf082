"""Which image runs."""

from __future__ import annotations

import pytest

from npuserve.api.conditions import Reason
from npuserve.chips import by_id
from npuserve.configuration import Configuration, Images
from npuserve.engines import find
from npuserve.plan.image import decide_image, mirrored
from npuserve.plan.plan import Refusal
from tests.support.clusters import A3, cluster
from tests.support.services import a_service, planned, refused


def image(product: str, *, engine: str = "vllm-ascend", version: str = "0.23.0", **images: object) -> str | Refusal:
    row, found = by_id(product), find(engine)
    assert row is not None
    assert found is not None
    return decide_image(found, version, row, Images.model_validate(images))


@pytest.mark.parametrize(
    ("product", "version", "os", "tag"),
    [
        ("Atlas 800I A2 64G", "0.23.0", "ubuntu", "v0.23.0"),
        ("Atlas 800I A2 64G", "0.18.0", "openeuler", "v0.18.0-openeuler"),
        ("Atlas 800I A3 64G", "0.23.0", "ubuntu", "v0.23.0-a3"),
        ("Atlas 800I A3 64G", "0.23.0", "openeuler", "v0.23.0-a3-openeuler"),
        ("Atlas 300I Duo 96G", "0.23.0", "ubuntu", "v0.23.0-310p"),
        ("Atlas 850 96G", "0.30.0rc2", "ubuntu", "v0.30.0rc2-a5"),
    ],
)
def test_the_tag_follows_from_version_chip_and_system(product: str, version: str, os: str, tag: str) -> None:
    assert image(product, version=version, os=os) == f"quay.io/ascend/vllm-ascend:{tag}"


def test_an_override_goes_before_the_published_image_and_its_mirror() -> None:
    overrides = [{"engine": "vllm-ascend", "product": "Atlas 800I A2", "image": "own:1"}]
    mirrors = {"quay.io": "mirror", "own": "mirror"}
    assert image("Atlas 800I A2 32G", overrides=overrides, mirrors=mirrors) == "own:1"
    assert image("Atlas 800I A3 64G", overrides=overrides, mirrors=mirrors) == "mirror/ascend/vllm-ascend:v0.23.0-a3"


@pytest.mark.parametrize(
    ("condition", "applies"),
    [
        ({}, True),
        ({"version": "0.23.0"}, True),
        ({"version": "0.18.0"}, False),
        ({"product": "Atlas 800I A2 64G"}, True),
        ({"product": "Atlas 800I"}, True),
        ({"product": "Atlas 800I A"}, False),
        ({"engine": "mindie"}, False),
        ({"chip": "910B3"}, True),
        ({"chip": "Ascend910B4-1"}, True),
        ({"chip": "910B4"}, False),
        ({"chip": "A2"}, True),
        ({"chip": "a2"}, True),
        ({"chip": "A3"}, False),
        ({"os": "ubuntu"}, True),
        ({"os": "openeuler"}, False),
        ({"version": "0.23.0", "chip": "A2", "os": "ubuntu", "product": "Atlas 800I A2"}, True),
        ({"version": "0.23.0", "chip": "A3", "os": "ubuntu", "product": "Atlas 800I A2"}, False),
    ],
)
def test_an_override_applies_where_all_its_conditions_hold(condition: dict[str, str], *, applies: bool) -> None:
    found = image("Atlas 800I A2 64G", overrides=[{"engine": "vllm-ascend", "image": "own:1", **condition}])
    assert (found == "own:1") is applies


def test_the_longest_mirrored_prefix_is_replaced_and_only_whole_parts_of_a_name() -> None:
    mirrors = {"quay.io": "a.example", "quay.io/ascend/": "b.example/x/", "quay": "c.example"}
    assert mirrored("quay.io/ascend/vllm-ascend:v1", mirrors) == "b.example/x/vllm-ascend:v1"
    assert mirrored("quay.io/other:v1", mirrors) == "a.example/other:v1"
    assert mirrored("quay.io.example/other:v1", mirrors) == "quay.io.example/other:v1"


@pytest.mark.parametrize(
    ("product", "engine", "version", "mirrored"),
    [
        ("Atlas 800I A3 64G", "vllm-ascend", "0.23.0", "registry.example.com:5000/npu/ascend/vllm-ascend:v0.23.0-a3"),
        ("Atlas 300I Duo 96G", "mindie", "3.0.0", "registry.example.com:5000/npu/ascendhub/mindie:3.0.0-300I-Duo"),
    ],
)
def test_one_value_takes_every_published_image_from_a_mirror_registry(
    product: str, engine: str, version: str, mirrored: str
) -> None:
    found = image(product, engine=engine, version=version, registry="registry.example.com:5000/npu/")
    assert str(found).startswith(mirrored)


def test_a_mirror_of_one_registry_goes_before_the_registry_for_all_and_overrides_before_both() -> None:
    both: dict[str, object] = {"registry": "all.example", "mirrors": {"quay.io": "quay.example"}}
    assert image("Atlas 800I A2 64G", **both) == "quay.example/ascend/vllm-ascend:v0.23.0"
    own = [{"engine": "vllm-ascend", "image": "quay.io/own:1"}]
    assert image("Atlas 800I A2 64G", overrides=own, **both) == "quay.io/own:1"


def test_where_nothing_is_published_the_platform_team_is_told_what_to_name() -> None:
    answer = refused(a_service("pvc://w/Qwen/Qwen3-8B", backend="mindie"), cluster(A3))
    assert (answer.reason, answer.field) == (Reason.UNSUPPORTED_BACKEND, "spec.backend")
    assert "images.overrides" in answer.message


def test_an_override_opens_a_product_without_a_published_image() -> None:
    configuration = Configuration.model_validate({"images": {"overrides": [{"engine": "mindie", "image": "own:a3"}]}})
    assert planned(a_service("pvc://w/Qwen/Qwen3-8B", backend="mindie"), cluster(A3), configuration).image == "own:a3"
