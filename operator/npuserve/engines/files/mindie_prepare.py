"""Writes what the server reads: the image's own configuration with ours over it, and, where the type differs, a changed
copy of the weights' config.json.

Runs in the engine's container with the image's Python, before the server: `prepare.py CONFIG WEIGHTS DTYPE FOLDER`; an
empty DTYPE copies nothing. The server refuses files that are links, belong to another user or are open to others, so
both are written here, with mode 0640.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

_HOMES = ("MINDIE_LLM_HOME_PATH", "MIES_INSTALL_PATH")
_RUN_PACKAGE = "/usr/local/Ascend/mindie/latest/mindie-service"


def merged(base: Any, over: Any) -> Any:
    """`over` laid on `base`: objects key by key, lists of objects item by item, everything else replaced."""
    if isinstance(base, dict) and isinstance(over, dict):
        return {**base, **{key: merged(base.get(key), value) for key, value in over.items()}}
    if (
        isinstance(base, list)
        and isinstance(over, list)
        and len(base) == len(over)
        and all(isinstance(item, dict) for item in over)
    ):
        return [merged(one, other) for one, other in zip(base, over, strict=True)]
    return over


def shipped() -> Any:
    """The configuration that the image carries; nothing where it is not found."""
    for home in (*(os.environ.get(name, "") for name in _HOMES), _RUN_PACKAGE):
        file = Path(home) / "conf" / "config.json"
        if home and file.is_file():
            return json.loads(file.read_text())
    return {}


def write(file: Path, value: Any) -> None:
    """One JSON file of the server's own user, closed to others."""
    file.unlink(missing_ok=True)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o640), "w") as opened:
        json.dump(value, opened, indent=2)


def copy_weights(weights: Path, dtype: str, into: Path) -> None:
    """Links to all files of the weights, and their config.json with another type."""
    into.mkdir(exist_ok=True)
    for file in weights.iterdir():
        if file.name != "config.json":
            link = into / file.name
            link.unlink(missing_ok=True)
            link.symlink_to(file)
    write(into / "config.json", {**json.loads((weights / "config.json").read_text()), "torch_dtype": dtype})


def main(config: str, weights: str, dtype: str, folder: str) -> None:
    """Write the configuration, and the copy of the weights where `dtype` is given, into `folder`."""
    into = Path(folder)
    into.mkdir(parents=True, exist_ok=True)
    write(into / "config.json", merged(shipped(), json.loads(Path(config).read_text())))
    if dtype:
        copy_weights(Path(weights), dtype, into / "model")


if __name__ == "__main__":
    main(*sys.argv[1:])
