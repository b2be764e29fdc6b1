"""The programs that are measured, and the environment in which each of them runs."""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer.main

from benchmarks.terramate import SETTINGS, TERRAMATE
from generator import cache
from generator.cli import app
from generator.errors import CrosskeysError, RemoteError
from generator.run.environment import allowed
from generator.sandbox.gobuild import built
from generator.sandbox.providers import configuration, mirrored

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

PYTHON = sys.executable
CROSSKEYS = str(Path(sys.executable).with_name("crosskeys"))


@dataclass(frozen=True, slots=True)
class Programs:
    """What is there to be measured beside crosskeys.

    Args:
        git: The git program.
        terramate: The Terramate program; None when it is absent.
        terraform: The Terraform program; None when it or its Vault provider is absent.
        terramate_environment: All of Terramate's environment.
        terraform_environment: All of Terraform's environment.
        absent: Why a peer is absent, by its name.
    """

    git: str
    terramate: str | None
    terraform: str | None
    terramate_environment: Mapping[str, str]
    terraform_environment: Mapping[str, str]
    absent: Mapping[str, str]


def find(work: Path, say: Callable[[str], None], *, peers: bool = True) -> Programs:
    """Find or build the peers; one that is not to be had is absent, and it is said why.

    Args:
        work: Where their settings are written.
        say: Shows one line of progress.
        peers: False leaves the peers out.

    Raises:
        RemoteError: There is no git.
    """
    git = shutil.which("git")
    if git is None:
        raise RemoteError("there is no git on PATH", help="install git")
    home = cache.folder().absolute()
    settings, terraform_settings = work / "terramate.rc", work / "terraform.rc"
    settings.write_text(SETTINGS, "utf-8")
    absent: dict[str, str] = {}
    terramate = terraform = None
    if not peers:
        absent = {"Terramate": "left out", "Terraform": "left out"}
    else:
        try:
            terramate = str(built(TERRAMATE, home, say) / "terramate")
        except CrosskeysError as error:
            absent["Terramate"] = error.message
        try:
            terraform = _terraform(home, terraform_settings, say)
        except CrosskeysError as error:
            absent["Terraform"] = error.message
    return Programs(
        git,
        terramate,
        terraform,
        isolated({"HOME": str(work), "TM_CLI_CONFIG_FILE": str(settings)}),
        isolated({"TF_CLI_CONFIG_FILE": str(terraform_settings), "CHECKPOINT_DISABLE": "1"}),
        absent,
    )


def isolated(extra: Mapping[str, str]) -> dict[str, str]:
    """Return an environment in which git reads no settings but the repository's, and nothing is coloured."""
    git = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    return allowed({**git, "NO_COLOR": "1", **extra})


def verbs() -> frozenset[str]:
    """Return the verbs that this crosskeys has."""
    command = typer.main.get_command(app)
    return frozenset(getattr(command, "commands", {}))


def _terraform(home: Path, settings: Path, say: Callable[[str], None]) -> str:
    terraform = shutil.which("terraform")
    if terraform is None:
        raise RemoteError("there is no terraform on PATH", help="install Terraform 1.11 or newer")
    home.mkdir(parents=True, exist_ok=True)
    settings.write_text(configuration(mirrored(home, Path(terraform), say)), "utf-8")
    return terraform
