"""Runs the tests of this folder in a network of their own: `python -m tests.fleet [PYTEST ARGUMENTS]`.

Where the machine gives none, pytest runs all the same and says for each test why it is skipped.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from tests.cluster import network

HERE = Path(__file__).parent
REFUSED = "NPUSERVE_NO_NETWORK"
"""The variable in which the tests read why they have no network."""


def main(arguments: list[str]) -> None:
    """Become pytest, inside the network where there is one."""
    try:
        network.enter()
    except network.NotAllowed as refusal:
        os.environ[REFUSED] = str(refusal)
    chosen = arguments if any(not word.startswith("-") for word in arguments) else [str(HERE), *arguments]
    os.execv(sys.executable, [sys.executable, "-m", "pytest", *chosen])


if __name__ == "__main__":
    main(sys.argv[1:])
