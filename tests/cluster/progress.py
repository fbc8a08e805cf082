"""What goes on, for whoever watches: a live line on a terminal, else a line per step and one each 15 seconds."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

PLAIN_LINE_EVERY = 15.0
"""Seconds between two lines about one step where there is no terminal."""

Report = Callable[[str], None]
"""Hears what a step does at this moment, as a short phrase."""


def silent(phrase: str) -> None:
    """A report that nobody reads."""


class Steps:
    """Shows one step after another on a console."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(stderr=True, highlight=False)

    def say(self, line: str) -> None:
        self.console.print(line, soft_wrap=True)

    @contextmanager
    def step(self, title: str) -> Iterator[Report]:
        """Shows `title` and the elapsed time while the body runs, then how long it took; yields a report of details."""
        began = time.monotonic()
        show = self._live if self.console.is_terminal else self._plain
        with show(title) as report:
            yield report
        self.say(f"{title}: done in {time.monotonic() - began:.1f} s")

    @contextmanager
    def _live(self, title: str) -> Iterator[Report]:
        columns = (
            SpinnerColumn(),
            TextColumn("{task.description}"),
            TimeElapsedColumn(),
            TextColumn("[dim]{task.fields[detail]}"),
        )
        with Progress(*columns, console=self.console, transient=True) as progress:
            task = progress.add_task(title, total=None, detail="")
            yield lambda phrase: progress.update(task, detail=phrase)

    @contextmanager
    def _plain(self, title: str) -> Iterator[Report]:
        latest = [""]
        over = threading.Event()
        thread = threading.Thread(target=self._repeat, args=(title, latest, over), daemon=True)
        self.say(title)
        thread.start()
        try:
            yield lambda phrase: latest.__setitem__(0, phrase)
        finally:
            over.set()
            thread.join()

    def _repeat(self, title: str, latest: list[str], over: threading.Event) -> None:
        began = time.monotonic()
        while not over.wait(PLAIN_LINE_EVERY):
            detail = f", {latest[0]}" if latest[0] else ""
            self.say(f"{title}: {time.monotonic() - began:.0f} s{detail}")
