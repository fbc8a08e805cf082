"""Days of requests, drawn from published rates where no recorded days are at hand.

| what | how | source |
|---|---|---|
| requests per second of a pool | its measured 10-minute rates, linear in between, scaled to a mean one fleet can carry | `traces/servegen_rate_10min.csv.gz` |
| who sends them | clients whose shares fall as 1 / rank, and wander by factors of two to three over hours | ServeGen: a few clients send most |
| when each sends | a renewal process with gamma gaps, counted in requests that are due | ServeGen's clients: gamma gaps, far more varied than Poisson |
| lengths | quantiles of the whole pool; each client keeps to its own stretch of them | ServeGen's histograms; hours differ by 2 to 3 as clients come and go |

Because one client sends in bunches, of its own lengths, the work of a minute varies 3 to 20 times as much as with
independent requests, as it does in ServeGen. A draw is fixed by its seed: its clients, their stretches and every gap.
"""

from __future__ import annotations

import csv
import gzip
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import exp, log, sqrt
from pathlib import Path
from random import Random

from npuserve.autoscale.replay.fleet import Row

RATES = Path(__file__).parent / "traces" / "servegen_rate_10min.csv.gz"
BIN = 600.0
"""Seconds of a published rate."""
BINS = 144
CELL = 60.0
"""Seconds for which a client's rate is taken as constant."""
CLIENTS = 24
WANDER = 1.0
"""Standard deviation of the logarithm of a client's share around its own mean."""
MEMORY = 0.95
"""Correlation of that from one bin to the next: three hours."""
UNLIKE = 1.0
"""Standard deviation of the logarithm of how bunched a client sends."""

PLACES = (
    0,
    0.01,
    0.02,
    0.05,
    0.1,
    0.15,
    0.2,
    0.3,
    0.4,
    0.5,
    0.6,
    0.7,
    0.8,
    0.85,
    0.9,
    0.95,
    0.98,
    0.99,
    0.995,
    0.999,
    1,
)
"""Where the quantiles of the pools lie."""


@dataclass(frozen=True, slots=True)
class Pool:
    """The requests of many clients to one kind of model."""

    rates: str
    """Name in the file of rates."""
    mean: float
    """Requests per second over a day."""
    prompts: tuple[int, ...]
    outputs: tuple[int, ...]
    burst: float
    """Median of the squared coefficient of variation of a client's gaps."""


TEXT = Pool(
    "m-large", 8.0,
    (2, 60, 61, 66, 74, 75, 78, 294, 574, 627, 777, 856, 1197, 1449, 1821, 2398, 3035, 4053, 5751, 8763, 30190),
    (1, 1, 1, 1, 2, 3, 3, 15, 34, 58, 88, 159, 393, 435, 457, 487, 562, 656, 857, 1965, 8192), 5.0,
)  # fmt: skip
SHORT = Pool(
    "m-mid", 12.0,
    (14, 30, 30, 134, 139, 145, 149, 158, 164, 175, 191, 220, 261, 283, 448, 799, 977, 2327, 3303, 4701, 124869),
    (1, 1, 3, 4, 10, 12, 16, 25, 34, 42, 49, 58, 71, 80, 94, 124, 202, 304, 498, 1254, 8192), 16.0,
)  # fmt: skip
REASONING = Pool(
    "deepseek-r1", 3.0,
    (4, 9, 10, 13, 18, 26, 29, 57, 111, 208, 266, 405, 750, 1165, 2052, 6551, 16377, 23568, 28387, 33903, 55083),
    (28, 141, 171, 226, 287, 339, 386, 469, 580, 788, 1100, 1364, 1672, 2178, 3415, 5672, 9362, 12569, 15620, 20730, 32768),
    3.0,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Draw:
    """One day of one pool, as one seed has it."""

    pool: Pool
    day: int
    seed: int


DRAWS = {
    "text with a sudden peak": Draw(TEXT, 9, 1),
    "text with a sudden peak, other draw": Draw(TEXT, 9, 2),
    "text, steady": Draw(TEXT, 3, 3),
    "short text": Draw(SHORT, 10, 4),
    "reasoning": Draw(REASONING, 0, 5),
    "reasoning, other draw": Draw(REASONING, 0, 6),
}
"""What the benchmark is run on without a folder of traces."""


def drawn(draw: Draw) -> list[Row]:
    """The requests of a day in order of arrival."""
    random = Random(draw.seed)
    rates = _published(draw.pool.rates, draw.day)
    scale = draw.pool.mean * len(rates) / sum(rates)
    rows: list[Row] = []
    for shares in zip(*_shares(random), strict=True):
        rows += _client(random, draw.pool, [rate * scale * share for rate, share in zip(rates, shares, strict=True)])
    return sorted(rows)


def _published(pool: str, day: int) -> list[float]:
    with gzip.open(RATES, "rt", encoding="utf-8") as lines:
        rows = [row for row in csv.DictReader(lines) if row["pool"] == pool]
    first = day * BINS * BIN
    return [float(row["requests_per_s"]) for row in rows if first <= float(row["bin_start_s"]) < first + BINS * BIN]


def _shares(random: Random) -> Iterator[list[float]]:
    """The share of each client in each bin; they add up to one."""
    wander = [random.gauss(0, WANDER) for _ in range(CLIENTS)]
    for _ in range(BINS):
        weights = [exp(apart) / (rank + 1) for rank, apart in enumerate(wander)]
        yield [weight / sum(weights) for weight in weights]
        fresh = WANDER * sqrt(1 - MEMORY**2)
        wander = [MEMORY * apart + random.gauss(0, fresh) for apart in wander]


def _client(random: Random, pool: Pool, rates: Sequence[float]) -> Iterator[Row]:
    """The requests of one client, given its rate in each bin."""
    shape = 1 / (pool.burst * exp(random.gauss(0, UNLIKE)))
    stretches = [(random.random(), random.uniform(0.05, 0.3)) for _ in range(2)]
    for at in _arrivals(random, rates, shape):
        prompt, output = (
            _length(lengths, centre + random.gauss(0, width))
            for lengths, (centre, width) in zip((pool.prompts, pool.outputs), stretches, strict=True)
        )
        yield at, prompt, output


def _arrivals(random: Random, rates: Sequence[float], shape: float) -> Iterator[float]:
    cells = [_rate_at(rates, (index + 0.5) * CELL) for index in range(int(BINS * BIN / CELL))]
    due = [0.0, *accumulate(rate * CELL for rate in cells)]
    cell, count = 0, random.random() * random.gammavariate(shape, 1 / shape)
    while count < due[-1]:
        while due[cell + 1] <= count:
            cell += 1
        yield (cell + (count - due[cell]) / (due[cell + 1] - due[cell])) * CELL
        count += random.gammavariate(shape, 1 / shape)


def _rate_at(rates: Sequence[float], time: float) -> float:
    """Linear between the middles of the bins."""
    place = min(len(rates) - 1.0, max(0.0, time / BIN - 0.5))
    before = min(len(rates) - 2, int(place))
    return rates[before] + (place - before) * (rates[before + 1] - rates[before])


def _length(quantiles: Sequence[int], place: float) -> int:
    """The length at a place of the pool's distribution, folded back into it; log-linear between its quantiles."""
    place = abs(place)
    place = max(0.0, 2 - place) if place > 1 else place
    after = min(len(PLACES) - 1, bisect_right(PLACES, place))
    low, high = quantiles[after - 1], quantiles[after]
    part = (place - PLACES[after - 1]) / (PLACES[after] - PLACES[after - 1])
    return round(exp(log(low) + part * (log(high) - log(low))))
