"""The command that waits until a replica has nothing left to do, run inside it before it is told to stop.

It first gives the network time to stop sending requests, then reads the engine's own gauges until running + waiting is
0 or its time is up. A busy engine that answers late is waited for; one that refuses connections is gone. It needs
python3, which every engine image has, and no other tool.
"""

from __future__ import annotations

SETTLE_SECONDS = 5
"""Endpoints are removed within this time on clusters that are not overloaded; requests that arrive meanwhile are
served."""

_SCRIPT = """\
import os, re, sys, time, urllib.error, urllib.request
url, seconds, names = sys.argv[1], float(sys.argv[2]), sys.argv[3:]
if url.startswith("env:"):
    variable, _, rest = url[4:].partition(":")
    host = os.environ[variable]
    url = "http://" + (f"[{host}]" if ":" in host else host) + ":" + rest
end = time.monotonic() + seconds
time.sleep(min(%d, seconds))
gauge = re.compile(r"^(?:" + "|".join(map(re.escape, names)) + r")(?:\\{[^}]*\\})?\\s+([0-9.eE+-]+)", re.M)
while time.monotonic() < end:
    time.sleep(1)
    try:
        text = urllib.request.urlopen(url, timeout=5).read().decode("utf-8", "replace")
    except urllib.error.URLError as error:
        if isinstance(error.reason, ConnectionRefusedError):
            sys.exit(0)
        continue
    except OSError:
        continue
    if not sum(float(value) for value in gauge.findall(text)):
        sys.exit(0)
"""


def drain_command(url: str, seconds: int, gauges: tuple[str, ...]) -> tuple[str, ...]:
    """The command for an engine whose metrics are at `url`; `env:NAME:1027/metrics` takes the host from an environment
    variable."""
    return ("python3", "-c", _SCRIPT % SETTLE_SECONDS, url, str(seconds), *gauges)
