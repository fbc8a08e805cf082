"""`npuserve simulate`: what autoscaling would do with a trace of requests, before anything is deployed.

The service is planned as `plan` would, the engine's speed is estimated from that plan, and the trace is replayed through
the same decision code that the operator runs.
"""

from __future__ import annotations

import gzip
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn, cast

import click

from npuserve.autoscale.objectives import SHARES, Goal
from npuserve.autoscale.replay.compare import Outcome, compare
from npuserve.autoscale.replay.fleet import Row
from npuserve.autoscale.settings import Settings

REFUSED = 2


@click.command()
@click.option(
    "-f", "--filename", "files", multiple=True, required=True, help="File, folder or - with one InferenceService."
)
@click.option(
    "--trace",
    required=True,
    type=click.Path(exists=True, dir_okay=False),
    help="CSV (also .gz) with arrival_s,input_tokens,output_tokens.",
)
@click.option(
    "--cold-start",
    type=click.FloatRange(0, 86400),
    default=180.0,
    show_default=True,
    help="Seconds until a new replica serves.",
)
@click.option("--goal", type=click.Choice(list(SHARES)), help="Instead of spec.autoscaling.goal.")
@click.option("--min", "least", type=click.IntRange(1, 1000), help="Instead of spec.autoscaling.minReplicas.")
@click.option("--max", "most", type=click.IntRange(1, 1000), help="Instead of spec.autoscaling.maxReplicas.")
@click.option("--cluster", help="File of nodes (kubectl get nodes -o yaml); else the current kubeconfig is asked.")
@click.option(
    "--models", type=click.Path(exists=True, file_okay=False), help="Folder of config.json files, named Org--Name.json."
)
@click.option("--config", "configuration", help="The operator's configuration file.")
@click.option("-n", "--namespace", default="default", show_default=True, help="Namespace of a service that names none.")
@click.option(
    "--picture", type=click.Path(dir_okay=False), help="Write load, need, replicas and misses to this .png or .svg."
)
@click.option("-o", "--output", type=click.Choice(["table", "json"]), default="table", show_default=True)
def simulate(  # noqa: PLR0917 - click passes options by name
    files: tuple[str, ...],
    trace: str,
    cold_start: float,
    goal: str | None,
    least: int | None,
    most: int | None,
    picture: str | None,
    output: str,
    **planning: Any,
) -> None:
    """Replay a trace of requests through the autoscaler, beside a static fleet and an HPA."""
    settings, devices = _settings(files, **planning)
    settings = replace(
        settings,
        share=SHARES[cast("Goal", goal)] if goal else settings.share,
        least=least or settings.least,
        most=most or settings.most,
    )
    if settings.least > settings.most:
        raise click.ClickException(f"--min {settings.least} is above --max {settings.most}; give a lower one")
    rows = _rows(trace)
    outcomes = compare(rows, settings, devices=devices, cold_start=cold_start)
    if picture is not None:
        _draw(picture, outcomes, settings)
    if output == "json":
        click.echo(json.dumps(_data(outcomes), indent=2))
    else:
        _print(outcomes, settings)


def _settings(files: tuple[str, ...], namespace: str, **planning: Any) -> tuple[Settings, int]:
    """Settings of the one service in the files, and the devices of its replicas."""
    from npuserve.api.autoscaling import Autoscaling
    from npuserve.api.parse import InvalidSpec, parse
    from npuserve.autoscale.wish import settings_of
    from npuserve.cli.asked import ask
    from npuserve.cli.inputs import Inputs, read_configuration, read_inputs
    from npuserve.plan.autoscaling import limits_refusal
    from npuserve.plan.plan import Refusal
    from npuserve.plan.speed import estimated_profile

    inputs = read_inputs(files, namespace)
    if len(inputs.services) != 1:
        raise click.ClickException(f"{len(inputs.services)} services in {', '.join(files)}; simulate takes one")
    service = parse(inputs.services[0])
    if isinstance(service, InvalidSpec):
        _refuse(service.field, service.message)
    wish = service.spec.autoscaling or Autoscaling(max_replicas=DEFAULT_MOST)
    refusal = limits_refusal(wish)
    if refusal is not None:
        _refuse(refusal.field, refusal.message)
    spec = {key: value for key, value in inputs.services[0]["spec"].items() if key != "autoscaling"}
    plain = Inputs(({**inputs.services[0], "spec": spec},), inputs.config_maps)
    configuration = read_configuration(planning["configuration"])
    cluster = _cluster(planning["cluster"], configuration)
    (answer,) = ask(plain, cluster, configuration, models_folder=planning["models"])
    if isinstance(answer.outcome, Refusal):
        _refuse(answer.outcome.field, answer.outcome.message)
    profile = estimated_profile(answer.outcome, answer.model) if answer.model is not None else None
    if profile is None:
        _refuse("spec.hardware", f"{answer.outcome.product} is no product of the table")
    return settings_of(wish, profile), answer.outcome.devices


