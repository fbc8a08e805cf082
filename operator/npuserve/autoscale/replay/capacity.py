"""What one replica carries at a given mix of requests: the perfect engine model that the peers are given."""

from __future__ import annotations

from npuserve.autoscale.profile import EngineProfile


def highest_rate(profile: EngineProfile, prompt: float, output: float, *, limit: float) -> float:
    """Requests per second with steps of at most `limit` ms on average (closed form; base below `limit`).

    A batch of rate * output * step requests runs, and prompts take the share rate * work of the time.
    """
    context = prompt + output / 2
    per_request = output * (profile.sequence + profile.token * context)
    per_request += prompt * profile.prefill + profile.prefill_pass
    held = rate_of_batch(profile, output, limit=limit, context=context)
    return max(1e-6, min((1 - profile.base / limit) * 1000 / per_request, held))


def rate_of_batch(profile: EngineProfile, output: float, *, limit: float, context: float) -> float:
    """Requests per second at which the batch or the cache is full."""
    batch = min(profile.max_sequences, 0.9 * profile.cache_tokens / max(1.0, context))
    return batch / (output * limit / 1000)


def batch_at(profile: EngineProfile, prompt: float, output: float, *, limit: float) -> float:
    """Requests in flight on one replica at its highest rate: the unit in which concurrency targets are tuned."""
    return max(4.0, highest_rate(profile, prompt, output, limit=limit) * output * limit / 1000)
