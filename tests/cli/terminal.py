"""The installed program on a terminal, with somebody who types."""

from __future__ import annotations

import os
import pty
import select
import subprocess
from typing import TYPE_CHECKING

from tests.cli.conftest import PROGRAM, Result

if TYPE_CHECKING:
    from pathlib import Path


def typed(folder: Path, *arguments: str, answers: list[str]) -> Result:
    """Run the program, type an answer for each question that it asks, and end the input after the last.

    Returns:
        How it ended, with stdout apart from what the terminal shows.
    """
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [PROGRAM, "-C", folder, *arguments],
        env={**os.environ, "TERM": "dumb"},
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=theirs,
        text=True,
    ) as process:
        os.close(theirs)
        shown, waiting = "", [*answers]
        while True:
            if not select.select([ours], [], [], 30)[0]:
                process.kill()
            try:
                chunk = os.read(ours, 4096).decode()
            except OSError:  # Linux: the other end of the terminal is closed
                break
            shown += chunk
            if chunk.endswith(": "):
                os.write(ours, f"{waiting.pop(0)}\n".encode() if waiting else b"\x04")
        out = process.stdout.read() if process.stdout else ""
    os.close(ours)
    assert waiting == [], shown
    return Result(process.returncode, out, shown.replace("\r\n", "\n"))
