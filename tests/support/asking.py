"""The operator's own client, asking with the rights of the operator that runs: what its loops do, one step at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import kopf
import yaml

from npuserve.controller.credentials import Credentials
from npuserve.controller.kube import Kube

T = TypeVar("T")


def ask(kubeconfig: Path, question: Callable[[Kube], Awaitable[T]]) -> T:
    """What `question` returns, asked with the token and the authority of a kubeconfig of one user."""

    async def main() -> T:
        credentials = Credentials(lambda: _login(kubeconfig))
        async with credentials.session(connections=4) as session:
            return await question(Kube(session, credentials.server))

    return asyncio.run(main())


def _login(kubeconfig: Path) -> kopf.ConnectionInfo:
    document = yaml.safe_load(kubeconfig.read_text())
    cluster, user = document["clusters"][0]["cluster"], document["users"][0]["user"]
    return kopf.ConnectionInfo(
        server=cluster["server"], ca_data=cluster["certificate-authority-data"], token=user["token"]
    )
