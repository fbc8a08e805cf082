"""A config.json of any family, of any nesting, and of any nonsense is read or refused in a sentence."""

import json
from importlib.resources import files
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from npuserve.models.cache import kv_cost
from npuserve.models.catalogue import lookup, names
from npuserve.models.catalogue.entry import entry_file
from npuserve.models.config import UnreadableConfig, read_config
from npuserve.models.facts import ModelFacts
from npuserve.models.layers import (
    CompressedAttention,
    DeltaAttention,
    Dense,
    GroupedAttention,
    LatentAttention,
    Mixture,
)
from npuserve.models.legality import tensor_parallel_errors
from npuserve.models.memory import parameters, weight_bytes_per_device
from npuserve.models.quantization import SCHEMES, declared_scheme

LLAMA = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "hidden_size": 4096,
    "intermediate_size": 14336,
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "vocab_size": 128256,
    "max_position_embeddings": 131072,
    "torch_dtype": "bfloat16",
}


def config(name: str) -> dict[str, Any]:
    return json.loads((files("npuserve.models.catalogue") / "configs" / entry_file(name)).read_text())


def facts(changes: dict[str, Any]) -> ModelFacts:
    found = read_config(LLAMA | changes)
    assert isinstance(found, ModelFacts), found
    return found


def reason(changes: dict[str, Any]) -> str:
    found = read_config(LLAMA | changes, name="me/mine")
    assert isinstance(found, UnreadableConfig), found
    return found.reason


@pytest.mark.parametrize("name", names())
def test_every_model_of_the_catalogue_is_read(name: str) -> None:
    found = read_config(config(name), name=name)
    assert isinstance(found, ModelFacts), found
    assert found.name == name
    assert found.layers == len(found.pattern) >= len(found.kinds) > 0
    assert set(found.pattern) == set(range(len(found.kinds)))


def test_a_plain_model_is_what_its_file_says() -> None:
    model = lookup("Qwen/Qwen3-235B-A22B")
    assert model is not None
    assert (model.architecture, model.model_type, model.family) == ("Qwen3MoeForCausalLM", "qwen3_moe", "moe")
    assert (model.layers, model.hidden_size, model.heads, model.kv_heads, model.head_dim) == (94, 4096, 64, 4, 128)
    assert (model.experts, model.experts_per_token, model.expert_intermediate_size, model.dense_layers) == (
        128,
        8,
        1536,
        0,
    )
    assert (model.vocab_size, model.tied_embeddings, model.dtype, model.max_context) == (
        151936,
        False,
        "bfloat16",
        40960,
    )
    assert (model.kv_lora_rank, model.sliding_window, model.linear_layers, model.mtp_layers) == (0, 0, 0, ())
    assert (model.quantization, model.task, model.multimodal) == (None, "generate", False)


def test_latent_attention_and_dense_first_layers_are_read() -> None:
    model = lookup("deepseek-ai/DeepSeek-V3.2")
    assert model is not None
    assert (model.kv_lora_rank, model.q_lora_rank, model.qk_rope_head_dim, model.index_head_dim) == (512, 1536, 64, 128)
    assert (model.dense_layers, model.experts, model.shared_intermediate_size, len(model.mtp_layers)) == (
        3,
        256,
        2048,
        1,
    )
    assert isinstance(model.kinds[0].feed_forward, Dense)
    assert isinstance(model.kinds[-1].feed_forward, Mixture)


def test_hybrids_name_the_kind_of_every_layer() -> None:
    model = lookup("Qwen/Qwen3.5-27B")
    assert model is not None
    kinds = [type(model.kinds[index].mixer) for index in model.pattern[:4]]
    assert kinds == [DeltaAttention, DeltaAttention, DeltaAttention, GroupedAttention]
    assert model.linear_layers == 48
    kimi = lookup("moonshotai/Kimi-Linear-48B-A3B-Instruct")
    assert kimi is not None
    assert kimi.linear_layers == 20
    assert [type(mixer) for mixer in kimi.attention] == [LatentAttention]


