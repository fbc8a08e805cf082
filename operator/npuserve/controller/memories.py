"""How what was learned of a service's load outlives the operator: one small ConfigMap per service, owned by it.

Rule: read once, when a service is first scaled; made once there is something to remember, and then written at most every
WRITE_SECONDS and only when it is worth it. An object of that name that is not the service's is neither read nor
written.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace

from npuserve.autoscale.memory import Memory, digest, from_digest
from npuserve.autoscale.worth import worth_writing
from npuserve.controller.answers import ApiError
from npuserve.controller.kube import NEVER, Kube
from npuserve.controller.resources import CONFIG_MAPS
from npuserve.reconcile.ownership import Ownership, ownership
from npuserve.render.memory import digest_in, memory_map
from npuserve.render.names import memory_name
from npuserve.render.owner import Owner

WRITE_SECONDS = 600.0
FIRST_SECONDS = 10.0
"""From the first look at a service that nothing is remembered of to the first write."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Kept:
    """What the ConfigMap of a service holds, and since when that need not be looked at."""

    text: str = ""
    uid: str = ""
    """Of the ConfigMap; empty where there is none."""
    looked: float = 0.0


async def recall(kube: Kube, owner: Owner, *, now: float) -> tuple[Memory, Kept | None]:
    """What is remembered of a service, fresh where nothing is; None where the place is someone else's.

    Raises ApiError and Unreachable.
    """
    found = await kube.get(CONFIG_MAPS, owner.namespace, name=memory_name(owner.name))
    if found is None:
        return Memory(), Kept(looked=now)
    if ownership(owner, found) is not Ownership.OURS:
        logger.warning(
            "what is learned of a load cannot be kept: the ConfigMap of that name is someone else's",
            extra={"service": f"{owner.namespace}/{owner.name}"},
        )
        return Memory(), None
    text = digest_in(found)
    return from_digest(text, now=now), Kept(text, found["metadata"]["uid"], now)


async def keep(kube: Kube, owner: Owner, kept: Kept, *, memory: Memory, now: float) -> Kept:
    """Write what is new, if it is time to; raises ApiError and Unreachable."""
    learned = memory.cold_starts > 0 or memory.output.weight > 0
    if not learned or now - kept.looked < (WRITE_SECONDS if kept.uid else FIRST_SECONDS):
        return kept
    text = digest(memory)
    if not worth_writing(kept.text, text):
        return replace(kept, looked=now)
    manifest = memory_map(owner, text)
    guard = {"uid": kept.uid} if kept.uid else {"resourceVersion": NEVER}
    try:
        answer = await kube.apply(
            CONFIG_MAPS, {**manifest, "metadata": {**manifest["metadata"], **guard}}, force=bool(kept.uid)
        )
    except ApiError as error:
        if error.code not in (404, 409, 422):
            raise
        # It was made, removed or replaced by hand: the next look takes it as it is.
        logger.info("what was learned of a load is kept later: %s", error)
        found = await kube.get(CONFIG_MAPS, owner.namespace, name=memory_name(owner.name))
        ours = found is not None and ownership(owner, found) is Ownership.OURS
        return Kept("", str((found or {}).get("metadata", {}).get("uid", "")) if ours else "", now)
    return Kept(text, answer["metadata"]["uid"], now)
