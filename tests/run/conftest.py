"""Real Terraform over roots that need no provider: ``terraform_data`` is built in."""

from __future__ import annotations

import json
import os
import shutil
import threading
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pytest

from generator.render.layout import Root, RootKind
from generator.run import runs
from generator.run.apply import apply_all
from generator.run.retries import Again
from generator.run.roots import Workspace

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from generator.report.runs import Row
    from generator.run.results import ApplyResult, PlanResult


@dataclass
class Recorder:
    """An observer that keeps what it is told, in order."""

    events: list[tuple[str, str]] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    lock: Any = field(default_factory=threading.Lock)

    def started(self, step: str, root: str) -> None:
        with self.lock:
            self.events.append((f"{step} started", root))

    def progress(self, root: str, line: str) -> None:
        with self.lock:
            self.lines.append(f"{root} {line}")

    def finished(self, row: Row) -> None:
        with self.lock:
            self.events.append((f"{row.step} finished", row.root))
            self.rows.append(row)

    def interrupted(self, running: int) -> None:
        self.events.append(("interrupted", str(running)))


@dataclass(frozen=True)
class World:
    """A folder of roots, their states and Terraform's working data."""

    folder: Path

    def root(self, name: str, body: str) -> Workspace:
        """Write a root and return where it is run."""
        directory = self.folder / "terraform" / name
        directory.mkdir(parents=True, exist_ok=True)
        (directory / "root.tf").write_text(
            f'terraform {{\n  backend "local" {{ path = "{self.state_file(name)}" }}\n}}\n'
        )
        (directory / "client-payments.tf").write_text(body)
        parts = name.split("/")
        kind = RootKind(parts[-1])
        root = Root(name, kind, parts[1] if len(parts) > 1 else None, ("payments",), handover=False)
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "TF_CLI_CONFIG_FILE": str(self.folder / "terraform.rc"),
        }
        return Workspace(root, directory, self.folder / "data" / name, environment)

    def apply(
        self,
        results: Sequence[PlanResult],
        workspaces: Sequence[Workspace],
        jobs: int,
        observer: Recorder,
        *,
        retries: int = 0,
        when_stale: bool = False,
    ) -> tuple[ApplyResult, ...]:
        """Apply plans as a run does, with a journal in ``runs``."""
        with runs.begin(self.folder / "runs") as journal:
            again = Again(retries, journal.work, when_stale)
            return apply_all(results, workspaces, jobs, observer, journal=journal, again=again)

    def state_file(self, name: str) -> Path:
        return self.folder / "state" / f"{name}.tfstate"

    def resources(self, name: str) -> dict[str, str]:
        """Return what the root's state holds: resource name to ``ok`` or ``tainted``."""
        try:
            state = json.loads(self.state_file(name).read_text())
        except (FileNotFoundError, json.JSONDecodeError):  # Terraform writes it in place: it may be half there
            return {}
        return {item["name"]: item["instances"][0].get("status", "ok") for item in state["resources"]}

    def count_calls(self, workspace: Workspace) -> tuple[Workspace, Path]:
        """Return the workspace with a terraform on PATH that notes its arguments in a file, then does its work."""
        shim, calls = self.folder / "shim" / "terraform", self.folder / "calls"
        shim.parent.mkdir(exist_ok=True)
        shim.write_text(f'#!/bin/sh\necho "$@" >> {calls}\nexec {shutil.which("terraform")} "$@"\n')
        shim.chmod(0o755)
        environment = {**workspace.environment, "PATH": f"{shim.parent}:{workspace.environment['PATH']}"}
        return replace(workspace, environment=environment), calls


@pytest.fixture
def world(tmp_path: Path) -> World:
    (tmp_path / "terraform.rc").touch()
    return World(tmp_path)


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()
