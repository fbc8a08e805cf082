"""`python -m tests.published`: prints the page of results, or writes it with `--write`."""

from __future__ import annotations

import argparse

from tests.published.report import README, page


def main() -> None:
    """Print or write the page."""
    parser = argparse.ArgumentParser(prog="python -m tests.published", description=main.__doc__)
    parser.add_argument("--write", action="store_true", help=f"write {README.name} beside this file")
    if parser.parse_args().write:
        README.write_text(page(), encoding="utf-8")
    else:
        print(page(), end="")


if __name__ == "__main__":
    main()
