"""`npuserve catalogue`: which models are known without a network, and how one is added."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from npuserve.models.facts import ModelFacts

ENTRIES = "operator/npuserve/models/catalogue/configs"


@click.group()
def catalogue() -> None:
    """List, show and add models that are planned without a network."""


@catalogue.command("list")
@click.argument("pattern", default="")
def list_models(pattern: str) -> None:
    """Print the models whose path contains PATTERN, all without one."""
    from npuserve.models.catalogue import names

    found = [name for name in names() if pattern.casefold() in name.casefold()]
    if not found:
        raise click.ClickException(f"the catalogue knows no model with {pattern!r} in its path")
    click.echo("\n".join(found))


@catalogue.command()
@click.argument("path")
def show(path: str) -> None:
    """Print what is known of the model PATH (organisation/model) and its published quantized uploads."""
    from npuserve.models.catalogue import lookup, nearest, quantized_siblings

    facts = lookup(path)
    if facts is None:
        close = nearest(path)
        hint = f"; nearest: {', '.join(close)}" if close else ""
        raise click.ClickException(f"the catalogue knows no {path!r}{hint}")
    _print(facts)
    for sibling in quantized_siblings(path):
        click.echo(f"{'upload':<14}{sibling.path} ({sibling.scheme})")


@catalogue.command()
@click.argument("config", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--name", required=True, help="The model's path on a hub: Organisation/Model.")
@click.option(
    "--quantization-description",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The quant_model_description.json of weights made with msmodelslim; checked and shown, not stored.",
)
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="A folder for --models, in place of the source tree's catalogue.",
)
@click.option("--root", type=click.Path(file_okay=False, path_type=Path), default=".", help="Root of the source tree.")
def add(config: Path, name: str, quantization_description: Path | None, folder: Path | None, root: Path) -> None:
    """Read a model's own config.json and keep what planning needs of it."""
    from npuserve.models.catalogue.entry import entry_file, entry_text
    from npuserve.plan.description import CONFIG_KEY, QUANTIZATION_KEY, Description, describe

    if name.count("/") != 1 or not all(name.split("/")):
        raise click.BadParameter(f"{name!r} is not Organisation/Model", param_hint="--name")
    files = {CONFIG_KEY: config.read_text(encoding="utf-8")}
    if quantization_description is not None:
        files[QUANTIZATION_KEY] = quantization_description.read_text(encoding="utf-8")
    found = describe(files, name=name, field=str(config))
    if not isinstance(found, Description) or found.facts is None:
        raise click.ClickException(f"{config}: {getattr(found, 'message', 'it describes no model')}")
    place = folder or root / ENTRIES
    if folder is None and not place.is_dir():
        raise click.ClickException(f"{place} is not there; run it in the source tree, or name a folder with --folder")
    place.mkdir(parents=True, exist_ok=True)
    target = place / entry_file(name)
    target.write_text(entry_text(json.loads(files[CONFIG_KEY])), encoding="utf-8")
    _print(found.facts)
    click.echo(f"{'wrote':<14}{target}")


def _print(facts: ModelFacts) -> None:
    for subject, value in _rows(facts):
        click.echo(f"{subject:<14}{value}")


def _rows(facts: ModelFacts) -> list[tuple[str, Any]]:
    from npuserve.models.memory import parameters, weight_bytes
    from npuserve.models.quantization import SCHEMES
    from npuserve.models.stretch import longest
    from npuserve.plan.memory import gib

    stretched = f", {longest(facts):,} by YaRN" if longest(facts) > facts.max_context else ""
    mixture = f", {facts.experts} experts of which a token uses {facts.experts_per_token}" if facts.experts else ""
    declared = facts.quantization
    return [
        ("model", f"{facts.name} ({facts.architecture})"),
        ("layers", f"{facts.layers}, {facts.heads} attention heads, {facts.kv_heads} key-value heads{mixture}"),
        ("parameters", f"{parameters(facts).total / 1e9:.1f} billion"),
        ("weights", f"{gib(weight_bytes(facts, SCHEMES['none']).stored)} in {facts.dtype}"),
        ("context", f"{facts.max_context:,} tokens{stretched}"),
        ("quantization", "not stated" if declared is None else f"{declared.scheme} ({declared.method})"),
    ]
