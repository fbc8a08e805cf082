"""How an engine table is written: JSON with sorted keys and one value per line, the same bytes for the same table."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


def file_name(table: Mapping[str, Any]) -> str:
    """`vllm-ascend-0.23.0.json` for that engine and version."""
    return f"{table['engine']}-{table['version']}.json"


def format_table(table: Mapping[str, Any]) -> str:
    """The text of the file."""
    return json.dumps(table, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
