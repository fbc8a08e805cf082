"""Pages of others, read no further than they could be long, and only from addresses."""

from __future__ import annotations

from ipaddress import ip_address

from aiohttp import ClientResponse


class TooLarge(Exception):
    """There was more than the limit."""


def url(address: str, port: int, path: str) -> str:
    """The URL of a page at an IP; raises ValueError for what is none, so that no name is ever looked up."""
    found = ip_address(address)
    host = f"[{found}]" if found.version == 6 else str(found)
    return f"http://{host}:{port}{path}"


async def read_body(response: ClientResponse, *, limit: int) -> bytes:
    """The body; raises TooLarge where it has more than `limit` bytes."""
    if (response.content_length or 0) > limit:
        raise TooLarge
    parts, size = [], 0
    async for part in response.content.iter_any():
        size += len(part)
        if size > limit:
            raise TooLarge
        parts.append(part)
    return b"".join(parts)
