"""What holds whatever bytes stand in a fleet: how a run may end, and what it may say and leave behind."""

from __future__ import annotations

import contextlib
import hashlib
import io
import shutil
import stat
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from typer.main import get_command

from generator.cli import app
from generator.cli.context import ending_well

if TYPE_CHECKING:
    from collections.abc import Iterator

CHECKOUT = Path(__file__).parents[2]
SETTINGS = "crosskeys.yaml"
ACCOUNT = "clients/accounts/222222222222.yaml"
CLIENT = "clients/scanner.yaml"
TARGETS = (CLIENT, ACCOUNT, SETTINGS)
"""One file of each kind, in a fleet small enough to be read thousands of times."""
SECONDS = 1.0
"""Of the processor, for one hostile file; the start of the program not counted."""
_COMMAND = get_command(app)
"""The command line as typer makes it anew for each call, which takes longer than to judge a small fleet."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended.

    Args:
        seconds: Of the processor's time.
    """

    code: int
    out: str
    err: str
    seconds: float


def small_fleet(folder: Path) -> Path:
    """Make a fleet of one client, one account and settings, as they stand in the example, and render it."""
    for path in TARGETS:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(CHECKOUT / path, folder / path)
    outcome = run(folder, "render")
    assert outcome.code == 0, outcome
    return folder


def run(folder: Path, *arguments: str) -> Outcome:
    """Run the command line on a fleet, in this process."""
    out, err = io.StringIO(), io.StringIO()
    begin = time.process_time()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = ending_well(lambda: _COMMAND(["-C", str(folder), *arguments], prog_name="crosskeys"))
    return Outcome(int(code), out.getvalue(), err.getvalue(), time.process_time() - begin)


def digest(folder: Path) -> str:
    """Return what tells whether anything in a folder was made, changed or removed."""
    whole = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        mode = path.lstat().st_mode
        whole.update(f"{path.as_posix()!r} {mode}".encode())
        if stat.S_ISREG(mode):
            whole.update(path.read_bytes())
    return whole.hexdigest()


def broken(outcome: Outcome) -> Iterator[str]:
    """Yield each part of the promise that a run breaks."""
    if outcome.code not in {0, 1, 2}:
        yield f"exit code {outcome.code}"
    if outcome.code and not outcome.out + outcome.err:
        yield "nothing was said"
    if "Traceback" in outcome.out + outcome.err:
        yield "a traceback"
    if "itself failed" in outcome.err:
        yield f"a fault of the program: {outcome.err}"
    if not is_plain(outcome.out + outcome.err):
        yield "characters that a terminal acts on, or does not show"
    if outcome.seconds > SECONDS:
        yield f"{outcome.seconds:.2f} s"


def is_plain(text: str) -> bool:
    """Tell whether each line of a text is what it seems to be."""
    return all(line.isprintable() for line in text.split("\n"))
