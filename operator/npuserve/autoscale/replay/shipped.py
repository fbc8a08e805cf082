"""The product's own decision as a rule of a replay, as it is."""

from __future__ import annotations

from npuserve.autoscale.decision import Decision, decide
from npuserve.autoscale.demand import LOOP
from npuserve.autoscale.load import LoadSample
from npuserve.autoscale.memory import Memory
from npuserve.autoscale.settings import Settings


class Shipped:
    """`decide` with its memory, for a service whose starts take `cold_start` seconds."""

    every = LOOP

    def __init__(self, settings: Settings, *, cold_start: float) -> None:
        self.settings = settings
        self.memory = Memory()._replace(cold_start=cold_start)
        self.decision: Decision | None = None

    def wanted(self, sample: LoadSample) -> int:
        self.memory, self.decision = decide(self.memory, sample, self.settings)
        return self.decision.replicas
