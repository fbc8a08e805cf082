"""`python -m tests.support.older_operator`: the operator as it was before 0.23.0 of vLLM-Ascend became stable; plans of
its time name 0.18.0."""

from __future__ import annotations

from npuserve.cli import main
from npuserve.engines import vllm_ascend

OLDER = "0.18.0"


def go_back() -> None:
    """Make OLDER the only stable version. Raises ValueError when the operator has no table for it any more."""
    if OLDER not in vllm_ascend.VllmAscend.versions:
        raise ValueError(f"the operator no longer knows {OLDER}: name another version that is older than the newest")
    setattr(vllm_ascend.VllmAscend, "stable", (OLDER,))  # noqa: B010  its declared type names two versions


if __name__ == "__main__":
    go_back()
    main(["run"])
