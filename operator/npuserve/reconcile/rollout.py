"""How a Deployment's replicas are to be replaced: as decided with their template, and afresh in the write that changes
it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from npuserve.plan.plan import Rollout
from npuserve.reconcile.compare import holds
from npuserve.render import labels
from npuserve.render.strategy import read_note, strategy


def rollout_for(
    live: Mapping[str, Any] | None, template: Mapping[str, Any], *, decide: Callable[[], Rollout]
) -> Rollout:
    """The rollout to render with `template`; `decide` is asked only where a write is going to replace replicas."""
    rollout = kept_rollout(live, template) or decide()
    if live is None or not rollout.recreate or not _has_foreign_sizes(live):
        return rollout
    return replace(rollout, recreate=False)


def kept_rollout(live: Mapping[str, Any] | None, template: Mapping[str, Any]) -> Rollout | None:
    """The decision beside a live Deployment whose pods are of `template`.

    None where a write would replace them, and the caller decides afresh.
    """
    if live is None:
        return None
    present = (live.get("spec") or {}).get("template") or {}
    return read_note(_note(live), template) if holds(template, present) else None


def _has_foreign_sizes(live: Mapping[str, Any]) -> bool:
    """Whether someone else set the sizes of a rolling update.

    The API server refuses Recreate beside sizes that we do not own and so cannot remove. Ours can be forced in their
    place: one replica fewer at a time ends the old replica first as well.
    """
    present = ((live.get("spec") or {}).get("strategy") or {}).get("rollingUpdate")
    decided = read_note(_note(live))
    ours = {} if decided is None else strategy(decided).get("rollingUpdate", {})
    return present is not None and present != ours


def _note(live: Mapping[str, Any]) -> str:
    note: str = ((live.get("metadata") or {}).get("annotations") or {}).get(labels.ROLLOUT, "")
    return note
