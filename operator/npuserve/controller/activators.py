"""How many requests wait in the activator, by service: read from the metrics of each of its replicas, and added up.

Rule: a replica that does not answer in time holds nothing that could be counted; the others count all the same. No
credentials are sent, no redirect is followed, and no more is read than the longest page could have.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Iterable, Mapping

from aiohttp import ClientError, ClientSession, ClientTimeout
from prometheus_client.parser import text_string_to_metric_families

from npuserve.controller.bounded import TooLarge, read_body, url

QUEUED = "npuserve_activator_queued"
_SECONDS = 2.0
_LONGEST_PAGE = 16 << 20

Service = tuple[str, str]
"""Namespace and name."""

logger = logging.getLogger(__name__)


async def queued(session: ClientSession, activators: Iterable[tuple[str, int]]) -> Mapping[Service, int]:
    """Requests that wait, by service; services without any are left out.

    `activators` are addresses and ports (`Activation.metrics()`); `session` is one without credentials.
    """
    pages = await asyncio.gather(*(_page(session, address, port) for address, port in activators))
    total: Counter[Service] = Counter()
    for page in pages:
        total.update(waiting(page))
    return +total


def waiting(page: str) -> Mapping[Service, int]:
    """Requests that wait by one page of metrics; only its lines about them are looked at."""
    lines = "\n".join(line for line in page.splitlines() if line.startswith(f"{QUEUED}{{"))
    return {
        (sample.labels["namespace"], sample.labels["name"]): int(sample.value)
        for family in text_string_to_metric_families(f"{lines}\n")
        for sample in family.samples
    }


async def _page(session: ClientSession, address: str, port: int) -> str:
    try:
        async with session.get(
            url(address, port, "/metrics"), timeout=ClientTimeout(total=_SECONDS), allow_redirects=False
        ) as answer:
            if answer.status != 200:
                return ""
            return (await read_body(answer, limit=_LONGEST_PAGE)).decode(errors="replace")
    except (ClientError, TimeoutError, OSError, ValueError, TooLarge) as error:
        logger.warning("the activator at %s does not tell who waits: %r", address, error)
        return ""
