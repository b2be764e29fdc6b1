"""Where the command begins: its version is told before a command line is loaded."""

from __future__ import annotations

import sys
from contextlib import suppress

from generator import __version__


def main() -> None:
    """Run the command line; ``--version`` alone needs none, unless its output cannot be written."""
    if sys.argv[1:] == ["--version"] and sys.stdout is not None:
        with suppress(OSError):
            sys.stdout.write(f"crosskeys {__version__}\n")
            sys.stdout.flush()
            return
    from generator import cli  # noqa: PLC0415 - a tenth of a second

    cli.main()
