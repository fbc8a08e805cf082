"""Where the requests of a replay come from: CSV with a header `arrival_s,input_tokens,output_tokens`.

Rule: rows are in order of arrival after reading, counted from the first sample; further columns are ignored; what
cannot be read is refused with its line.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable

from npuserve.autoscale.replay.fleet import Row

COLUMNS = ("arrival_s", "input_tokens", "output_tokens")


class UnreadableTrace(ValueError):
    """The trace is not what the header promises."""


def read_trace(lines: Iterable[str]) -> list[Row]:
    """Rows of a CSV text, sorted by arrival; at least one token each way."""
    reader = csv.reader(lines)
    header = [name.strip() for name in next(reader, [])]
    lacking = [name for name in COLUMNS if name not in header]
    if lacking:
        raise UnreadableTrace(f"line 1 names {', '.join(header) or 'no columns'}; the header is {','.join(COLUMNS)}")
    at, prompt, output = (header.index(name) for name in COLUMNS)
    rows: list[Row] = []
    for fields in reader:
        if not fields:
            continue
        try:
            row = (float(fields[at]), max(1, int(fields[prompt])), max(1, int(fields[output])))
        except (ValueError, IndexError) as fault:
            raise UnreadableTrace(f"line {reader.line_num} is {','.join(fields)!r:.80}: {fault}") from fault
        if not row[0] >= 0:
            raise UnreadableTrace(f"line {reader.line_num} arrives at {fields[at]}; write seconds from 0")
        rows.append(row)
    if not rows:
        raise UnreadableTrace("holds no request")
    rows.sort()
    return rows
