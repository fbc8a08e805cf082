"""What is planned: a service as its author wrote it, with what is known of its model and of its namespace's profile."""

from __future__ import annotations

from dataclasses import dataclass

from npuserve.api.spec import InferenceServiceSpec
from npuserve.configuration import Profile
from npuserve.models.facts import ModelFacts


@dataclass(frozen=True, slots=True)
class Service:
    """One service.

    `model` is None when nothing is known of it; `replan` is the value of the annotation that asks for a fresh plan.
    """

    name: str
    namespace: str
    replan: str
    spec: InferenceServiceSpec
    model: ModelFacts | None
    profile: Profile
    model_digest: str = ""
    """A digest of the model description that the service brings itself; empty for the catalogue's."""
