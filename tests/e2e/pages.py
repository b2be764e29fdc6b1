"""Pages of Markdown that tell a reader what to type, and typing it."""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def commands(page: Path, heading: str) -> list[str]:
    """Return the commands that a page shows below a heading, block by block."""
    _, found, rest = page.read_text("utf-8").partition(f"\n## {heading}\n")
    if not found:
        _, found, rest = page.read_text("utf-8").partition(f"\n### {heading}\n")
    assert found, heading
    below = re.split(r"\n##+ ", rest)[0]
    blocks: list[str] = re.findall(r"^```sh\n(.*?)^```$", below, re.MULTILINE | re.DOTALL)
    return blocks


def typed(script: str, folder: Path, environment: Mapping[str, str], answer: str = "") -> str:
    """Type commands into a shell; what a program asks is answered."""
    done = subprocess.run(
        ["sh", "-eu", "-c", script],
        cwd=folder,
        env=dict(environment),
        input=answer,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
