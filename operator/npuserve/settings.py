"""How the operator's process is set up: environment variables in, frozen `Settings` or one clear error out.

Rule: every variable has a default, an unusable value is refused by the variable's name, and nothing else reads the
environment for its behaviour (credentials excepted: KUBECONFIG and the service account belong to the login).
"""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

_NAMESPACE_FILE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")
_LABEL = re.compile(r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$")
_LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")


class SettingsError(ValueError):
    """A variable has a value that cannot be used; the message names it and what it takes."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The process's own settings. What it decides about services is in the configuration file, `config`."""

    config: Path | None = None
    """NPUSERVE_CONFIG: the configuration file; none means every default."""
    namespace: str = "npuserve"
    """NPUSERVE_NAMESPACE: where the operator itself runs and keeps its Lease."""
    watch_namespace: str = ""
    """NPUSERVE_WATCH_NAMESPACE: the one namespace to serve; empty serves all."""
    workers: int = 16
    """NPUSERVE_WORKERS: services in work at once."""
    http_address: str = "0.0.0.0"  # noqa: S104 - probes and Prometheus come from outside the pod
    """NPUSERVE_HTTP_ADDRESS: where /healthz, /readyz and /metrics listen."""
    http_port: int = 8080
    """NPUSERVE_HTTP_PORT: their port; 0 takes a free one, which the log names."""
    leader_election: bool = True
    """NPUSERVE_LEADER_ELECTION: whether several replicas agree on one that works."""
    log_level: str = "INFO"
    """NPUSERVE_LOG_LEVEL: DEBUG, INFO, WARNING or ERROR."""
    log_format: str = "json"
    """NPUSERVE_LOG_FORMAT: json or text."""
    identity: str = ""
    """POD_NAME: how this replica signs the Lease and Events; host and process id when empty."""


def read_settings(environment: Mapping[str, str] = os.environ) -> Settings:
    """Settings from environment variables; raises SettingsError naming the variable."""
    defaults = Settings()

    def read(variable: str, default: T, parse: Callable[[str], T]) -> T:
        text = environment.get(variable, "").strip()
        if not text:
            return default
        try:
            return parse(text)
        except ValueError as error:
            raise SettingsError(f"{variable}={text!r}: {error}") from None

    return Settings(
        config=read("NPUSERVE_CONFIG", defaults.config, Path),
        namespace=read("NPUSERVE_NAMESPACE", _own_namespace(defaults.namespace), _namespace),
        watch_namespace=read("NPUSERVE_WATCH_NAMESPACE", defaults.watch_namespace, _namespace),
        workers=read("NPUSERVE_WORKERS", defaults.workers, _between(1, 256)),
        http_address=read("NPUSERVE_HTTP_ADDRESS", defaults.http_address, str),
        http_port=read("NPUSERVE_HTTP_PORT", defaults.http_port, _between(0, 65535)),
        leader_election=read("NPUSERVE_LEADER_ELECTION", defaults.leader_election, _truth),
        log_level=read("NPUSERVE_LOG_LEVEL", defaults.log_level, lambda text: _one_of(_LOG_LEVELS)(text.upper())),
        log_format=read(
            "NPUSERVE_LOG_FORMAT", defaults.log_format, lambda text: _one_of(("json", "text"))(text.lower())
        ),
        identity=read("POD_NAME", f"{socket.gethostname()}-{os.getpid()}", str),
    )


def _own_namespace(default: str) -> str:
    """The namespace of the pod's service account, where there is one."""
    try:
        return _NAMESPACE_FILE.read_text(encoding="utf-8").strip() or default
    except OSError:
        return default


def _namespace(text: str) -> str:
    if not _LABEL.match(text):
        raise ValueError("takes the name of one namespace, such as npuserve")
    return text


def _between(low: int, high: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not text.isascii() or not text.isdigit() or not low <= int(text) <= high:
            raise ValueError(f"takes a whole number from {low} to {high}")
        return int(text)

    return parse


def _truth(text: str) -> bool:
    match text.lower():
        case "true" | "1" | "yes" | "on":
            return True
        case "false" | "0" | "no" | "off":
            return False
    raise ValueError("takes true or false")


def _one_of(allowed: tuple[str, ...]) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text not in allowed:
            raise ValueError(f"takes one of {', '.join(allowed)}")
        return text

    return parse
