"""What a run shows while it goes on, and the reports that it leaves: the options that plan and apply share."""

from __future__ import annotations

import datetime as dt
import os
import stat
import sys
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from generator.cli.context import Format, say
from generator.errors import CrosskeysError, ExitCode, UsageError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from generator.cli.selection import Selection, Target
    from generator.report.runs import Row
    from generator.run.results import ApplyResult, PlanResult

_FORMS = (".json", ".md")

ReportOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--report", metavar="FILE", help="Write what became of each root, as FILE.json or FILE.md; may be repeated."
    ),
]
DetailOption = Annotated[
    bool, typer.Option("--detail", help="Show every root, change and complaint, and not what they have in common.")
]


@dataclass(slots=True)
class Watch:
    """What is shown and remembered of one run.

    Args:
        verb: ``plan`` or ``apply``.
        target: The world that it is about.
        selection: What narrows it down.
        detail: Whether to show all and not what roots have in common.
        format: How results are printed; known once the fleet was read.
        tree: Digest of the rendered tree; empty until it is known.
        run: The run's id, if it has a journal.
        rows: What was shown.
    """

    verb: str
    target: Target
    selection: Selection
    detail: bool
    format: Format = Format.FULL
    tree: str = ""
    run: str | None = None
    rows: list[Row] = field(default_factory=list)

    def show(self, results: Sequence[PlanResult | ApplyResult], *, last: bool = True) -> None:
        """Print what became of the roots in one step.

        Args:
            results: One a root.
            last: Whether no other step follows, as JSON on stdout is one object.
        """
        rows = [result.row for result in results]
        self.rows += rows
        if self.format is Format.JSON:
            if last:
                from generator.report.run_report import rows_as_json

                typer.echo(rows_as_json(rows), nl=False)
            return
        from generator.report.summary import print_summary

        print_summary(rows, sys.stdout, brief=self.format is Format.CONCISE, detail=self.detail)


@contextmanager
def watching(
    folder: Path, reports: Sequence[Path] | None, verb: str, target: Target, selection: Selection, *, detail: bool
) -> Iterator[Watch]:
    """Yield what the run tells its results to; at the end, however that comes about, write the reports.

    Args:
        folder: The fleet's folder, to which the files are relative.
        reports: Files to write.
        verb: ``plan`` or ``apply``.
        target: The world that the run is about.
        selection: What narrows it down.
        detail: Whether to show all and not what roots have in common.

    Raises:
        UsageError: When a report cannot be written: before the run where that can be told.
    """
    files = [folder / report for report in reports or ()]
    for file in files:
        _require_writable(file)
    watch = Watch(verb, target, selection, detail)
    begin, started = time.monotonic(), dt.datetime.now(dt.UTC)
    code, error = ExitCode.USAGE, ""
    try:
        yield watch
        code = ExitCode.CLEAN
    except typer.Exit as end:
        code = ExitCode(end.exit_code)
        raise
    except CrosskeysError as failed:
        code, error = failed.exit_code, failed.message
        raise
    except KeyboardInterrupt:
        code, error = ExitCode.INTERRUPTED, "interrupted"
        raise
    finally:
        texts = [_text(file, watch, started, time.monotonic() - begin, code, error) for file in files]
        _write_all(files, texts, ended_well=code in {ExitCode.CLEAN, ExitCode.FINDINGS})


def _text(file: Path, watch: Watch, started: dt.datetime, seconds: float, code: ExitCode, error: str) -> str:
    from generator.report import run_markdown, run_report

    report = run_report.RunReport(
        verb=watch.verb,
        target=watch.target.value,
        run=watch.run,
        tree=watch.tree,
        selection=_said(watch.selection),
        started=started.isoformat(timespec="seconds").replace("+00:00", "Z"),
        seconds=seconds,
        exit_code=code,
        error=error,
        rows=tuple(watch.rows),
    )
    return run_report.render(report) if file.suffix == ".json" else run_markdown.render(report)


def _said(selection: Selection) -> dict[str, tuple[str, ...]]:
    """Return what was given to narrow the run down."""
    given = {each.name: getattr(selection, each.name) for each in fields(selection)}
    return {name: _texts(value) for name, value in given.items() if value}


def _texts(value: Collection[object] | object) -> tuple[str, ...]:
    return tuple(sorted(map(str, value))) if isinstance(value, frozenset) else (str(value),)


def _require_writable(file: Path) -> None:
    if file.suffix not in _FORMS:
        raise UsageError(f"{file.name} is no report that can be written", help="let its name end in .json or .md")
    if os.path.lexists(file) and not stat.S_ISREG(file.lstat().st_mode):
        raise UsageError(f"{file} is there already and is no regular file", help="name another file")
    if not os.access(file.parent, os.W_OK | os.X_OK):
        raise UsageError(f"{file} cannot be written", help="name a file in a folder that can be written to")


def _write_all(files: Sequence[Path], texts: Sequence[str], *, ended_well: bool) -> None:
    for file, text in zip(files, texts, strict=True):
        try:
            _write(file, text)
        except OSError as error:
            message = f"the run is over, but its report {file} cannot be written: {error.strerror}"
            if ended_well:
                raise UsageError(message, help="make room, and plan again to see what is left") from error
            # What the run itself failed by must not be hidden.
            say(f"error: {message}")


def _write(file: Path, text: str) -> None:
    """Write a file aside and rename it into place; for its owner only, since Terraform's words may quote anything."""
    aside = file.with_name(f".{file.name}.{os.getpid()}.new")
    try:
        with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as onto:
            onto.write(text)
        aside.replace(file)
    finally:
        with suppress(OSError):
            aside.unlink(missing_ok=True)
