"""The command line with its gate open, and little patience with locks: a live run that meets the sandbox."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING
from unittest.mock import patch

from generator import cli
from generator.live import gate
from generator.run import terraform

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def open_gate() -> Iterator[None]:
    """Let this process run verbs with ``--target live`` on whatever the environment names."""
    with ExitStack() as opened:
        opened.enter_context(patch.object(terraform, "_LOCK_TIMEOUT", "1s"))
        for name in ("require", "require_systems", "require_for_state"):
            opened.enter_context(patch.object(gate, name, lambda *_: None))
        opened.enter_context(patch.object(gate, "complaints", lambda *_: {}))
        yield


if __name__ == "__main__":
    with open_gate():
        cli.main()
