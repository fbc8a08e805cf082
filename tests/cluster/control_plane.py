"""A Kubernetes control plane for the length of a `with` block: etcd, API server, controller manager, scheduler, kwok.

One temporary folder holds everything: data, certificates, kubeconfigs, logs, the audit log. Nothing outlives the block:
at its end the programs are stopped and the folder is removed, and where the owner dies without reaching it, the kernel
ends the programs (launch.py) and a guard removes the folder (guard.py).
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.cluster import audit, binaries, certificates, components, credentials, ports
from tests.cluster.components import COMPONENTS, Layout, Probe
from tests.cluster.kubectl import Kubectl, Object
from tests.cluster.processes import Guard, Running
from tests.cluster.programs import READY_SECONDS, PortTaken, Programs
from tests.cluster.progress import Report, Steps, silent

ALL = tuple(COMPONENTS)
API_ONLY = ("etcd", "kube-apiserver")
FAST_STAGES = ("node/fast", "pod/fast")
"""kwok's stages that make nodes Ready and scheduled pods Running at once."""


class Leave(Enum):
    """What stays after the block."""

    NOTHING = "nothing"
    FILES = "files"
    RUNNING = "running"
    """Everything, unless the block ends with an exception; `python -m tests.cluster down FOLDER` ends it."""


class ControlPlane:
    """The components named, started together. Enter it in the main thread (launch.py says why)."""

    def __init__(
        self,
        names: Sequence[str] = ALL,
        stages: Sequence[str] = FAST_STAGES,
        *,
        extra_stages: Sequence[Path] = (),
        flags: Mapping[str, Sequence[str]] | None = None,
        pod_range: str = "10.244.0.0/16",
        leave: Leave = Leave.NOTHING,
        steps: Steps | None = None,
        report: Report = silent,
    ) -> None:
        """`stages`: folders of kwok's own stages; `extra_stages`: further Stage files; `flags`: more flags by name."""
        self._names = [name for name in ALL if name in names]
        self._stages, self._extra_stages = stages, extra_stages
        self._flags = flags or {}
        self._pod_range = pod_range
        self._leave = leave
        self._steps, self._report = steps, report
        self._layout: Layout
        self._programs: Programs
        self._guard: Guard | None = None
        self._token = ""

    def __enter__(self) -> Self:
        found = binaries.ensure(self._names, steps=self._steps)
        try:
            self._bring_up(found)
        except PortTaken:
            self._bring_up(found)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._leave is not Leave.RUNNING or kind is not None:
            self._take_down()

    # What the cluster is

    @property
    def folder(self) -> Path:
        return self._layout.folder

    @property
    def url(self) -> str:
        return self._layout.url

    @property
    def ca(self) -> Path:
        return self.folder / "ca.crt"

    @property
    def admin_kubeconfig(self) -> Path:
        return self.folder / "admin.kubeconfig"

    @property
    def kubectl(self) -> Kubectl:
        """kubectl as the administrator."""
        return Kubectl(binaries.kubectl(), self.admin_kubeconfig)

    def kubeconfig_for(self, service_account: str, namespace: str, *, hours: int = 24) -> Path:
        """A kubeconfig that can do what this ServiceAccount may do, with a token issued by the API server."""
        token = self.kubectl("create", "token", service_account, f"--namespace={namespace}", f"--duration={hours}h")
        path = self.folder / f"{namespace}.{service_account}.kubeconfig"
        return credentials.write_kubeconfig(path, self.url, ca=self.ca, token=token.strip(), namespace=namespace)

    def add_nodes(self, nodes: Sequence[Object]) -> None:
        """Creates nodes and, where kwok runs, waits until they are Ready."""
        self.kubectl.apply(*nodes)
        names = [f"node/{node['metadata']['name']}" for node in nodes]
        if "kwok" in self._names and names:
            self.kubectl("wait", "--for=condition=Ready", f"--timeout={READY_SECONDS:.0f}s", *names)

    # What the API server was asked

    @property
    def audit_log(self) -> Path:
        return self.folder / "audit.log"

    def audit(self, user: str | None = None, since: int = 0) -> Iterator[audit.Event]:
        """Requests so far, of one user (`system:serviceaccount:NAMESPACE:NAME`) or all, from an `audit_position` on."""
        return audit.read(self.audit_log, user=user, since=since)

    def audit_position(self) -> int:
        return audit.position(self.audit_log)

    # What runs

    @property
    def pids(self) -> dict[str, int]:
        """Process id per program that runs, `spawn`ed ones included."""
        return self._programs.pids

    def log(self, name: str) -> Path:
        """The file with everything a program wrote, over its restarts."""
        return self._programs.log(name)

    def ended(self) -> list[str]:
        """A sentence for each program that no longer runs."""
        return self._programs.ended()

    def spawn(self, name: str, argv: Sequence[str], *, environment: Mapping[str, str] | None = None) -> Running:
        """Runs a program with the cluster, an operator for instance: log in `log(name)`, stopped before the others."""
        return self._programs.start(name, argv, environment or {})

    def start(self, name: str) -> None:
        """Starts a component, also one that was stopped or killed (same port and data), and waits until it is ready."""
        self._programs.start(name, components.argv(name, self._layout, self._flags.get(name, ())), {})
        self._programs.wait_for(name, COMPONENTS[name].probe(name, self._layout, token=self._token).answered)

    def stop(self, name: str) -> None:
        self._programs.stop(name)

    def kill(self, name: str) -> None:
        """Ends a program at once, as a crash would."""
        self._programs.kill(name)

    def restart(self, name: str) -> None:
        self.stop(name)
        self.start(name)

    # Up and down

    def _bring_up(self, found: Mapping[str, Path]) -> None:
        folder = Path(tempfile.mkdtemp(prefix="npuserve-cluster-"))
        self._guard = Guard(folder) if self._leave is Leave.NOTHING else None
        self._layout = self._lay_out(folder, found)
        self._programs = Programs(folder, outlive_parent=self._leave is Leave.RUNNING)
        try:
            self._write_files()
            for name in self._names:
                self._report(f"starting {name}")
                self.start(name)
            self._wait_for_accounts()
        except BaseException:
            self._take_down()
            raise

    def _lay_out(self, folder: Path, found: Mapping[str, Path]) -> Layout:
        names = components.ports(self._names)
        numbers = dict(zip(names, ports.free(len(names)), strict=True))
        own = binaries.stage_files(found["kwok"], self._stages) if "kwok" in found else []
        return Layout(folder, found, numbers, (*own, *self._extra_stages), self._pod_range)

    def _write_files(self) -> None:
        certificates.write(self.folder, datetime.now(UTC))
        (self.folder / "audit-policy.yaml").write_text(components.AUDIT_POLICY)
        if "kube-apiserver" in self._names:
            self._token = credentials.write(self.folder, self.url)

    def _wait_for_accounts(self) -> None:
        """Pods are refused in a namespace whose default ServiceAccount the controller manager has not made yet."""
        if "kube-controller-manager" in self._names:
            self._report("waiting for the default service account")
            account = Probe(f"{self.url}/api/v1/namespaces/default/serviceaccounts/default", self.ca, self._token)
            self._programs.wait_for("kube-controller-manager", account.answered)

    def _take_down(self) -> None:
        self._programs.stop_all()
        if self._leave is not Leave.FILES:
            shutil.rmtree(self.folder, ignore_errors=True)
        if self._guard is not None:
            self._guard.release()