def test_windows_follow_each_familys_own_rule() -> None:
    expected = {
        "google/gemma-2-9b": (21, 4096),
        "google/gemma-3-27b-it": (52, 1024),
        "google/gemma-4-26B-A4B": (25, 1024),
        "openai/gpt-oss-20b": (12, 128),
        "XiaomiMiMo/MiMo-V2-Flash": (39, 128),
        "mistralai/Mistral-7B-v0.1": (32, 4096),
        "Qwen/Qwen2.5-VL-3B-Instruct": (0, 0),
        "meta-llama/Llama-4-Scout-17B-16E-Instruct": (36, 8192),
        "deepseek-ai/DeepSeek-V4-Pro": (61, 128),
    }
    assert {name: (lookup(name).windowed_layers, lookup(name).sliding_window) for name in expected} == expected


def test_families_with_their_own_names_are_read() -> None:
    assert (lookup("THUDM/chatglm3-6b").layers, lookup("THUDM/chatglm3-6b").kv_heads) == (28, 2)
    assert lookup("THUDM/chatglm3-6b").vocab_size == 65024
    assert lookup("Qwen/Qwen-7B").intermediate_size == 11008  # the file states gate and up together, 22016
    assert lookup("tencent/Hunyuan-A13B-Instruct").experts_per_token == 8  # written once per layer
    assert lookup("baidu/ERNIE-4.5-21B-A3B-Thinking").dense_layers == 1
    assert lookup("nvidia/Llama-3_3-Nemotron-Super-49B-v1").kv_heads == 8
    assert isinstance(lookup("deepseek-ai/DeepSeek-OCR").mixers[0], GroupedAttention)
    assert isinstance(lookup("deepseek-ai/DeepSeek-V4-Flash").mixers[0], CompressedAttention)
    gpt2 = {
        "architectures": ["GPT2LMHeadModel"],
        "model_type": "gpt2",
        "n_layer": 12,
        "n_head": 12,
        "n_embd": 768,
        "vocab_size": 50257,
        "n_positions": 1024,
    }
    small = read_config(gpt2)
    assert isinstance(small, ModelFacts)
    assert (small.max_context, small.intermediate_size, small.task) == (1024, 3072, "generate")
    assert parameters(small).total == pytest.approx(124e6, rel=0.01)


@pytest.mark.parametrize("key", ["text_config", "llm_config", "language_config"])
def test_the_language_part_may_be_nested(key: str) -> None:
    nested = {
        "architectures": ["SomeForConditionalGeneration"],
        "model_type": "some",
        key: LLAMA,
        "vision_config": {"hidden_size": 64},
    }
    found = read_config(nested)
    assert isinstance(found, ModelFacts)
    assert (found.layers, found.architecture, found.model_type, found.multimodal) == (
        32,
        "SomeForConditionalGeneration",
        "some",
        True,
    )


def test_the_thinker_of_an_omni_model_is_the_model() -> None:
    audio = {
        "d_model": 1280,
        "encoder_layers": 32,
        "encoder_attention_heads": 20,
        "encoder_ffn_dim": 5120,
        "num_mel_bins": 128,
    }
    omni = {
        "architectures": ["OmniModelForConditionalGeneration"],
        "model_type": "omni",
        "thinker_config": {"text_config": LLAMA, "audio_config": audio},
    }
    found = read_config(omni)
    assert isinstance(found, ModelFacts)
    assert found.layers == 32
    assert found.audio is not None
    assert found.audio.parameters == pytest.approx(0.64e9, rel=0.02)


def test_dimensions_left_to_the_library_class_are_its_defaults() -> None:
    gemma = lookup("google/gemma-3-4b-it")
    assert gemma is not None
    assert (gemma.heads, gemma.kv_heads, gemma.head_dim, gemma.vocab_size, gemma.tied_embeddings) == (
        8,
        4,
        256,
        262208,
        True,
    )
    audio = lookup("Qwen/Qwen2-Audio-7B-Instruct")
    assert audio is not None
    assert (audio.layers, audio.hidden_size, audio.heads) == (32, 4096, 32)


def test_tasks_are_known_where_class_or_name_says_so() -> None:
    tasks = {name: lookup(name).task for name in names()}
    assert {name for name, task in tasks.items() if task == "rerank"} == {
        "Qwen/Qwen3-Reranker-0.6B",
        "Qwen/Qwen3-Reranker-8B",
    }
    assert {name for name, task in tasks.items() if task == "embed"} == {
        "Alibaba-NLP/gte-Qwen2-7B-instruct", "BAAI/bge-large-en", "BAAI/bge-m3", "Qwen/Qwen3-Embedding-0.6B",
        "Qwen/Qwen3-Embedding-4B", "Qwen/Qwen3-Embedding-8B", "intfloat/e5-mistral-7b-instruct",
    }  # fmt: skip
    assert read_config(LLAMA | {"architectures": ["LlamaForSequenceClassification"]}).task == "other"


