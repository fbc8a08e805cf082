"""From what a service asks for in `spec.autoscaling` to what the decision is told."""

from __future__ import annotations

from npuserve.api.autoscaling import Autoscaling
from npuserve.autoscale.objectives import SHARES, Objectives
from npuserve.autoscale.profile import EngineProfile
from npuserve.autoscale.settings import Settings


def settings_of(wish: Autoscaling, profile: EngineProfile) -> Settings:
    """The settings of a service; floors of the schedule and room in the cluster are added when they are known."""
    down = wish.scale_down
    usual = Settings(profile)
    return Settings(
        profile=profile,
        least=1 if wish.min_replicas is None else wish.min_replicas,
        most=wish.max_replicas,
        share=SHARES[wish.goal],
        objectives=objectives_of(wish),
        hold=usual.hold if down.hold_seconds is None else down.hold_seconds,
        hold_lives=usual.hold_lives if down.hold_seconds is None else 0.0,
        down_step=down.replicas or usual.down_step,
        down_pause=usual.down_pause if down.pause_seconds is None else down.pause_seconds,
        idle=usual.idle if down.idle_seconds is None else down.idle_seconds,
    )


def objectives_of(wish: Autoscaling) -> Objectives:
    """The objectives in seconds; what the service leaves open is as usual."""
    usual, asked = Objectives(), wish.objectives
    return Objectives(
        ttft=usual.ttft if asked.ttft_milliseconds is None else asked.ttft_milliseconds / 1000,
        per_token=usual.per_token if asked.itl_milliseconds is None else asked.itl_milliseconds / 1000,
    )
