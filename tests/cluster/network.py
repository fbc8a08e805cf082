"""How a test run gets a network of its own, in which this machine answers for every pod's address.

Rule: the kernel takes every address of a prefix that lies on the loopback interface for its own, so one server on 0.0.0.0
plays all pods, and sees which one was asked. That needs a network namespace, which anybody may have inside a user
namespace of his own. It holds for the process that calls `enter` and for all that it starts; nothing outside sees it, and
it sees nothing outside.
"""

from __future__ import annotations

import ctypes
import fcntl
import ipaddress
import os
import socket
import struct
from pathlib import Path

PODS = "10.244.0.0/16"
"""The pods' addresses: kwok gives them out, and the network holds them."""

_NEW_USER, _NEW_NET = 0x10000000, 0x40000000
_SET_FLAGS, _SET_ADDRESS, _SET_NETMASK = 0x8914, 0x8916, 0x891C
_UP = 0x1
_SELF = Path("/proc/self")


class NotAllowed(Exception):
    """This machine gives no network namespace; the message says what refused."""


def enter(prefix: str = PODS) -> None:
    """Move this process, which may have one thread only, into a network of its own. Raises NotAllowed."""
    user, group = os.getuid(), os.getgid()
    _unshare(_NEW_USER | _NEW_NET)
    try:
        # Without `deny` an unprivileged process may not write its groups (user_namespaces(7)).
        (_SELF / "setgroups").write_text("deny")
        (_SELF / "uid_map").write_text(f"{user} {user} 1")
        (_SELF / "gid_map").write_text(f"{group} {group} 1")
        _hold(prefix)
    except OSError as error:
        raise NotAllowed(f"the network namespace cannot be set up: {error}") from error


def holds(prefix: str = PODS) -> bool:
    """Whether this process answers for the addresses of the prefix."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        try:
            probe.bind((str(ipaddress.ip_network(prefix)[2]), 0))
        except OSError:
            return False
    return True


def _unshare(flags: int) -> None:
    if ctypes.CDLL(None, use_errno=True).unshare(flags) != 0:
        number = ctypes.get_errno()
        raise NotAllowed(f"the kernel refuses a user and network namespace: {os.strerror(number)}")


def _hold(prefix: str) -> None:
    """Start the loopback interface and give it the prefix, as `ip addr add PREFIX dev lo` does."""
    network = ipaddress.ip_network(prefix)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, _SET_FLAGS, struct.pack("16sh22x", b"lo", _UP))
        fcntl.ioctl(any_socket, _SET_ADDRESS, _address(str(network[1])))
        fcntl.ioctl(any_socket, _SET_NETMASK, _address(str(network.netmask)))


def _address(address: str) -> bytes:
    """A `struct ifreq` about an alias of the loopback interface (netdevice(7))."""
    return struct.pack("16sHH4s16x", b"lo:pods", socket.AF_INET, 0, socket.inet_aton(address))
