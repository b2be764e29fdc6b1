"""State that Terraform could not save is found, nothing is planned over it, and the command that is shown saves it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from generator.errors import ExitCode
from generator.run.plan import plan_all
from generator.run.results import ApplyOutcome, PlanOutcome, exit_code
from tests.run.proxy import Fault, between

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.run.roots import Workspace
    from tests.run.conftest import Recorder, World
    from tests.run.proxy import Proxy

pytestmark = pytest.mark.toolchain

NAME = "accounts/111111111111/vault"


@pytest.fixture
def state() -> Iterator[Proxy]:
    """A server that keeps one state in memory for Terraform's http backend, and can be told to fail."""
    kept: dict[str, bytes] = {}

    def serve(method: str, path: str, body: bytes) -> tuple[int, bytes]:
        if method == "POST":
            kept[path] = body
        return (200, kept[path]) if path in kept else (404, b"")

    with between(serve) as proxy:
        yield proxy


@pytest.fixture
def workspace(world: World, state: Proxy) -> Workspace:
    workspace = world.root(NAME, 'resource "terraform_data" "a" {}\n')
    (workspace.directory / "root.tf").write_text(
        f'terraform {{\n  backend "http" {{\n    address = "{state.address}/state"\n    retry_max = 0\n  }}\n}}\n'
    )
    return workspace


def test_state_that_could_not_be_saved_is_recovered_by_the_command_that_is_shown(
    world: World, workspace: Workspace, state: Proxy, recorder: Recorder, tmp_path: Path
) -> None:
    plans = plan_all([workspace], tmp_path / "plans", 1, recorder)
    state.fault = Fault(503, meant=lambda method, _path, _body: method == "POST")
    (result,) = world.apply(plans, [workspace], 1, recorder, retries=3)
    # A 503 would be waited for, were the objects not made already.
    assert state.faults[503] >= 1
    assert (result.outcome, result.add) == (ApplyOutcome.FAILED, 1)
    assert exit_code([result]) is ExitCode.REMOTE
    left = workspace.directory / "errored.tfstate"
    assert left.stat().st_mode & 0o777 == 0o600
    command = (result.reason or "").partition("with the credentials of this root: ")[2]

    (planned,) = plan_all([workspace], tmp_path / "plans", 1, recorder)
    assert (planned.outcome, planned.reason) == (PlanOutcome.FAILED, result.reason)

    state.fault = None
    subprocess.run(["sh", "-c", command], env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)}, check=True)
    assert not left.exists()
    (after,) = plan_all([workspace], tmp_path / "plans", 1, recorder)
    assert after.outcome is PlanOutcome.CLEAN


IN_MEMORY = """
set -e
mount -t tmpfs -o size=140k none "$1"
shift
exec "$@"
"""


def test_a_full_disk_in_the_middle_of_an_apply_loses_no_state(tmp_path: Path) -> None:
    if subprocess.run(["unshare", "-rm", "true"], capture_output=True, check=False).returncode:
        pytest.skip("no disk can be made here: unshare -rm is not allowed")
    small = tmp_path / "small"
    small.mkdir()
    story = [sys.executable, "-m", "tests.run.full_disk", str(small), str(tmp_path)]
    done = subprocess.run(
        ["unshare", "-rm", "sh", "-c", IN_MEMORY, "sh", str(small), *story],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
