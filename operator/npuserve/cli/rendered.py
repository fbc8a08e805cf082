"""The objects that a plan becomes, as one stream of YAML."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from npuserve.cli.asked import Answer
from npuserve.cli.documents import documents_text
from npuserve.configuration import Configuration
from npuserve.plan.autoscaling import first_replicas
from npuserve.plan.plan import Refusal
from npuserve.plan.rollout import choose_rollout
from npuserve.render.objects import render
from npuserve.render.owner import Owner

_NO_UID = "00000000-0000-0000-0000-000000000000"


def manifests(answers: Sequence[Answer], configuration: Configuration) -> str:
    """All objects of all accepted services; refusals go to standard error.

    The owner's UID is known only once it exists, so a placeholder stands for it.
    """
    documents: list[dict[str, Any]] = []
    for answer in answers:
        if isinstance(answer.outcome, Refusal) or answer.service is None:
            refusal = answer.outcome
            assert isinstance(refusal, Refusal)
            print(f"{answer.namespace}/{answer.name} refused: {refusal.field}: {refusal.message}", file=sys.stderr)  # noqa: T201
            continue
        spec = answer.service.spec
        documents += render(
            Owner(answer.name, answer.namespace, _NO_UID),
            spec,
            answer.outcome,
            profile=configuration.profile(answer.namespace),
            rollout=choose_rollout(first_replicas(spec), None),
            record="",
            pull_policy=configuration.images.pull_policy,
            replicas=first_replicas(spec),
        )
    return documents_text(documents)
