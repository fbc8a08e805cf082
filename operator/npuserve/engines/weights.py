"""Where an engine finds the weights of a model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from npuserve.engines.launch import SecretValue

MODELS_DIR = "/models"
"""Where weights that come as a volume or an image are mounted, read-only."""
CACHE_DIR = "/cache"
"""Where an engine that downloads weights itself keeps them."""


@dataclass(frozen=True, slots=True)
class HubWeights:
    """The engine downloads `repository` itself into `CACHE_DIR`; `cache` names the volume claim behind it, "" means
    scratch space."""

    hub: Literal["modelscope", "huggingface"]
    repository: str
    revision: str
    cache: str
    token: SecretValue | None
    kind: Literal["hub"] = "hub"

    @property
    def path(self) -> str:
        return self.repository


@dataclass(frozen=True, slots=True)
class VolumeWeights:
    """Files on an existing volume claim, mounted read-only at `MODELS_DIR`."""

    claim: str
    directory: str
    kind: Literal["volume"] = "volume"

    @property
    def path(self) -> str:
        return f"{MODELS_DIR}/{self.directory}".rstrip("/")


@dataclass(frozen=True, slots=True)
class ImageWeights:
    """Files in an OCI image, mounted read-only at `MODELS_DIR`."""

    reference: str
    kind: Literal["image"] = "image"

    @property
    def path(self) -> str:
        return MODELS_DIR


@dataclass(frozen=True, slots=True)
class HostWeights:
    """Files in a directory of the node that the platform team's profile allows, mounted read-only at `MODELS_DIR`."""

    directory: str
    kind: Literal["host"] = "host"

    @property
    def path(self) -> str:
        return MODELS_DIR


Weights = HubWeights | VolumeWeights | ImageWeights | HostWeights
