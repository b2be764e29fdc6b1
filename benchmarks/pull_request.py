"""A pull request of one client, for real: check, then plan of the client's Vault root against the sandbox."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from benchmarks.measure import Case, Measured, Run, run
from benchmarks.programs import CROSSKEYS, isolated
from generator import cache

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from benchmarks.stand import Stand

AT = 10_000
"""Clients at which it is measured."""

_TITLE = "crosskeys check, then plan of one client's Vault root, less Terraform's own seconds"


def measured(stand: Stand, repeats: int, say: Callable[[str], None], work: Path) -> Measured:
    """Return what checking and planning one changed client takes beside Terraform. The sandbox is up meanwhile.

    Raises:
        FailedError: When a command ends otherwise than it must.
    """
    environment = isolated({"HOME": str(work), "CROSSKEYS_CACHE_DIR": str(cache.folder().absolute())})

    def crosskeys(*arguments: str) -> Run:
        argv = (CROSSKEYS, "-C", str(stand.ours), *arguments)
        return run(Case(arguments[0], arguments[0], argv, stand.ours, environment), work)

    crosskeys("check")  # as whoever works on the fleet has done before
    try:
        runs = []
        for repeat in range(repeats + 1):
            client = stand.change_one()
            crosskeys("render")
            check = crosskeys("check")
            report = stand.folder / "plan.json"
            plan = crosskeys("plan", "--client", client, "--side", "vault", "--report", str(report))
            terraform = sum(row["seconds"] for row in json.loads(report.read_text("utf-8"))["roots"])
            if repeat:  # the first brings the sandbox up
                runs.append(_together(check, plan, terraform))
                say(f"{repeat}/{repeats}  {_TITLE:<60} {runs[-1].seconds:9.3f} s")
    finally:
        crosskeys("sandbox", "down")
    return Measured.of(_TITLE, runs)


def _together(check: Run, plan: Run, terraform: float) -> Run:
    return Run(
        seconds=check.seconds + plan.seconds - terraform,
        processor=check.processor + plan.processor,
        memory=max(check.memory, plan.memory),
        processes=max(check.processes, plan.processes),
    )
