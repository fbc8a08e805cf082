"""One API server with its etcd and the CRD for all tests of this folder: nothing acts on what they store."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cluster.control_plane import API_ONLY, ControlPlane
from tests.cluster.kubectl import Kubectl
from tests.support.api import ACCOUNTS, NAMESPACES, RUNTIME_CLASSES, Api
from tests.support.installed import CRD, wait_until_served

BASELINE = {f"pod-security.kubernetes.io/{mode}": "baseline" for mode in ("enforce", "warn")}


@pytest.fixture(scope="session")
def cluster() -> Iterator[ControlPlane]:
    """The definition is applied as users do it."""
    with ControlPlane(API_ONLY) as started:
        started.kubectl("apply", "--server-side", "--filename", str(CRD))
        wait_until_served(started)
        yield started


@pytest.fixture(scope="session")
def api(cluster: ControlPlane) -> Iterator[Api]:
    """The API server as its administrator asks it."""
    asked = Api(cluster)
    yield asked
    asked.hang_up()


@pytest.fixture(scope="session")
def kubectl(cluster: ControlPlane) -> Kubectl:
    """kubectl as the administrator."""
    return cluster.kubectl


@pytest.fixture(scope="session")
def guarded(api: Api) -> str:
    """The namespace of the golden cases, in which every pod has to pass Pod Security `baseline`."""
    name = "team-a"
    api.create(NAMESPACES, {"metadata": {"name": name, "labels": BASELINE}})
    # No controller manager makes it here, and pods are refused without.
    api.create(ACCOUNTS, {"metadata": {"name": "default", "namespace": name}})
    api.create(RUNTIME_CLASSES, {"metadata": {"name": "ascend"}, "handler": "ascend"})
    return name
