"""The journal of a run: what was planned, begun and done in each root, safe on disk before the next step is taken.

One JSON object a line, appended and synced one by one, so that whatever ends a run, the lines say how far it came. A
last line that was cut off is no line. The run's folder also keeps the plans until nothing is left to do with them.
"""

from __future__ import annotations

import datetime as dt
import json
import logging
import os
import shutil
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from generator.errors import CrosskeysError, UsageError
from generator.run.processes import Process, started
from generator.run.results import ApplyOutcome, ApplyResult, PlanOutcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from generator.errors import ExitCode
    from generator.render.layout import Root
    from generator.run.results import PlanResult

_log = logging.getLogger(__name__)

FILE = "journal.jsonl"
PLANS = "plans"
WORK = "work"
_VERSION = 1
_DONE = frozenset({ApplyOutcome.APPLIED.value, ApplyOutcome.UNCHANGED.value})


class Journal:
    """The journal of a run that goes on; written from many threads, closed on leaving its context.

    Args:
        folder: The run's own folder, which is there and empty; its name is the run's id.

    Raises:
        UsageError: If nothing can be written there.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = threading.Lock()
        self._touched = False
        try:
            self._file = os.open(
                folder / FILE, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o600
            )
        except OSError as error:
            raise _unwritable(folder, error) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        # Refused before anything was begun: there is nothing to go on with.
        if isinstance(error, CrosskeysError) and not self._touched:
            self._write_if_possible("dropped", reason=error.message)
        os.close(self._file)
        shutil.rmtree(self.work, ignore_errors=True)

    @property
    def run(self) -> str:
        """The run's id."""
        return self.folder.name

    @property
    def plans(self) -> Path:
        """Where the run's plans are kept as a plan set, until nothing is left to do with them."""
        return self.folder / PLANS

    @property
    def work(self) -> Path:
        """Where plans are made; emptied when the run ends."""
        return self.folder / WORK

    def began(
        self,
        verb: str,
        target: str,
        *,
        tree: str,
        roots: Iterable[Root],
        resumes: str | None,
    ) -> None:
        """Note what the run is about.

        Args:
            verb: ``plan`` or ``apply``.
            target: ``sandbox`` or ``live``.
            tree: Digest of the rendered tree.
            roots: The roots that are meant.
            resumes: The run that this one goes on with.
        """
        names = [root.name for root in roots]
        self._write(
            "began",
            version=_VERSION,
            verb=verb,
            target=target,
            tree=tree,
            resumes=resumes,
            roots=names,
        )

    def planned(self, results: Sequence[PlanResult]) -> None:
        """Note every root's plan."""
        rows = [
            {
                "root": result.root.name,
                "outcome": result.outcome.value,
                "sha256": result.digest,
                "add": result.add,
                "change": result.change,
                "destroy": result.destroy,
                "imported": result.imported,
            }
            for result in results
        ]
        self._write("planned", plans=rows)

    def applying(self, root: str, plan_digest: str | None, makes: Iterable[str] = ()) -> None:
        """Note that a root's plan is about to be applied.

        Args:
            root: The root's name.
            plan_digest: The plan file's SHA-256, in hex.
            makes: Addresses of the objects that it makes; none of them is there.

        Raises:
            UsageError: If that cannot be written; it must not be applied then.
        """
        self._write("applying", root=root, sha256=plan_digest, makes=list(makes))
        self._touched = True

    def made(self, root: str, addresses: Iterable[str]) -> None:
        """Note what Terraform has begun to make, of all that it was about to, before it ended without success."""
        self._write_if_possible("made", root=root, addresses=list(addresses))

    def child(self, root: str, pid: int) -> None:
        """Note the process that applies, so that it can be found if this one is killed."""
        self._write_if_possible("child", root=root, pid=pid, started=started(pid) or "")

    def retrying(self, root: str, cause: str) -> None:
        """Note that a root is planned anew after a failure that may pass."""
        self._write_if_possible("retrying", root=root, cause=cause)

    def result(self, result: ApplyResult) -> None:
        """Note how applying a root ended."""
        # It is applied, whether or not that can be written down; without the line it is planned again later.
        self._write_if_possible(
            result.outcome.value,
            root=result.root.name,
            add=result.add,
            change=result.change,
            destroy=result.destroy,
            imported=result.imported,
            reason=result.reason,
            summaries=[diagnostic.summary.partition("\n")[0] for diagnostic in result.diagnostics],
        )

    def ended(self, code: ExitCode) -> None:
        """Note that the run has come to its end."""
        self._write_if_possible("ended", code=int(code))

    def _write_if_possible(self, event: str, **fields: object) -> None:
        try:
            self._write(event, **fields)
        except UsageError as error:
            _log.warning("%s", error.message, extra={"event": event})

    def _write(self, event: str, **fields: object) -> None:
        entry = {"at": dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds"), "event": event, **fields}
        line = json.dumps(entry, ensure_ascii=False).encode() + b"\n"
        with self._lock:
            before = os.fstat(self._file).st_size
            try:
                if os.write(self._file, line) != len(line):
                    raise OSError(28, os.strerror(28))  # noqa: TRY301 - a short write is a full disk
                os.fsync(self._file)
            except OSError as error:
                # What stands there of the line would spoil the next one.
                os.ftruncate(self._file, before)
                raise _unwritable(self.folder, error) from error


@dataclass(frozen=True, slots=True)
class Run:
    """What the journal of a run says.

    Args:
        folder: The run's folder.
        verb: ``plan`` or ``apply``; empty when not even that was written.
        target: ``sandbox`` or ``live``.
        roots: Names of the roots that were meant.
        touched: Names of those whose apply was begun.
        done: Names of those in which nothing is left to do.
        children: The processes that applied, by root.
        made: The objects that it has made or may have, by root and address: they were not there before.
        dropped: Whether nothing of it is to be gone on with.
    """

    folder: Path
    verb: str = ""
    target: str = ""
    roots: tuple[str, ...] = ()
    touched: frozenset[str] = frozenset()
    done: frozenset[str] = frozenset()
    children: Mapping[str, Process] = field(default_factory=dict)
    made: frozenset[tuple[str, str]] = frozenset()
    dropped: bool = False

    @property
    def id(self) -> str:
        """The run's id."""
        return self.folder.name

    @property
    def plans(self) -> Path:
        """Where its plans are, if they are kept still."""
        return self.folder / PLANS

    @property
    def left_alone(self) -> dict[str, Process]:
        """The processes of a run that has ended which are still at work, by root."""
        return {root: process for root, process in self.children.items() if root not in self.done and process.alive}

    @property
    def unfinished(self) -> tuple[str, ...]:
        """Names of the roots in which something may be left to do, as far as this run knows."""
        if self.verb != "apply" or self.dropped:
            return ()
        return tuple(root for root in self.roots if root not in self.done)


def read(folder: Path) -> Run:
    """Return what the journal in a run's folder says; lines that are none, and a missing file, say nothing."""
    verb = target = ""
    roots: tuple[str, ...] = ()
    touched: set[str] = set()
    done: set[str] = set()
    children: dict[str, Process] = {}
    made: set[tuple[str, str]] = set()
    about_to: dict[str, set[tuple[str, str]]] = {}
    dropped = False
    for entry in _entries(folder):
        match entry:
            case {"event": "began", "verb": str(verb), "target": str(target), "roots": list(names)}:
                roots = tuple(str(name) for name in names)
            case {"event": "planned", "plans": list(plans)}:
                done |= {plan["root"] for plan in plans if plan.get("outcome") == PlanOutcome.CLEAN.value}
            case {"event": "applying", "root": str(root)}:
                touched.add(root)
                about_to[root] = {(root, str(address)) for address in entry.get("makes", ())}
            case {"event": "made", "root": str(root), "addresses": list(addresses)}:
                made |= {(root, str(address)) for address in addresses}
                about_to.pop(root, None)
            case {"event": "child", "root": str(root), "pid": int(pid), "started": str(when)}:
                children[root] = Process(pid, when)
            case {"event": "dropped"}:
                dropped = True
            case {"event": str(event), "root": str(root)} if event in _DONE:
                done.add(root)
    # A run that was killed did not live to write down how far Terraform came.
    all_made = frozenset(made.union(*about_to.values()))
    return Run(folder, verb, target, roots, frozenset(touched), frozenset(done), children, all_made, dropped)


def _entries(folder: Path) -> list[dict[str, Any]]:
    try:
        lines = (folder / FILE).read_bytes().splitlines()
    except OSError:
        return []
    entries = []
    for line in lines:
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        if isinstance(entry, dict):
            entries.append(entry)
    return entries


def _unwritable(folder: Path, error: OSError) -> UsageError:
    return UsageError(
        f"the journal of the run cannot be written: {error.strerror}: {folder / FILE}",
        help="make room there, or let CROSSKEYS_RUNS name another folder; nothing is applied that is not written down",
    )
