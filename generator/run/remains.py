"""What is left of a root that no manifest says any more: objects that its state knows, and in the end only files."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from generator.errors import RemoteError, UsageError
from generator.render.layout import TREE
from generator.run import terraform

if TYPE_CHECKING:
    from pathlib import Path

    from generator.render.layout import Root
    from generator.report.progress import Observer
    from generator.run.children import Children
    from generator.run.roots import Workspace

_BACKUP = ".backup"


def objects(workspace: Workspace, children: Children, observer: Observer) -> tuple[str, ...]:
    """Return the addresses of the objects that a root's state knows, after init when that is due.

    The state is read through Terraform in the root itself, whose file alone says where it is kept.

    Args:
        workspace: Where to run.
        children: Starts the processes.
        observer: Told of progress.

    Raises:
        RemoteError: When the state cannot be read.
    """
    state = _pulled(workspace, children, observer)
    try:
        resources = state["resources"] if state else []
        return tuple(f"{each['type']}.{each['name']}" for each in resources if each["mode"] == "managed")
    except (KeyError, TypeError) as error:
        raise _unreadable(workspace, "it is not in Terraform's form") from error


def local_path(workspace: Workspace) -> Path | None:
    """Return the file in which a root's state is kept, by what init noted; None when it is kept elsewhere."""
    try:
        backend = json.loads((workspace.data_dir / "terraform.tfstate").read_bytes())["backend"]
        return workspace.directory / backend["config"]["path"] if backend["type"] == "local" else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def remove(folder: Path, root: Root, state: Path | None, working: tuple[Path, ...]) -> None:
    """Remove a root's files, last of all the one that says where its state is: what was cut short can be done again.

    Args:
        folder: The fleet's folder.
        root: A leftover root of whose objects nothing is left.
        state: Its state, where that is a local file; it goes with its backup.
        working: What Terraform keeps for the root elsewhere.

    Raises:
        UsageError: When something cannot be removed.
    """
    directory = folder / TREE / root.name
    try:
        if state is not None:
            for path in (state.with_name(state.name + _BACKUP), state):
                path.unlink(missing_ok=True)
        for path in (*working, directory / ".terraform"):
            shutil.rmtree(path, ignore_errors=True)
        for name in (".terraform.lock.hcl", "root.tf"):
            (directory / name).unlink(missing_ok=True)
    except OSError as error:
        raise UsageError(
            f"{root.name} cannot be removed: {error.strerror}: {error.filename}",
            help="set the permissions right, then run `crosskeys prune` again",
        ) from error
    # Up to the first folder that holds something else.
    with suppress(OSError):
        while directory != folder / TREE:
            directory.rmdir()
            directory = directory.parent


def _pulled(workspace: Workspace, children: Children, observer: Observer) -> dict[str, Any] | None:
    """Return a root's state, which holds secrets; None where none was ever written."""
    line = ("terraform", f"-chdir={workspace.directory.absolute()}", "state", "pull")
    try:
        if failed := terraform.init(workspace, children, observer):
            said = "; ".join(f"{each.summary} {each.detail}".strip() for each in failed.diagnostics)
            raise _unreadable(workspace, said or "interrupted")
        with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
            environment = terraform.variables(workspace)
            code = children.run(line, environment, output.fileno(), _unheard, errors=errors.fileno())
            state, complaint = _whole(output.fileno()), _whole(errors.fileno())
    except OSError as error:
        raise _unreadable(workspace, str(error)) from error
    if code != 0:
        raise _unreadable(workspace, " ".join(complaint.decode(errors="replace").split()) or "interrupted")
    try:
        return json.loads(state) if state.strip() else None
    except ValueError as error:
        raise _unreadable(workspace, "it is no JSON") from error


def _unheard(_line: str) -> None:
    """A state is read as a whole."""


def _whole(descriptor: int) -> bytes:
    return os.pread(descriptor, os.fstat(descriptor).st_size, 0)


def _unreadable(workspace: Workspace, why: str) -> RemoteError:
    return RemoteError(
        f"the state of {workspace.root.name} cannot be read: {why}",
        help="see that its backend can be reached with the credentials in the environment, then run this again",
    )