DEFAULT_MOST = 32
"""Replicas at most, for a service that asks for no autoscaling yet."""


def _cluster(path: str | None, configuration: Any) -> Any:
    if path is not None:
        from npuserve.cli.inputs import read_cluster

        return read_cluster(path, configuration)
    from npuserve.cli.live import live_cluster

    return live_cluster(configuration)


def _refuse(field: str, message: str) -> NoReturn:
    click.echo(f"refused: {field}: {message}", err=True)
    sys.exit(REFUSED)


def _rows(path: str) -> list[Row]:
    from npuserve.autoscale.replay.trace import UnreadableTrace, read_trace

    try:
        if path.endswith(".gz"):
            with gzip.open(path, "rt", encoding="utf-8") as lines:
                return read_trace(lines)
        with Path(path).open(encoding="utf-8") as lines:
            return read_trace(lines)
    except (UnreadableTrace, OSError, EOFError, UnicodeDecodeError) as error:
        raise click.ClickException(f"{path}: {error}") from error


def _data(outcomes: dict[str, Outcome]) -> dict[str, Any]:
    return {
        "policies": {
            name: {
                "attainment": round(outcome.score.attainment, 5),
                "npuHours": round(outcome.score.npu_hours, 2),
                "reversals": outcome.score.reversals,
                "cut": outcome.score.cut,
                "worstWindow": round(outcome.score.worst_window, 4),
            }
            for name, outcome in outcomes.items()
        }
    }


def _print(outcomes: dict[str, Outcome], settings: Settings) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(
        title=f"goal {settings.share:.1%} of requests in time; speed of the engine: {settings.profile.source}"
    )
    for heading in ("", "in time", "NPU-hours", "reversals", "cut without drain", "worst 5 min", "replicas"):
        table.add_column(heading, justify="right" if heading else "left")
    for name, outcome in outcomes.items():
        score, counts = outcome.score, outcome.timeline.replicas
        table.add_row(
            name, f"{score.attainment:.2%}", f"{score.npu_hours:,.0f}", str(score.reversals), str(score.cut),
            f"{score.worst_window:.1%}", f"{min(counts)} to {max(counts)}",
        )  # fmt: skip
    Console().print(table)


def _draw(path: str, outcomes: dict[str, Outcome], settings: Settings) -> None:
    """Load, need and replicas, and misses, over the hours of the trace."""
    if not path.endswith((".png", ".svg")):
        raise click.ClickException(f"--picture {path} is neither .png nor .svg; name a file that ends so")
    try:
        from matplotlib.figure import Figure
    except ImportError as missing:
        raise click.ClickException(
            "--picture needs matplotlib; install it with: pip install 'npuserve[picture]'"
        ) from missing
    figure = Figure(figsize=(12, 8), layout="constrained")
    load, replicas, misses = figure.subplots(3, 1, sharex=True)
    ours = outcomes["npuserve"].timeline
    hours = [at / 3600 for at in ours.time]
    load.plot(hours, ours.arrivals, linewidth=0.8, color="black")
    load.set_ylabel("requests/s")
    replicas.plot(hours, ours.need, linewidth=0.8, color="grey", label="need")
    for name, outcome in outcomes.items():
        at = [moment / 3600 for moment in outcome.timeline.time]
        replicas.step(
            at, outcome.timeline.replicas, where="post", label=f"{name}, {outcome.score.npu_hours:,.0f} NPU-hours"
        )
        misses.plot(at, outcome.timeline.missed, linewidth=0.8, label=f"{name}, {outcome.score.attainment:.2%} in time")
    replicas.set_ylabel("replicas")
    misses.set_ylabel("missed a minute")
    misses.set_xlabel("hours")
    replicas.legend(loc="upper left")
    misses.legend(loc="upper left")
    load.set_title(f"goal {settings.share:.1%} of requests in time")
    figure.savefig(path)
