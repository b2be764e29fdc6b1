"""An apply on a disk that fills up in the middle of it, told by a process that has the disk to itself.

Usage: full_disk.py SMALL LARGE; SMALL is a disk of 140 KiB that has the roots and their state, LARGE has room.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

from generator.run.plan import plan_all
from generator.run.results import ApplyOutcome, PlanOutcome
from tests.run.conftest import Recorder, World

NAME = "accounts/111111111111/vault"
# A state of 60 KiB: with what else lies there, it fits once into the disk, and not twice.
BODY = """
resource "terraform_data" "a" {
  count = 3
  input = join("", [for i in range(1000) : "0123456789"])
}
"""


def main(small: Path, large: Path) -> None:
    tempfile.tempdir = str(large)
    world = World(small)
    (small / "terraform.rc").touch()
    workspace = world.root(NAME, BODY)
    recorder = Recorder()
    plans = plan_all([workspace], large / "plans", 1, recorder)
    filler = small / "filler"
    with suppress(OSError), filler.open("wb", buffering=0) as file:
        while os.statvfs(small).f_bavail > 10:
            file.write(b"\0" * 4096)
    (result,) = world.apply(plans, [workspace], 1, recorder)
    assert result.outcome is ApplyOutcome.FAILED, result
    assert world.resources(NAME) == {}, "the state file is cut off"
    assert (workspace.directory / "errored.tfstate").is_symlink(), "not even that fitted into the disk"
    filler.unlink()
    (planned,) = plan_all([workspace], large / "plans", 1, recorder)
    assert planned.outcome is PlanOutcome.FAILED, planned
    command = (planned.reason or "").partition("with the credentials of this root: ")[2]
    subprocess.run(["sh", "-c", command], env={"PATH": os.environ["PATH"], "HOME": str(large)}, check=True)
    (after,) = plan_all([workspace], large / "plans", 1, recorder)
    assert after.outcome is PlanOutcome.CLEAN, after


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
