"""Ports that the components are given."""

from __future__ import annotations

import random
import socket
from pathlib import Path

from tests.cluster import ports


def test_a_port_that_somebody_listens_on_is_not_given() -> None:
    (taken,) = ports.free(1, random.Random(7))
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", taken))
        listener.listen()
        assert taken not in ports.free(1, random.Random(7))


def test_ports_differ_and_lie_outside_the_range_of_outgoing_connections() -> None:
    found = ports.free(20)
    assert len(set(found)) == 20
    assert max(found) < int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
