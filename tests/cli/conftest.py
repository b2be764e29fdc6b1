"""The command line, run in this process or as the program that is installed, on a copy of the example fleet."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import pytest

from generator.cli import app
from generator.cli.context import ending_well

if TYPE_CHECKING:
    from collections.abc import Mapping

CHECKOUT = Path(__file__).parents[2]
PROGRAM = Path(sys.executable).with_name("crosskeys")


@dataclass(frozen=True)
class Result:
    """How a run ended and what it said."""

    code: int
    out: str
    err: str


class Run(Protocol):
    """Runs the command line."""

    def __call__(self, *arguments: str) -> Result: ...


def copy_of_example(folder: Path) -> Path:
    for name in ("clients", "terraform"):
        shutil.copytree(CHECKOUT / name, folder / name, ignore=shutil.ignore_patterns(".terraform*"))
    shutil.copy(CHECKOUT / "crosskeys.yaml", folder)
    return folder


def program(*arguments: str, environment: Mapping[str, str] | None = None) -> Result:
    """Run the installed program."""
    done = subprocess.run(
        [PROGRAM, *arguments], env={**os.environ, **(environment or {})}, capture_output=True, text=True, check=False
    )
    return Result(done.returncode, done.stdout, done.stderr)


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(autouse=True)
def _only_these_settings(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(("CROSSKEYS_", "AWS_", "VAULT_")) or name == "NO_COLOR":
            monkeypatch.delenv(name)
    monkeypatch.setenv("CROSSKEYS_CACHE_DIR", str(cache))


@pytest.fixture
def fleet(tmp_path: Path) -> Path:
    return copy_of_example(tmp_path / "fleet")


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the command line in this process: where the program itself is not what a test is about."""

    def in_this_process(*arguments: str) -> Result:
        capsys.readouterr()
        code = ending_well(lambda: app([*arguments], prog_name="crosskeys"))
        said = capsys.readouterr()
        return Result(code, said.out, said.err)

    return in_this_process


@pytest.fixture
def run(fleet: Path, call: Run) -> Run:
    """Run the command line in this process on the fleet."""
    return lambda *arguments: call("-C", str(fleet), *arguments)


def edit(path: Path, before: str, after: str) -> None:
    text = path.read_text("utf-8")
    assert before in text
    path.write_text(text.replace(before, after), "utf-8")
