"""Which number formats weights come in, how users spell them, and how many bits each part of a model then takes.

One row per scheme. The bits of a routed expert are the scheme's own; the other linear layers of a mixture model may
follow another row (`elsewhere`), because quantization tools treat them so: W4A8 is INT4 experts with INT8 attention
(va@0.23.0.post1:vllm_ascend/quantization/methods/w4a8.py). Embeddings, output head, router, norms, encoders and MLA's
absorbed projection stay in floating point under every scheme. Whether a chip or an engine supports a scheme is decided
elsewhere.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from npuserve.models.facts import QuantizationFacts
from npuserve.models.weights import Part

FLOAT_BITS = 16
PLAIN = "none"
"""The name of plain floating point."""

QUANTIZED_PARTS = frozenset({Part.ATTENTION, Part.LINEAR_ATTENTION, Part.MLP, Part.EXPERTS, Part.SHARED_EXPERTS})


@dataclass(frozen=True, slots=True)
class Scheme:
    """One number format: bits of a weight, of an activation and of a cached key or value; weights per scale and bits
    per scale."""

    name: str
    weight_bits: int
    activation_bits: int
    kv_bits: int = FLOAT_BITS
    group_size: int = 0
    """Weights that share one scale; 0: one scale per output channel."""
    scale_bits: int = 32
    cut: bool = False
    """The files hold the pieces of one tensor-parallel size (va@0.18.0:docs/source/tutorials/hardwares/310p.md)."""
    elsewhere: str = ""
    """The row that the other linear layers of a mixture model follow; empty: the same."""

    @property
    def quantized(self) -> bool:
        return self.weight_bits < FLOAT_BITS

    @property
    def made_offline(self) -> bool:
        """Whether msmodelslim makes weights of the format, as opposed to those that publishers train or convert."""
        return self.quantized and self.name not in _PUBLISHED


_PUBLISHED = frozenset({"FP8", "MXFP4", "NVFP4", "AWQ", "GPTQ", "BITSANDBYTES", "GGUF", "W4A16"})

_ROWS = (
    Scheme(PLAIN, 16, 16),
    Scheme("W8A8", 8, 8),
    Scheme("W8A16", 8, 16),
    # msmodelslim's default group is 256, with an FP32 scale (va@0.23.0.post1:vllm_ascend/quantization/methods/w4a8.py).
    Scheme("W4A8", 4, 8, group_size=256, elsewhere="W8A8"),
    # compressed-tensors INT4, as Kimi-K2-Thinking and Kimi-K2.5 publish it: groups of 32, BF16 scales, experts only.
    Scheme("W4A16", 4, 16, group_size=32, scale_bits=16, elsewhere=PLAIN),
    Scheme("W4A4", 4, 4, elsewhere="W8A8"),
    # Sparse and compressed weights are at most as large as plain INT8 or FP16.
    Scheme("W8A8S", 8, 8),
    Scheme("W8A8SC", 8, 8, cut=True),
    Scheme("W16A16S", 16, 16),
    Scheme("W16A16SC", 16, 16, cut=True),
    Scheme("W8A8C8", 8, 8, kv_bits=8),
    Scheme("W8A16C8", 8, 16, kv_bits=8),
    Scheme("W4A8C8", 4, 8, kv_bits=8, group_size=256, elsewhere="W8A8"),
    Scheme("W4A4C8", 4, 4, kv_bits=8, elsewhere="W8A8"),
    # FP8 checkpoints: blocks of 128 x 128 with an FP32 scale (config.json, weight_block_size).
    Scheme("FP8", 8, 8, group_size=128 * 128),
    # OCP microscaling formats: 32 weights share an 8-bit exponent.
    Scheme("MXFP8", 8, 8, group_size=32, scale_bits=8),
    Scheme("MXFP4", 4, 16, group_size=32, scale_bits=8, elsewhere=PLAIN),
    Scheme("W4A8_MXFP", 4, 8, group_size=32, scale_bits=8, elsewhere="MXFP8"),
    Scheme("W4A4_MXFP4", 4, 4, group_size=32, scale_bits=8, elsewhere="MXFP8"),
    Scheme("W4A4C8_MXFP4", 4, 4, kv_bits=8, group_size=32, scale_bits=8, elsewhere="MXFP8"),
    Scheme("W8A8C8_MXFP8", 8, 8, kv_bits=8, group_size=32, scale_bits=8),
    Scheme("NVFP4", 4, 4, group_size=16, scale_bits=8, elsewhere=PLAIN),
    # AWQ and GPTQ: groups of 128 with an FP16 scale and a packed zero point.
    Scheme("AWQ", 4, 16, group_size=128, scale_bits=20),
    Scheme("GPTQ", 4, 16, group_size=128, scale_bits=20),
    Scheme("BITSANDBYTES", 4, 16, group_size=64, scale_bits=32),
    Scheme("GGUF", 4, 16, group_size=32, scale_bits=32),
)

SCHEMES = {row.name: row for row in _ROWS}

_ALIASES = {
    "": PLAIN, "FLOAT": PLAIN, "BF16": PLAIN, "BFLOAT16": PLAIN, "FP16": PLAIN, "FLOAT16": PLAIN, "W16A16": PLAIN, "NO": PLAIN,
    "KV_INT8": "W8A8C8", "INT4": "W4A16", "W4A16C16": "W4A16",
    "FP8_E4M3": "FP8", "W8A8FP8": "FP8", "W8A8_FP8": "FP8", "FP8_BLOCK": "FP8",
    "W8A8_MXFP8": "MXFP8", "W8A8_MXFP": "MXFP8",
    "W4A16_MXFP4": "MXFP4", "W4A8_MXFP4": "W4A8_MXFP", "W4A4_MXFP": "W4A4_MXFP4",
    "W4A16_NVFP4": "NVFP4", "W4A4_FLATQUANT": "W4A4", "W4A4_LAOS": "W4A4", "GPTQ_MARLIN": "GPTQ", "AWQ_MARLIN": "AWQ", "BNB": "BITSANDBYTES",
}  # fmt: skip
# How a scale is found (static, dynamic, per token, ...) changes neither bits nor support, so it is no part of the name.
_MANNERS = re.compile(
    r"(_(DYNAMIC|STATIC|MIX|PDMIX|PERCHANNEL|PERGROUP|PERTENSOR|PER|CHANNEL|GROUP|TENSOR|TOKEN|QUAROT|ROT|FLEX|SMOOTH))+$"
)


def normalise(name: str) -> str | None:
    """The table's name for a scheme as users and tools write it ("w8a8-dynamic" -> "W8A8"); None when unknown."""
    spelled = re.sub(r"[\s.\-]+", "_", name.strip()).upper()
    if spelled == PLAIN.upper():
        return PLAIN
    for candidate in (spelled, _MANNERS.sub("", spelled)):
        if candidate in SCHEMES:
            return candidate
        if candidate in _ALIASES:
            return _ALIASES[candidate]
    return None


