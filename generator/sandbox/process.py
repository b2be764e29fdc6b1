"""Processes that outlive the command that starts them, and are ended only when they are surely ours."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from generator.run import processes as any_process

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_MARK = "CROSSKEYS_SANDBOX"
_PATIENCE = 10.0  # seconds from SIGTERM to SIGKILL
_POLL = 0.02
_LISTENING = "0A"


@dataclass(frozen=True, slots=True)
class Process(any_process.Process):
    """A process of the sandbox."""

    def listens(self, port: int) -> bool:
        """Tell whether it is this process that listens at an IPv4 TCP port (proc_net_tcp(5))."""
        ours = set()
        for descriptor in Path(f"/proc/{self.pid}/fd").glob("*"):
            with suppress(OSError):  # closed meanwhile
                ours.add(str(descriptor.readlink()))
        for line in Path("/proc/net/tcp").read_text("ascii").splitlines()[1:]:
            fields = line.split()
            if fields[1].endswith(f":{port:04X}") and fields[3] == _LISTENING and f"socket:[{fields[9]}]" in ours:
                return self.alive
        return False


def start(argv: list[str], *, env: Mapping[str, str], log: Path, mark: str) -> Process:
    """Start a program in a session of its own, so that it survives its parent and the terminal.

    Args:
        argv: The program's path and its arguments.
        env: Its whole environment.
        log: Takes what it prints; emptied first, readable by the user alone.
        mark: By what `marked` finds it and whatever it starts itself.
    """
    # Not subprocess.Popen: that object stands for a child that is waited for.
    pid = os.posix_spawn(
        argv[0],
        argv,
        {**env, _MARK: mark},
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, str(log), os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o600),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ],
        setsid=True,
    )
    return Process(pid, any_process.started(pid) or "")


def marked(mark: str) -> list[Process]:
    """Return the running processes that were started under a mark, and those that they started in turn.

    Finds what no record names: a server whose folder was deleted, or the plugin of a Vault that was killed, which
    outlives it. The mark is looked up in each process's environment, so no other program can be taken for ours.
    """
    entry = f"{_MARK}={mark}".encode()
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            is_ours = entry in (folder / "environ").read_bytes().split(b"\0")
        except OSError:  # it ended meanwhile, or is another user's
            continue
        started = any_process.started(int(folder.name)) if is_ours else None
        if started:
            found.append(Process(int(folder.name), started))
    return found


def end(processes: Iterable[Process]) -> bool:
    """End processes, with SIGKILL those that SIGTERM does not end in 10 s; return whether there were any."""
    remaining = [process for process in processes if process.alive]
    if not remaining:
        return False
    for number, patience in ((signal.SIGTERM, _PATIENCE), (signal.SIGKILL, _PATIENCE)):
        for process in remaining:
            with suppress(ProcessLookupError):
                os.kill(process.pid, number)
        deadline = time.monotonic() + patience
        while remaining and time.monotonic() < deadline:
            time.sleep(_POLL)
            remaining = [process for process in remaining if process.alive]
    return True
