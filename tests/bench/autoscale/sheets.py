"""What the benchmark says, as sheets of text: for a terminal, and for a README."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rich.table import Table


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table; the first column names its rows."""

    title: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()

    def table(self) -> Table:
        """For a terminal."""
        found = Table(title=self.title, caption="\n".join(self.notes) or None, caption_justify="left")
        for heading in self.headings:
            found.add_column(heading, justify="right" if heading else "left")
        for row in self.rows:
            found.add_row(*row)
        return found

    def markdown(self) -> str:
        """For a README."""
        width = len(self.headings)
        lines = [f"**{self.title}**", "", _line(self.headings), _line(["---", *["---:"] * (width - 1)])]
        lines += [_line([*row, *[""] * (width - len(row))]) for row in self.rows]
        lines += [line for note in self.notes for line in ("", note)]
        return "\n".join(lines)


def filled(text: str, sheets: Iterable[Sheet], *, markers: tuple[str, str], closing: str = "") -> str:
    """A README with the sheets between its two markers; ValueError where it lacks one."""
    begin, end = markers
    head, found, rest = text.partition(begin)
    _, closed, tail = rest.partition(end)
    if not (found and closed):
        raise ValueError(f"holds no {begin} before {end}: put the two lines where the tables belong")
    body = "\n\n".join([*(sheet.markdown() for sheet in sheets), *filter(None, [closing])])
    return f"{head}{begin}\n\n{body}\n\n{end}{tail}"


def percent(share: float, digits: int = 2) -> str:
    return f"{share:.{digits}%}"


def more(part: float, whole: float) -> str:
    """How much more `part` is than `whole`."""
    return f"{part / whole - 1:+.1%}" if whole else "-"


def points(share: float, beside: float) -> str:
    """The difference of two shares."""
    return f"{100 * (share - beside):+.2f}"


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"
