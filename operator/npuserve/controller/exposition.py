"""From a replica's text to its `Page`: Prometheus' text format, read for the few series that are wanted.

Rule: what stands before a value is parsed once (by prometheus_client) and then recognised, since an engine repeats it
word for word at every look; the values alone are read each time. A text that lacks a wanted name is not a page.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from math import inf, isfinite

from prometheus_client.parser import text_string_to_metric_families

from npuserve.autoscale.histogram import Histogram
from npuserve.autoscale.page import Counters, Page
from npuserve.engines.metric_source import MetricSource

KNOWN = 100_000
"""Series remembered for one engine, some hundred for each name of a model; more means that labels change all the time, and
all are forgotten."""

Series = tuple[str, float | None]
"""A name without `_bucket`, and the upper end of the bucket if it is one."""


class Unreadable(ValueError):
    """The text is not what the engine's row promises."""


class Reader:
    """Reads the pages of one engine's replicas."""

    def __init__(self, source: MetricSource) -> None:
        self._source = source
        plain = {
            source.running, *source.waiting, source.cache, source.prompt, source.reused, source.arrived,
            source.finished_prompt, source.whole, *source.generated,
        }  # fmt: skip
        self._plain = plain - {None}
        self._histograms = (source.first, source.gaps, source.prompts, source.outputs)
        names = {*self._plain, *(f"{name}{end}" for name in self._histograms for end in ("_bucket", "_sum"))}
        alternatives = "|".join(sorted(re.escape(str(name)) for name in names))
        # A line's beginning as a character is found three times faster than as an anchor.
        self._wanted = re.compile(rf"\n((?:{alternatives})(?:\{{[^\n]*\}})?) ([^ \n]+)".encode())
        self._known: dict[bytes, Series] = {}
        self._shared: dict[Series, Series] = {}

    def read(self, text: bytes) -> Page:
        """The page that a text shows; raises `Unreadable`."""
        sums: dict[str, float] = {}
        counts: dict[str, int] = {}
        buckets: dict[str, dict[float, float]] = {name: {} for name in self._histograms}
        known = self._known
        try:
            for series, value in self._wanted.findall(b"\n" + text):
                name, end = known.get(series) or self._learn(series)
                if end is None:
                    sums[name] = sums.get(name, 0.0) + float(value)
                    counts[name] = counts.get(name, 0) + 1
                else:
                    of = buckets[name]
                    of[end] = of.get(end, 0.0) + float(value)
        except (ValueError, KeyError) as fault:
            raise Unreadable(f"not Prometheus' text format: {fault}") from fault
        lacking = sorted(str(name) for name in self._plain if name not in sums)
        if lacking:
            raise Unreadable(f"shows no {', '.join(lacking)}")
        if not all(map(isfinite, sums.values())):
            raise Unreadable("shows a value that is no number")
        sums[self._source.cache] /= counts[self._source.cache]
        return self._page(sums, {name: _histogram(name, buckets[name], sums) for name in self._histograms})

    def _learn(self, series: bytes) -> Series:
        """The name of a series, and the upper end of its bucket if it is one."""
        (family,) = text_string_to_metric_families(series.decode() + " 0\n")
        (sample,) = family.samples
        end = float(sample.labels["le"]) if sample.name.endswith("_bucket") else None
        learned = (sample.name.removesuffix("_bucket"), end)
        if len(self._known) >= KNOWN:
            self._known.clear()
        self._known[series] = learned = self._shared.setdefault(learned, learned)
        return learned

    def _page(self, sums: Mapping[str, float], histograms: Mapping[str, Histogram]) -> Page:
        source = self._source
        return Page(
            running=round(sums[source.running]),
            waiting=round(sum(sums[name] for name in source.waiting)),
            cache=min(1.0, max(0.0, sums[source.cache])),
            counters=Counters(
                arrived=None if source.arrived is None else sums[source.arrived],
                prompt=sums[source.prompt] - (0.0 if source.reused is None else sums[source.reused]),
                generated=sum(sums[name] for name in source.generated),
                finished_prompt=sums[source.finished_prompt],
                whole=sums[source.whole],
                first=histograms[source.first],
                gaps=histograms[source.gaps],
                prompts=histograms[source.prompts],
                outputs=histograms[source.outputs],
            ),
        )


def _histogram(name: str, cumulative: Mapping[float, float], sums: Mapping[str, float]) -> Histogram:
    ends = sorted(cumulative)
    if len(ends) < 2 or ends[-1] != inf or f"{name}_sum" not in sums:
        raise Unreadable(f"shows no histogram {name}")
    counts, below = [], 0.0
    for end in ends:
        counts.append(cumulative[end] - below)
        below = cumulative[end]
    if min(counts) < 0 or not isfinite(below):
        raise Unreadable(f"shows a histogram {name} whose buckets fall")
    return Histogram(tuple(ends[:-1]), tuple(counts), sums[f"{name}_sum"])
