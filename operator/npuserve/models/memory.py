"""How many parameters a model has and how many bytes its weights take, in all and on the fullest device.

Bytes on a device = the largest pipeline stage of: layers (vLLM gives the first and the last stage the fewest),
embeddings on the first, output head and multi-token prediction on the last. Within a stage attention and feed-forward
parts are cut by tensor parallelism, keys and values into at most kv_heads pieces, and routed experts go over all tensor
* data devices, whole (expert parallelism) or in slices (v@0.23.0:vllm/model_executor/layers/fused_moe/config.py,
`FusedMoEParallelConfig.make`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import lru_cache

from npuserve.models.facts import ModelFacts
from npuserve.models.quantization import Scheme, storage
from npuserve.models.weights import (
    Part,
    Split,
    Weight,
    embedding_weights,
    head_weights,
    layer_weights,
    mtp_weights,
    tower_weights,
)


@dataclass(frozen=True, slots=True)
class ByPart:
    """A sum per part of the model. `total` leaves multi-token prediction out, as published sizes do."""

    attention: int = 0
    mlp: int = 0
    experts: int = 0
    shared_experts: int = 0
    router: int = 0
    norm: int = 0
    embeddings: int = 0
    lm_head: int = 0
    vision: int = 0
    audio: int = 0
    mtp: int = 0

    @property
    def total(self) -> int:
        outer = self.embeddings + self.lm_head + self.vision + self.audio
        return self.attention + self.mlp + self.experts + self.shared_experts + self.router + self.norm + outer

    @property
    def stored(self) -> int:
        """With multi-token prediction."""
        return self.total + self.mtp

    @property
    def language(self) -> int:
        """Without the encoders of pictures and sound."""
        return self.total - self.vision - self.audio


_COLUMN = {
    part: "attention" if part in {Part.LINEAR_ATTENTION, Part.LATENT, Part.INDEXER} else part.value for part in Part
}


@lru_cache(maxsize=512)
def parameters(facts: ModelFacts) -> ByPart:
    """Parameters of each part; tied output heads count once, as embeddings."""
    mtp = sum(weight.parameters for weight in mtp_weights(facts))
    return _sum_by_part(facts, lambda weight: weight.parameters, mtp=mtp)


@lru_cache(maxsize=512)
def active_parameters(facts: ModelFacts) -> int:
    """Parameters that one token uses: of the routed experts only those chosen, and no input embeddings or encoders."""
    count = parameters(facts)
    chosen = sum(
        weight.parameters * facts.experts_per_token // max(1, weight.pieces)
        for weight in _all_weights(facts)
        if weight.part is Part.EXPERTS
    )
    return count.language - count.experts + chosen


@lru_cache(maxsize=1024)
def weight_bytes(facts: ModelFacts, scheme: Scheme) -> ByPart:
    """Bytes of each part under `scheme`; `stored` is what has to be downloaded and kept."""
    size = _bytes_of(facts, scheme)
    return _sum_by_part(facts, size, mtp=sum(map(size, _prediction_weights(facts, scheme))))


@lru_cache(maxsize=8192)
def weight_bytes_per_device(
    facts: ModelFacts,
    *,
    scheme: Scheme,
    tensor: int,
    pipeline: int = 1,
    data: int = 1,
    expert: int = 1,
    draft: bool = False,
    whole_attention: bool = False,
) -> int:
    """Bytes of weights on the fullest device of a replica of tensor * pipeline * data devices.

    `expert` is the expert-parallel size (1: off, else tensor * data); `draft` adds the multi-token prediction head;
    `whole_attention` keeps the attention of all heads on every rank (context-parallel sparse attention).
    """
    whole = frozenset({Part.ATTENTION, Part.LATENT}) if whole_attention else frozenset()
    held = _held_bytes(facts, scheme, tensor=tensor, data=data, expert=expert, kept_whole=whole)
    kinds = [sum(map(held, layer_weights(kind, facts.hidden_size))) for kind in facts.kinds]
    stages = [
        sum(kinds[index] for index in facts.pattern[start:end]) for start, end in stage_ranges(facts.layers, pipeline)
    ]
    stages[0] += sum(map(held, (*embedding_weights(facts), *tower_weights(facts))))
    if pipeline > 1 or not facts.tied_embeddings:
        stages[-1] += sum(map(held, head_weights(facts)))
    if draft:
        stages[-1] += sum(map(held, _prediction_weights(facts, scheme)))
    return max(stages)


def stage_ranges(layers: int, pipeline: int) -> tuple[tuple[int, int], ...]:
    """Layers [start, end) of each stage; extra layers go to the middle first (v@0.23.0:vllm/distributed/utils.py,
    `get_pp_indices`)."""
    sizes = [layers // pipeline] * pipeline
    for index in range(layers % pipeline):
        sizes[-(index + 2)] += 1
    ends = [sum(sizes[: index + 1]) for index in range(pipeline)]
    return tuple((end - size, end) for end, size in zip(ends, sizes, strict=True))


def _bytes_of(facts: ModelFacts, scheme: Scheme) -> Callable[[Weight], int]:
    mixture = facts.experts > 0
    kept = {part: storage(part, scheme, mixture=mixture, declared=facts.quantization) for part in Part}
    return lambda weight: kept[weight.part].bytes(weight.parameters, weight.channels)


def _held_bytes(
    facts: ModelFacts, scheme: Scheme, *, tensor: int, data: int, expert: int, kept_whole: frozenset[Part]
) -> Callable[[Weight], int]:
    """Bytes of a weight that one device holds."""
    whole = _bytes_of(facts, scheme)

    def held(weight: Weight) -> int:
        if weight.part in kept_whole:
            return weight.copies * whole(weight)
        return weight.copies * -(
            -whole(weight) * _share(weight, expert=expert) // _cut(weight, tensor=tensor, data=data, expert=expert)
        )

    return held


def _share(weight: Weight, *, expert: int) -> int:
    return -(-weight.pieces // expert) if weight.split is Split.EXPERT and expert > 1 else 1


def _cut(weight: Weight, *, tensor: int, data: int, expert: int) -> int:
    match weight.split:
        case Split.WHOLE:
            return 1
        case Split.TENSOR:
            return tensor
        case Split.KEY_VALUE:
            return min(tensor, weight.pieces)
        case Split.TOWER:
            return tensor if weight.pieces % tensor == 0 else 1
        case Split.EXPERT:
            return weight.pieces if expert > 1 else tensor * data


def _prediction_weights(facts: ModelFacts, scheme: Scheme) -> tuple[Weight, ...]:
    """The prediction head: as published weights declare it, but in floating point after msmodelslim.

    va@0.23.0.post1:vllm_ascend/quantization/modelslim_config.py: the description lists it as FLOAT.
    """
    weights, declared = mtp_weights(facts), facts.quantization
    if declared is not None and declared.scheme == scheme.name and declared.method != "msmodelslim":
        return weights
    return tuple(replace(weight, part=Part.MTP) for weight in weights)


def _all_weights(facts: ModelFacts) -> Iterable[Weight]:
    for index, kind in enumerate(facts.kinds):
        repeats = facts.pattern.count(index)
        for weight in layer_weights(kind, facts.hidden_size):
            yield replace(weight, parameters=weight.parameters * repeats, channels=weight.channels * repeats)
    yield from embedding_weights(facts)
    yield from tower_weights(facts)
    if not facts.tied_embeddings:
        yield from head_weights(facts)


def _sum_by_part(facts: ModelFacts, size: Callable[[Weight], int], *, mtp: int) -> ByPart:
    sums: dict[str, int] = {}
    for weight in _all_weights(facts):
        column = _COLUMN[weight.part]
        sums[column] = sums.get(column, 0) + size(weight)
    return ByPart(**sums, mtp=mtp)
