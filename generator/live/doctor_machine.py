"""Whether this machine has what a run needs: Terraform, git, and room to work in."""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import subprocess
from typing import TYPE_CHECKING

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import Version

from generator import __version__
from generator.report.checkup import Check, Status
from generator.run.environment import allowed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_AREA = "machine"
_TIMEOUT = 30  # seconds
# What the providers of one fleet take is 1 GB; a run with less than a tenth of that ends half-way.
_LITTLE, _TOO_LITTLE = 2 << 30, 100 << 20
_GIB = 1 << 30
_SKEW = 60  # seconds; AWS refuses a request that was signed five minutes off


def checks(folder: Path, cache: Path | None, required: str) -> Iterator[Check]:
    """Look at the machine.

    Args:
        folder: The fleet's folder.
        cache: The cache folder; None where nothing is remembered.
        required: The fleet's constraint on Terraform's version.
    """
    yield Check(_AREA, "crosskeys", Status.OK, f"crosskeys {__version__} on Python {platform.python_version()}")
    yield terraform(_said_by("terraform", "version", "-json"), required)
    yield git(
        _said_by("git", "-C", os.fspath(folder), "log", "-1", "--format=%h"), installed=shutil.which("git") is not None
    )
    yield writable("fleet folder", folder)
    if cache is not None:
        yield writable("cache folder", cache)
    yield space(shutil.disk_usage(folder).free)


def terraform(answer: str | None, required: str) -> Check:
    """Judge Terraform.

    Args:
        answer: What ``terraform version -json`` printed; None where it could not be run.
        required: The constraint, in Terraform's words.
    """
    get = f"install Terraform {required}: https://developer.hashicorp.com/terraform/install"
    if answer is None:
        return Check(_AREA, "terraform", Status.FAILED, "there is no terraform on PATH that runs", get)
    try:
        version = Version(json.loads(answer)["terraform_version"])
    except (ValueError, KeyError, TypeError):
        return Check(_AREA, "terraform", Status.UNKNOWN, "terraform does not say which version it is", get)
    try:
        fits = constraint(required).contains(version, prereleases=True)
    except InvalidSpecifier:
        said = f"Terraform {version}; whether that is {required} is Terraform's to say"
        return Check(_AREA, "terraform", Status.OK, said)
    said = f"Terraform {version}, and the fleet requires {required}"
    return Check(_AREA, "terraform", Status.OK if fits else Status.FAILED, said, None if fits else get)


def constraint(text: str) -> SpecifierSet:
    """Return a constraint of Terraform's as Python's packaging has it.

    Source: https://developer.hashicorp.com/terraform/language/expressions/version-constraints.

    Raises:
        InvalidSpecifier: When it is none, or one that only Terraform can judge, such as ``~> 1``.
    """
    parts = [part.strip() for part in text.split(",")]
    return SpecifierSet(",".join(re.sub(r"^(~>|=(?!=)|(?=\d))\s*", _operator, part) for part in parts))


def git(answer: str | None, *, installed: bool) -> Check:
    """Judge git.

    Args:
        answer: The last commit's short name; None where there is none.
        installed: Whether git is on PATH.
    """
    if answer:
        return Check(_AREA, "git", Status.OK, f"the fleet is under version control, at {answer.strip()}")
    if installed:
        advice = "git init, and commit the manifests and terraform/: --since and reviews need history"
        return Check(_AREA, "git", Status.WARNING, "the fleet has no commit of git's", advice)
    advice = "install git: --since and reviews need it"
    return Check(_AREA, "git", Status.WARNING, "there is no git on PATH", advice)


def writable(name: str, folder: Path) -> Check:
    """Judge whether a folder, or the first one above it that is there, can be written to."""
    there = next((each for each in (folder, *folder.parents) if each.exists()), folder)
    if there.is_dir() and os.access(there, os.W_OK | os.X_OK):
        return Check(_AREA, name, Status.OK, f"{folder} can be written to")
    advice = f"let {there} be written to, or name another folder"
    return Check(_AREA, name, Status.FAILED, f"{folder} cannot be written to", advice)


def space(free: int) -> Check:
    """Judge the room that is left on the fleet's disk, in bytes."""
    said = f"{free / _GIB:.1f} GiB are free"
    if free >= _LITTLE:
        return Check(_AREA, "disk", Status.OK, said)
    status = Status.FAILED if free < _TOO_LITTLE else Status.WARNING
    return Check(_AREA, "disk", status, said, "make room: the providers take 1 GiB, each plan a few MiB")


def clock(area: str, theirs: float | None, now: float) -> Check:
    """Judge how far this machine's clock is from a server's, both in seconds since 1970; None is not known."""
    if theirs is None:
        return Check(area, "clock", Status.UNKNOWN, "the server does not say what time it is", "compare the clocks")
    behind = round(theirs - now)
    if abs(behind) <= _SKEW:
        return Check(area, "clock", Status.OK, f"this machine's clock and the server's differ by {abs(behind)} s")
    said = f"this machine's clock is {abs(behind)} s {'behind' if behind > 0 else 'ahead of'} the server's"
    return Check(
        area, "clock", Status.FAILED, said, "set the clock: AWS refuses requests that were signed at odd times"
    )


def _operator(match: re.Match[str]) -> str:
    return "~=" if match[1] == "~>" else "=="


def _said_by(*command: str) -> str | None:
    try:
        done = subprocess.run(
            command,
            env=allowed({"CHECKPOINT_DISABLE": "1"}),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_TIMEOUT,
            check=True,
        )
    except (OSError, subprocess.SubprocessError, UnicodeDecodeError):
        return None
    return done.stdout
