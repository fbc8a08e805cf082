"""When Kubernetes takes a replica for started, ready and alive, and what it runs before the replica is told to end.

Rule: until the startup probe has held once the others rest; it may fail for as long as the weights take to load. Ready
is prompt, so that clients leave a replica within seconds. Alive is patient, because a restart costs the load time
again.
"""

from __future__ import annotations

from typing import Any

from npuserve.engines.launch import HttpCheck, Launch

STARTUP_PERIOD = 10


def probes(launch: Launch, startup_seconds: int) -> dict[str, Any]:
    """The three probes of the engine's container; `startup_seconds` is how long a start may take."""
    attempts = max(1, -(-startup_seconds // STARTUP_PERIOD))
    return {
        "startupProbe": _probe(launch.started, period=STARTUP_PERIOD, timeout=5, failures=attempts),
        "readinessProbe": _probe(launch.ready, period=5, timeout=5, failures=3),
        "livenessProbe": _probe(launch.alive, period=20, timeout=10, failures=6),
    }


def drain(launch: Launch) -> dict[str, Any]:
    """The hook that returns when no request is left; Kubernetes does not expand its command."""
    return {"lifecycle": {"preStop": {"exec": {"command": list(launch.drain)}}}} if launch.drain else {}


def _probe(check: HttpCheck, *, period: int, timeout: int, failures: int) -> dict[str, Any]:
    return {
        "httpGet": {"path": check.path, "port": check.port},
        "periodSeconds": period,
        "timeoutSeconds": timeout,
        "failureThreshold": failures,
    }
