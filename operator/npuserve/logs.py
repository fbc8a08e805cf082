"""How the processes log: one JSON object per line on standard error, or plain text for people.

Rule: nothing that can hold a secret is logged: no object bodies, no headers, no environment. kopf logs what is wrong,
not what it sees.
"""

from __future__ import annotations

import logging
import sys

from pythonjsonlogger.json import JsonFormatter

_RENAMED = {"levelname": "level", "name": "logger"}
_TEXT = "%(asctime)s %(levelname)-7s %(name)s %(message)s"


def set_up_logging(level: str, form: str) -> None:
    """Set up the root logger of the process; `form` is json or text."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_json() if form == "json" else logging.Formatter(_TEXT))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for noisy in ("kopf", "aiohttp", "asyncio"):
        logging.getLogger(noisy).setLevel(max(logging.WARNING, logging.getLevelName(level)))


def _json() -> JsonFormatter:
    return JsonFormatter("%(levelname)s %(name)s %(message)s", rename_fields=_RENAMED, timestamp="time")
