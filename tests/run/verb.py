"""The verbs `plan` and `apply` as they are, over hand-made roots: no manifests, no sandbox, faults at chosen moments.

``alone`` runs the command line in a process of its own, which a fault may end.
"""

from __future__ import annotations

import functools
import json
import multiprocessing
import os
import resource
import signal
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING
from unittest import mock

from generator.audit.declared import Declared, Mount
from generator.audit.proof import Proof
from generator.cli import app, runs
from generator.cli.context import Context, Format, ending_well
from generator.manifest.fleet import Fleet
from generator.manifest.settings import FleetSettings
from generator.pipeline import Rendered
from generator.render.layout import Root, RootKind
from generator.render.tree import Comparison
from generator.report import progress
from generator.run.journal import FILE, Journal
from generator.run.roots import Workspace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from multiprocessing.connection import Connection
    from pathlib import Path

    from generator.live.systems import Systems
    from generator.report.progress import Observer
    from generator.report.runs import Row

AWS, VAULT = "accounts/111111111111/aws", "accounts/111111111111/vault"
MOMENTS = ("validate", "plan", "between", "aws", "vault", "after")
"""When a fault may come: before anything runs, while Terraform plans, when all is planned, while the AWS root or the
Vault root is applied, and when both are but the run has not said so yet."""
_OBJECTS = {("", str(number)): mock.create_autospec(Mount, instance=True) for number in range(100)}
"""So many that a few of them are no large share of the fleet."""
_FRESH = multiprocessing.get_context("forkserver")
_FRESH.set_forkserver_preload([__name__, "generator.live.takeover", "generator.report.summary", "generator.run.apply"])


def roots(folder: Path) -> tuple[Root, ...]:
    """Return the roots that lie in a folder, the AWS root first."""
    found = sorted(path.parent.relative_to(folder / "terraform") for path in folder.glob("terraform/**/root.tf"))
    return tuple(Root(str(path), RootKind(path.name), path.parts[1], ("payments",), handover=False) for path in found)


def workspaces(folder: Path, environment: dict[str, str]) -> tuple[Workspace, ...]:
    """Return where they are run."""
    return tuple(
        Workspace(root, folder / "terraform" / root.name, folder / "data" / root.name, environment)
        for root in roots(folder)
    )


def rendered(folder: Path) -> Rendered:
    """Return the fleet as the gate would, had these roots been rendered from manifests."""
    texts = {str(path.relative_to(folder)): path.read_text("utf-8") for path in folder.glob("terraform/**/*.tf")}
    proof = mock.create_autospec(Proof)
    fleet = Fleet(FleetSettings(), ())
    return Rendered(fleet, roots(folder), Comparison(texts, texts, ()), proof, Declared(_OBJECTS))


def no_systems() -> Systems:
    raise AssertionError("what is no object of Vault's or AWS's is looked up nowhere")


class Watching:
    """An observer that lets a fault happen at its moment."""

    def __init__(self, inner: Observer, moment: str, fault: Callable[[], None]) -> None:
        self._inner, self._moment, self._fault = inner, moment, fault

    def started(self, step: str, root: str) -> None:
        self._inner.started(step, root)
        if step == self._moment == "plan" and root == VAULT:
            self._fault()

    def progress(self, root: str, line: str) -> None:
        self._inner.progress(root, line)
        if "Creating..." in line and ".slow" in line and root.endswith(f"/{self._moment}"):
            self._fault()

    def finished(self, row: Row) -> None:
        self._inner.finished(row)

    def interrupted(self, running: int) -> None:
        self._inner.interrupted(running)


@contextmanager
def faulty(folder: Path, environment: dict[str, str], moment: str, fault: Callable[[], None]) -> Iterator[None]:
    """While inside, the verbs are about the roots of a folder, and a fault happens once at a moment."""
    once = functools.cache(fault)

    def gated(_self: Context, _fmt: Format | None) -> tuple[Rendered, Format]:
        if moment == "validate":
            once()
        return rendered(folder), Format.FULL

    def where(_here: object, _target: object, _rendered: object, meant: Sequence[Root], _rate: object) -> runs.Place:
        names = {root.name for root in meant}
        return runs.Place(
            tuple(each for each in workspaces(folder, environment) if each.root.name in names), no_systems
        )

    def confirm(*_arguments: object, **_options: object) -> None:
        if moment == "between":
            once()

    ended, shown = Journal.ended, progress.progress

    def end(self: Journal, code: object) -> None:
        if moment == "after":
            once()
        ended(self, code)  # type: ignore[arg-type] # handed on as it came

    @contextmanager
    def observed(names: Sequence[str], stream: object) -> Iterator[Observer]:
        with shown(names, stream) as inner:  # type: ignore[arg-type] # handed on as it came
            yield Watching(inner, moment, once)

    with (
        mock.patch.object(Context, "gated", gated),
        mock.patch.object(runs, "place_of", where),
        mock.patch.object(runs, "_confirm", confirm),
        mock.patch.object(Journal, "ended", end),
        mock.patch.object(progress, "progress", observed),
    ):
        yield


def crosskeys(folder: Path, *arguments: str) -> int:
    """Run the command line in this process and return its exit status."""
    return ending_well(lambda: app(["-C", str(folder), *arguments]))


def kill_terraform(folder: Path) -> None:
    """Kill the Terraform that applies at present, as when memory runs out."""
    lines = [json.loads(line) for path in folder.glob(f"**/runs/*/{FILE}") for line in path.read_bytes().splitlines()]
    os.kill([line["pid"] for line in lines if line["event"] == "child"][-1], signal.SIGKILL)


def fill_disk(folder: Path) -> None:
    """Leave the files of this process no room to grow, as a disk that is full does."""
    largest = max((path.stat().st_size for path in folder.glob(f"**/runs/*/{FILE}")), default=0)
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (largest + 10, hard))


def _main(said: Connection, environment: dict[str, str], folder: Path, fault: tuple[str, str], *arguments: str) -> None:
    os.environ.clear()
    os.environ.update(environment)
    for stream in (1, 2):
        os.dup2(said.fileno(), stream)
    said.close()

    kind, moment = fault

    def happen() -> None:
        if kind == "terraform":
            kill_terraform(folder)
        elif kind == "disk":
            fill_disk(folder)
        else:
            os.kill(os.getpid(), getattr(signal, kind))
            time.sleep(0.05)  # until the signal's handler has run, in whichever thread that is

    with faulty(folder, environment, moment, happen):
        sys.exit(crosskeys(folder, *arguments))


def alone(environment: dict[str, str], folder: Path, fault: str, moment: str, *arguments: str) -> tuple[int, str]:
    """Run the command line in a process of its own; return its exit status and what it said.

    The process is forked off one that has loaded what it needs, as that takes a second.
    """
    heard, said = _FRESH.Pipe(duplex=False)
    with heard:
        process = _FRESH.Process(target=_main, args=(said, environment, folder, (fault, moment), *arguments))
        with said:
            process.start()
        process.join(60)
        process.kill()
        process.join()
        with open(heard.fileno(), "rb", closefd=False) as file:
            text = file.read().decode()
    assert process.exitcode is not None
    return process.exitcode, text
