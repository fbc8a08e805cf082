"""How an engine that downloads weights is told of the site's proxy and private authority.

Rule: the proxy is given for TLS alone, because hubs are reached by it and what the replica asks inside the cluster is
not. Python's clients of the hubs read the authority from two variables: requests (modelscope) REQUESTS_CA_BUNDLE, httpx
(huggingface_hub since 1.0) SSL_CERT_FILE.
"""

from __future__ import annotations

from collections.abc import Iterator

from npuserve.configuration import Profile
from npuserve.plan.plan import Plan

CA_DIR = "/etc/npuserve-ca"


def download_variables(plan: Plan, profile: Profile) -> Iterator[tuple[str, str]]:
    """The names and values of the variables; none where nothing is downloaded."""
    if not downloads(plan):
        return
    told = profile.downloads
    if told.https_proxy:
        yield "HTTPS_PROXY", told.https_proxy
        yield "NO_PROXY", told.no_proxy
    if told.ca_config_map:
        bundle = f"{CA_DIR}/{told.ca_key}"
        yield "REQUESTS_CA_BUNDLE", bundle
        yield "SSL_CERT_FILE", bundle


def downloads(plan: Plan) -> bool:
    """Whether the engine fetches its weights itself."""
    return plan.weights.kind == "hub"
