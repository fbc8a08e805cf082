"""What kwok leaves out of a kubelet: readiness after a start that takes its time, and the end of a pod.

Rule: a pod that is deleted runs its own preStop command, with the pod's address in place of its loopback, then its engine
is told to end, and all within its grace period; then the pod is gone. So what a replica does when it ends is what ships.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime
from threading import Event, Thread
from types import TracebackType
from typing import Self

from npuserve.controller.resources import PODS
from npuserve.render.labels import MANAGED_BY, MANAGER
from tests.cluster.kubectl import Object
from tests.support.api import Api, Refused
from tests.support.background import Background
from tests.support.engines import Engines

LOOK_SECONDS = 0.2
STAGE = "pod-started.yaml"
_ENDING_AT_ONCE = 64


class Kubelet:
    """Plays the kubelet of every node for the length of a `with` block; a problem of its own is raised at its end.

    Only replicas are made ready. Every pod that is deleted goes.
    """

    def __init__(self, api: Api, engines: Engines, background: Background, *, start_seconds: float = 0.0) -> None:
        self.start_seconds = start_seconds
        """From a pod's start to its readiness; counts for pods that are starting, too."""
        self.shutdown_seconds = 5.0
        """What an engine has for its last requests after SIGTERM; the command line's, where it is named there."""
        self.hangs: Callable[[Object], bool] = lambda pod: False
        """Which pods never become ready."""
        self._api, self._engines, self._background = api, engines, background
        self._over = Event()
        self._problem: Exception | None = None
        self._begun: set[str] = set()
        self._ends: dict[str, Future[None]] = {}

    def __enter__(self) -> Self:
        self._pool = ThreadPoolExecutor(_ENDING_AT_ONCE)
        self._thread = Thread(target=self._keep_looking, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()
        self._pool.shutdown(wait=False, cancel_futures=True)
        if self._problem is not None:
            raise self._problem

    def _keep_looking(self) -> None:
        try:
            while not self._over.wait(LOOK_SECONDS):
                for pod in self._api.list(PODS):
                    self._look_at(pod)
        except Exception as problem:  # noqa: BLE001  raised where the block ends
            self._problem = problem

    def _look_at(self, pod: Object) -> None:
        uid, address = pod["metadata"]["uid"], pod.get("status", {}).get("podIP")
        if pod["metadata"].get("deletionTimestamp"):
            if uid not in self._ends:
                self._ends[uid] = self._pool.submit(self._end, pod, address)
            elif self._ends[uid].done():
                self._ends[uid].result()
            return
        if not address or not _is_replica(pod):
            return
        if uid not in self._begun:
            self._begun.add(uid)
            self._background.call(lambda: self._engines.begin(address))
        if _is(pod, "Ready") or self.hangs(pod):
            return
        if time.time() - _seconds(pod["status"]["startTime"]) >= self.start_seconds:
            self._say(pod)

    def _say(self, pod: Object) -> None:
        """The pod is ready."""
        now = datetime.now().astimezone().isoformat(timespec="seconds")
        turned = [
            {**item, "status": "True", "reason": None, "lastTransitionTime": now}
            if item["type"] in ("Ready", "ContainersReady")
            else item
            for item in pod["status"]["conditions"]
        ]
        containers = [{**item, "ready": True, "started": True} for item in pod["status"]["containerStatuses"]]
        name, namespace = pod["metadata"]["name"], pod["metadata"]["namespace"]
        status = {"status": {"conditions": turned, "containerStatuses": containers}}
        self._quietly(lambda: self._api.merge(PODS, namespace, name, status, subresource="status"))

    def _end(self, pod: Object, address: str | None) -> None:
        """Everything from the deletion of a pod until it is gone."""
        metadata = pod["metadata"]
        # The deletion time is when the grace period is over.
        deadline = _seconds(metadata["deletionTimestamp"])
        if address and _is_replica(pod) and metadata.get("deletionGracePeriodSeconds"):
            self._run_hook(pod, address, deadline)
            left = max(0.0, min(_shutdown(pod, self.shutdown_seconds), deadline - time.time()))
            self._background.run(self._engines.shut_down(address, left), within=left + 10)
        where = f"/api/v1/namespaces/{metadata['namespace']}/pods/{metadata['name']}"
        body = {"gracePeriodSeconds": 0, "preconditions": {"uid": metadata["uid"]}}
        self._quietly(lambda: self._api.ask("DELETE", where, body))

    def _run_hook(self, pod: Object, address: str, deadline: float) -> None:
        for container in pod["spec"]["containers"]:
            hook = container.get("lifecycle", {}).get("preStop", {}).get("exec", {}).get("command")
            if not hook:
                continue
            words = [word.replace("127.0.0.1", address).replace("localhost", address) for word in hook]
            words[0] = sys.executable if words[0] == "python3" else words[0]
            # Engines are told their address by an environment variable of their own.
            environment = {**os.environ, "MIES_CONTAINER_IP": address, "no_proxy": "*"}
            with subprocess.Popen(words, env=environment) as running:
                while running.poll() is None and time.time() < deadline and not self._over.is_set():
                    time.sleep(0.05)
                running.kill()

    def _quietly(self, ask: Callable[[], Object | None]) -> None:
        """Ask for something that the end of the pod may come before."""
        try:
            ask()
        except Refused as refused:
            if refused.code not in (404, 409):
                raise


def _is_replica(pod: Object) -> bool:
    return bool(pod["metadata"].get("labels", {}).get(MANAGED_BY) == MANAGER)


def _is(pod: Object, kind: str) -> bool:
    return any((item["type"], item["status"]) == (kind, "True") for item in pod["status"].get("conditions", ()))


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def _shutdown(pod: Object, otherwise: float) -> float:
    """Seconds that the engine's command line gives its last requests."""
    words = [word for container in pod["spec"]["containers"] for word in container.get("args", ())]
    named = [words[index + 1] for index, word in enumerate(words[:-1]) if word == "--shutdown-timeout"]
    named += [word.partition("=")[2] for word in words if word.startswith("--shutdown-timeout=")]
    return float(named[0]) if named else otherwise
