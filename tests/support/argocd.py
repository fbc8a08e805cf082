"""Argo CD's health checks without Argo CD: its own Lua engine (gopher-lua), with what it opens for scripts that users
configure and no more.

Argo CD opens the base, package and table libraries and a part of `os` with the time (util/lua in its sources); nothing
here needs the time, so `os` is taken away as well. A script that takes longer than a second is ended there.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from tests.cluster import binaries
from tests.cluster.kubectl import Object

FOLDER = Path(__file__).parents[2] / "charts" / "argocd"
CUSTOMIZATION = FOLDER / "resource_customizations" / "npuserve.io" / "InferenceService"
STATUSES = ("Healthy", "Progressing", "Degraded", "Suspended", "Missing", "Unknown")
SECONDS = 1.0

_HARNESS = """\
local write, quote = io.write, string.format
getmetatable("").__index = nil
io, os, string, math, coroutine, channel, debug, require, dofile, loadfile = nil
obj = %s
local function check()
%s
end
local health = check()
write(quote("%%q\\n%%q", health.status, health.message or ""))
"""


class LuaFailed(Exception):
    """The script ended with an error; the message is the engine's."""


def health(script: str, resource: Object) -> tuple[str, str]:
    """Status and message of a resource. Raises LuaFailed."""
    text = _HARNESS.replace("%%", "\0").replace("%s", literal(resource), 1).replace("%s", script, 1).replace("\0", "%")
    glua = binaries.ensure(["glua"])["glua"]
    answer = subprocess.run([str(glua), "-e", text], capture_output=True, text=True, timeout=30 * SECONDS, check=False)
    if answer.returncode or answer.stderr:
        raise LuaFailed(answer.stderr.strip() or answer.stdout.strip())
    status, _, message = answer.stdout.partition("\n")
    if json.loads(status) not in STATUSES:
        raise LuaFailed(f"{status} is no status of Argo CD")
    return json.loads(status), json.loads(message)


def literal(value: Any) -> str:
    """A JSON value as an expression of Lua; a null is an absent key, as in Argo CD."""
    match value:
        case bool():
            return str(value).lower()
        case dict():
            parts = (f"[{literal(key)}]={literal(held)}" for key, held in value.items() if held is not None)
            return "{" + ",".join(parts) + "}"
        case list():
            return "{" + ",".join(map(literal, value)) + "}"
        case str():
            return '"' + "".join(f"\\{byte:03d}" for byte in value.encode()) + '"'
        case int() | float():
            return repr(value)
    raise TypeError(f"{value!r} is no JSON value")
