"""Who may talk to the API server, and with which kubeconfig.

Each component has its own user, so that the audit log tells them apart. The API server binds the users of the
controller manager and the scheduler to their roles by itself.
"""

from __future__ import annotations

import base64
import secrets
from pathlib import Path

import yaml

ADMIN = "admin"
_USERS = {
    ADMIN: "system:masters",
    "kwok": "system:masters",
    "system:kube-controller-manager": "",
    "system:kube-scheduler": "",
}
_FILES = {"system:kube-controller-manager": "kube-controller-manager", "system:kube-scheduler": "kube-scheduler"}


def write(folder: Path, url: str) -> str:
    """Writes the token file and one kubeconfig per user (`admin.kubeconfig`, ...); returns the admin's token."""
    tokens = {user: secrets.token_hex(16) for user in _USERS}
    rows = [f'{token},{user},{user},"{_USERS[user]}"\n' for user, token in tokens.items()]
    (folder / "tokens.csv").write_text("".join(rows))
    for user, token in tokens.items():
        write_kubeconfig(folder / f"{_FILES.get(user, user)}.kubeconfig", url, ca=folder / "ca.crt", token=token)
    return tokens[ADMIN]


def write_kubeconfig(path: Path, url: str, *, ca: Path, token: str, namespace: str = "default") -> Path:
    """A kubeconfig with one context, readable by its owner only."""
    authority = base64.b64encode(ca.read_bytes()).decode()
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "local", "cluster": {"server": url, "certificate-authority-data": authority}}],
        "users": [{"name": "user", "user": {"token": token}}],
        "contexts": [{"name": "local", "context": {"cluster": "local", "user": "user", "namespace": namespace}}],
        "current-context": "local",
    }
    path.touch(mode=0o600)
    path.write_text(yaml.safe_dump(document))
    return path
