"""The command that waits until a replica has nothing left to do, run inside it before it is told to stop.

It first makes a file, where the engine's server looks for one to tell clients to open their next connection elsewhere.
Then it reads the engine's own metrics every second. It ends when the network had time to stop sending requests and, for
longer than the engine keeps an idle connection open, nothing ran, waited or was counted: by then the engine has closed
every connection that a client keeps, so no request can arrive on one while the engine stops. It ends at last when its
time is up. A busy engine that answers late is waited for; one that refuses connections is gone. An image's proxy is not
asked. It needs python3, which every engine image has, and no other tool.
"""

from __future__ import annotations

from dataclasses import dataclass

SETTLE_SECONDS = 5
"""Endpoints are removed within this time on clusters that are not overloaded; requests that arrive meanwhile are
served."""

_SCRIPT = """\
import contextlib, os, re, sys, time, urllib.error, urllib.request
url, limit, settle, quiet = sys.argv[1], *map(float, sys.argv[2:5])
gauges, counters = (
    re.compile(r"^(?:" + "|".join(map(re.escape, names.split(","))) + r")(?:\\{[^}]*\\})?\\s+([0-9.eE+-]+)", re.M)
    for names in sys.argv[5:7]
)
with contextlib.suppress(OSError):
    for mark in sys.argv[7:]:
        open(mark, "w").close()
if url.startswith("env:"):
    variable, _, rest = url[4:].partition(":")
    host = os.environ[variable]
    url = "http://" + (f"[{host}]" if ":" in host else host) + ":" + rest
ask = urllib.request.build_opener(urllib.request.ProxyHandler({})).open
begun, before = time.monotonic(), None
while time.monotonic() < begun + limit:
    time.sleep(1)
    try:
        text = ask(url, timeout=5).read().decode("utf-8", "replace")
        busy, count = (sum(map(float, found.findall(text))) for found in (gauges, counters))
    except urllib.error.URLError as error:
        if isinstance(error.reason, ConnectionRefusedError):
            sys.exit(0)
        busy, count = 1, before
    except OSError:
        busy, count = 1, before
    now = time.monotonic()
    if busy or count != before:
        used = now
    before = count
    if now >= begun + settle and now >= used + quiet:
        sys.exit(0)
"""


@dataclass(frozen=True, slots=True)
class Busy:
    """Which metrics show that an engine is in use."""

    gauges: tuple[str, ...]
    """Requests that run or wait."""
    counters: tuple[str, ...]
    """Requests so far: what came and went between two looks."""
    keeps_alive: int = 5
    """Seconds after which it closes a connection without a request."""
    mark: str = ""
    """The file that makes it close every connection after its answer; empty where it looks for none."""


def drain_command(url: str, seconds: int, busy: Busy) -> tuple[str, ...]:
    """The command for an engine whose metrics are at `url`; `env:NAME:1027/metrics` takes the host from an environment
    variable."""
    times = (str(seconds), str(SETTLE_SECONDS), str(busy.keeps_alive + 1))
    marks = (busy.mark,) if busy.mark else ()
    return ("python3", "-c", _SCRIPT, url, *times, ",".join(busy.gauges), ",".join(busy.counters), *marks)
