"""Every decision about a service: checks, parallelism, memory, placement, topology, rollout.

A service and a cluster in, a Plan or a Refusal out.
"""
