"""What a client is told when its request cannot be passed on, in the shape that OpenAI's clients read.

Rule: `{"error": {"message", "type", "param", "code"}}`, with a Retry-After where asking again may help. A stream that
has begun carries the same object as an event. Sources: platform.openai.com/docs/guides/error-codes; the clients raise
an APIError for an event whose data has `error` (openai-python: src/openai/_streaming.py).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

RETRY_SECONDS = 15
"""OpenAI's clients wait as long as they are told, up to a minute."""


@dataclass(frozen=True, slots=True)
class Failure:
    """One answer. `retry_after` in seconds, None where asking again is of no use."""

    status: int
    type: str
    code: str
    message: str
    param: str | None = None
    retry_after: int | None = None

    def body(self) -> bytes:
        """The body of an answer with `status`."""
        return json.dumps({"error": self._error()}).encode()

    def event(self) -> bytes:
        """The end of a stream of server-sent events that has begun."""
        return as_events({"error": self._error()})

    def _error(self) -> dict[str, Any]:
        return {"message": self.message, "type": self.type, "param": self.param, "code": self.code}


class Refused(Exception):
    """The request is answered with a failure."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure


def as_events(content: Any) -> bytes:
    """One event and the mark by which clients know that none follows."""
    return b"data: " + json.dumps(content).encode() + b"\n\ndata: [DONE]\n\n"


def queue_full(service: str, limit: int) -> Failure:
    """No further request may wait."""
    return _busy(f"{service} is starting, and {limit} requests wait for it already; ask again later")


def memory_full(service: str) -> Failure:
    """The bodies that wait leave no room for another one."""
    return _busy(f"{service} is starting, and the requests that wait fill the memory kept for them; ask again later")


def waited_too_long(service: str, seconds: int) -> Failure:
    """Nobody answered in time."""
    return _unavailable("no_replica_ready", f"no replica of {service} was ready within {seconds} s; ask again later")


def not_started(service: str) -> Failure:
    """Only a replica could answer, and none runs."""
    return _unavailable("no_replica_ready", f"no replica of {service} runs")


def going() -> Failure:
    """The activator ends, or the service does."""
    return _unavailable("restarting", "what holds the requests is being restarted; ask again")


def unknown_port() -> Failure:
    """No service has the port."""
    return _unavailable("no_such_service", "no service is known on this port; ask again by the service's name")


def replica_lost(service: str) -> Failure:
    """The replica closed the connection before its answer was whole."""
    return Failure(
        502, "server_error", "replica_lost", f"the replica of {service} ended before it answered", retry_after=1
    )


def replica_silent(service: str, seconds: float) -> Failure:
    """The replica took the request and sends nothing."""
    message = f"the replica of {service} has sent nothing for {seconds:.0f} s"
    return Failure(504, "server_error", "replica_silent", message, retry_after=RETRY_SECONDS)


def replica_refused(service: str, status: int) -> Failure:
    """The replica refused, in words that are no error of this shape."""
    return Failure(status, "server_error", "replica_failed", f"the replica of {service} answered with status {status}")


def body_too_large(limit: int) -> Failure:
    """The body exceeds `limit` bytes."""
    message = f"the request's body is larger than {limit // 2**20} MiB, which is the most that is passed on"
    return Failure(413, "invalid_request_error", "request_too_large", message)


def unknown_model(asked: str, served: str) -> Failure:
    """The service serves another model."""
    message = f"The model `{asked}` does not exist. This service serves `{served}`."
    return Failure(404, "invalid_request_error", "model_not_found", message, param="model")


def no_upgrade() -> Failure:
    """The client asks for a protocol that cannot be held."""
    message = "WebSocket and other upgraded connections are not held; connect again once a replica is ready"
    return Failure(501, "invalid_request_error", "not_supported", message)


def _busy(message: str) -> Failure:
    return Failure(429, "rate_limit_error", "queue_full", message, retry_after=RETRY_SECONDS)


def _unavailable(code: str, message: str) -> Failure:
    return Failure(503, "server_error", code, message, retry_after=RETRY_SECONDS)
