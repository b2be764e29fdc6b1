"""Telling a process apart from a later one that was given the same number."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Process:
    """One process, told apart from a later one with the same number by when it started.

    Args:
        pid: Its number.
        started: The boot and the clock tick of it in which the process started; empty when it ended at once.
    """

    pid: int
    started: str

    @property
    def alive(self) -> bool:
        """Whether this very process still runs, on this machine and since this boot."""
        return self.started != "" and started(self.pid) == self.started


def started(pid: int) -> str | None:
    """Return when a process started; None when there is none or only its exit status is left (proc_pid_stat(5))."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text("utf-8", errors="replace")
    except OSError:
        return None
    state, *fields = stat.rpartition(")")[2].split()
    if state in "ZX":
        return None
    boot = Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    return f"{boot}/{fields[18]}"
