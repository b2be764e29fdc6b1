"""The sandbox's servers, together: up, down and how they are."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from generator.errors import RemoteError
from generator.sandbox import aws_server, server, vault_server
from generator.sandbox.locking import locked

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from generator.sandbox.server import Server
    from generator.sandbox.toolchain import Toolchain


@dataclass(frozen=True, slots=True)
class Services:
    """Servers that serve, and what they remember.

    Args:
        vault_address: Vault's base URL.
        vault_token: Vault's root token.
        vault_is_new: Vault was initialised just now and has nothing in it.
        vault_restarted: Vault was started just now, with its data unless it is new.
        aws_endpoint: AWS's base URL, for every service.
        aws_restarted: AWS was started just now and has nothing in any account; its endpoint may be another.
    """

    vault_address: str
    vault_token: str = field(repr=False)
    vault_is_new: bool
    vault_restarted: bool
    aws_endpoint: str
    aws_restarted: bool


@dataclass(frozen=True, slots=True)
class ServerStatus:
    """How one server is.

    Args:
        state: ``up`` it serves, ``sealed`` (Vault) it runs but does not serve, ``hung`` it does not answer, ``down``.
        address: Its base URL unless it is down.
        pid: Its process unless it is down.
        log: Where its log is, or would be.
    """

    state: Literal["up", "sealed", "hung", "down"]
    address: str | None
    pid: int | None
    log: Path


@dataclass(frozen=True, slots=True)
class Status:
    """How the servers are."""

    vault: ServerStatus
    aws: ServerStatus

    @property
    def is_up(self) -> bool:
        """Whether both serve."""
        return self.vault.state == self.aws.state == "up"


def up(folder: Path, toolchain: Toolchain, progress: Callable[[str], None]) -> Services:
    """Bring both servers up as far as they are not; nothing happens when they are.

    Args:
        folder: Takes all that the servers keep; made where it is missing, for the user alone.
        toolchain: The programs.
        progress: Shows one line.

    Raises:
        RemoteError: A server does not come up.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)
        with locked(folder / "lock", lambda: progress("waiting for another run that brings the sandbox up or down")):
            aws, aws_restarted = aws_server.up(folder, progress)
            vault = vault_server.up(folder, toolchain, progress)
    except OSError as error:
        raise RemoteError(
            f"cannot bring the sandbox up in {folder}: {error}",
            help="make room and let that folder be written to, then run this again",
        ) from error
    return Services(
        vault_address=vault.address,
        vault_token=vault.token,
        vault_is_new=vault.is_new,
        vault_restarted=vault.restarted,
        aws_endpoint=aws.address,
        aws_restarted=aws_restarted,
    )


def down(folder: Path) -> bool:
    """End both servers, keeping Vault's data; return whether there was anything to end.

    Servers whose folder was deleted are found and ended too.
    """
    if not folder.is_dir():
        return _stop(folder)
    with locked(folder / "lock", lambda: None):
        return _stop(folder)


def status(folder: Path) -> Status:
    """Look how the servers are, changing nothing."""
    return Status(_status(vault_server.at(folder)), _status(aws_server.at(folder)))


def _stop(folder: Path) -> bool:
    return any([server.stop(vault_server.at(folder)), server.stop(aws_server.at(folder))])


def _status(of: Server) -> ServerStatus:
    running = server.recorded(of)
    if running is None or not running.process.alive:
        return ServerStatus("down", None, None, of.log)
    state: Literal["up", "sealed", "hung"] = "hung" if server.answer(running.port, of.health) is None else "up"
    if state == "up" and of.name == "vault" and vault_server.is_sealed(running):
        state = "sealed"
    return ServerStatus(state, running.address, running.process.pid, of.log)
