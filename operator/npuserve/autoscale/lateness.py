"""How many requests missed the objectives, as far as a replica's histograms tell.

Histograms say how many requests were slow, not which. Between two looks at one replica they hold few requests and exact
sums, so requests are put together from them: long answers are those that took long, and long prompts those that waited
long for their first token. Then, as the objectives say,

    first    time to first token > limit of its prompt
    stream   time in all > limit of its prompt + (tokens - 1) * per_token, among as many as had so slow a pace

and both overlap as if by chance.
"""

from __future__ import annotations

from npuserve.autoscale.objectives import Objectives
from npuserve.autoscale.page import Counters
from npuserve.autoscale.profile import EngineProfile


def late(counters: Counters, profile: EngineProfile, objectives: Objectives) -> float:
    """Requests that missed the objectives among those that `counters` saw finishing."""
    finished = counters.outputs.count
    if not finished:
        return 0.0
    first = late_first(counters, profile, objectives)
    stream = late_stream(counters, profile, objectives)
    return first + stream - first * stream / finished


def late_first(counters: Counters, profile: EngineProfile, objectives: Objectives) -> float:
    """Requests whose first token came too late; first tokens are counted when they come, prompts when requests end."""
    waits, prompts = counters.first.values(), counters.prompts.values()
    seen = len(waits)
    if not seen or waits[-1] <= objectives.ttft:
        return 0.0
    late = 0
    for index, wait in enumerate(waits):
        prompt = prompts[index * len(prompts) // seen] if prompts else 0.0
        late += wait > objectives.first_token(profile.ideal_prefill(prompt))
    return late * counters.outputs.count / seen


def late_stream(counters: Counters, profile: EngineProfile, objectives: Objectives) -> float:
    """Requests whose stream fell behind."""
    answers = counters.outputs.count
    limit = objectives.first_token(profile.ideal_prefill(counters.prompts.total / answers))
    behind = sum(
        time - limit > objectives.per_token * (tokens - 1)
        for time, tokens in zip(counters.whole.values(), counters.outputs.values(), strict=False)
    )
    if not behind or counters.pace_of == "token":
        return float(behind)
    return float(min(behind, sum(pace > objectives.per_token for pace in counters.pace.values())))
