"""Long-running programs that end by themselves: compilers and downloads, with a sign of life."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

_SIGN_OF_LIFE = 15.0  # seconds


def run(
    argv: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str],
    log: Path,
    doing: str,
    progress: Callable[[str], None],
) -> int:
    """Run a program to its end and return its exit status.

    Args:
        argv: The program and its arguments.
        cwd: Its working folder.
        env: Its whole environment.
        log: Takes what it prints; appended to.
        doing: What is shown every 15 seconds, with the seconds so far.
        progress: Shows one line.
    """
    started = time.monotonic()
    with log.open("ab") as output:
        child = subprocess.Popen(
            argv,
            cwd=cwd,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        while True:
            try:
                return child.wait(_SIGN_OF_LIFE)
            except subprocess.TimeoutExpired:
                progress(f"{doing} … {time.monotonic() - started:.0f} s")
    finally:
        # Interrupted: the program's own children (compilers) must not go on writing into a folder that goes away.
        if child.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
            child.wait()


def tail(log: Path, lines: int = 15) -> str:
    """Return the last lines of a log for an error message, or say that there is none."""
    try:
        text = log.read_text("utf-8", errors="replace").strip()
    except FileNotFoundError:
        text = ""
    return "\n".join(text.splitlines()[-lines:]) or "(it printed nothing)"