def test_half_precision_is_read_in_any_spelling() -> None:
    assert facts({"torch_dtype": "torch.float16"}).dtype == "float16"
    assert facts({"torch_dtype": None, "dtype": "float32"}).dtype == "float32"
    assert facts({"torch_dtype": None}).dtype == "bfloat16"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"num_hidden_layers": None}, '"num_hidden_layers"'),
        ({"num_hidden_layers": 10**9}, "layers are more than any model has"),
        ({"hidden_size": "wide"}, "\"hidden_size\" is 'wide'; a whole number is needed"),
        ({"hidden_size": -1}, '"hidden_size" is -1'),
        ({"hidden_size": 10**5000}, "far too large"),
        ({"num_attention_heads": 8192}, "more than the 4096 elements they would share"),
        ({"architectures": None}, '"architectures" is missing'),
        ({"vocab_size": None}, '"vocab_size"'),
        ({"layer_types": ["conv"] * 32}, 'layer type "conv" is not known here'),
        ({"layer_types": ["full_attention"]}, '"layer_types" has 1 entries for 32 layers'),
        ({"mamba_d_state": 16}, '"mamba_d_state" describes a hybrid of layers that is not known here'),
        ({"num_experts": 8, "num_experts_per_tok": 9}, "9 experts for each token are more than the 8 there are"),
        ({"hybrid_override_pattern": "MX"}, '"mamba_num_heads"'),
    ],
)
def test_what_cannot_be_read_is_said_with_the_field(changes: dict[str, Any], words: str) -> None:
    sentence = reason(changes)
    assert words in sentence
    assert sentence.startswith("config.json of me/mine cannot be planned: ")
    assert sentence.endswith(".")


@pytest.mark.parametrize("nonsense", [None, [], "text", 3, {}, {"text_config": {}}, {"architectures": []}])
def test_nonsense_is_refused(nonsense: object) -> None:
    assert isinstance(read_config(nonsense), UnreadableConfig)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2**45) | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=8,
)
KEYS = sorted(
    {key for name in names() for key in config(name)}
    | {key for name in names() for key in config(name).get("text_config") or {}}
)


@st.composite
def mutated(draw: st.DrawFn) -> dict[str, Any]:
    """A published config.json with some fields of it, or of its language part, replaced, added or taken away."""
    base = config(draw(st.sampled_from(names())))
    for _ in range(draw(st.integers(0, 4))):
        nested = [key for key in base if isinstance(base[key], dict)]
        into = draw(st.sampled_from([base, *(base[key] for key in nested)]))
        key = draw(st.sampled_from(sorted(into)) | st.sampled_from(KEYS)) if into else draw(st.sampled_from(KEYS))
        if draw(st.booleans()):
            into.pop(key, None)
        else:
            into[key] = draw(JSON | st.integers(0, 64))
    return base


@settings(max_examples=400, deadline=None)
@given(config=mutated(), tensor=st.sampled_from([1, 2, 3, 8, 16]), pipeline=st.integers(1, 3))
def test_any_change_to_a_config_is_read_or_refused_and_what_is_read_can_be_planned(
    config: dict[str, Any], tensor: int, pipeline: int
) -> None:
    found = read_config(config, name="some/model")
    if isinstance(found, UnreadableConfig):
        assert found.reason.endswith(".")
        return
    scheme = SCHEMES["none"] if found.quantization is None else declared_scheme(found.quantization)
    assert parameters(found).total > 0
    assert weight_bytes_per_device(found, scheme=scheme, tensor=tensor, pipeline=pipeline, draft=True) > 0
    assert kv_cost(found, tensor=tensor, pipeline=pipeline).sequence(1000) >= 0
    assert all(sentence.endswith(".") for sentence in tensor_parallel_errors(found, tensor, data=2, expert=2 * tensor))


@settings(max_examples=200)
@given(value=JSON)
def test_no_json_value_is_too_strange(value: object) -> None:
    assert isinstance(read_config(value), UnreadableConfig)
