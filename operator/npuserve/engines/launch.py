"""How one replica of an engine is started, asked and drained, in terms that know nothing of a cluster."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

FILES_DIR = "/etc/npuserve"
"""Where the files of `Launch.files` are found, read-only."""
SERVICE_PORT = 8000
"""The port clients use, whatever the engine listens on."""


@dataclass(frozen=True, slots=True)
class Literally:
    """A value written as it is."""

    value: str
    kind: Literal["literal"] = "literal"


@dataclass(frozen=True, slots=True)
class OwnAddress:
    """The network address of the replica, known when it starts."""

    kind: Literal["address"] = "address"


@dataclass(frozen=True, slots=True)
class SecretValue:
    """One key of a secret in the namespace of the service."""

    secret: str
    key: str
    kind: Literal["secret"] = "secret"


@dataclass(frozen=True, slots=True)
class Variable:
    """One environment variable of the engine."""

    name: str
    value: Literally | OwnAddress | SecretValue


@dataclass(frozen=True, slots=True)
class File:
    """A text file the engine reads, found as `FILES_DIR/name`."""

    name: str
    content: str


@dataclass(frozen=True, slots=True)
class HttpCheck:
    """A GET that answers 200 when the check holds."""

    path: str
    port: int


@dataclass(frozen=True, slots=True)
class Launch:
    """How one replica is started, asked and drained."""

    command: tuple[str, ...]
    """Replaces the image's entry point; empty keeps it."""
    args: tuple[str, ...]
    environment: tuple[Variable, ...]
    files: tuple[File, ...]
    port: int
    started: HttpCheck
    ready: HttpCheck
    alive: HttpCheck
    drain: tuple[str, ...]
    """Run inside the replica before it is told to end; returns when no request is running or waiting, or when its time
    is up."""
