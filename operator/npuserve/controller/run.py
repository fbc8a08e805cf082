"""The operator's process: set up, wait for leadership, read the cluster, work, stop.

Rule: a standby answers probes and asks for the Lease, nothing else. Work begins when everything that exists was read
once, so that a restart writes nothing. SIGTERM and SIGINT end the process within seconds: passes in work are finished
or dropped (each write stands for itself), and the Lease is given up. A lost Lease ends it with exit code 1, because
only a new process begins without old knowledge.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from aiohttp import ClientSession

from npuserve.configuration import Configuration
from npuserve.controller.activation import Activation
from npuserve.controller.autoscaler import Autoscaler
from npuserve.controller.capacity import Capacity
from npuserve.controller.credentials import Credentials, NoCredentials, log_in
from npuserve.controller.family import follow_children
from npuserve.controller.files import UnusableConfiguration, load_configuration
from npuserve.controller.freshness import Freshness
from npuserve.controller.health import Health, Role
from npuserve.controller.kube import Kube
from npuserve.controller.leader import Leadership
from npuserve.controller.loop import Reconciler, Resolve
from npuserve.controller.metrics import Metrics
from npuserve.controller.queue import Queue
from npuserve.controller.resources import ENDPOINT_SLICES
from npuserve.controller.scrape import session
from npuserve.controller.store import Store
from npuserve.controller.watch import Informer
from npuserve.controller.work import Work
from npuserve.logs import set_up_logging
from npuserve.plan.resolve import resolve as plan_resolve
from npuserve.settings import Settings

CONNECTIONS = 64
STOP_SECONDS = 5.0

logger = logging.getLogger(__name__)


def run(settings: Settings, *, resolve: Resolve = plan_resolve) -> int:
    """Run the operator until it is told to stop; the exit code: 0 after a signal, 1 when it cannot go on."""
    set_up_logging(settings.log_level, settings.log_format)
    try:
        configuration = load_configuration(settings.config)
        return asyncio.run(Operator(settings, configuration, resolve).run())
    except (UnusableConfiguration, NoCredentials, OSError) as error:
        logger.critical("the operator cannot start: %s", error)
        return 1


class LeadershipLost(Exception):
    """Another replica may work now."""


@dataclass(frozen=True, slots=True)
class _Parts:
    """What works on the cluster while this replica leads."""

    store: Store
    queue: Queue
    capacity: Capacity
    activation: Activation
    scaler: Autoscaler
    work: Work


class Operator:
    """One run of the operator."""

    def __init__(self, settings: Settings, configuration: Configuration, resolve: Resolve) -> None:
        self._settings = settings
        self._configuration = configuration
        self._resolve = resolve
        self._stopping = asyncio.Event()
        self._metrics = Metrics()
        self._freshness = Freshness()
        self._health = Health(self._freshness, self._metrics)

    async def run(self) -> int:
        """Everything between the first probe and the last; the exit code."""
        self._take_signals()
        credentials = Credentials(log_in)
        await self._health.start(self._settings.http_address, self._settings.http_port)
        async with credentials.session(connections=CONNECTIONS) as session:
            kube = Kube(session, credentials.server, count=self._metrics.requested)
            serving = asyncio.create_task(self._serve(kube, credentials))
            stopping = asyncio.create_task(self._stopping.wait())
            await asyncio.wait([serving, stopping], return_when=asyncio.FIRST_COMPLETED)
            await _end(serving, stopping)
        await self._health.stop()
        if self._stopping.is_set():
            return 0
        _tell_why(serving.exception())
        return 1

    def _take_signals(self) -> None:
        """End on SIGTERM and SIGINT. kopf installs handlers of its own when it starts, so this is called again after
        that."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop, number.name)

    def _stop(self, signal_name: str) -> None:
        logger.info("stopping", extra={"signal": signal_name})
        self._stopping.set()

    async def _serve(self, kube: Kube, credentials: Credentials) -> None:
        """Work for as long as this replica leads."""
        if not self._settings.leader_election:
            return await self._operate(kube, credentials)
        leadership = Leadership(
            kube,
            self._settings.namespace,
            identity=self._settings.identity,
            heard=lambda: self._freshness.heard("lease"),
        )
        self._health.role = Role.STANDBY
        await leadership.acquire()
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._operate(kube, credentials))
                await leadership.hold()
                raise LeadershipLost
        finally:
            await leadership.release()

    async def _operate(self, kube: Kube, credentials: Credentials) -> None:
        """Read the cluster, then work on it."""
        async with session() as http:
            await self._work(kube, credentials, http)

    async def _work(self, kube: Kube, credentials: Credentials, http: ClientSession) -> None:
        self._health.role = Role.SYNCING
        self._metrics.leads(1)
        parts = self._parts(kube, http)
        self._metrics.watch(parts.queue.depth, self._freshness.ages)
        async with asyncio.TaskGroup() as tasks:
            heard = self._listen(tasks, parts, kube)
            informer = Informer(
                kube,
                credentials,
                namespace=self._settings.watch_namespace,
                store=parts.store,
                freshness=self._freshness,
                tell=parts.work.tell,
            )
            tasks.create_task(informer.run(started=self._take_signals))
            await asyncio.gather(*(event.wait() for event in heard), informer.synced())
            parts.activation.learn(parts.store.bodies(ENDPOINT_SLICES))
            _leave_garbage_be()
            self._health.role = Role.LEADER
            logger.info("working", extra={"services": sum(1 for _ in parts.store.services())})
            parts.scaler.begin(tasks, freshness=self._freshness)
            await parts.work.run(self._settings.workers)

    def _parts(self, kube: Kube, http: ClientSession) -> _Parts:
        """Everything that works on the cluster, put together and not begun."""
        store, queue = Store(), Queue()
        capacity = Capacity(
            self._configuration.flavour,
            changed=lambda: work.nodes_changed(),  # noqa: PLW0108 - work is made below
            troubled=lambda uid: work.look_at_uid(uid),  # noqa: PLW0108 - as above
            renamed=self._configuration.resource_names,
        )
        activation = self._activation(store, lambda uid: work.look_at_uid(uid))  # noqa: PLW0108 - as above
        scaler = Autoscaler(
            kube,
            store,
            capacity,
            configuration=self._configuration,
            activation=activation,
            http=http,
            metrics=self._metrics.scaling,
            look_at=lambda key: work.look_at(key),  # noqa: PLW0108 - as above
            rescaled=lambda key: work.rescaled(key),  # noqa: PLW0108 - as above
        )
        reconciler = Reconciler(
            kube,
            store,
            capacity,
            self._configuration,
            self._resolve,
            self._settings.identity,
            pressed=queue.pressed,
            numbers=scaler.numbers,
            activation=activation,
        )
        work = Work(reconciler.reconcile, queue=queue, store=store, metrics=self._metrics, freshness=self._freshness)
        return _Parts(store, queue, capacity, activation, scaler, work)

    def _listen(self, tasks: asyncio.TaskGroup, parts: _Parts, kube: Kube) -> tuple[asyncio.Event, ...]:
        """Begin to follow everything but the services themselves; the events are set once what exists was read."""
        namespace, freshness = self._settings.watch_namespace, self._freshness
        nodes, family, places = asyncio.Event(), asyncio.Event(), asyncio.Event()
        tasks.create_task(parts.capacity.follow(kube, namespace=namespace, freshness=freshness, listed=nodes))
        tasks.create_task(
            follow_children(
                kube, parts.store, namespace=namespace, freshness=freshness, tell=parts.work.tell, listed=family
            )
        )
        tasks.create_task(
            parts.activation.follow(
                kube,
                namespace=namespace,
                own_namespace=self._settings.namespace,
                freshness=freshness,
                listed=places,
            )
        )
        return (nodes, family, places, *parts.scaler.hear(tasks, namespace=namespace, freshness=freshness))

    def _activation(self, store: Store, look_at: Callable[[str], None]) -> Activation:
        settings = self._configuration.activator
        return Activation(settings, exists=lambda uid: store.key_of(uid) is not None, look_at=look_at)


def _tell_why(error: BaseException | None) -> None:
    """Say why the operator ends without having been told to."""
    lost = isinstance(error, ExceptionGroup) and error.split(LeadershipLost)[1] is None
    logger.critical("the operator cannot go on", exc_info=None if lost else error)


def _leave_garbage_be() -> None:
    """What lives now lives on, and passes leave little behind: look for cycles rarely (a tenth of the CPU time of a
    burst otherwise)."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 50)


async def _end(*tasks: asyncio.Task[Any]) -> None:
    """Cancel these and give them a moment."""
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks, timeout=STOP_SECONDS)
