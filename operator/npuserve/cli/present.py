"""How a plan looks: to people as tables, to programs as JSON and YAML."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from npuserve.cli.asked import Answer
from npuserve.cli.compared import alternative_data, alternatives_table
from npuserve.cli.documents import documents_text
from npuserve.plan.memory import gib
from npuserve.plan.plan import Plan, Refusal, Topology
from npuserve.quantity import format_bytes
from npuserve.reconcile.planned import status_plan


def as_data(answer: Answer, *, compared: bool = False) -> dict[str, Any]:
    """An answer as plain values; the plan is what `status.plan` would show."""
    named = {"name": answer.name, "namespace": answer.namespace}
    match answer.outcome:
        case Refusal(reason=reason, field=field, message=message):
            told = {**named, "accepted": False, "reason": str(reason), "field": field, "message": message}
        case plan:
            shown = {key: value for key, value in status_plan(plan, 0).items() if key != "observedGeneration"}
            told = {**named, "accepted": True, "plan": shown}
    return told | ({"alternatives": [alternative_data(item) for item in answer.alternatives]} if compared else {})


def as_text(answers: Sequence[Answer], style: str, *, compared: bool = False) -> str:
    """All answers as one JSON or YAML document; `compared` adds each one's alternatives."""
    return data_text([as_data(answer, compared=compared) for answer in answers], style)


def data_text(data: Any, style: str) -> str:
    """Plain values as JSON or YAML."""
    if style == "json":
        return json.dumps(data, indent=2, ensure_ascii=False)
    return documents_text([data]).rstrip()


def console() -> Console:
    """Standard output; as wide as the widest table where it is no terminal, so that files hold whole lines."""
    return Console(width=None if sys.stdout.isatty() else 200)


def show(console: Console, answers: Sequence[Answer]) -> None:
    """A table per service: what it gets, or what to change."""
    for answer in answers:
        console.print(_card(answer))
        if answer.alternatives:
            console.print(alternatives_table(answer.alternatives), "")


def show_reasons(console: Console, answers: Sequence[Answer]) -> None:
    """Why each value is what it is, one line each, in the order decided."""
    for answer in answers:
        console.print(_title(answer))
        match answer.outcome:
            case Refusal() as refusal:
                console.print(_refused(refusal))
            case plan:
                console.print(reasons_table(plan.reasons))


def reasons_table(reasons: Sequence[str]) -> Table:
    """`subject: sentence` lines as two columns."""
    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for line in reasons:
        subject, _, sentence = line.partition(": ")
        table.add_row(subject, Text(sentence))
    return table


def _card(answer: Answer) -> RenderableType:
    match answer.outcome:
        case Refusal() as refusal:
            return Group(_title(answer), _refused(refusal), "")
        case plan:
            return Group(_title(answer), _values(plan), "")


def _title(answer: Answer) -> Text:
    mark = ("refused", "bold red") if isinstance(answer.outcome, Refusal) else ("accepted", "bold green")
    return Text.assemble((f"{answer.namespace}/{answer.name}", "bold"), "  ", mark)


def _refused(refusal: Refusal) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    table.add_row("reason", str(refusal.reason))
    table.add_row("field", refusal.field)
    table.add_row("message", Text(refusal.message))
    return table


def _values(plan: Plan) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in _rows(plan):
        table.add_row(name, Text(value))
    return table


def _rows(plan: Plan) -> Iterator[tuple[str, str]]:
    split, memory, host = plan.parallelism, plan.memory, plan.topology
    yield "backend", f"{plan.backend} {plan.backend_version}"
    yield "image", plan.image
    part = f"{plan.slice_mib} MiB of " if plan.slice_mib else ""
    yield "NPUs", f"{part}{plan.devices} x {plan.product} ({plan.resource_name}: {plan.devices})"
    yield (
        "cluster",
        plan.flavour + (f", scheduler {plan.scheduler_name}" if plan.scheduler_name else ", default scheduler"),
    )
    yield "parallelism", f"tensor {split.tensor}, pipeline {split.pipeline}, data {split.data}, expert {split.expert}"
    yield "weights", f"{plan.quantization}, computed in {plan.dtype}"
    yield (
        "memory",
        (
            f"{gib(memory.usable)} usable per device: weights {gib(memory.weights)}, runtime {gib(memory.runtime)}, KV cache {gib(memory.kv_cache)}"
        ),
    )
    yield "KV cache", f"{memory.kv_cache_tokens:,} tokens per data-parallel rank"
    yield "context", f"{plan.context.max_model_len:,} tokens, {plan.context.max_sequences} requests at once"
    yield "host", _host(host)
    yield "start", f"within {plan.timing.startup} s"
    yield "command", " ".join(_shortened(word) for word in (*plan.launch.command, *plan.launch.args))


def _shortened(word: str) -> str:
    """A word of a command; a text that is handed over with it is left out."""
    return "'...'" if "\n" in word else word


def _host(host: Topology) -> str:
    pinned = " pinned" if host.cpu_pinning else ""
    numa = "" if host.numa == "none" else f", NUMA {host.numa}"
    pages = f", {format_bytes(host.hugepages.amount)} of {host.hugepages.size} pages" if host.hugepages else ""
    return f"{host.cpus} CPUs{pinned}, {host.memory} memory{numa}{pages}"
