"""Which headers pass between a client and a replica.

Rule: all that speak to the other end, in their order and number; none that speak of one connection (RFC 9110, section
7.6.1). Host and Authorization pass. `Expect` was answered here.
"""

from __future__ import annotations

from multidict import CIMultiDict, CIMultiDictProxy

_OF_ONE_CONNECTION = frozenset(
    {
        "connection",
        "expect",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)

Headers = CIMultiDict[str] | CIMultiDictProxy[str]


def passed_on(headers: Headers, *, without: frozenset[str] = frozenset()) -> CIMultiDict[str]:
    """The headers to send, those in `without` (lower case) left out as well."""
    named = (name.strip().lower() for line in headers.getall("Connection", ()) for name in line.split(","))
    dropped = _OF_ONE_CONNECTION | without | frozenset(named)
    return CIMultiDict((name, value) for name, value in headers.items() if name.lower() not in dropped)
