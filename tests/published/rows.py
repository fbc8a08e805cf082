"""Which deployments are published: the rows of all tables, each a trial per published size."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).parent
_PRODUCTS = {
    "A2": "Atlas 800I A2 64G", "A3": "Atlas 800I A3 64G", "310P": "Atlas 300I Duo 96G", "A5 (950DT)": "Atlas 850 96G", "A5": "Atlas 850 96G",
    "800I-A2": "Atlas 800I A2 64G", "800I-A3": "Atlas 800I A3 64G", "300I-Duo": "Atlas 300I Duo 96G",
}  # fmt: skip
"""Where a row states no memory, the larger product of the chip."""
_A2_DEVICES = 8


@dataclass(frozen=True, slots=True)
class Row:
    """One published deployment: the service that asks for it, and the device counts it is published with."""

    id: str
    model: str
    base: str | None
    """The catalogue's path of the base model; None where no config.json could be had."""
    product: str
    quantizations: tuple[str, ...]
    """The formats it is published with; a trial holds when one of them does."""
    sizes: tuple[int, ...]
    recommended: int | None
    spec: Mapping[str, Any]
    """The fields of the service beside model, quantization and product."""
    explicit: Mapping[str, Any]
    """The sizes of the parallel groups; empty where the number of devices is the only size."""
    source: str
    served: bool = True
    """The vendor's matrix says that its server runs the model, beside its own tests."""

    @property
    def most(self) -> int:
        """Devices that a plan of its own may need at most."""
        return self.recommended or max(self.sizes)

    @property
    def least(self) -> int:
        """Devices of which a plan of its own should need half at least."""
        return self.recommended or min(self.sizes)


@cache
def vllm_ascend_rows() -> tuple[Row, ...]:
    """The rows of vLLM-Ascend, one size each."""
    return tuple(map(_vllm_ascend, _read("rows/vllm-ascend.yaml")["rows"]))


@cache
def older_rows() -> tuple[Row, ...]:
    """The rows of an older vLLM-Ascend, one size each; no rule of the planner was made by looking at them."""
    return tuple(map(_vllm_ascend, _read("rows/vllm-ascend-0.18.0.yaml")["rows"]))


@cache
def mindie_rows() -> tuple[Row, ...]:
    """The rows of MindIE: matrices of sizes, and configurations of one size."""
    return tuple(map(_mindie, _read("rows/mindie.yaml")["rows"]))


def _read(name: str) -> Any:
    return yaml.safe_load((HERE / name).read_text(encoding="utf-8"))


@cache
def _bases() -> Mapping[str, str | None]:
    found: Mapping[str, str | None] = _read("models.yaml")["models"]
    return found


def _vllm_ascend(row: Mapping[str, Any]) -> Row:
    named = row["source"].removeprefix("va@").split(":", maxsplit=1)[0]
    version = named if named in ("0.18.0", "0.30.0rc2") else "0.23.0"
    context = {"maxModelLen": row["max_model_len"], "maxSequences": row.get("max_num_seqs")}
    arguments = {
        "gpu-memory-utilization": row.get("gpu_memory_utilization"),
        "max-num-batched-tokens": row.get("max_num_batched_tokens"),
    }
    explicit = {"tensor": row["tp"], "data": row["dp"], "pipeline": row.get("pp", 1), "expert": row.get("ep")}
    return Row(
        id=str(row["id"]),
        model=row["model"],
        base=_bases()[row["model"]],
        product=_PRODUCTS[_chip(row)],
        quantizations=(_format(row["quantization"]),),
        sizes=(row["npus_total"],),
        recommended=None,
        spec={"backend": "vllm-ascend", "backendVersion": version, "context": _given(context), "engineArgs": _given(arguments)},
        explicit=_given(explicit),
        source=row["source"],
    )  # fmt: skip


def _chip(row: Mapping[str, Any]) -> str:
    """The first chip that a row names whose server has the devices."""
    chips = row["chip"].split("|")
    return str(chips[-1] if chips[0] == "A2" and row["npus_total"] > _A2_DEVICES else chips[0])


def _format(written: str) -> str:
    """`none (BF16/FP16)` is none; a format that the name does not show is left to the model's own files."""
    return "auto" if written.startswith("ascend") else written.split(" ", maxsplit=1)[0]


def _mindie(row: Mapping[str, Any]) -> Row:
    context = {"maxModelLen": row.get("max_model_len")}
    return Row(
        id=row["id"],
        model=row["model"],
        base=_bases()[row["model"]],
        product=_PRODUCTS[row["product"]],
        quantizations=tuple("none" if name == "float" else name for name in row["quantizations"]),
        sizes=tuple(row["sizes"]),
        recommended=row.get("recommended"),
        spec={"backend": "mindie", "context": _given(context)},
        explicit={},
        source=row["source"],
        served=row.get("served", True),
    )


def _given(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value is not None}


def every_row() -> Iterator[Row]:
    """The rows of all tables."""
    yield from vllm_ascend_rows()
    yield from older_rows()
    yield from mindie_rows()
