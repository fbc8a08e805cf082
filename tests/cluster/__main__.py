"""`python -m tests.cluster`: the local control plane by hand."""

from __future__ import annotations

import signal
import sys
import time
from contextlib import ExitStack, suppress
from pathlib import Path
from types import FrameType

import click

from tests.cluster import binaries, nodes, processes
from tests.cluster import update as newest
from tests.cluster.control_plane import ALL, ControlPlane, Leave
from tests.cluster.programs import ClusterFailed
from tests.cluster.progress import Steps
from tests.cluster.toolchain import ToolsUnavailable


class NodesWanted(click.ParamType[tuple[str, int]]):
    """KIND or KIND=COUNT."""

    name = "kind[=count]"

    def convert(
        self, value: str | tuple[str, int], param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, int]:
        if isinstance(value, tuple):
            return value
        kind, _, count = value.partition("=")
        if kind not in nodes.BY_NAME:
            self.fail(f"{kind} is no kind of node; there are {', '.join(nodes.BY_NAME)}.", param, ctx)
        if count and not count.isdigit():
            self.fail(f"{count} is no number of nodes.", param, ctx)
        return kind, int(count or 1)


@click.group(help=__doc__)
def main() -> None:
    signal.signal(signal.SIGTERM, _leave)


@main.command()
def build() -> None:
    """Build every binary that the cache lacks."""
    missing = binaries.missing()
    for name, path in binaries.ensure(steps=Steps()).items():
        click.echo(f"{name}: {path}{' (built now)' if name in missing else ''}")


@main.command()
@click.option(
    "--nodes",
    "wanted",
    type=NodesWanted(),
    multiple=True,
    help=f"Simulated nodes, repeatable: {', '.join(nodes.BY_NAME)}.",
)
@click.option(
    "--only", "names", type=click.Choice(ALL), multiple=True, default=ALL, help="Components to start; all by default."
)
@click.option("--keep", is_flag=True, help="Return at once and leave the cluster running.")
def up(*, wanted: tuple[tuple[str, int], ...], names: tuple[str, ...], keep: bool) -> None:
    """Start a control plane and print its KUBECONFIG; runs until Ctrl-C."""
    steps = Steps()
    binaries.ensure(names, steps=steps)
    with ExitStack() as stack:
        with steps.step("Starting the control plane") as report:
            cluster = stack.enter_context(
                ControlPlane(names, leave=Leave.RUNNING if keep else Leave.NOTHING, report=report)
            )
        cluster.add_nodes(
            [node for kind, count in wanted for node in nodes.BY_NAME[kind](kind.replace("_", "-"), count)]
        )
        click.echo(f"export KUBECONFIG={cluster.admin_kubeconfig}")
        if keep:
            click.echo(f"Stop it with: {sys.executable} -m tests.cluster down {cluster.folder}")
        else:
            click.echo("Ctrl-C stops it.")
            with suppress(KeyboardInterrupt):
                _watch(cluster)


@main.command()
def update() -> None:
    """Raise the pinned versions to the newest releases."""
    newest.update(Steps())


@main.command()
@click.argument("folder", type=click.Path(path_type=Path))
def down(folder: Path) -> None:
    """Stop the cluster that was left running in FOLDER and remove the folder."""
    try:
        stopped = processes.stop_recorded(folder)
    except FileNotFoundError:
        raise click.ClickException(f"{folder} holds no cluster.") from None
    click.echo(f"Stopped {', '.join(stopped) or 'nothing; all had ended'}.")


def _watch(cluster: ControlPlane) -> None:
    while not cluster.ended():
        time.sleep(1)
    raise ClusterFailed("; ".join(cluster.ended()))


def _leave(number: int, frame: FrameType | None) -> None:
    raise SystemExit(128 + number)


if __name__ == "__main__":
    try:
        main(prog_name="python -m tests.cluster")
    except (ToolsUnavailable, ClusterFailed) as error:
        sys.exit(str(error))
