"""Settings of all tests: how hard the laws look, and the option that rewrites golden files."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile(
    "npuserve",
    max_examples=40,
    deadline=None,  # the machine is shared: a slow example says nothing
    derandomize=True,  # a commit passes or fails the same everywhere
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
settings.load_profile("npuserve")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="rewrite the expected files under tests/golden/cases")
