"""Which encoders for pictures and sound a config.json describes, and how many parameters they have.

layers * (4 attention matrices + 2 or 3 feed-forward matrices) + patch embedding + positions + projector. Shapes by
family, from v@0.23.0:vllm/model_executor/models/ (the file is named beside each). An encoder the file only mentions
counts nothing and is `multimodal` all the same.
"""

from __future__ import annotations

from npuserve.models.facts import Tower
from npuserve.models.fields import Fields

# openai/clip-vit-large-patch14-336: 24 layers of 1024, feed-forward 4096; SAM ViT-B: 12 layers of 768, feed-forward
# 3072 (phi3v.py, deepencoder.py).
_CLIP_LARGE = 24 * (4 * 1024**2 + 2 * 1024 * 4096) + 3 * 14 * 14 * 1024 + 577 * 1024
_SAM_BASE = 12 * (4 * 768**2 + 2 * 768 * 3072) + 3 * 16 * 16 * 768 + 4096 * 768


def read_towers(config: Fields, hidden: int) -> tuple[Tower, ...]:
    """The encoders of the model whose language part is `hidden` elements wide."""
    found = (_vision(config, hidden), _audio(config, hidden))
    return tuple(tower for tower in found if tower is not None and tower.parameters > 0)


def is_multimodal(config: Fields) -> bool:
    """Whether the model takes pictures or sound, with or without a description of the encoder."""
    named = config.text("model_type") in {"llama4", "phi3_v", "minicpmv", "minicpmo"}
    return named or config.has(
        "vision_config", "audio_config", "img_processor", "thinker_config", "vision_tower", "mm_vision_tower"
    )


def _vision(config: Fields, hidden: int) -> Tower | None:
    vision = config.table("vision_config")
    if vision is None:
        # Phi-3 vision names its encoder and projects four merged patches through two layers.
        return (
            Tower("vision", _CLIP_LARGE + 4 * 1024 * hidden + hidden**2, 16)
            if config.table("img_processor") is not None
            else None
        )
    if vision.table("width") is not None:
        # DeepSeek-OCR: SAM and CLIP side by side, one linear projector (deepseek_ocr.py).
        return Tower("vision", _SAM_BASE + _CLIP_LARGE + 2048 * hidden, 16)
    width = _width(vision)
    layers = vision.count("num_hidden_layers", "depth", "vt_num_hidden_layers", "layers") + vision.count(
        "num_global_layers"
    )
    if not width or not layers:
        return None
    patch = vision.count("patch_size", "spatial_patch_size") or 14
    pixels = 3 * patch**2 * (vision.count("temporal_patch_size") or 1)
    positions = (
        vision.count("num_position_embeddings", "position_embedding_size") or (vision.count("image_size") // patch) ** 2
    )
    blocks = layers * (
        4 * width * (vision.count("qkv_hidden_size") or width)
        + _matrices(vision) * width * _feed_forward(vision, width)
    )
    heads = vision.count("num_attention_heads", "num_heads", "attention_heads", "vt_num_attention_heads", "heads")
    return Tower(
        "vision", blocks + (pixels + positions) * width + _projector(config, vision, width, hidden=hidden), heads or 1
    )


def _width(vision: Fields) -> int:
    # Qwen2-VL: hidden_size is the language model's, embed_dim the encoder's (qwen2_vl.py).
    return vision.count("embed_dim", "vt_hidden_size", "hidden_size")


def _feed_forward(vision: Fields, width: int) -> int:
    if vision.text("model_type").startswith("glm4v"):
        # The blocks are out_hidden_size wide, the merger intermediate_size (glm4_1v.py).
        return vision.count("out_hidden_size")
    return vision.count("intermediate_size", "vt_intermediate_size") or width * (vision.count("mlp_ratio") or 4)


def _matrices(vision: Fields) -> int:
    kind = vision.text("model_type")
    gated = kind in {"pixtral", "gemma4_vision", "qwen2_5_vl"} or kind.startswith("glm4v")
    return 3 if gated or (vision.has("fullatt_block_indexes") and vision.text("hidden_act") == "silu") else 2


def _projector(config: Fields, vision: Fields, width: int, *, hidden: int) -> int:
    """Patches are merged `spatial_merge_size` squared at a time, then projected; Qwen3-VL has one more merger per deep
    stack."""
    merge = (
        vision.count("spatial_merge_size")
        or config.count("spatial_merge_size")
        or (1 if config.text("model_type").startswith("gemma") else 2)
    )
    merged = width * merge**2
    out = vision.count("out_hidden_size") or hidden
    if vision.text("model_type").startswith("glm4v"):
        return merged * out + out * out + 3 * out * vision.count("intermediate_size")
    if config.text("model_type").startswith("gemma"):
        return width * out
    if config.text("model_type") == "mllama":
        return vision.count("vision_output_dim") * hidden
    if config.text("model_type") == "minicpmv":
        # A resampler: key-value projection, one attention layer, output projection (minicpmv.py).
        return width * hidden + 5 * hidden**2
    mergers = 1 + len(vision.counts("deepstack_visual_indexes") or ())
    return mergers * (merged**2 + merged * out)


def _audio(config: Fields, hidden: int) -> Tower | None:
    audio = config.table("audio_config")
    if audio is None:
        return None
    width, layers = audio.count("d_model", "hidden_size"), audio.count("encoder_layers", "num_hidden_layers", "depth")
    if not width or not layers:
        return None
    forward = audio.count("encoder_ffn_dim", "intermediate_size") or 4 * width
    blocks = layers * (4 * width**2 + 2 * width * forward)
    # Whisper's two convolutions of kernel 3 and its positions (whisper.py, qwen2_audio.py).
    stem = 3 * width * (audio.count("num_mel_bins") or 80) + 3 * width**2 + audio.count("max_source_positions") * width
    return Tower(
        "audio", blocks + stem + width * hidden, audio.count("encoder_attention_heads", "num_attention_heads") or 1
    )
