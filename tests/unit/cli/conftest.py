"""The command as people run it, with a cluster and services in files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from npuserve.cli import main
from tests.support.clusters import A2_64G

Run = Callable[..., Result]
Write = Callable[..., str]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes documents (or text) to a file and returns its path."""

    def to_file(name: str, *documents: Any) -> str:
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        text = documents[0] if isinstance(documents[0], str) else yaml.safe_dump_all(documents)
        file.write_text(text, encoding="utf-8")
        return str(file)

    return to_file


@pytest.fixture
def run(write: Write) -> Run:
    """Runs a command against one Atlas 800I A2 64G node, unless another cluster is given."""
    nodes = write("nodes.yaml", {"apiVersion": "v1", "kind": "List", "items": [{**A2_64G, "kind": "Node"}]})

    def invoke(*words: str, cluster: str = nodes, stdin: str | None = None) -> Result:
        return CliRunner().invoke(main, [*words, "--cluster", cluster], input=stdin)

    return invoke
