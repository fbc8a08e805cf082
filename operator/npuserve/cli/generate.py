"""Writes the files that have one source in the code, and says which differ from it."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

import click

from npuserve.api.generated import GENERATED
from npuserve.cli.chart import CHART_FILES
from npuserve.cli.packages import DownloadError, fetch_sources
from npuserve.engines.extract import vllm_ascend as extracted
from npuserve.engines.extract.table import file_name, format_table

TABLES = "operator/npuserve/engines/tables"

SOURCES: Mapping[str, Callable[[], str]] = {**GENERATED, **CHART_FILES}


def write_all(root: Path) -> list[str]:
    """Write every generated file under `root`; return those that changed."""
    stale = differing(root)
    for name in stale:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(SOURCES[name](), encoding="utf-8")
    return stale


def differing(root: Path) -> list[str]:
    """Generated files that are missing under `root` or differ from what the code says."""
    return [
        name
        for name, text in SOURCES.items()
        if not (root / name).is_file() or (root / name).read_text(encoding="utf-8") != text()
    ]


def write_engine_table(engine: str, version: str, root: Path) -> Path:
    """Read an engine version's own packages and write its table; returns the file.

    Raises ClickException where the engine's arguments are not extracted from packages, or the packages cannot be had.
    """
    if engine != extracted.ENGINE:
        raise click.ClickException(
            f"tables are extracted for {extracted.ENGINE}; that of {engine} is kept by hand from its documents"
        )
    with tempfile.TemporaryDirectory(prefix="npuserve-packages-") as folder:
        try:
            server, plugin = fetch_sources(version, Path(folder))
        except (DownloadError, ValueError) as error:
            raise click.ClickException(str(error)) from error
    table = extracted.build_table(server, plugin)
    path = root / TABLES / file_name(table)
    path.write_text(format_table(table), encoding="utf-8")
    return path
