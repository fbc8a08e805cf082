"""How requests are held for a service that may have no replica: by which port it is known, how many wait, how long.

Rule: a port belongs to one service for as long as that service may have no replica. The first choice is a hash of the
service's UID, then the next port that is free. Where two services have the same one, the smaller UID keeps it, so that
every operator that looks at them decides the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b

from npuserve.api.spec import InferenceServiceSpec
from npuserve.configuration import Activator
from npuserve.plan.plan import Plan


@dataclass(frozen=True, slots=True)
class Holding:
    """What the activator may do for one service: requests in one of its replicas, seconds per request, and the name of
    the model, empty where a key is needed to learn it."""

    requests: int
    seconds: int
    model: str


def may_have_none(spec: InferenceServiceSpec) -> bool:
    """Whether a service may be without replicas while requests are welcome."""
    return spec.autoscaling is not None and spec.autoscaling.min_replicas == 0


def holding_of(spec: InferenceServiceSpec, plan: Plan, activator: Activator) -> Holding:
    """A request waits for as long as the first replica may take to start, and not longer than the configuration says."""
    open_to_all = not spec.auth.api_key_secret_ref.name
    return Holding(
        requests=activator.held_requests,
        seconds=min(activator.hold_seconds, plan.timing.startup),
        model=plan.served_name if open_to_all else "",
    )


def allot(uid: str, held: Mapping[str, int], ports: range) -> int | None:
    """The port of the service with this UID among those that services hold by UID; None when every port is taken."""
    own = held.get(uid)
    rivals = [other for other, port in held.items() if port == own and other != uid]
    if own in ports and all(uid < other for other in rivals):
        return own
    taken = {port for other, port in held.items() if other != uid}
    first = int.from_bytes(blake2b(uid.encode(), digest_size=8).digest()) % len(ports) if ports else 0
    candidates = (ports[(first + step) % len(ports)] for step in range(len(ports)))
    return next((port for port in candidates if port not in taken), None)
