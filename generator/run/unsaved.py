"""State that Terraform could not save: made safe, found again, and what to type to save it.

Terraform has made objects then of which the state knows nothing, and the next plan would make them again. It leaves the
state in ``errored.tfstate`` in the root; where that cannot be written either, it says the whole state in its output.
"""

from __future__ import annotations

import json
import os
import shlex
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from generator.run.roots import Workspace

_ERRORED = "errored.tfstate"
_BACKEND = "terraform.tfstate"


def keep(workspace: Workspace, state: dict[str, Any]) -> None:
    """Write down a state that Terraform could only say: in the root, else in the folder for temporary files.

    Args:
        workspace: Where it was said.
        state: The state.

    Raises:
        OSError: If it can be written in neither.
    """
    left = workspace.directory / _ERRORED
    text = json.dumps(state, indent=2).encode()
    try:
        _write(left.with_name(f"{_ERRORED}.new"), text)
        left.with_name(f"{_ERRORED}.new").replace(left)
    except OSError:
        left.with_name(f"{_ERRORED}.new").unlink(missing_ok=True)
        elsewhere = Path(tempfile.mkdtemp(prefix="crosskeys-state-")) / _ERRORED
        _write(elsewhere, text)
        left.unlink(missing_ok=True)
        left.symlink_to(elsewhere)


def recovery(workspace: Workspace) -> str | None:
    """Return what to do about state that was left in the root; None when there is none."""
    left = workspace.directory.absolute() / _ERRORED
    if not os.path.lexists(left):
        return None
    settings = {"TF_DATA_DIR": str(workspace.data_dir.absolute())}
    if configuration := workspace.environment.get("TF_CLI_CONFIG_FILE"):
        settings["TF_CLI_CONFIG_FILE"] = configuration
    variables = " ".join(f"{name}={shlex.quote(value)}" for name, value in settings.items())
    push = f"{variables} terraform -chdir={shlex.quote(str(left.parent))} state push {_ERRORED}"
    steps = [push, f"rm {shlex.quote(str(left))}"]
    if (broken := _cut_off_state(workspace)) is not None:
        steps.insert(0, f"mv {shlex.quote(str(broken))} {shlex.quote(f'{broken}.cut-off')}")
    return (
        "Terraform could not save the state and left it in errored.tfstate. Once it can be saved, with the credentials "
        f"of this root: {' && '.join(steps)}"
    )


def drop_cut_off_backend(data_dir: Path) -> None:
    """Remove init's note of the backend if a full disk has cut it off, since no later init could read it."""
    note = data_dir / _BACKEND
    if note.exists() and not _is_json(note):
        note.unlink()


def _cut_off_state(workspace: Workspace) -> Path | None:
    """Return the local state file if it is cut off: Terraform writes it in place, and then cannot read it."""
    try:
        backend = json.loads((workspace.data_dir / _BACKEND).read_bytes())["backend"]
        path = workspace.directory.absolute() / backend["config"]["path"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return path if backend.get("type") == "local" and path.exists() and not _is_json(path) else None


def _is_json(path: Path) -> bool:
    try:
        json.loads(path.read_bytes())
    except (OSError, ValueError):
        return False
    return True


def _write(path: Path, content: bytes) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
