"""What was made in the sandbox's AWS accounts beforehand, remembered with the process in whose memory all of it is."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from generator.errors import RemoteError
from generator.sandbox import aws_server
from generator.sandbox.server import recorded, write_private

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from generator.manifest.fleet import Account


def mark(account: Account) -> str | None:
    """Return what tells an account's needs from others; None for an account that needs nothing to be made."""
    needs = [
        (client.name, client.role_name, repr(client.ec2), client.workload is None)
        for client in account.declared
        if client.ec2 or client.workload is None
    ]
    if not needs and not account.provisioner_role:
        return None
    return hashlib.sha256(repr((account.provisioner_role, needs)).encode()).hexdigest()


def recalled(folder: Path) -> dict[str, str] | None:
    """Return the mark of each account that was prepared in the AWS that runs; None when nothing ever was there.

    Args:
        folder: The sandbox's folder.
    """
    try:
        kept = json.loads(_file(folder).read_text("utf-8"))
        return dict(kept["accounts"]) if kept["process"] == _process(folder) else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def remember(folder: Path, accounts: Mapping[str, str]) -> None:
    """Remember what was prepared in the AWS that runs.

    Args:
        folder: The sandbox's folder.
        accounts: The mark of each account.

    Raises:
        RemoteError: When that cannot be written.
    """
    try:
        write_private(_file(folder), json.dumps({"process": _process(folder), "accounts": accounts}))
    except OSError as error:
        raise RemoteError(
            f"cannot prepare the sandbox in {folder}: {error}",
            help="make room and let that folder be written to, then run this again",
        ) from error


def _file(folder: Path) -> Path:
    return folder / "aws-prepared.json"


def _process(folder: Path) -> str:
    running = recorded(aws_server.at(folder))
    return f"{running.process.pid} {running.process.started}" if running else ""
