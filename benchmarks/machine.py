"""The machine that measured, as far as it matters to the figures, and not which one it is."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from generator import __version__

if TYPE_CHECKING:
    from collections.abc import Mapping

    from benchmarks.programs import Programs


def describe(work: Path, programs: Programs) -> dict[str, str]:
    """Return what the figures depend on, by its name.

    Args:
        work: Where the fleets lie.
        programs: What is measured.
    """
    facts = {
        "processor": f"{len(os.sched_getaffinity(0))} x {_first('model name', '/proc/cpuinfo')}",
        "memory": f"{int(_first('MemTotal', '/proc/meminfo').split()[0]) / 2**20:.0f} GiB",
        "kernel": f"{platform.system()} {platform.release().partition('-')[0]}",
        "file system": _file_system(work),
        "Python": platform.python_version(),
        "crosskeys": __version__,
        "git": _answer(programs.git, "version").removeprefix("git version "),
    }
    if programs.terramate:
        facts["Terramate"] = _answer(programs.terramate, "version", environment=programs.terramate_environment)
    if programs.terraform:
        said = _answer(programs.terraform, "version", environment=programs.terraform_environment)
        facts["Terraform"] = said.removeprefix("Terraform v")
    return facts


def _first(key: str, path: str) -> str:
    match = re.search(rf"^{key}\s*: *(.+)$", Path(path).read_text("utf-8"), re.MULTILINE)
    return match[1] if match else "unknown"


def _file_system(folder: Path) -> str:
    """Return the type of the file system on which a folder lies: that of the longest mount point above it."""
    mounts = [line.split() for line in Path("/proc/mounts").read_text("utf-8").splitlines()]
    above = [mount for mount in mounts if folder.resolve().is_relative_to(mount[1])]
    return max(above, key=lambda mount: len(mount[1]))[2]


def _answer(*argv: str, environment: Mapping[str, str] | None = None) -> str:
    done = subprocess.run(argv, env=environment, capture_output=True, text=True, timeout=60, check=True)
    return done.stdout.partition("\n")[0].strip()
