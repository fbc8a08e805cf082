"""Objects as YAML that people read: keys in their own order, texts of several lines as blocks, no anchors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import yaml


class _Readable(yaml.SafeDumper):
    """Writes every value out, and texts of several lines as they are."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)


_Readable.add_representer(str, _text)


def documents_text(documents: Sequence[Any]) -> str:
    """One YAML document per item; "" for none."""
    if not documents:
        return ""
    return yaml.dump_all(documents, Dumper=_Readable, sort_keys=False, allow_unicode=True, width=120)
