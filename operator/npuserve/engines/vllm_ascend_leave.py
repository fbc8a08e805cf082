"""How the server is started so that a replica which is to end can send its clients elsewhere.

uvicorn, which serves vLLM, closes a connection after an answer that says so, and vLLM takes ASGI middleware by import
path (v@0.23.0:vllm/entrypoints/openai/api_server.py). A shell in front writes the middleware's text where Python finds
it, since the image's own PYTHONPATH can only be extended from inside, and then becomes the server.
"""

from __future__ import annotations

from importlib import resources

MARK = "/dev/shm/npuserve/leaving"  # noqa: S108  the replica's own shared memory
"""The file that the drain makes and the middleware looks for."""


def in_front() -> tuple[str, ...]:
    """The words in front of the server's own command."""
    return ("/bin/sh", "-c", _packaged("vllm-start.sh"), _packaged("npuserve_leave.py"))


def _packaged(name: str) -> str:
    return (resources.files("npuserve.engines") / "files" / name).read_text(encoding="utf-8")
