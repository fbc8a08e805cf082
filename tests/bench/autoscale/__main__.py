"""python -m tests.bench.autoscale [--traces DIR]: npuserve with its one setting beside its peers, each tuned for each trace."""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Sequence
from math import inf
from pathlib import Path
from time import monotonic

from rich.console import Console

from tests.bench.autoscale import compiled
from tests.bench.autoscale.families import FAMILIES
from tests.bench.autoscale.phases import Asked, Work, summary, tuned_days
from tests.bench.autoscale.report import trace_sheet
from tests.bench.autoscale.sheets import filled
from tests.bench.autoscale.traces import found

README = Path(__file__).with_name("README.md")
MARKERS = ("<!-- measured: begin -->", "<!-- measured: end -->")


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, and print."""
    asked = _parser().parse_args(arguments)
    if not (asked.plain or compiled.is_compiled()):
        with compiled.environment() as environment:
            if environment is not None:
                again = [
                    sys.executable,
                    "-m",
                    "tests.bench.autoscale",
                    *(sys.argv[1:] if arguments is None else arguments),
                ]
                return subprocess.run(again, env=environment, check=False).returncode
        print("no C compiler here, or no setuptools: the replay runs as it is, three times slower", file=sys.stderr)
    traces = found(asked.traces, holding=asked.only)
    if not traces:
        print(f"no trace in {asked.traces or 'what can be drawn'} holds {asked.only!r} in its name", file=sys.stderr)
        return 1
    families = tuple(filter(None, asked.peers.split(","))) if asked.peers is not None else FAMILIES
    if unknown := [family for family in families if family not in FAMILIES]:
        print(f"--peers names {', '.join(unknown)}; there are {', '.join(FAMILIES)}", file=sys.stderr)
        return 1
    console, begun = Console(width=180), monotonic()
    wanted = Asked(tuple(traces), families, asked.target, hardships=not asked.no_hardships,
                   starts=not asked.no_starts, dynosim=not asked.no_dynosim, minutes=asked.minutes)  # fmt: skip
    with Work(console, asked.processes) as work:
        days = []
        for day in tuned_days(wanted, work):
            work.show(trace_sheet(day))
            days.append(day)
        sheets = [work.show(sheet) for sheet in summary(wanted, work, days)]
    took = (
        f"{len(traces)} traces in {(monotonic() - begun) / 60:.1f} minutes with {asked.processes} processes, "
        f"the replay {'compiled' if compiled.is_compiled() else 'as it is'}"
    )
    console.print(took)
    if asked.write_readme:
        README.write_text(filled(README.read_text("utf-8"), sheets, markers=MARKERS, closing=f"{took}."), "utf-8")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.autoscale", description=__doc__)
    parser.add_argument(
        "--traces", type=Path, metavar="DIR", help="folder of CSV traces (also .gz); days are drawn without"
    )
    parser.add_argument("--only", default="", metavar="TEXT", help="traces whose names hold this text")
    parser.add_argument("--peers", metavar="NAMES", help=f"separated by commas; all without: {', '.join(FAMILIES)}")
    parser.add_argument("--target", type=float, default=0.99, help="share of requests that meet the objectives")
    parser.add_argument("--processes", type=int, default=2, metavar="N")
    parser.add_argument("--no-hardships", action="store_true", help="nothing goes wrong")
    parser.add_argument("--no-starts", action="store_true", help="starts of 180 s alone")
    parser.add_argument("--no-dynosim", action="store_true", help="without NVIDIA's simulator (downloads 90 MB once)")
    parser.add_argument(
        "--minutes", type=_minutes, default=40.0, metavar="N",
        help="end in this time, if need be with DynoSim on the first hours of each day (0: whole days, however long it takes)",
    )  # fmt: skip
    parser.add_argument("--plain", action="store_true", help="without compiling the replay")
    parser.add_argument("--write-readme", action="store_true", help="put the summary into the README beside this file")
    return parser


def _minutes(text: str) -> float:
    minutes = float(text)
    if not minutes >= 0:
        raise argparse.ArgumentTypeError(f"{text} is no time: give minutes, or 0 for as long as it takes")
    return minutes or inf


if __name__ == "__main__":
    sys.exit(main())
