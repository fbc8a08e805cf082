"""What the objects of a service are called.

Rule: a child has the name of its service where that is a DNS-1035 label of at most 52 characters. Every other name
loses its dots, gains a letter in front, is cut, and ends in a hash of the whole name, so that no two services of a
namespace share a child.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b

from npuserve.engines.launch import File

LONGEST_CHILD = 52
"""Leaves a Deployment's pods 11 characters of the 63 of a label for a dash and the hash of their ReplicaSet."""
LONGEST_VALUE = 63
"""Characters of a label value."""


def child_name(service: str) -> str:
    """The name of the Deployment, Service and PodDisruptionBudget: a DNS-1035 label of at most 52 characters."""
    if len(service) <= LONGEST_CHILD and "." not in service and service[0].isalpha():
        return service
    letters_first = service if service[0].isalpha() else f"s-{service}"
    return _hashed(letters_first.replace(".", "-"), service, limit=LONGEST_CHILD)


def config_name(service: str, files: Sequence[File]) -> str:
    """The name of the ConfigMap that holds exactly these files: at most 63 characters, another for other content."""
    content = "\0".join(part for file in files for part in (file.name, file.content))
    return f"{child_name(service)}-{_hash(content, size=5)}"


def memory_name(service: str) -> str:
    """The name of the ConfigMap with what was learned of the service's load: at most 64 characters, and none that holds
    files, for those end in a hash."""
    return f"{child_name(service)}-autoscaling"


def label_value(name: str) -> str:
    """`name` as a label value: cut, with a hash of the whole name, where it has more than 63 characters."""
    return name if len(name) <= LONGEST_VALUE else _hashed(name, name, limit=LONGEST_VALUE)


def _hashed(text: str, whole: str, *, limit: int) -> str:
    suffix = _hash(whole, size=4)
    return f"{text[: limit - 1 - len(suffix)].rstrip('-.')}-{suffix}"


def _hash(text: str, *, size: int) -> str:
    return blake2b(text.encode(), digest_size=size).hexdigest()
