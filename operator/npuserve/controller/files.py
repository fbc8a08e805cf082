"""The configuration file: read from disk and checked, or refused with the key and the fix."""

from __future__ import annotations

from pathlib import Path

import yaml
from pydantic import ValidationError

from npuserve.configuration import Configuration

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_TOLD_AT_ONCE = 5


class UnusableConfiguration(ValueError):
    """The file cannot be read, is no YAML, or has keys or values that mean nothing."""


def load_configuration(path: Path | None) -> Configuration:
    """The configuration in a file; every default without one. Raises UnusableConfiguration."""
    if path is None:
        return Configuration()
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=_LOADER)  # noqa: S506 - a safe loader, in C where there is one
    except (OSError, UnicodeDecodeError) as error:
        raise UnusableConfiguration(f"{path} cannot be read: {error}") from error
    except yaml.YAMLError as error:
        raise UnusableConfiguration(f"{path} is no YAML: {' '.join(str(error).split())}") from error
    try:
        return Configuration.model_validate({} if content is None else content)
    except ValidationError as error:
        faults = [
            f"{'.'.join(str(step) for step in fault['loc']) or 'the file'}: {fault['msg']}" for fault in error.errors()
        ]
        raise UnusableConfiguration(f"{path}: {'; '.join(faults[:_TOLD_AT_ONCE])}") from error
