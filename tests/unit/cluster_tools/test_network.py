"""The network of pods' addresses."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.cluster import network

DIAL = """
import socket
from tests.cluster import network
try:
    network.enter()
except network.NotAllowed as refusal:
    print("refused:", refusal)
    raise SystemExit
server = socket.create_server(("0.0.0.0", 0))
socket.create_connection(("10.244.7.9", server.getsockname()[1])).close()
print(server.accept()[0].getsockname()[0])
"""


def test_a_server_in_the_network_sees_which_pod_was_asked() -> None:
    said = subprocess.run([sys.executable, "-c", DIAL], capture_output=True, text=True, check=True).stdout.strip()
    if said.startswith("refused:"):
        pytest.skip(said)
    assert said == "10.244.7.9"


def test_this_machine_holds_no_addresses_of_pods_that_are_not_its_own() -> None:
    assert network.holds("127.0.0.0/8")
    assert not network.holds("198.51.100.0/24")
