"""Removes a cluster's folder once its owner is gone: `guard.py FOLDER`, with a pipe from the owner as standard input.

The pipe ends when the owner does, however it ended. The components die by themselves then (launch.py) and may still
write for a moment, so the removal is repeated.
"""

import shutil
import sys
import time
from pathlib import Path

ATTEMPTS = 100


def main() -> None:
    folder = Path(sys.argv[1])
    sys.stdin.buffer.read()
    for _ in range(ATTEMPTS):
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():
            return
        time.sleep(0.1)


if __name__ == "__main__":
    main()
