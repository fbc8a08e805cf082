"""The operator's image, built from the tree by its own Dockerfile."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from tests.support.image import BASE, Builder, Image, make_base, run_stage

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "images" / "operator"
LOCKS = ("requirements.lock", "build.lock")
_SOURCES = ("LICENSE", "README.md", "pyproject.toml", "images/operator", "operator")


class Workshop:
    """A base, the sources and the wheels in an empty folder; each build begins with these."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        for name in ("builder", "base"):
            (folder / name).mkdir()
        self._builder = Builder(folder / "builder")
        self._root = make_base(self._builder, folder / "base")
        self._context = _context(folder / "context")

    def build(self, number: int) -> Image:
        """The image from nothing but those."""
        own = self._folder / f"build-{number}"
        own.mkdir()
        stage, name = own / "stage", f"localhost/npuserve:{number}"
        shutil.copytree(self._root, stage, symlinks=True)
        dockerfile = self._context / "images" / "operator" / "Dockerfile"
        run_stage(dockerfile, self._context, stage)
        words = (f"--build-arg=BASE={BASE}", f"--build-context=build={stage}", f"--file={dockerfile}")
        self._builder.build(self._context, name, *words)
        return self._builder.push(name, own / "image")


def _context(folder: Path) -> Path:
    """What the build gets to see, and the wheels, so that it asks no network."""
    for source in _SOURCES:
        target = folder / source
        target.parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / source).is_dir():
            shutil.copytree(ROOT / source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(ROOT / source, target)
    wheels = folder / "images" / "operator" / "wheels"
    for lock in LOCKS:
        words = ["download", "--quiet", "--no-deps", "--require-hashes", "--only-binary=:all:", "--dest", str(wheels)]
        subprocess.run([sys.executable, "-m", "pip", *words, "--requirement", str(FOLDER / lock)], check=True)
    return folder
