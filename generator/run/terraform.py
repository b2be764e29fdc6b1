"""Terraform commands in one root: init when it is due, plan, apply."""

from __future__ import annotations

import hashlib
import json
import logging
import re
import shutil
import tempfile
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from generator.diagnostics import Severity
from generator.errors import RemoteError
from generator.report.runs import TerraformDiagnostic
from generator.run import unsaved
from generator.run.stream import Transcript

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from generator.report.progress import Observer
    from generator.run.children import Children
    from generator.run.roots import Workspace

_log = logging.getLogger(__name__)

_LOCK_TIMEOUT = "30s"
_STAMP = "crosskeys-init.json"
_LOCK_FILE = ".terraform.lock.hcl"
_HASHES = re.compile(rb"^ *hashes *= *\[[^]]*\]\n", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Run:
    """One Terraform command that was run, or was not because the run is stopping.

    Args:
        code: Its exit status; ``None`` if it was never started.
        transcript: What it said.
        diagnostics: What it complained about; never empty after a failure.
    """

    code: int | None
    transcript: Transcript
    diagnostics: tuple[TerraformDiagnostic, ...]


def require(workspaces: Iterable[Workspace]) -> None:
    """Check before anything is started that every workspace can find Terraform.

    Raises:
        RemoteError: If one cannot.
    """
    for workspace in workspaces:
        if shutil.which("terraform", path=workspace.environment.get("PATH", "")) is None:
            raise RemoteError(
                "Terraform could not be started: there is no terraform on PATH",
                help="install Terraform 1.11 or later, and see that its folder is on PATH",
            )


def plan(workspace: Workspace, plan_file: Path, children: Children, observer: Observer) -> Run:
    """Plan a root into a file, after init when that is due.

    Exit status 0 means that nothing would change, 2 that something would (``-detailed-exitcode``).

    Args:
        workspace: Where to run.
        plan_file: Absolute path of the plan to write.
        children: Starts the process.
        observer: Told of progress.
    """
    arguments = ("-detailed-exitcode", f"-lock-timeout={_LOCK_TIMEOUT}", f"-out={plan_file}")
    return _after_init("plan", arguments, workspace, children, observer)


def apply(
    workspace: Workspace, plan_file: Path, children: Children, observer: Observer, on_start: Callable[[int], None]
) -> Run:
    """Apply a saved plan and nothing else, after init when that is due.

    Args:
        workspace: Where to run.
        plan_file: Absolute path of the plan.
        children: Starts the process.
        observer: Told of progress.
        on_start: Called with the process's number as soon as it applies.
    """
    arguments = (f"-lock-timeout={_LOCK_TIMEOUT}", str(plan_file))
    run = _after_init("apply", arguments, workspace, children, observer, on_start=on_start)
    if run.transcript.dumped_state is not None:
        try:
            unsaved.keep(workspace, run.transcript.dumped_state)
        except OSError as error:
            problem = TerraformDiagnostic(Severity.ERROR, "the state that Terraform could not save is lost", str(error))
            return replace(run, diagnostics=(*run.diagnostics, problem))
    return run


def variables(workspace: Workspace) -> dict[str, str]:
    """Return the whole environment in which Terraform runs in a root."""
    return {
        **workspace.environment,
        "TF_DATA_DIR": str(workspace.data_dir.absolute()),
        "TF_IN_AUTOMATION": "1",
        "CHECKPOINT_DISABLE": "1",
    }


def _after_init(
    command: str,
    arguments: tuple[str, ...],
    workspace: Workspace,
    children: Children,
    observer: Observer,
    *,
    on_start: Callable[[int], None] = lambda _pid: None,
) -> Run:
    try:
        failed_init = init(workspace, children, observer)
        return failed_init or _run(command, arguments, workspace, children, observer, on_start=on_start)
    except OSError as error:
        problem = TerraformDiagnostic(Severity.ERROR, f"terraform {command} could not be started", str(error))
        return Run(1, Transcript(workspace.root.name), (problem,))


def init(workspace: Workspace, children: Children, observer: Observer) -> Run | None:
    """Run init unless its stamp still fits; return the run only if it failed.

    Raises:
        OSError: If it cannot be started, or the working data cannot be written.
    """
    stamp = workspace.data_dir / _STAMP
    if _read(stamp) == _stamp_for(workspace):
        return None
    observer.progress(workspace.root.name, "Initializing...")
    workspace.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    stamp.unlink(missing_ok=True)
    unsaved.drop_cut_off_backend(workspace.data_dir)
    run = _run("init", ("-no-color",), workspace, children, observer)
    if run.code != 0:
        return run
    if not workspace.checks_providers:
        _drop_hashes(workspace.directory / _LOCK_FILE)
    _replace(stamp, _stamp_for(workspace))
    return None


def _drop_hashes(lock_file: Path) -> None:
    """Leave the providers' versions in a lock file and take out their hashes, without which no file is compared.

    Source: Terraform 1.11, ``Meta.providerFactories`` in ``internal/command/meta_providers.go``.
    """
    _replace(lock_file, _HASHES.sub(b"", lock_file.read_bytes()))


def _stamp_for(workspace: Workspace) -> bytes:
    """Return what the last init must have seen for its work to be of use now."""
    files = {path.name: _read(path) for path in sorted(workspace.directory.glob("*override.tf"))}
    for name in ("root.tf", _LOCK_FILE):
        files[name] = _read(workspace.directory / name)
    if configuration := workspace.environment.get("TF_CLI_CONFIG_FILE"):
        files["TF_CLI_CONFIG_FILE"] = _read(workspace.directory / configuration)
    digest = hashlib.sha256(repr(sorted(files.items())).encode()).hexdigest()
    # host/namespace/type/version/platform; a link whose mirror is gone is listed, but does not exist.
    providers = sorted(workspace.data_dir.glob("providers/*/*/*/*/*"))
    linked = {str(path.relative_to(workspace.data_dir)): path.exists() for path in providers}
    return json.dumps({"inputs": digest, "providers": linked}).encode()


def _replace(path: Path, content: bytes) -> None:
    aside = path.with_suffix(".new")
    aside.write_bytes(content)
    aside.replace(path)


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None


def _run(
    command: str,
    arguments: tuple[str, ...],
    workspace: Workspace,
    children: Children,
    observer: Observer,
    *,
    on_start: Callable[[int], None] = lambda _pid: None,
) -> Run:
    name = workspace.root.name
    transcript = Transcript(name)

    def on_line(line: str) -> None:
        if (text := transcript.read(line)) is not None:
            observer.progress(name, text)

    environment = variables(workspace)
    line = ("terraform", f"-chdir={workspace.directory.absolute()}", command, "-json", "-input=false", *arguments)
    begin = time.monotonic()
    with tempfile.TemporaryFile() as output:
        code = children.run(line, environment, output.fileno(), on_line, on_start)
    seconds = round(time.monotonic() - begin, 2)
    _log.info("terraform %s ended", command, extra={"root": name, "code": code, "seconds": seconds})
    _log.debug("it was run as", extra={"command": " ".join(line), "variables": sorted(environment)})
    succeeded = code in ({0, 2} if command == "plan" else {0})
    diagnostics = transcript.diagnostics if succeeded or code is None else transcript.failure(command, code)
    return Run(code, transcript, diagnostics)
