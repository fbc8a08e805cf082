"""What an inference engine is asked, and what it answers.

An engine is one module that satisfies `Engine` plus one line in the registry (`engines/__init__.py`). It knows its
versions, images, launch arguments and limits; it knows nothing of how a cluster runs containers. All sizes are bytes,
all times seconds, all counts devices unless a name says otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from npuserve.chips import Product
from npuserve.engines.launch import Launch, SecretValue
from npuserve.engines.metric_source import MetricSource
from npuserve.engines.weights import Weights
from npuserve.models.facts import ModelFacts


@dataclass(frozen=True, slots=True)
class Parallelism:
    """Sizes of the parallel groups; devices of a replica = tensor * pipeline * data.

    `expert` is 1 without expert parallelism, else tensor * data.
    """

    tensor: int
    pipeline: int
    data: int
    expert: int

    @property
    def devices(self) -> int:
        return self.tensor * self.pipeline * self.data


@dataclass(frozen=True, slots=True)
class ContextWindow:
    """`max_model_len`: tokens of one request, prompt and answer.

    `max_sequences`: requests a data-parallel rank works on at once.
    """

    max_model_len: int
    max_sequences: int


@dataclass(frozen=True, slots=True)
class Choice:
    """What is to be run: the question whether an engine version can."""

    model: ModelFacts
    scheme: str
    """Quantization of the weights, a name of `models.quantization`; "none" for plain floating point."""
    product: Product
    version: str
    weights: Weights
    served_name: str


@dataclass(frozen=True, slots=True)
class LaunchRequest:
    """Everything decided; the engine only has to say how."""

    choice: Choice
    dtype: str
    parallelism: Parallelism
    context: ContextWindow
    utilization: float
    arguments: Mapping[str, Any]
    """The user's own engine arguments, already checked."""
    variables: tuple[tuple[str, str], ...]
    """The user's own environment, already checked."""
    api_key: SecretValue | None
    bind_cpus: bool
    startup_seconds: int
    drain_seconds: int
    shutdown_seconds: int


@dataclass(frozen=True, slots=True)
class Overhead:
    """Bytes of one device that neither weights nor KV cache may use, with the line of the budget each belongs to."""

    activations: int
    communication: int
    runtime: int

    @property
    def total(self) -> int:
        return self.activations + self.communication + self.runtime


@dataclass(frozen=True, slots=True)
class Footprint:
    """What of a choice lies in device memory, and in which form."""

    scheme: str
    """Of the weights once loaded; another than the choice's where loading unpacks them."""
    cache_bits: int = 16
    """Of an element of a cached key, value or latent vector."""
    index_bits: int = 16
    """Of an element of the index keys of sparse attention."""
    draft: bool = False
    """The model's prediction head is loaded, and has a cache."""
    whole_attention: bool = False
    """Every tensor-parallel rank holds the attention of all heads."""
    spread_layers: bool = False
    """Each tensor-parallel rank caches its share of the layers, and two more while they are in use."""


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why an engine version cannot run a choice; `about` says which part of the service would have to be another one."""

    about: Literal["hardware", "model", "quantization", "source", "served-name"]
    message: str


@dataclass(frozen=True, slots=True)
class Caution:
    """What a platform engineer should know before relying on an engine version on a product; it serves all the same."""

    kind: Literal["maintenance", "experimental", "pre-release"]
    message: str

    def __str__(self) -> str:
        return self.message


@dataclass(frozen=True, slots=True)
class Fault:
    """A field of the service that the engine cannot honour, and the fix."""

    kind: Literal["unknown", "reserved", "invalid", "auth"]
    field: str
    message: str


class Engine(Protocol):
    """One inference server: vocabulary, limits and launch."""

    name: str

    @property
    def versions(self) -> tuple[str, ...]:
        """Known versions, newest first."""

    @property
    def stable(self) -> tuple[str, ...]:
        """The versions taken without being named, newest first."""

    def obstacle(self, choice: Choice) -> Obstacle | None:
        """Why this version cannot run the choice; None when it can."""

    def footprint(self, choice: Choice, arguments: Mapping[str, Any]) -> Footprint:
        """What lies in device memory for that choice under the user's checked arguments."""

    def longest_context(self, choice: Choice, arguments: Mapping[str, Any]) -> int:
        """Tokens of the longest request that the engine can serve the model with."""

    def caution(self, product: Product, version: str) -> Caution | None:
        """What to know before relying on this version on the product; None when nothing."""

    def image(self, product: Product, version: str, *, os: str) -> str | None:
        """The published image for product and version; None when none is published."""

    pads_heads: bool
    """Whether the engine fills up attention heads that a named tensor-parallel size does not divide; no size that the
    plan chooses asks for it."""

    def tensor_obstacle(self, choice: Choice, parallelism: Parallelism, *, named: bool) -> str | None:
        """Why the engine cannot split this model so, beyond what the model itself demands; `named`: by the service, else
        by the plan."""

    def spreads_data(self, choice: Choice) -> bool:
        """Whether the engine runs several data-parallel ranks inside one replica for this choice."""

    def utilization(self, version: str, arguments: Mapping[str, Any]) -> float:
        """Share of the device's visible memory that the engine may use: the user's, else the version's default."""

    def overhead(
        self,
        choice: Choice,
        parallelism: Parallelism,
        *,
        context: ContextWindow,
        arguments: Mapping[str, Any],
        variables: Mapping[str, str],
    ) -> Overhead:
        """Bytes per device beside weights and KV cache, under the user's checked arguments and environment."""

    def default_sequences(self, choice: Choice) -> int:
        """`max_sequences` when the service leaves it open."""

    def faults(
        self,
        choice: Choice,
        *,
        arguments: Mapping[str, Any],
        variables: Mapping[str, str],
        api_key: bool,
        remote_code: bool,
    ) -> tuple[Fault, ...]:
        """What is wrong with the user's own arguments, environment and authentication for this version; `remote_code`
        opens model code from the weights."""

    def shared_memory(self, parallelism: Parallelism) -> int:
        """Bytes of /dev/shm."""

    def launch(self, request: LaunchRequest) -> Launch:
        """How a replica is started."""

    def metrics(self, version: str) -> MetricSource:
        """Where replicas of that version show their load, and under which names."""
