"""Whatever ends a run, and whenever: nothing is lost, the rest is gone on with, and a third run changes nothing."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

import pytest

from tests.run.verb import AWS, VAULT, alone, crosskeys, faulty

if TYPE_CHECKING:
    from tests.run.conftest import World

pytestmark = pytest.mark.toolchain

WANTED = {"before": "ok", "slow": "ok", "after": "ok"}
BODY = """
resource "terraform_data" "before" {}
resource "terraform_data" "slow" {
  depends_on = [terraform_data.before]
  provisioner "local-exec" { command = "test ! -e SLOW || sleep 0.5" }
}
resource "terraform_data" "after" { depends_on = [terraform_data.slow] }
"""
RESUME, ALLOW, AGAIN, NOTHING = "resume", "allow", "again", "nothing"
"""What brings the world to what is wanted: going on with the run, the same and allowing that what Terraform has made by
half is made anew, running anew, or nothing, as all of it was done."""

Cell = tuple[str, str, int, str]
CELLS: list[Cell] = [
    ("SIGINT", "validate", 130, AGAIN),
    ("SIGINT", "plan", 130, RESUME),
    ("SIGINT", "between", 130, RESUME),
    ("SIGINT", "aws", 130, ALLOW),
    ("SIGINT", "vault", 130, ALLOW),
    ("SIGINT", "after", 130, NOTHING),
    ("SIGTERM", "validate", -15, AGAIN),
    ("SIGTERM", "plan", 130, RESUME),
    ("SIGTERM", "between", -15, RESUME),
    ("SIGTERM", "aws", 130, ALLOW),
    ("SIGTERM", "vault", 130, ALLOW),
    ("SIGTERM", "after", -15, NOTHING),
    ("SIGKILL", "validate", -9, AGAIN),
    ("SIGKILL", "plan", -9, RESUME),
    ("SIGKILL", "between", -9, RESUME),
    ("SIGKILL", "aws", -9, RESUME),
    ("SIGKILL", "vault", -9, RESUME),
    ("SIGKILL", "after", -9, NOTHING),
    ("terraform", "aws", 4, RESUME),
    ("terraform", "vault", 4, RESUME),
    ("disk", "validate", 2, AGAIN),
    ("disk", "plan", 2, RESUME),
    ("disk", "between", 4, RESUME),
    ("disk", "aws", 4, RESUME),
    ("disk", "vault", 0, RESUME),
    ("disk", "after", 0, NOTHING),
]


@pytest.fixture
def environment(world: World) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(world.folder),
        "TF_CLI_CONFIG_FILE": str(world.folder / "terraform.rc"),
    }


def body(world: World, name: str) -> str:
    """Return what a root declares; it takes its time where there is a file ``aws-is-slow`` or ``vault-is-slow``."""
    return BODY.replace("SLOW", str(world.folder / f"{name.rpartition('/')[2]}-is-slow"))


def states(world: World) -> list[dict[str, str]]:
    return [world.resources(AWS), world.resources(VAULT)]


def run_with(world: World, environment: dict[str, str], fault: str, moment: str) -> tuple[int, str]:
    """Apply in a process of its own, which the fault may end; return its exit status and what it said.

    Only the root that is being applied at that moment takes its time.
    """
    slow = world.folder / f"{moment}-is-slow"
    slow.touch()
    try:
        return alone(environment, world.folder, fault, moment, "apply", "--yes", "-j", "1")
    finally:
        slow.unlink()


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: f"{cell[0]}-{cell[1]}")
def test_nothing_is_lost_whatever_ends_a_run(
    world: World, environment: dict[str, str], cell: Cell, capsys: pytest.CaptureFixture[str]
) -> None:
    fault, moment, code, way = cell
    for name in (AWS, VAULT):
        world.root(name, body(world, name))
    ended, said = run_with(world, environment, fault, moment)
    assert ended == code, said
    assert "Traceback" not in said
    journals = sorted(world.folder.glob(".crosskeys/runs/*/journal.jsonl"))
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in journals)

    with faulty(world.folder, environment, "never", lambda: None):
        if way == NOTHING:
            assert states(world) == [WANTED, WANTED]
        allowed: tuple[str, ...] = ()
        if way == ALLOW:
            assert crosskeys(world.folder, "apply", "--resume", "--yes") == 3
            allowed = tuple(re.findall(r"--destroy \w+", capsys.readouterr().err)[0].split())
        assert crosskeys(world.folder, "apply", "--resume", "--yes", *allowed) == 0
        resumed = capsys.readouterr().err
        assert ("nothing is left to do of any run" in resumed) == (way in {AGAIN, NOTHING}), resumed
        if way == AGAIN:
            assert states(world) == [{}, {}]
            assert crosskeys(world.folder, "apply", "--yes") == 0
        assert states(world) == [WANTED, WANTED]
        assert crosskeys(world.folder, "plan", "--check") == 0
        assert crosskeys(world.folder, "apply", "--resume", "--yes") == 0
        assert "nothing is left to do of any run" in capsys.readouterr().err
    assert not list(world.folder.glob(".crosskeys/runs/*/work"))
    assert not list(world.folder.glob(".crosskeys/runs/*/plans"))


def test_nothing_else_is_applied_while_terraform_that_was_left_alone_is_at_work(
    world: World, environment: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    world.root(VAULT, body(world, VAULT).replace("sleep 0.5", "sleep 4"))
    ended, said = run_with(world, environment, "SIGKILL", "vault")
    assert ended == -9, said
    with faulty(world.folder, environment, "never", lambda: None):
        assert crosskeys(world.folder, "apply", "--yes") == 3
        assert crosskeys(world.folder, "apply", "--resume", "--wait", "0", "--yes") == 3
        assert capsys.readouterr().err.count(f"Terraform is still at work in {VAULT}: process ") == 2
        assert "after" not in world.resources(VAULT)
        assert crosskeys(world.folder, "apply", "--resume", "--yes") == 0
        assert "waiting up to 600 s" in capsys.readouterr().err
    assert world.resources(VAULT) == WANTED
