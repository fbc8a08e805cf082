"""The ConfigMap with the files an engine reads.

Rule: its name holds its content, so that it never changes and a change of files is a change of the pod template.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from npuserve.engines.launch import File
from npuserve.render import labels
from npuserve.render.names import config_name
from npuserve.render.owner import Owner, metadata


def config_map(owner: Owner, backend: str, *, files: Sequence[File]) -> dict[str, Any]:
    """The ConfigMap of these files."""
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": metadata(owner, config_name(owner.name, files), labels=labels.of_child(owner, backend)),
        "immutable": True,
        "data": {file.name: file.content for file in files},
    }
