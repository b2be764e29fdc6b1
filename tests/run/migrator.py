"""Moving one state in a process of its own, for tests that kill it: migrator.py ASIDE ROOT OLD_FILE NEW_ADDRESS."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from generator.render.layout import BackendBlock
from generator.render.render import Renderer
from generator.resources import data
from generator.run.keepers import Access, exit_code, migrate_all
from generator.run.state import Place


def main(aside: Path, root: str, old: Path, new: str) -> int:
    environment = {"PATH": os.environ["PATH"], "HOME": str(aside), "NO_PROXY": "127.0.0.1"}
    access = Access(aside, Renderer([data("templates")]), 1, lambda _running: None)
    settings: dict[str, str | int] = {"address": new, "lock_address": new, "unlock_address": new, "retry_max": 0}
    moves = [(Place.local(root, old), Place(root, BackendBlock("http", settings, {})))]
    rows = migrate_all(moves, (environment, environment), access, lambda _root: None)
    print(*(f"{row.outcome} {row.reason}" for row in rows))  # noqa: T201 - what the test reads
    return exit_code(rows)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]), sys.argv[4]))
