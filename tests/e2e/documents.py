"""The commands that the documents show: the lines of blocks marked `sh`.

A block with a Helm command, or one that needs Argo CD, installs: it is run on a cluster of its own (test_install.py). The
others are run on a cluster where the operator works (test_documents.py).
"""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).parents[2]
ENVIRONMENT = Path(sys.executable).parents[1]
NOT_COPIED = shutil.ignore_patterns(".venv", ".git", "__pycache__", ".*_cache", ".hypothesis", "*.egg-info")
MINUTES = 180.0
_INSTALLS = re.compile(r"\bhelm\b|argocd")


def blocks(document: Path) -> list[list[str]]:
    """The commands of each `sh` block, continued lines joined."""
    found = re.findall(r"^```sh\n(.*?)^```", document.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    return [
        [line.strip() for line in block.replace("\\\n", " ").splitlines() if line.strip() and not line.startswith("#")]
        for block in found
    ]


def documents() -> Iterator[Path]:
    """Every document of the tree, hidden folders left out."""
    yield from sorted(ROOT.glob("*.md"))
    for folder in sorted(path for path in ROOT.iterdir() if path.is_dir() and not path.name.startswith(".")):
        yield from sorted(folder.rglob("*.md"))


def _commands(*, installing: bool) -> dict[str, list[str]]:
    found = {
        str(path.relative_to(ROOT)): [
            command
            for block in blocks(path)
            if any(_INSTALLS.search(command) for command in block) == installing
            for command in block
        ]
        for path in documents()
    }
    return {name: commands for name, commands in found.items() if commands}


INSTALLING = _commands(installing=True)
"""Document -> its commands that install."""
WORKING = _commands(installing=False)
"""Document -> its other commands."""


def copy_tree(folder: Path) -> Path:
    """The tree as it is checked out, with the environment beside it, so that no command can change what is tested."""
    path = folder / "npuserve"
    shutil.copytree(ROOT, path, ignore=NOT_COPIED)
    (path / ".venv").symlink_to(ENVIRONMENT)
    return path


def run(command: str, *, where: Path, environment: Mapping[str, str]) -> str:
    """What a command prints; a refused service among those that are planned is an answer too."""
    answer = subprocess.run(
        shlex.split(command), cwd=where, env=environment, capture_output=True, text=True, timeout=MINUTES, check=False
    )
    refused = answer.returncode == 2 and "npuserve" in command and "refused" in answer.stdout
    assert answer.returncode == 0 or refused, f"$ {command}\n{answer.stdout}{answer.stderr}"
    return answer.stdout
