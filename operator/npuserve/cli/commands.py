"""The commands and their options."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from npuserve.cli.activator import activator
from npuserve.cli.catalogue import catalogue
from npuserve.cli.simulate import simulate
from npuserve.cluster.facts import ClusterFacts
from npuserve.configuration import Configuration

if TYPE_CHECKING:
    from npuserve.cli.inputs import Inputs

ACCEPTED, REFUSED = 0, 2


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="npuserve")
def main() -> None:
    """Plan, run and explain inference services on Huawei Ascend NPUs."""


def _planning(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that `plan`, `render` and `explain` share."""
    options = (
        click.option(
            "-f", "--filename", "files", multiple=True, required=True, help="File, folder or - with InferenceServices."
        ),
        click.option(
            "--cluster", help="File of nodes (kubectl get nodes -o yaml); else the current kubeconfig is asked."
        ),
        click.option(
            "--models",
            type=click.Path(exists=True, file_okay=False),
            help="Folder of config.json files, named Org--Name.json.",
        ),
        click.option("--config", "configuration", help="The operator's configuration file."),
        click.option(
            "-n", "--namespace", default="default", show_default=True, help="Namespace of services that name none."
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


_output = click.option(
    "-o", "--output", type=click.Choice(["table", "yaml", "json"]), default="table", show_default=True
)

main.add_command(activator)
main.add_command(catalogue)
main.add_command(simulate)


@main.command()
def run() -> None:
    """Run the operator; settings come from NPUSERVE_* environment variables."""
    from npuserve.controller.run import run as run_operator
    from npuserve.settings import SettingsError, read_settings

    try:
        settings = read_settings()
    except SettingsError as error:
        raise click.ClickException(str(error)) from error
    sys.exit(run_operator(settings))


@main.command()
@_planning
@_output
@click.option(
    "--compare", is_flag=True, help="Add every engine, product and layout that was considered, and why one won."
)
def plan(output: str, *, compare: bool, **asked: Any) -> None:
    """Show what services would get, or why they would be refused (exit code 2)."""
    from npuserve.cli.present import as_text, console, show

    answers = _answers(compare=compare, **asked)
    if output == "table":
        show(console(), answers)
    else:
        click.echo(as_text(answers, output, compared=compare))
    sys.exit(_code(answers))


@main.command()
@_planning
@_output
def capacity(
    output: str,
    files: tuple[str, ...],
    cluster: str | None,
    *,
    models: str | None,
    configuration: str | None,
    namespace: str,
) -> None:
    """Show which services fit at the same time, in the order given, and what is left (exit code 2: not all fit)."""
    from npuserve.cli.asked import services_of
    from npuserve.cli.compared import capacity_data, capacity_tables
    from npuserve.cli.inputs import read_configuration, read_inputs
    from npuserve.cli.present import console, data_text
    from npuserve.plan.capacity import capacity_of

    settings = read_configuration(configuration)
    asked = services_of(read_inputs(files, namespace), settings, models_folder=models)
    found = capacity_of(asked, _cluster(cluster, settings), settings)
    if output == "table":
        console().print(*capacity_tables(found), sep="\n\n")
    else:
        click.echo(data_text(capacity_data(found), output))
    sys.exit(ACCEPTED if found.fits else REFUSED)


@main.command()
@_planning
def explain(files: tuple[str, ...], namespace: str, **asked: Any) -> None:
    """Say why each value of a plan is what it is, and what the autoscaler last decided."""
    from npuserve.cli.inputs import read_inputs
    from npuserve.cli.present import console, show_reasons
    from npuserve.cli.scaled import show_scaling

    inputs = read_inputs(files, namespace)
    answers = _ask(inputs, **asked)
    show_reasons(console(), answers)
    show_scaling(console(), inputs, live=asked["cluster"] is None)
    sys.exit(_code(answers))


@main.command()
@_planning
def render(configuration: str | None, **asked: Any) -> None:
    """Print the objects that would be applied, as YAML."""
    from npuserve.cli.inputs import read_configuration
    from npuserve.cli.rendered import manifests

    answers = _answers(configuration=configuration, **asked)
    click.echo(manifests(answers, read_configuration(configuration)), nl=False)
    sys.exit(_code(answers))


@main.group(invoke_without_command=True)
@click.option("--root", type=click.Path(file_okay=False, path_type=Path), default=".", help="Root of the source tree.")
@click.option("--check", is_flag=True, help="Write nothing; exit 1 when a file differs.")
@click.pass_context
def generate(context: click.Context, root: Path, *, check: bool) -> None:
    """Write the files that are generated from the code: CRD, reference, schema, RBAC."""
    if context.invoked_subcommand is not None:
        return
    from npuserve.cli.generate import differing, write_all

    if not check:
        for path in write_all(root):
            click.echo(f"wrote {path}")
        return
    stale = differing(root)
    for path in stale:
        click.echo(f"{path} differs from what the code says; run: make generate", err=True)
    sys.exit(1 if stale else 0)


@generate.command("engine-table")
@click.argument("engine")
@click.argument("version")
@click.option("--root", type=click.Path(file_okay=False, path_type=Path), default=".", help="Root of the source tree.")
def engine_table(engine: str, version: str, root: Path) -> None:
    """Read an engine version's own packages and write its table of arguments."""
    from npuserve.cli.generate import write_engine_table

    click.echo(f"wrote {write_engine_table(engine, version, root)}")


def _answers(files: tuple[str, ...], *, namespace: str, **asked: Any) -> list[Any]:
    from npuserve.cli.inputs import read_inputs

    return _ask(read_inputs(files, namespace), **asked)


def _ask(
    inputs: Inputs, *, cluster: str | None, models: str | None, configuration: str | None, compare: bool = False
) -> list[Any]:
    from npuserve.cli.asked import ask
    from npuserve.cli.inputs import read_configuration

    settings = read_configuration(configuration)
    return list(ask(inputs, _cluster(cluster, settings), settings, models_folder=models, compare=compare))


def _cluster(path: str | None, configuration: Configuration) -> ClusterFacts:
    from npuserve.cli.inputs import read_cluster

    if path is not None:
        return read_cluster(path, configuration)
    from npuserve.cli.live import live_cluster

    return live_cluster(configuration)


def _code(answers: list[Any]) -> int:
    from npuserve.plan.plan import Refusal

    return REFUSED if any(isinstance(answer.outcome, Refusal) for answer in answers) else ACCEPTED
