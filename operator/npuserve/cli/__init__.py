"""The command `npuserve`, also `kubectl npuserve`: run the operator, and ask of a service what the operator would make
of it."""

from npuserve.cli.commands import main

__all__ = ["main"]
