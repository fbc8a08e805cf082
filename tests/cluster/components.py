"""With which flags each component is started, and how it is asked whether it is ready. Layout in, argument list out."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from urllib.request import HTTPSHandler, ProxyHandler, Request, build_opener

SERVICE_RANGE = "10.96.0.0/16"
AUDIT_POLICY = """\
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules: [{level: Metadata}]
"""
_AUDIT_MEGABYTES = 8192
"""Where the log would be cut and renamed; the default of 100 is some 120,000 requests."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Where one cluster's files and ports are."""

    folder: Path
    binaries: Mapping[str, Path]
    ports: Mapping[str, int]
    stages: tuple[Path, ...]
    pod_range: str

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.ports['kube-apiserver']}"

    def file(self, name: str) -> str:
        return str(self.folder / name)


@dataclass(frozen=True, slots=True)
class Probe:
    """A question over HTTP that a ready component answers with 200."""

    url: str
    ca: Path | None = None
    token: str = ""

    def answered(self) -> bool:
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        context = ssl.create_default_context(cafile=self.ca) if self.ca else None
        opener = build_opener(ProxyHandler({}), HTTPSHandler(context=context))
        try:
            with opener.open(Request(self.url, headers=headers), timeout=5) as answer:
                return bool(answer.status == 200)
        except (OSError, HTTPException):
            return False


@dataclass(frozen=True, slots=True)
class Component:
    """One program of the control plane, its further ports, and the path that answers when it is ready."""

    arguments: Callable[[Layout], list[str]]
    ready: str
    tls: bool = True
    more_ports: tuple[str, ...] = ()

    def probe(self, name: str, layout: Layout, *, token: str) -> Probe:
        address = f"127.0.0.1:{layout.ports[name]}{self.ready}"
        return Probe(f"https://{address}", layout.folder / "ca.crt", token) if self.tls else Probe(f"http://{address}")


def ports(names: Sequence[str]) -> list[str]:
    """The names of the ports that these components listen on."""
    return [port for name in names for port in (name, *COMPONENTS[name].more_ports)]


def argv(name: str, layout: Layout, extra: Sequence[str] = ()) -> tuple[str, ...]:
    """The whole command line; a flag in `extra` comes last, so that it wins."""
    return (str(layout.binaries[name]), *COMPONENTS[name].arguments(layout), *extra)


def _etcd(layout: Layout) -> list[str]:
    client, peer = (f"http://127.0.0.1:{layout.ports[name]}" for name in ("etcd", "etcd-peer"))
    return [
        f"--data-dir={layout.file('etcd')}",
        f"--listen-client-urls={client}",
        f"--advertise-client-urls={client}",
        f"--listen-peer-urls={peer}",
        f"--initial-advertise-peer-urls={peer}",
        f"--initial-cluster=default={peer}",
        "--unsafe-no-fsync",
        "--log-level=warn",
    ]


def _apiserver(layout: Layout) -> list[str]:
    """Watches are ended one second after SIGTERM; by default the server waits a minute for them."""
    return [
        f"--etcd-servers=http://127.0.0.1:{layout.ports['etcd']}",
        f"--secure-port={layout.ports['kube-apiserver']}",
        "--bind-address=127.0.0.1",
        "--advertise-address=127.0.0.1",
        "--endpoint-reconciler-type=none",
        *_serving(layout),
        f"--client-ca-file={layout.file('ca.crt')}",
        f"--token-auth-file={layout.file('tokens.csv')}",
        "--authorization-mode=Node,RBAC",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-account-key-file={layout.file('accounts.pub')}",
        f"--service-account-signing-key-file={layout.file('accounts.key')}",
        f"--service-cluster-ip-range={SERVICE_RANGE}",
        "--enable-admission-plugins=NodeRestriction",
        "--allow-privileged=true",
        f"--audit-policy-file={layout.file('audit-policy.yaml')}",
        f"--audit-log-path={layout.file('audit.log')}",
        f"--audit-log-maxsize={_AUDIT_MEGABYTES}",
        "--shutdown-watch-termination-grace-period=1s",
    ]


def _controller_manager(layout: Layout) -> list[str]:
    return [
        *_client("kube-controller-manager", layout),
        f"--service-account-private-key-file={layout.file('accounts.key')}",
        f"--root-ca-file={layout.file('ca.crt')}",
        "--use-service-account-credentials=true",
    ]


def _scheduler(layout: Layout) -> list[str]:
    return _client("kube-scheduler", layout)


def _client(name: str, layout: Layout) -> list[str]:
    """What controller manager and scheduler share.

    Their default request rates of 20 and 50 a second would be what a test of 1,000 services measures.
    """
    kubeconfig = layout.file(f"{name}.kubeconfig")
    return [
        f"--kubeconfig={kubeconfig}",
        f"--authentication-kubeconfig={kubeconfig}",
        f"--authorization-kubeconfig={kubeconfig}",
        "--leader-elect=false",
        "--bind-address=127.0.0.1",
        f"--secure-port={layout.ports[name]}",
        *_serving(layout),
        "--kube-api-qps=500",
        "--kube-api-burst=1000",
    ]


def _kwok(layout: Layout) -> list[str]:
    """Nodes are kept Ready by leases, as kubelets do, so that node objects at rest do not change."""
    return [
        f"--kubeconfig={layout.file('kwok.kubeconfig')}",
        "--manage-all-nodes=true",
        "--node-lease-duration-seconds=40",
        f"--cidr={layout.pod_range}",
        f"--server-address=127.0.0.1:{layout.ports['kwok']}",
        *(f"--config={stage}" for stage in layout.stages),
    ]


def _serving(layout: Layout) -> list[str]:
    return [f"--tls-cert-file={layout.file('server.crt')}", f"--tls-private-key-file={layout.file('server.key')}"]


COMPONENTS: Mapping[str, Component] = {
    "etcd": Component(_etcd, ready="/health", tls=False, more_ports=("etcd-peer",)),
    "kube-apiserver": Component(_apiserver, ready="/readyz"),
    "kube-controller-manager": Component(_controller_manager, ready="/healthz"),
    "kube-scheduler": Component(_scheduler, ready="/healthz"),
    "kwok": Component(_kwok, ready="/healthz", tls=False),
}
"""In the order of starting; they are stopped in the opposite one."""
