"""AWS in the sandbox: moto's server, which keeps every account in memory."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING

from generator.errors import RemoteError
from generator.run.environment import allowed
from generator.sandbox import server
from generator.sandbox.server import LOOPBACK, Running, Server

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

# Any pair will do for the stand-in: unknown keys belong to the account that it was started with.
ACCESS_KEY_ID = "sandbox"
SECRET_ACCESS_KEY = "sandbox"  # noqa: S105 - no secret: the stand-in takes any


def at(folder: Path) -> Server:
    """Return the AWS server of the sandbox in a folder."""
    return Server("aws", "the sandbox's AWS (moto)", folder, health="/moto-api/config")


def up(folder: Path, progress: Callable[[str], None]) -> tuple[Running, bool]:
    """Return the running server and whether it was started just now, with nothing in any account.

    Args:
        folder: The sandbox's folder.
        progress: Shows one line.

    Raises:
        RemoteError: moto is not installed, or does not come up.
    """
    if find_spec("moto") is None or find_spec("flask") is None:
        raise RemoteError(
            "the sandbox's AWS needs moto[server], which is not installed",
            help="install crosskeys with its sandbox extra: pip install 'crosskeys[sandbox]'",
        )

    def command(port: int) -> list[str]:
        # -P: a folder that happens to be called moto in the user's working folder is not run.
        return [sys.executable, "-P", "-m", "moto.server", "-H", LOOPBACK, "-p", str(port)]

    # Not with MOTO_ACCOUNT_ID: it would put every session into that one account, assumed roles and all.
    # `python` and `python3` are two names of one interpreter, and a restart would lose all that is in the accounts.
    running, restarted = server.up(at(folder), sys.prefix, command, allowed({}))
    if restarted:
        progress(f"AWS (moto) is up at {running.address}")
    return running, restarted
