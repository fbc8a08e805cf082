"""Fetches the source distributions that a table is read from. Nothing of it is built or run.

`pip download` asks a source distribution for its metadata before it keeps it, which would run the package's own build.
A stand-in for the build backend answers from the archive's `PKG-INFO` instead: no code of the package runs, nothing is
built.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
from pathlib import Path

from npuserve.engines.extract.packages import Package, read_package
from npuserve.engines.extract.vllm_ascend import DISTRIBUTIONS, PLUGIN, SERVER, server_version

_BACKEND = """\
import email.parser, pathlib, shutil


def get_requires_for_build_wheel(config_settings=None):
    return []


def prepare_metadata_for_build_wheel(metadata_directory, config_settings=None):
    about = email.parser.HeaderParser().parsestr(pathlib.Path("PKG-INFO").read_text(encoding="utf-8"))
    info = pathlib.Path(metadata_directory, f"{about['Name'].replace('-', '_')}-{about['Version']}.dist-info")
    info.mkdir()
    shutil.copy("PKG-INFO", info / "METADATA")
    return info.name
"""


class DownloadError(Exception):
    """A source distribution could not be had; the message is pip's."""


def fetch_sources(version: str, into: Path) -> tuple[Package, Package]:
    """vLLM and vLLM-Ascend at that vLLM-Ascend version, downloaded below `into` (50-70 MB); kept archives are used
    again.

    Raises `DownloadError` where pip cannot download, `ValueError` when `version` is none.
    """
    return (
        _fetch(SERVER, server_version(version), into=into),
        _fetch(PLUGIN, version, into=into),
    )


def _fetch(import_name: str, version: str, *, into: Path) -> Package:
    archive = into / f"{import_name}-{version}.tar.gz"
    if not archive.exists():
        _pip_download(f"{DISTRIBUTIONS[import_name]}=={version}", into)
    return read_package(import_name, _texts(archive, import_name))


def _pip_download(requirement: str, into: Path) -> None:
    backend = into / "backend" / "setuptools"
    backend.mkdir(parents=True, exist_ok=True)
    (backend / "__init__.py").write_text("", encoding="utf-8")
    (backend / "build_meta.py").write_text(_BACKEND, encoding="utf-8")
    options = ["--no-deps", "--no-binary", ":all:", "--no-build-isolation", "--ignore-requires-python"]
    done = subprocess.run(  # noqa: S603  our own interpreter, no shell
        [sys.executable, "-m", "pip", "download", *options, "--dest", str(into), requirement],
        env={**os.environ, "PYTHONPATH": str(backend.parent)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise DownloadError(
            f"pip cannot download {requirement}: {done.stderr.strip().splitlines()[-1:] or done.stdout}"
        )


def _texts(archive: Path, import_name: str) -> dict[str, str]:
    """Python files of the package, `setup.py` and `PKG-INFO`, by path below the archive's top folder."""
    texts: dict[str, str] = {}
    with tarfile.open(archive) as opened:
        for member in opened:
            path = member.name.partition("/")[2]
            wanted = path in ("setup.py", "PKG-INFO") or (path.startswith(f"{import_name}/") and path.endswith(".py"))
            content = opened.extractfile(member) if wanted and member.isfile() else None
            if content is not None:
                texts[path] = content.read().decode("utf-8")
    return texts
