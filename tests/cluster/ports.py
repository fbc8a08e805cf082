"""Which loopback ports are free.

Ports come from below the range that the kernel hands to outgoing connections: a client that keeps dialling a stopped
server's port inside that range can be given the same port as its source, connect to itself, and hold the port that the
server wants back.
"""

from __future__ import annotations

import random
import socket
from pathlib import Path

_LOWEST = 10_000
_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")


def free(count: int, random_source: random.Random | None = None) -> list[int]:
    """`count` different ports of 127.0.0.1 that nothing listens on; another program may take one before its use."""
    source = random_source or random.SystemRandom()
    highest = int(_RANGE.read_text().split()[0]) if _RANGE.exists() else 32_768
    found: set[int] = set()
    for _ in range(100 * count):
        if len(found) == count:
            return sorted(found)
        port = source.randrange(_LOWEST, max(highest, _LOWEST + 10_000))
        if _listens_nobody(port):
            found.add(port)
    raise OSError(f"Fewer than {count} ports of 127.0.0.1 are free; stop what uses them.")


def _listens_nobody(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
