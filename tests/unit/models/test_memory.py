"""Bytes per device: measured anchors, and laws of splitting."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from npuserve.models.catalogue import lookup, names
from npuserve.models.legality import tensor_parallel_errors
from npuserve.models.memory import stage_ranges, weight_bytes, weight_bytes_per_device
from npuserve.models.quantization import SCHEMES, declared_scheme
from npuserve.models.weights import Part, layer_weights

GIB = 2**30
W8A8, W4A8, NONE = SCHEMES["W8A8"], SCHEMES["W4A8"], SCHEMES["none"]

# Measured or stated by the vendor; within 10 %.
ANCHORS = [
    # va@0.30.0rc2:docs/source/tutorials/models/Hunyuan-A13B-Instruct.md#L99 (the log's GB are GiB)
    ("Hunyuan-A13B BF16, TP4, weights per device", 37.46 * GIB,
     lambda: weight_bytes_per_device(lookup("tencent/Hunyuan-A13B-Instruct"), scheme=NONE, tensor=4)),
    # va@0.30.0rc2:docs/source/tutorials/models/Qwen3.5-27B-Qwen3.6-27B.md#L485
    ("Qwen3.5-27B W8A8, all weights", 30e9, lambda: weight_bytes(lookup("Qwen/Qwen3.5-27B"), W8A8).total),
    # va@0.30.0rc2:docs/source/tutorials/models/Kimi-K3.md#L29
    ("Kimi-K3 W4A8, all weights", 1.49e12, lambda: weight_bytes(lookup("moonshotai/Kimi-K3"), W4A8).total),
    # va@0.30.0rc2:docs/source/user_guide/feature_guide/Fine_grained_TP.md#L104-L110: 7/8 of each saved by a tensor-parallel size of 8
    ("DeepSeek-R1 W8A8, 7/8 of all output projections", 5.8 * GIB, lambda: 7 / 8 * r1_output_projections()),
    ("DeepSeek-R1 W8A8, 7/8 of the output head", 1.51 * GIB,
     lambda: 7 / 8 * weight_bytes(lookup("deepseek-ai/DeepSeek-R1"), W8A8).lm_head),
    ("DeepSeek-R1 W8A8, 7/8 of the embeddings", 1.51 * GIB,
     lambda: 7 / 8 * weight_bytes(lookup("deepseek-ai/DeepSeek-R1"), W8A8).embeddings),
    ("DeepSeek-R1 W8A8, 7/8 of the dense feed-forward layers", 0.9 * GIB,
     lambda: 7 / 8 * weight_bytes(lookup("deepseek-ai/DeepSeek-R1"), W8A8).mlp),
]  # fmt: skip


def r1_output_projections() -> int:
    model = lookup("deepseek-ai/DeepSeek-R1")
    rows = [weight for weight in layer_weights(model.kinds[0], model.hidden_size) if weight.part is Part.ATTENTION]
    (projection,) = [weight for weight in rows if weight.parameters == 128 * 128 * 7168]
    return projection.parameters * model.layers


@pytest.mark.parametrize(("what", "measured", "computed"), ANCHORS, ids=[anchor[0] for anchor in ANCHORS])
def test_published_weights_are_met_within_a_tenth(what: str, measured: float, computed) -> None:
    assert computed() == pytest.approx(measured, rel=0.1), what


@pytest.mark.parametrize(
    ("name", "published"),
    [
        # Sums of the weight files on the hubs (model cards and file lists), within 2 %.
        ("deepseek-ai/DeepSeek-R1", 688.6e9),
        ("openai/gpt-oss-120b", 65.2e9),
        ("openai/gpt-oss-20b", 13.8e9),
        ("moonshotai/Kimi-K2.5", 595e9),
        ("Qwen/Qwen3-235B-A22B-FP8", 236e9),
    ],
)
def test_a_quantized_checkpoint_is_as_large_as_its_files(name: str, published: float) -> None:
    model = lookup(name)
    assert model.quantization is not None
    assert weight_bytes(model, declared_scheme(model.quantization)).stored == pytest.approx(published, rel=0.02)


def test_plain_weights_take_two_bytes_each() -> None:
    count = weight_bytes(lookup("Qwen/Qwen3-32B"), NONE)
    assert count.total == pytest.approx(2 * 32.762e9, rel=0.001)


def test_one_device_holds_everything() -> None:
    for name in names():
        model = lookup(name)
        # MLA's absorbed projection is held twice.
        held = weight_bytes_per_device(model, scheme=NONE, tensor=1)
        assert weight_bytes(model, NONE).total <= held <= 1.01 * weight_bytes(model, NONE).total + 2e9, name


def test_keys_and_values_are_repeated_beyond_their_heads() -> None:
    model = lookup("Qwen/Qwen3-235B-A22B")
    eight = weight_bytes_per_device(model, scheme=NONE, tensor=8, expert=8)
    sixteen = weight_bytes_per_device(model, scheme=NONE, tensor=16, expert=16)
    key_value = 94 * 4096 * 4 * 128 * 2 * 2
    assert 2 * sixteen - eight == pytest.approx(key_value / 4 + 94 * (4096 * 128 + 2 * 4096) * 2, rel=0.01)


def test_experts_spread_over_tensor_and_data_ranks_with_and_without_expert_parallelism() -> None:
    model = lookup("deepseek-ai/DeepSeek-V3.1")
    whole = weight_bytes_per_device(model, scheme=W8A8, tensor=4, data=4, expert=16)
    sliced = weight_bytes_per_device(model, scheme=W8A8, tensor=4, data=4)
    assert whole == pytest.approx(sliced, rel=0.001)
    assert weight_bytes_per_device(model, scheme=W8A8, tensor=4) > 3 * whole


def test_experts_that_do_not_divide_are_rounded_up_to_whole_ones() -> None:
    model = lookup("stepfun-ai/Step-3.7-Flash")  # 288 experts
    five = weight_bytes_per_device(model, scheme=NONE, tensor=1, data=5, expert=5)
    four = weight_bytes_per_device(model, scheme=NONE, tensor=1, data=4, expert=4)
    experts = weight_bytes(model, NONE).experts
    assert four - five == pytest.approx(experts * (72 - 58) / 288, rel=0.001)


def test_w4a8_halves_experts_and_keeps_attention_at_eight_bits() -> None:
    model = lookup("deepseek-ai/DeepSeek-V3.1")
    eight, four = weight_bytes(model, W8A8), weight_bytes(model, W4A8)
    assert four.experts == pytest.approx(eight.experts / 2, rel=0.05)
    assert four.attention == eight.attention


def test_what_no_scheme_quantizes_stays_as_it_is() -> None:
    model = lookup("Qwen/Qwen3-VL-30B-A3B-Instruct")
    plain = weight_bytes(model, NONE)
    for scheme in SCHEMES.values():
        count = weight_bytes(model, scheme)
        assert (count.embeddings, count.lm_head, count.vision, count.router, count.norm) == (
            plain.embeddings, plain.lm_head, plain.vision, plain.router, plain.norm,
        )  # fmt: skip


def test_msmodelslim_leaves_the_prediction_head_in_floating_point() -> None:
    model = lookup("deepseek-ai/DeepSeek-V3.1")
    head = weight_bytes(model, W8A8).mtp
    assert head == pytest.approx(2 * 11.6e9, rel=0.01)
    assert weight_bytes(model, SCHEMES["FP8"]).mtp == pytest.approx(11.6e9, rel=0.02)


def test_a_draft_model_adds_its_weights() -> None:
    model = lookup("deepseek-ai/DeepSeek-V3.1")
    without = weight_bytes_per_device(model, scheme=W8A8, tensor=8, data=2, expert=16)
    with_draft = weight_bytes_per_device(model, scheme=W8A8, tensor=8, data=2, expert=16, draft=True)
    assert 0.9 * 23.2e9 / 16 < with_draft - without < 1.6 * 23.2e9 / 16


def test_a_vision_tower_that_does_not_divide_is_held_whole() -> None:
    model = lookup("zai-org/GLM-4.5V")  # 12 encoder heads
    assert model.vision is not None
    four, eight = (weight_bytes_per_device(model, scheme=NONE, tensor=size, expert=size) for size in (4, 8))
    assert 2 * eight - four > 2 * model.vision.parameters


@given(layers=st.integers(1, 200), pipeline=st.integers(1, 64))
def test_stages_cover_every_layer_once_and_differ_by_at_most_one(layers: int, pipeline: int) -> None:
    ranges = stage_ranges(layers, pipeline)
    assert [start for start, _ in ranges] == [0, *(end for _, end in ranges[:-1])]
    assert ranges[-1][1] == layers
    sizes = [end - start for start, end in ranges]
    assert max(sizes) - min(sizes) <= 1
    if pipeline > 1:
        assert sizes[-1] == min(sizes)


@given(
    name=st.sampled_from(names()),
    scheme=st.sampled_from(sorted(SCHEMES)),
    doubled=st.sampled_from(["tensor", "pipeline"]),
    size=st.sampled_from([1, 2, 4]),
)
def test_more_devices_never_hold_more_each(name: str, scheme: str, doubled: str, size: int) -> None:
    model = lookup(name)
    sizes = {"tensor": 1, "pipeline": 1, doubled: size}
    more = sizes | {doubled: 2 * size}
    if tensor_parallel_errors(model, more["tensor"]):
        return
    few, many = (weight_bytes_per_device(model, scheme=SCHEMES[scheme], **layout) for layout in (sizes, more))
    # A second stage copies the tied head; nothing else grows.
    assert many <= few
    assert many > 0


@given(name=st.sampled_from(names()), scheme=st.sampled_from(sorted(SCHEMES)))
def test_no_scheme_is_larger_than_plain_weights(name: str, scheme: str) -> None:
    model = lookup(name)
    assert weight_bytes(model, SCHEMES[scheme]).stored <= weight_bytes(model, NONE).stored
