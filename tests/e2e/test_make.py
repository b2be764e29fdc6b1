"""`make plan` and `make apply` on a fresh clone."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.e2e.fleets import REPOSITORY, FleetFolder, ended

if TYPE_CHECKING:
    from generator.sandbox.toolchain import Toolchain

pytestmark = pytest.mark.toolchain


def test_plan_and_apply_work_on_a_fresh_clone_and_end_with_a_login(toolchain: Toolchain, tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "--quiet", REPOSITORY, clone], check=True)
    # Stands in for `make setup`, which installs the same locked packages from the network.
    (clone / ".venv").mkdir()
    (clone / ".venv/bin").symlink_to(Path(sys.executable).parent)
    (clone / ".venv/installed").touch()
    # The environment has the package of this checkout installed; the clone's own comes before it.
    outside = {name: value for name, value in os.environ.items() if not name.startswith(("ARGS", "MAKE", "MFLAGS"))}
    environment = {**outside, "PYTHONPATH": str(clone)}
    where = [sys.executable, "-P", "-c", "import generator; print(generator.__file__)"]
    found = subprocess.run(where, env=environment, capture_output=True, text=True, check=True).stdout
    assert found == f"{clone}/generator/__init__.py\n"

    def make(*arguments: str) -> str:
        done = subprocess.run(
            ["make", *arguments],
            cwd=clone,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    with ended(FleetFolder(clone, toolchain)):
        planned = make("plan", "ARGS=--account 111111111111")
        assert "accounts/111111111111/vault  changes" in planned
        # Arguments that other verbs do not have reach `apply` alone.
        applied = make("apply", "ARGS=--jobs 2")
    assert "payments logged in to Vault as payments-app" in applied
    table = applied.partition("payments logged in to Vault")[2]
    assert table.count("as it should be") == table.count("certs/") + table.count("shared/")
    assert "WRONG" not in table
    status = subprocess.run(["git", "-C", clone, "status", "--porcelain"], capture_output=True, text=True, check=True)
    assert status.stdout == ""