@dataclass(frozen=True, slots=True)
class Storage:
    """How one part is kept: bits of a weight; scales of `scale_bits`, one for `group_size` weights (0: one per output
    channel)."""

    bits: int
    group_size: int = 0
    scale_bits: int = 0

    def bytes(self, weights: int, channels: int) -> int:
        """Bytes of so many weights with so many output channels, scales included."""
        scales = -(-weights // self.group_size) if self.group_size else channels
        return -(-(weights * self.bits + scales * self.scale_bits) // 8)


FLOAT = Storage(FLOAT_BITS)


def storage(part: Part, scheme: Scheme, *, mixture: bool, declared: QuantizationFacts | None = None) -> Storage:
    """How `part` is kept under `scheme`. What weights of that scheme state about a part goes before the table."""
    if part not in QUANTIZED_PARTS or not scheme.quantized:
        return FLOAT
    own = declared if declared is not None and declared.scheme == scheme.name else None
    stated = dict(own.parts).get(part.value) if own is not None else None
    usual = scheme.elsewhere if mixture and part is not Part.EXPERTS else ""
    name = stated or usual or scheme.name
    if name != scheme.name:
        return _storage_of(SCHEMES[name])
    return _storage_of(scheme, own.group_size if own is not None else 0)


def declared_scheme(declared: QuantizationFacts) -> Scheme:
    """The row for weights that declare their format, with the bits they declare where those are others than the
    table's."""
    row = SCHEMES.get(declared.scheme) or Scheme(declared.scheme, declared.bits_weights, declared.bits_activations)
    return replace(
        row, weight_bits=declared.bits_weights, activation_bits=declared.bits_activations, kv_bits=declared.bits_cache
    )


def _storage_of(scheme: Scheme, group_size: int = 0) -> Storage:
    return (
        Storage(scheme.weight_bits, group_size or scheme.group_size, scheme.scale_bits) if scheme.quantized else FLOAT
    )
