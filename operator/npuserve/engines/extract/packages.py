"""A source package as the generator sees it: its files and what its metadata says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from email.parser import HeaderParser


@dataclass(frozen=True, slots=True, eq=False)
class Package:
    """One source distribution."""

    name: str
    version: str
    requires_python: str
    build_script: str
    """The text of `setup.py`."""
    files: Mapping[str, str]
    """Path below the distribution's root, such as `vllm/envs.py`, to text."""


def read_package(import_name: str, archive: Mapping[str, str]) -> Package:
    """The package in `archive` (path below the distribution's root to text), which must hold `PKG-INFO`."""
    about = HeaderParser().parsestr(archive["PKG-INFO"])
    return Package(
        name=import_name,
        version=str(about["Version"]),
        requires_python=str(about.get("Requires-Python", "")),
        build_script=archive.get("setup.py", ""),
        files={path: text for path, text in archive.items() if path.startswith(f"{import_name}/")},
    )
