"""Wrong values are refused before anything is applied, with the path of the value."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.helm import Helm, HelmFailed

WRONG: list[tuple[dict[str, Any], str]] = [
    ({"replicas": "two"}, "replicas"),
    ({"replicas": 9}, "replicas"),
    ({"leaderElection": False}, "replicas"),
    ({"replicaCount": 2}, "replicaCount"),
    ({"image": {"name": "x"}}, "image"),
    ({"image": {"digest": "latest"}}, "image/digest"),
    ({"watchNamespace": "Team A"}, "watchNamespace"),
    ({"config": {"flavour": "volcano"}}, "config/flavour"),
    ({"config": {"flavor": "hami"}}, "config"),
    ({"config": {"profiles": [{"namespaces": ["a"]}]}}, "config/profiles/0"),
    (
        {"config": {"profiles": [{"name": "a", "hardware": [{"product": "x", "nodes": 0}]}]}},
        "config/profiles/0/hardware/0",
    ),
    ({"config": {"drainSeconds": -1}}, "config/drainSeconds"),
    ({"activator": {"enabled": "yes"}}, "activator/enabled"),
    ({"activator": {"firstPort": 80}}, "activator/firstPort"),
    ({"activator": {"service": "mine"}}, "activator"),
    ({"config": {"activator": {"enabled": True}}}, "config"),
    ({"crds": {"keep": "yes"}}, "crds/keep"),
    ({"antiAffinity": "hard"}, "antiAffinity"),
    ({"proxy": {"https": "proxy:3128"}}, "proxy/https"),
    ({"tolerations": {"key": "x"}}, "tolerations"),
    ({"resources": {"limits": {"memory": 512}}}, "resources/limits/memory"),
    ({"runAsUser": "nobody"}, "runAsUser"),
    ({"networkPolicy": {"apiServerPorts": ["https"]}}, "networkPolicy/apiServerPorts/0"),
]


@pytest.mark.parametrize(("values", "path"), WRONG, ids=[f"{path}-{number}" for number, (_, path) in enumerate(WRONG)])
def test_a_wrong_value_is_refused_by_its_path(any_helm: Helm, values: dict[str, Any], path: str) -> None:
    with pytest.raises(HelmFailed) as refused:
        any_helm.text(values)
    words = str(refused.value).replace(".", "/")
    assert path in words, words


def test_a_chart_that_holds_this_one_may_pass_global_values(any_helm: Helm) -> None:
    assert any_helm.text({"global": {"imageRegistry": "mirror.example.com"}})
