"""The whole plan from a chosen sketch: host resources, limits in time, launch, and the reason for each value."""

from __future__ import annotations

from npuserve.engines.contract import LaunchRequest
from npuserve.engines.weights import HubWeights
from npuserve.plan import timing, topology
from npuserve.plan.backend import Sketch
from npuserve.plan.hardware import Pool
from npuserve.plan.intent import Intent
from npuserve.plan.layout import Layout
from npuserve.plan.memory import gib, stored_bytes
from npuserve.plan.plan import Plan, Refusal, Timing, Topology


def finish(intent: Intent, chosen: Sketch, *, why: tuple[str, ...]) -> Plan | Refusal:
    """The plan, or the refusal of a host wish that no node can meet. `why`: the reasons for engine and product."""
    engine, layout, flavour = chosen.candidate.engine, chosen.layout, chosen.pool.flavour
    stored = stored_bytes(intent.model, intent.scheme.name)
    host = _host(intent, chosen, stored)
    if isinstance(host, Refusal):
        return host
    times = timing.decide_timing(stored, intent.configuration, downloads=isinstance(intent.weights, HubWeights))
    return Plan(
        backend=engine.name,
        backend_version=chosen.candidate.version,
        image=chosen.image,
        product=chosen.pool.product.id,
        chip=chosen.pool.chip,
        resource_name=chosen.pool.resource,
        flavour=flavour.name,
        scheduler_name=intent.configuration.scheduler_name or flavour.scheduler,
        node_selector=_node_selector(intent, chosen.pool),
        devices=layout.parallelism.devices,
        nodes=1,
        parallelism=layout.parallelism,
        dtype=chosen.dtype,
        quantization=intent.scheme.name,
        memory=layout.memory,
        context=layout.context,
        topology=host,
        timing=times,
        weights=intent.weights,
        served_name=intent.served_name,
        launch=engine.launch(_launch_request(intent, chosen, host, times=times)),
        reasons=(
            *why,
            intent.scheme.reason,
            *_details(intent, chosen, host),
            *topology.reasons(
                host, pool=chosen.pool, profile=intent.service.profile, devices=layout.parallelism.devices
            ),
            timing.reason(times),
        ),
        avoided_labels=chosen.pool.avoided,
        slice_mib=0 if chosen.pool.part is None else chosen.pool.part.mib,
    )


def _host(intent: Intent, chosen: Sketch, stored: int) -> Topology | Refusal:
    spec, weights, split = intent.service.spec, intent.weights, chosen.layout.parallelism
    return topology.decide_topology(
        spec.hardware.topology,
        spec.template.resources,
        pool=chosen.pool,
        profile=intent.service.profile,
        devices=split.devices,
        shared_memory=chosen.candidate.engine.shared_memory(split),
        scratch=_scratch(stored) if isinstance(weights, HubWeights) and not weights.cache else 0,
    )


def _launch_request(intent: Intent, chosen: Sketch, host: Topology, *, times: Timing) -> LaunchRequest:
    return LaunchRequest(
        choice=chosen.choice,
        dtype=chosen.dtype,
        parallelism=chosen.layout.parallelism,
        context=chosen.layout.context,
        utilization=chosen.layout.memory.utilization,
        arguments=intent.arguments,
        variables=tuple(intent.variables.items()),
        api_key=intent.api_key,
        bind_cpus=topology.binds(host, chosen.layout.parallelism.devices),
        startup_seconds=times.startup,
        drain_seconds=times.drain,
        shutdown_seconds=times.shutdown,
    )


_SCRATCH_STEP = 1 << 30


def _scratch(stored: int) -> int:
    """A tenth above the weights, in whole GiB: hubs keep small files and partial downloads beside them."""
    return -(-stored * 11 // 10 // _SCRATCH_STEP) * _SCRATCH_STEP


def _node_selector(intent: Intent, pool: Pool) -> tuple[tuple[str, str], ...]:
    """Labels that keep replicas on the nodes the plan was made for, and those that the service and the profile ask."""
    asked = {**intent.service.spec.hardware.node_selector, **intent.service.profile.node_selector}
    return tuple(sorted({**pool.telling_labels(), **asked}.items()))


def _details(intent: Intent, chosen: Sketch, host: Topology) -> tuple[str, ...]:
    layout, product = chosen.layout, chosen.pool.product
    dtype = (
        "as the model is"
        if chosen.dtype == intent.model.dtype
        else f"{product.id} does not compute in the model's {intent.model.dtype}"
    )
    lines = [
        f"dtype: {chosen.dtype}, {dtype}",
        layout.reason,
        *_budget_lines(layout),
        chosen.context_reason,
    ]
    if host.scratch:
        lines.append(
            f"weights: no model.cache is named, so every replica downloads the weights into {gib(host.scratch)} of scratch space of its own"
        )
    return tuple(lines)


def _budget_lines(layout: Layout) -> tuple[str, ...]:
    """The budget of a device, one line for each share."""
    memory, ranks = layout.memory, layout.parallelism.data
    shown, itself = memory.usable + memory.reserve, memory.runtime - memory.activations - memory.communication
    each = f" in each of {ranks} data-parallel ranks" if ranks > 1 else ""
    shares = (
        f"{gib(memory.usable)} usable per device ({memory.utilization:g} of {gib(shown)}); the rest is for captured graphs and late buffers",
        f"weights {gib(memory.weights)}",
        f"runtime {gib(memory.runtime)}: activations {gib(memory.activations)}, communication {gib(memory.communication)}, engine {gib(itself)}",
        f"KV cache {gib(memory.kv_cache)}: {memory.kv_cache_tokens:,} tokens{each}, {_requests(memory.full_length_requests)} of full length",
    )
    return tuple(f"memory: {share}" for share in shares)


def _requests(count: int) -> str:
    return f"{count:,} request{'s' * (count != 1)}"
