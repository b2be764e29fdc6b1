"""A server of the sandbox: one process on a loopback port, with a record of it in the sandbox's folder."""

from __future__ import annotations

import http.client
import json
import os
import random
import socket
import tempfile
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from generator.errors import RemoteError
from generator.sandbox import process
from generator.sandbox.process import Process
from generator.sandbox.steps import tail

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

LOOPBACK = "127.0.0.1"

_START_PATIENCE = 60.0  # seconds, on a machine that is busy with something else
_HUNG_PATIENCE = 10.0
_POLL = 0.05
_PORT_ATTEMPTS = 3
_PORTS = range(20_000, 32_768)  # Linux gives connections the ports from 32768 on, unless it is told otherwise
_PORT_LOOKS = 100


@dataclass(frozen=True, slots=True)
class Server:
    """Where a server keeps what it has, and how to tell that it answers.

    Args:
        name: Names its files: ``vault`` or ``aws``.
        title: What messages call it.
        folder: The sandbox's folder.
        health: A URL path that the server answers, with whatever status, as soon as it can be talked to.
    """

    name: str
    title: str
    folder: Path
    health: str

    @property
    def log(self) -> Path:
        """What the server printed since its last start."""
        return self.folder / f"{self.name}.log"

    @property
    def record(self) -> Path:
        """The file with the running process's number and port."""
        return self.folder / f"{self.name}.json"

    @property
    def mark(self) -> str:
        """What the server's processes carry in their environment."""
        return f"{self.name}:{self.folder.resolve()}"


@dataclass(frozen=True, slots=True)
class Running:
    """A started server.

    Args:
        process: Its process.
        port: The loopback port it listens on.
        made_of: What it was started with; a server made of something else is replaced.
    """

    process: Process
    port: int
    made_of: str

    @property
    def address(self) -> str:
        """Its base URL."""
        return f"http://{LOOPBACK}:{self.port}"


def recorded(server: Server) -> Running | None:
    """Return what the record says, whether or not it still runs; None when there is no record that can be read."""
    try:
        fields = json.loads(server.record.read_text("utf-8"))
        at = Process(int(fields["pid"]), str(fields["started"]))
        return Running(at, int(fields["port"]), str(fields["made_of"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def up(
    server: Server, made_of: str, command: Callable[[int], list[str]], env: Mapping[str, str]
) -> tuple[Running, bool]:
    """Return the running server, starting it when it does not run, hangs or was made of something else.

    It gets the port that it had before, or another one when that is taken.

    Args:
        server: The server.
        made_of: What tells one way of starting it from another.
        command: Gives the program and its arguments for a port.
        env: Its whole environment.

    Returns:
        The server, and whether it was started just now.

    Raises:
        RemoteError: It does not come up; the message has the end of its log.
    """
    before = recorded(server)
    if (
        before
        and before.process.alive
        and before.made_of == made_of
        and _serves(server, before, patience=_HUNG_PATIENCE)
    ):
        return before, False
    stop(server)
    port = before.port if before and is_free(before.port) else free_port()
    for attempt in range(_PORT_ATTEMPTS):
        started = process.start(command(port), env=env, log=server.log, mark=server.mark)
        running = Running(started, port, made_of)
        _write_record(server, running)
        if _serves(server, running, patience=_START_PATIENCE):
            return running, True
        was_alive = started.alive
        stop(server)
        if was_alive or is_free(port) or attempt == _PORT_ATTEMPTS - 1:
            break
        # Another program took the port between the look and the start.
        port = free_port()
    raise RemoteError(
        f"{server.title} did not come up; the end of its log:\n{tail(server.log)}",
        help=f"see {server.log}; to start from nothing, delete {server.folder} and run this again",
    )


def stop(server: Server) -> bool:
    """End the server and whatever it left behind; return whether there was anything to end."""
    before = recorded(server)
    # Vault ends its plugin in order when it is asked first.
    ended = process.end([before.process]) if before else False
    return process.end(process.marked(server.mark)) or ended


def answer(port: int, path: str) -> int | None:
    """Return the status with which the server at a loopback port answers a GET; None when it does not within 2 s."""
    # http.client, because it never goes through a proxy of the environment.
    with closing(http.client.HTTPConnection(LOOPBACK, port, timeout=2)) as connection:
        try:
            connection.request("GET", path)
            return connection.getresponse().status
        except (OSError, http.client.HTTPException):
            return None


def is_free(port: int) -> bool:
    """Tell whether a server could listen at a loopback port."""
    with socket.socket() as probe:
        # As the servers do it: what is left of closed connections does not keep a port taken.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except (OSError, OverflowError):
            return False
    return True


def free_port() -> int:
    """Return a loopback port that nothing listens on, outside of those that the system gives to connections.

    A server keeps its port over restarts, and none of the system's own would be left alone meanwhile.
    """
    for port in random.sample(_PORTS, _PORT_LOOKS):
        if is_free(port):
            return port
    raise RemoteError("no free loopback port was found for a server of the sandbox", help="end what takes them")


def write_private(path: Path, text: str) -> None:
    """Write a file that only the user can read, whole or not at all."""
    descriptor, aside = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)  # made with mode 0600
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    Path(aside).replace(path)


def wait_for(condition: Callable[[], bool], running: Running, patience: float) -> bool:
    """Wait until something holds; return False when the server ends or patience, in seconds, does."""
    deadline = time.monotonic() + patience
    while not condition():
        if not running.process.alive or time.monotonic() > deadline:
            return False
        time.sleep(_POLL)
    return True


def _serves(server: Server, running: Running, patience: float) -> bool:
    # The first, since at a port taken meanwhile another sandbox's server may answer.
    return wait_for(
        lambda: running.process.listens(running.port) and answer(running.port, server.health) is not None,
        running,
        patience,
    )


def _write_record(server: Server, running: Running) -> None:
    fields = {
        "pid": running.process.pid,
        "started": running.process.started,
        "port": running.port,
        "made_of": running.made_of,
    }
    write_private(server.record, json.dumps(fields, indent=1))
