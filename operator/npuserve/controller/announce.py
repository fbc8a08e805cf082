"""How events reach `kubectl describe`: one object per transition, named after it.

Rule: the name is made of the service's UID, the version of it in which the transition was seen, and what is said. A
pass that is repeated after a crash makes the same name and is told that it exists; the same words at a later time are
another event.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime
from hashlib import blake2b
from typing import Any

from npuserve.controller.answers import ApiError, Object, Unreachable
from npuserve.controller.kube import Kube
from npuserve.controller.resources import EVENTS, SERVICE
from npuserve.reconcile.events import Event

COMPONENT = "npuserve"
_LONGEST_PREFIX = 220

logger = logging.getLogger(__name__)


async def announce(kube: Kube, service: Mapping[str, Any], event: Event, *, identity: str, now: datetime) -> None:
    """Post one event. Events are news, not state: one that cannot be posted is logged and lost."""
    try:
        await kube.create(EVENTS, event_manifest(service, event, identity=identity, now=now))
    except (ApiError, Unreachable) as error:
        told_before = isinstance(error, ApiError) and error.code == 409
        if not told_before:
            logger.warning("an event could not be posted: %s", error, extra={"reason": event.reason})


def event_manifest(service: Mapping[str, Any], event: Event, *, identity: str, now: datetime) -> Object:
    """The event about a service as it was read."""
    metadata = service["metadata"]
    said = "\0".join((metadata["uid"], metadata["resourceVersion"], event.type, event.reason, event.message))
    time = now.strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {
            "name": f"{metadata['name'][:_LONGEST_PREFIX].rstrip('-.')}.{blake2b(said.encode(), digest_size=8).hexdigest()}",
            "namespace": metadata["namespace"],
        },
        "involvedObject": {
            "apiVersion": SERVICE.api_version,
            "kind": SERVICE.kind,
            "name": metadata["name"],
            "namespace": metadata["namespace"],
            "uid": metadata["uid"],
            "resourceVersion": metadata["resourceVersion"],
        },
        "type": event.type,
        "reason": event.reason,
        "message": event.message,
        "count": 1,
        "firstTimestamp": time,
        "lastTimestamp": time,
        "source": {"component": COMPONENT},
        "reportingComponent": COMPONENT,
        "reportingInstance": identity,
    }
