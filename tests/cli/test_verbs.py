"""The verbs of the command line, each imported when it is called."""

from __future__ import annotations

import subprocess
import sys

import pytest
import typer

from generator import cli
from generator.cli.verbs import VERBS

COMMANDS = typer.main.get_command(cli.app).commands  # type: ignore[attr-defined] # a group


@pytest.mark.parametrize("name", VERBS)
def test_the_line_of_a_verb_is_the_first_of_its_help(name: str) -> None:
    said = COMMANDS[name].help.split("\n\n")[0]
    assert " ".join(said.split()) == VERBS[name].line


def test_help_imports_no_verb_and_shows_all() -> None:
    script = (
        "import sys; from generator.cli import app\n"
        "try: app(['--help'], prog_name='crosskeys')\n"
        "except SystemExit: pass\n"
        "print(*[name for name in sys.modules if name.startswith('generator.cli.')])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    *shown, modules = done.stdout.splitlines()
    assert modules.split() == ["generator.cli.context", "generator.cli.verbs"]
    assert [line.split()[0] for line in shown if line[:2] == "  " and line[2:3].isalpha()][-len(VERBS) :] == list(VERBS)
