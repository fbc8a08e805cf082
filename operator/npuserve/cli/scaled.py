"""What the autoscaler last decided about services, as their status tells it: in the files where they are what the cluster
printed, else in the cluster itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from npuserve.api.conditions import ConditionType
from npuserve.cli.inputs import Inputs
from npuserve.cli.live import live_service


def show_scaling(console: Console, inputs: Inputs, *, live: bool) -> None:
    """The last decision about each autoscaled service of the inputs; `live`: the cluster may be asked."""
    for service in inputs.services:
        if (service.get("spec") or {}).get("autoscaling") is None:
            continue
        found = service if service.get("status") or not live else live_service(service["metadata"])
        console.print(_title(service["metadata"]), _table(found or {}), sep="\n")


def _title(metadata: Mapping[str, Any]) -> Text:
    return Text(f"{metadata['namespace']}/{metadata.get('name', '')}  autoscaling", style="bold")


def _table(service: Mapping[str, Any]) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for subject, sentence in _lines(service.get("status") or {}):
        table.add_row(subject, Text(sentence))
    return table


def _lines(status: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    told = status.get("autoscaling")
    if not told:
        yield "replicas", "nothing was decided yet"
        return
    yield "replicas", f"{told.get('replicas')}, {told.get('wanted')} wanted: {told.get('message')}"
    yield "constraint", str(told.get("constraint"))
    if told.get("profile") == "estimate":
        yield "engine", "its speed is an estimate out of chip and model, and corrected by what is measured"
    scaling: Mapping[str, Any] = next(
        (item for item in status.get("conditions") or () if item.get("type") == ConditionType.SCALING), {}
    )
    if scaling.get("status") == "False":
        yield str(scaling.get("reason")), str(scaling.get("message"))
