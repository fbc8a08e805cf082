"""What of a service is settled before any engine or product is looked at: its weights, its model, its quantization, its
name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from npuserve.api.conditions import Reason
from npuserve.configuration import Configuration
from npuserve.engines.launch import SecretValue
from npuserve.engines.weights import Weights
from npuserve.models.catalogue import nearest
from npuserve.models.facts import ModelFacts
from npuserve.plan.plan import Refusal
from npuserve.plan.service import Service
from npuserve.plan.source import TOKEN_KEY, catalogue_path, default_served_name, locate
from npuserve.plan.sticky import Pins
from npuserve.plan.weights import Scheme, decide_scheme


@dataclass(frozen=True, slots=True)
class Intent:
    """One service on its way to a plan; `pins` are the values of an earlier plan that it keeps."""

    service: Service
    configuration: Configuration
    pins: Pins
    model: ModelFacts
    scheme: Scheme
    weights: Weights
    served_name: str

    @property
    def variables(self) -> Mapping[str, str]:
        return {item.name: item.value for item in self.service.spec.template.env}

    @property
    def api_key(self) -> SecretValue | None:
        name = self.service.spec.auth.api_key_secret_ref.name
        return SecretValue(name, TOKEN_KEY) if name else None

    @property
    def arguments(self) -> Mapping[str, Any]:
        return self.service.spec.engine_args


def intend(service: Service, configuration: Configuration, pins: Pins) -> Intent | Refusal:
    """What the service wants, or the first part of it that cannot be had."""
    source = service.spec.model
    weights = locate(source, service.profile)
    if isinstance(weights, Refusal):
        return weights
    path = catalogue_path(source)
    if service.model is None:
        return _unknown_model(service, path)
    scheme = decide_scheme(service.spec.quantization, service.model, path)
    if isinstance(scheme, Refusal):
        return scheme
    name = source.served_name or default_served_name(source)
    model = replace(service.model, quantization=None) if scheme.inherited else service.model
    return Intent(service, configuration, pins, model, scheme, weights, name)


def _unknown_model(service: Service, path: str) -> Refusal:
    close = nearest(path)
    hint = f"; the catalogue knows {', '.join(close)}" if close else ""
    return Refusal(
        Reason.MODEL_UNKNOWN,
        "spec.model",
        f"nothing is known of {path!r}{hint}; put the model's config.json into a ConfigMap of namespace {service.namespace} under the key "
        "config.json and name it in spec.model.configMapRef",
    )
