"""Which tensor- and expert-parallel sizes a model can be cut into, and why not.

Attention heads divide by the tensor-parallel size; key-value heads divide by it or it by them; intermediate sizes
divide; whole experts divide by the expert-parallel size (v@0.23.0:vllm/model_executor/models/,
vllm/distributed/utils.py `divide`). Vocabularies are padded, so they never object.
"""

from __future__ import annotations

from collections.abc import Iterator

from npuserve.models.facts import ModelFacts
from npuserve.models.layers import (
    CompressedAttention,
    DeltaAttention,
    Dense,
    FeedForward,
    GroupedAttention,
    LatentAttention,
    Mixer,
    Mixture,
    StateSpace,
)


def tensor_parallel_errors(
    facts: ModelFacts, tensor: int, *, data: int = 1, expert: int = 1, pads_heads: bool = False
) -> tuple[str, ...]:
    """One sentence for each reason why the model cannot be cut so; empty when it can.

    `expert` is the expert-parallel size (1: off, else tensor * data); `pads_heads`: the engine fills up attention heads
    that do not divide. Groups of 4-bit weights that share a scale, where
    the weights declare them, stay whole.
    """
    declared = facts.quantization
    group = declared.group_size if declared is not None and declared.bits_weights < 8 else 0
    mixers = () if pads_heads else (kind.mixer for kind in facts.kinds if kind.mixer is not None)
    found = (
        [f"The weights are cut for tensor parallel size {declared.tensor}, not {tensor}."]
        if declared is not None and declared.tensor not in (0, tensor)
        else []
    )
    found += [objection for mixer in mixers for objection in _mixer_objections(mixer, tensor)]
    for kind in facts.kinds:
        found += _feed_forward_objections(kind.feed_forward, tensor, data=data, expert=expert, group=group)
    return tuple(dict.fromkeys(found))


def splits_encoders(facts: ModelFacts, tensor: int) -> bool:
    """Whether the encoders of pictures and sound can be cut; where not, the engine runs them on every rank
    (`mm-encoder-tp-mode data`)."""
    return all(tower.heads % tensor == 0 for tower in facts.towers)


def _mixer_objections(mixer: Mixer, tensor: int) -> Iterator[str]:
    match mixer:
        case GroupedAttention(heads=heads, kv_heads=kv_heads):
            yield from _divides(heads, tensor, "attention heads")
            if kv_heads % tensor and tensor % kv_heads:
                yield f"{kv_heads} key-value heads neither divide nor are divided by tensor parallel size {tensor}."
        case LatentAttention(heads=heads):
            yield from _divides(heads, tensor, "attention heads")
        case CompressedAttention(heads=heads, o_groups=groups):
            yield from _divides(heads, tensor, "attention heads")
            yield from _divides(groups, tensor, "groups of the output projection")
        case DeltaAttention(key_heads=key_heads, value_heads=value_heads):
            yield from _divides(key_heads, tensor, "linear-attention key heads")
            yield from _divides(value_heads, tensor, "linear-attention value heads")
        case StateSpace(heads=heads, groups=groups):
            yield from _divides(heads, tensor, "state-space heads")
            if groups > 1:
                yield from _divides(groups, tensor, "state-space groups")


def _feed_forward_objections(
    feed_forward: FeedForward | None, tensor: int, *, data: int, expert: int, group: int
) -> Iterator[str]:
    match feed_forward:
        case Dense(width=width):
            yield from _divides(width, tensor, "intermediate elements")
            yield from _keeps_groups(width, tensor, group=group)
        case Mixture(experts=experts, width=width, shared_width=shared):
            if expert > 1:
                yield from _divides(experts, expert, "experts", size="expert parallel size")
            else:
                yield from _divides(width, tensor * data, "intermediate elements of an expert", size=_slices(data))
                yield from _keeps_groups(width, tensor * data, group=group)
            yield from _divides(shared, tensor, "intermediate elements of the shared experts")
        case None:
            return


def _slices(data: int) -> str:
    return "tensor parallel size" if data == 1 else "tensor times data parallel size"


def _divides(count: int, parts: int, what: str, *, size: str = "tensor parallel size") -> Iterator[str]:
    if count % parts:
        yield f"{count} {what} do not divide by {size} {parts}."


def _keeps_groups(width: int, parts: int, *, group: int) -> Iterator[str]:
    if group and parts > 1 and width % parts == 0 and (width // parts) % group:
        yield f"{width} intermediate elements over {parts} devices leave {width // parts} each, which is no multiple of the quantization group of {group}."
