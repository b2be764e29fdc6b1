"""A run in a process of its own, for tests that send it signals: plans and applies the roots of a folder.

Usage: driver.py FOLDER JOBS ROOT...; writes ``result.json`` and exits as the tool would.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from generator.render.layout import Root, RootKind
from generator.report.progress import progress
from generator.run import runs
from generator.run.apply import apply_all
from generator.run.plan import plan_all
from generator.run.results import Interrupted, exit_code
from generator.run.retries import Again
from generator.run.roots import Workspace


def main(folder: Path, jobs: int, names: list[str]) -> int:
    environment = {"PATH": os.environ["PATH"], "TF_CLI_CONFIG_FILE": str(folder / "terraform.rc")}
    workspaces = [
        Workspace(
            Root(name, RootKind(name.split("/")[-1]), name.split("/")[1], (), handover=False),
            folder / "terraform" / name,
            folder / "data" / name,
            environment,
        )
        for name in names
    ]
    try:
        with progress(names, sys.stderr) as observer, runs.begin(folder / "runs") as journal:
            journal.began("apply", "sandbox", tree="", roots=[each.root for each in workspaces], resumes=None)
            plans = plan_all(workspaces, folder / "plans", jobs, observer)
            journal.planned(plans)
            again = Again(0, folder / "plans")
            results = apply_all(plans, workspaces, jobs, observer, journal=journal, again=again)
    except Interrupted as interrupted:
        rows = [result.row for result in interrupted.results]
        (folder / "result.json").write_text(json.dumps([[row.step, row.root, row.outcome, row.reason] for row in rows]))
        return exit_code(interrupted.results)
    return exit_code(results)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]))
