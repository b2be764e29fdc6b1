"""A fleet that begins with the scaffold is in order, and everything in it names what there is."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import typer.main

from generator import __version__, cli, resources
from tests.scaffold.files import CHECKOUT, HOOK_CONFIG, HOOKS, SCAFFOLD, commands, load

PROGRAM = Path(sys.executable).with_name("crosskeys")


def crosskeys(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([PROGRAM, "-C", folder, *arguments], capture_output=True, text=True, check=False)


def test_a_fleet_of_the_scaffold_with_one_client_is_in_order(repository: Path) -> None:
    (repository / "terraform/root.tf").unlink()
    validated = crosskeys(repository, "validate")
    assert validated.returncode == 0, validated.stdout + validated.stderr
    assert validated.stdout == "1 client in 1 account: all in order\n"
    assert crosskeys(repository, "render").returncode == 0
    assert crosskeys(repository, "check").returncode == 0


def test_a_client_of_an_account_that_nobody_registered_is_refused(repository: Path) -> None:
    (repository / "clients/accounts/123456789012.yaml").unlink()
    assert crosskeys(repository, "validate").returncode == 1


def test_what_is_commented_out_of_the_settings_is_accepted_when_filled_in(repository: Path) -> None:
    lines = (repository / "crosskeys.yaml").read_text().splitlines()
    settings = [
        line.removeprefix("# ") if line.startswith(("#   ", "# ")) and _is_yaml(line) else line for line in lines
    ]
    assert sum(line.endswith(":") for line in settings if not line.startswith("#")) >= 4
    (repository / "crosskeys.yaml").write_text("\n".join(settings) + "\n")
    validated = crosskeys(repository, "validate")
    assert validated.returncode == 0, validated.stdout + validated.stderr


def _is_yaml(line: str) -> bool:
    text = line.removeprefix("# ")
    return text.startswith("  ") or (text.endswith(":") and " " not in text)


def test_the_scaffold_pins_this_version() -> None:
    lines = (SCAFFOLD / "requirements.txt").read_text("utf-8").splitlines()
    assert [line for line in lines if not line.startswith("#")] == [f"crosskeys=={__version__}"]
    assert f"echo crosskeys=={__version__} |" in "\n".join(lines)


@pytest.mark.parametrize("command", list(commands()), ids=" ".join)
def test_every_command_in_ci_files_and_hooks_is_understood(command: tuple[str, ...]) -> None:
    verb, *arguments = command
    # Parsing alone: nothing is run, and an unknown option or value is an error.
    typer.main.get_command(cli.app).commands[verb].make_context(verb, arguments)  # type: ignore[attr-defined] # a group


def test_the_hooks_are_offered_under_names_that_a_fleet_uses_too() -> None:
    offered = {hook["id"]: hook for hook in load(HOOKS)}
    assert offered.keys() == {"crosskeys-check", "crosskeys-render"}
    assert {hook["language"] for hook in offered.values()} == {"python"}
    (local,) = load(HOOK_CONFIG)["repos"]
    for hook in local["hooks"]:
        assert {key: hook[key] for key in ("entry", "files")} == {
            key: offered[hook["id"]][key] for key in ("entry", "files")
        }
    scripts = (CHECKOUT / "pyproject.toml").read_text("utf-8").partition("[project.scripts]\n")[2]
    assert all(scripts.startswith(hook["entry"].split()[0] + " = ") for hook in offered.values())


def test_every_file_begins_with_what_it_is_for() -> None:
    for path in SCAFFOLD.rglob("*"):
        if path.is_file():
            first = path.read_text("utf-8").splitlines()[0]
            assert first.startswith("#") or path.name == ".gitkeep"
            assert len(path.read_text("utf-8")) > 80


def test_the_installation_knows_the_folder() -> None:
    assert resources.data("scaffold") == SCAFFOLD


def test_plans_and_state_are_never_committed(repository: Path) -> None:
    for name in (".crosskeys/lock", "plans/plan.json", "terraform/a/.terraform/x", "x.tfstate", "x.tfstate.backup"):
        (repository / name).parent.mkdir(parents=True, exist_ok=True)
        (repository / name).write_text("x\n")
    seen = subprocess.run(["git", "-C", repository, "status", "--short"], capture_output=True, text=True, check=True)
    assert seen.stdout == ""
