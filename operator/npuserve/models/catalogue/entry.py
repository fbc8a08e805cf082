"""What of a published config.json the catalogue keeps, and how it is written down.

Kept is everything that describes the model. Left out: private keys (they begin with "_" and hold paths of whoever saved
the file), code references, label tables, task settings, and numbers that JSON cannot carry (Infinity). One top-level
field per line, so that a change reads as one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

_LEFT_OUT = frozenset({"auto_map", "id2label", "label2id", "task_specific_params"})


def catalogue_entry(config: Mapping[str, object]) -> dict[str, object]:
    """The part of a parsed config.json that the catalogue keeps; applying it twice changes nothing."""
    return {
        key: _kept(value)
        for key, value in config.items()
        if not key.startswith("_") and key not in _LEFT_OUT and _is_json(value)
    }


def entry_text(config: Mapping[str, object]) -> str:
    """The file of a catalogue entry."""
    lines = (
        f"  {json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}"
        for key, value in catalogue_entry(config).items()
    )
    return "{\n" + ",\n".join(lines) + "\n}\n"


def entry_file(name: str) -> str:
    """The file name of the entry for "organisation/model"."""
    return f"{name.replace('/', '--', 1)}.json"


def _kept(value: object) -> object:
    return catalogue_entry(value) if isinstance(value, dict) else value


def _is_json(value: object) -> bool:
    try:
        json.dumps(value, allow_nan=False)
    except ValueError:
        return isinstance(value, dict)
    return True
