"""Every published model that the package carries gets an answer on every kind of server: a plan or a refusal, never an exception."""

from __future__ import annotations

from functools import cache
from importlib.resources import as_file, files
from pathlib import Path

import pytest

from npuserve.api.resource import API_VERSION, KIND
from npuserve.cli.asked import Answer, ask
from npuserve.cli.inputs import Inputs
from npuserve.configuration import Configuration
from npuserve.models.catalogue import names
from npuserve.plan.plan import Plan, Refusal
from tests.support.clusters import A2_64G, A3, DUO, cluster

CLUSTERS = {"A2": cluster(A2_64G), "A3": cluster(A3), "310P": cluster(DUO)}


@cache
def answers(server: str, *, folder: bool = False, claim: str = "auto") -> tuple[Answer, ...]:
    """What every model of the catalogue becomes; `folder`: from its config.json as `--models` reads it."""
    services = tuple(
        {
            "apiVersion": API_VERSION,
            "kind": KIND,
            "metadata": {"name": f"model-{number}", "namespace": "default"},
            "spec": {"model": {"uri": f"pvc://weights/{name}"}, "quantization": claim},
        }
        for number, name in enumerate(names())
    )
    with as_file(files("npuserve.models.catalogue") / "configs") as configs:
        models = str(Path(configs)) if folder else None
        return tuple(ask(Inputs(services, {}), CLUSTERS[server], Configuration(), models_folder=models))


@pytest.mark.parametrize("claim", ["auto", "W8A8", "W4A8", "none"])
@pytest.mark.parametrize("server", CLUSTERS)
def test_every_model_is_planned_or_refused_with_a_field_and_a_message(server: str, claim: str) -> None:
    found = answers(server, claim=claim)
    assert len(found) == len(names()) > 150
    for answer in found:
        match answer.outcome:
            case Refusal(field=field, message=message):
                assert field.startswith("spec")
                assert len(message) > 20
            case plan:
                assert plan.reasons


@pytest.mark.parametrize("server", CLUSTERS)
def test_a_folder_of_the_same_files_says_the_same_as_the_catalogue(server: str) -> None:
    assert [item.outcome for item in answers(server, folder=True)] == [item.outcome for item in answers(server)]


def test_larger_servers_hold_more_models() -> None:
    accepted = {server: sum(isinstance(answer.outcome, Plan) for answer in answers(server)) for server in CLUSTERS}
    assert 20 < accepted["310P"] < accepted["A2"] < accepted["A3"]
