"""What the operator would make of each service: the controller's own path from object to plan, with files in place of
the cluster."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from npuserve.api.conditions import Reason
from npuserve.api.parse import InvalidSpec, parse
from npuserve.api.resource import InferenceService
from npuserve.cli.inputs import Inputs, model_file
from npuserve.cluster.facts import ClusterFacts
from npuserve.configuration import Configuration
from npuserve.models.facts import ModelFacts
from npuserve.plan.alternatives import Alternative, alternatives
from npuserve.plan.description import CONFIG_KEY, Description, describe, known
from npuserve.plan.plan import Plan, Refusal
from npuserve.plan.resolve import resolve
from npuserve.plan.service import Service
from npuserve.plan.source import catalogue_path


@dataclass(frozen=True, slots=True)
class Asked:
    """One service of the files as the planner takes it, or why it cannot be read."""

    name: str
    namespace: str
    resource: InferenceService | None
    """None where its spec cannot be read."""
    service: Service | Refusal


@dataclass(frozen=True, slots=True)
class Answer:
    """One service and its plan or refusal; `service` is None where its spec cannot be read."""

    name: str
    namespace: str
    service: InferenceService | None
    outcome: Plan | Refusal
    alternatives: tuple[Alternative, ...] = ()
    """What else could run it, where that was asked for."""
    model: ModelFacts | None = None


def ask(
    inputs: Inputs,
    cluster: ClusterFacts,
    configuration: Configuration,
    *,
    models_folder: str | None,
    compare: bool = False,
) -> Iterator[Answer]:
    """An answer per service, each planned on its own against the whole cluster, in order; `compare` adds the
    alternatives."""
    for asked in services_of(inputs, configuration, models_folder=models_folder):
        if isinstance(asked.service, Refusal):
            yield Answer(asked.name, asked.namespace, asked.resource, asked.service)
            continue
        found = resolve(asked.service, cluster, configuration, previous=None)
        outcome = found if isinstance(found, Refusal) else found.plan
        plan = outcome if isinstance(outcome, Plan) else None
        others = alternatives(asked.service, cluster, configuration, plan=plan) if compare else ()
        yield Answer(asked.name, asked.namespace, asked.resource, outcome, others, asked.service.model)


def services_of(inputs: Inputs, configuration: Configuration, *, models_folder: str | None) -> Iterator[Asked]:
    """The services of the files in order, each with what is known of its model."""
    for document in inputs.services:
        metadata = document["metadata"]
        name, namespace = str(metadata.get("name", "")), str(metadata["namespace"])
        resource = parse(document)
        if isinstance(resource, InvalidSpec):
            yield Asked(name, namespace, None, Refusal(Reason.INVALID_SPEC, resource.field, resource.message))
            continue
        description = _description(resource, namespace, inputs, models_folder=models_folder)
        if isinstance(description, Refusal):
            yield Asked(name, namespace, resource, description)
            continue
        service = Service(
            name=name,
            namespace=namespace,
            replan=_annotation(metadata, "npuserve.io/replan"),
            spec=resource.spec,
            model=description.facts,
            profile=configuration.profile(namespace),
            model_digest=description.digest,
        )
        yield Asked(name, namespace, resource, service)


def _annotation(metadata: Mapping[str, Any], key: str) -> str:
    annotations = metadata.get("annotations")
    return str(annotations.get(key, "")) if isinstance(annotations, Mapping) else ""


def _description(
    service: InferenceService, namespace: str, inputs: Inputs, *, models_folder: str | None
) -> Description | Refusal:
    source = service.spec.model
    path, named = catalogue_path(source), source.config_map_ref.name
    if named:
        files = inputs.config_maps.get((namespace, named))
        if files is not None:
            return describe(files, name=path)
        if models_folder is None or model_file(models_folder, path) is None:
            return Refusal(
                Reason.CONFIG_MAP_MISSING,
                "spec.model.configMapRef.name",
                f"no ConfigMap {named} of namespace {namespace} is among the files; add it with -f, or give the config.json with --models",
            )
    text = model_file(models_folder, path)
    if text is not None:
        return describe({CONFIG_KEY: text}, name=path, field="spec.model.uri")
    return known(path)
