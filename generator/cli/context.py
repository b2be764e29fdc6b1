"""What every verb shares: the fleet's folder, settings by precedence, and how a run ends."""

from __future__ import annotations

import datetime as dt
import logging
import os
import sys
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from generator.errors import CrosskeysError, ExitCode, UsageError
from generator.log import redacted, set_up

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from collections.abc import Set as AbstractSet
    from typing import TextIO

    from generator.diagnostics import Diagnostic
    from generator.manifest.settings import RunSettings
    from generator.pipeline import Rendered, Validated
    from generator.untouched import Before, InOrder, Known, Sight

_log = logging.getLogger(__name__)


class LogFormat(StrEnum):
    """How the log is written."""

    TEXT = "text"
    JSON = "json"


class Format(StrEnum):
    """How findings and results are printed."""

    FULL = "full"
    CONCISE = "concise"
    JSON = "json"
    SARIF = "sarif"
    GITHUB = "github"
    MARKDOWN = "markdown"


LOG_FORMATS = "text|json"
_OF_FINDINGS = (Format.SARIF, Format.GITHUB, Format.MARKDOWN)


def no_results(fmt: Format | None) -> Format | None:
    """Refuse, for a verb that prints more than findings, the formats that have no place for it.

    Raises:
        UsageError: When the format is one for findings alone.
    """
    if fmt in _OF_FINDINGS:
        raise UsageError(
            f"{fmt} is a format for findings, and this prints something else",
            help="full, concise or json; validate, check and render --check take every format",
        )
    return fmt


FormatOption = Annotated[
    Format | None,
    typer.Option(
        "--format",
        envvar="CROSSKEYS_FORMAT",
        metavar="full|concise|json",
        callback=no_results,
        help="How findings and results are printed. Default: full.",
    ),
]
FindingsFormatOption = Annotated[
    Format | None,
    typer.Option(
        "--format",
        envvar="CROSSKEYS_FORMAT",
        metavar="|".join(Format),
        help="How findings are printed. Default: full.",
    ),
]


@dataclass(frozen=True, slots=True)
class Context:
    """What the global options say.

    Args:
        folder: The fleet's folder, absolute.
        cache: A folder for what is remembered of earlier runs; None remembers nothing.
    """

    folder: Path
    verbosity: int
    log_format: LogFormat | None
    cache: Path | None

    @classmethod
    def of(cls, directory: Path, verbosity: int, log_format: LogFormat | None, cache: Path | None) -> Context:
        """Check the folder and start the log.

        Raises:
            UsageError: When the folder is none.
        """
        if not directory.is_dir():
            raise UsageError(f"there is no folder {directory}", help="name the fleet's folder with -C DIR")
        set_up(verbosity, as_json=log_format is LogFormat.JSON)
        return cls(directory.absolute(), verbosity, log_format, cache)

    def validated(
        self, fmt: Format | None, findings_to: TextIO | None = None, *, begun: bool = False
    ) -> tuple[Validated, Format]:
        """Read the fleet, print its findings, and return it with the format to print in.

        Args:
            fmt: The format that the command line names.
            findings_to: Where findings are printed; stdout unless given.
            begun: Settings without any client are a fleet too: one that was just begun.

        Raises:
            typer.Exit: When a finding is an error.
        """
        from generator import pipeline
        from generator.diagnostics import has_errors
        from generator.manifest.load import NO_CLIENTS

        validated, chosen = self.read(fmt)
        findings = validated.findings
        if begun and validated.fleet.source is not None:
            findings = tuple(finding for finding in findings if finding.rule != NO_CLIENTS)
        if has_errors(findings):
            print_findings(self.folder, findings, chosen, findings_to)
            raise typer.Exit(pipeline.code_of(findings))
        return validated, chosen

    def read(self, fmt: Format | None, *, dated: bool = True) -> tuple[Validated, Format]:
        """Read the fleet, and return it with its findings, whatever they are, and the format to print in.

        Args:
            fmt: The format that the command line names.
            dated: Whether permissions to destroy are judged by today's date.
        """
        from generator import pipeline, stages

        validated = pipeline.validate(self.folder, dt.datetime.now(dt.UTC).date() if dated else None)
        chosen = self._chosen(fmt, validated.fleet.settings.run)
        stages.log()
        return validated, chosen

    def rendered(self, fmt: Format | None) -> tuple[Validated, Rendered, Format]:
        """Read and render the fleet, read the rendered files back and prove that they isolate; nothing is written.

        Raises:
            typer.Exit: When a finding is an error.
        """
        from generator import pipeline

        validated, chosen = self.validated(fmt)
        rendered = pipeline.render(self.folder, validated.fleet, self.cache)
        if not rendered.proof.isolated:
            findings = (*validated.findings, *rendered.proof.findings)
            print_findings(self.folder, findings, chosen, proposed=rendered.comparison.wanted)
            raise typer.Exit(ExitCode.FINDINGS)
        return validated, rendered, chosen

    def known(self, fmt: Format | None) -> tuple[Sight | None, Known | None, Format]:
        """Return how the fleet looks, what is known without reading all of it, and the format to print in then.

        Args:
            fmt: The format that the command line names.
        """
        from generator import untouched

        seen, before = self._looked()
        if before is None:
            return seen, None, Format.FULL
        chosen = self._as(before.whole.found, fmt)
        if before.seen.files == before.whole.files:
            return seen, untouched.known(before.whole.found, before.seen), chosen
        from generator import nearby

        return seen, nearby.nearby(before), chosen

    def remember(self, seen: Sight | None, validated: Validated, rendered: Rendered) -> None:
        """Remember a fleet that is in order, unless it was touched while it was read."""
        from generator import nearby, untouched
        from generator.render import tree

        comparison, run = rendered.comparison, validated.fleet.settings.run
        if self.cache is None or seen is None or validated.findings or rendered.proof.findings or comparison.findings():
            return
        again = untouched.sight(self.folder, seen.day)
        if not comparison.is_current or again != seen or again.lately:
            return
        texts = {source.path: source.document.text for source in validated.fleet.sources}
        if not untouched.is_still(self.folder, seen.lately, {**texts, **comparison.wanted}):
            return
        clients, accounts = len(validated.fleet.clients), len(validated.fleet.accounts)
        found = untouched.InOrder(clients, accounts, run.format, run.log_format)
        roots = tree.digests(comparison.wanted)
        whole = untouched.Whole(found, seen.files, nearby.facts(validated.fleet), roots)
        untouched.remember(self.cache, self.folder, seen, whole)

    def gated(self, fmt: Format | None) -> tuple[Rendered, Format]:
        """Return the fleet if it may be planned: no error, and the tree is what the manifests say.

        Raises:
            typer.Exit: When it may not; the findings are printed.
        """
        _, rendered, chosen = self._gated(fmt)
        return rendered, chosen

    def gated_for(
        self, fmt: Format | None, accounts: AbstractSet[str], clients: AbstractSet[str]
    ) -> tuple[Rendered, Format]:
        """Return the same, with no more of the fleet than some accounts and clients need where that is enough.

        Args:
            fmt: The format that the command line names.
            accounts: Ids of the accounts.
            clients: Names of the clients.

        Raises:
            typer.Exit: When it may not be planned; the findings are printed.
        """
        seen, before = self._looked()
        if before:
            from generator import nearby

            chosen = self._as(before.whole.found, fmt)
            if part := nearby.chosen(before, accounts, clients):
                return part, chosen
        validated, rendered, chosen = self._gated(fmt)
        self.remember(seen, validated, rendered)
        return rendered, chosen

    def whole(self, rendered: Rendered, fmt: Format) -> Rendered:
        """Return the whole fleet, of which a part may have been enough so far.

        Raises:
            typer.Exit: When it may not be planned; the findings are printed.
        """
        return self.gated(fmt)[0] if rendered.others else rendered

    def _gated(self, fmt: Format | None) -> tuple[Validated, Rendered, Format]:
        validated, rendered, chosen = self.rendered(fmt)
        findings = (*validated.findings, *rendered.comparison.findings())
        if not rendered.comparison.is_current:
            print_findings(self.folder, findings, chosen)
            raise typer.Exit(ExitCode.FINDINGS)
        if findings:
            from generator.report.counts import counts

            say(f"{counts(findings)}, which `crosskeys check` shows")
        return validated, rendered, chosen

    def _looked(self) -> tuple[Sight | None, Before | None]:
        """Return how the fleet looks, and how it did when it was in order; None where nothing may be remembered."""
        from generator import stages, untouched

        if self.cache is None:
            return None, None
        today = dt.datetime.now(dt.UTC).date()
        with stages.stage("looked for changes", held=True) as counts:
            seen = untouched.sight(self.folder, today.isoformat())
            whole = untouched.recall(self.cache, self.folder, seen) if seen else None
            counts["untouched"] = bool(seen and whole and whole.files == seen.files)
        before = untouched.Before(self.folder, seen, whole, today, self.cache) if seen and whole else None
        return seen, before

    def _as(self, before: InOrder, fmt: Format | None) -> Format:
        """Return the format to print in for a fleet that was in order; log as it wants it."""
        from generator import stages

        if self.log_format is None and before.log_format == "json":
            set_up(self.verbosity, as_json=True)
        stages.log()
        return fmt or Format(before.format)

    def _chosen(self, fmt: Format | None, run: RunSettings) -> Format:
        if self.log_format is None and run.log_format == "json":
            set_up(self.verbosity, as_json=True)
        return fmt or Format(run.format)


def print_findings(
    folder: Path,
    findings: Sequence[Diagnostic],
    fmt: Format,
    stream: TextIO | None = None,
    *,
    verdict: str = "",
    proposed: Mapping[str, str] | None = None,
) -> None:
    """Print findings, on stdout unless another stream is given.

    Args:
        folder: The fleet's folder.
        findings: In any order.
        fmt: The format.
        stream: Where to; stdout unless given.
        verdict: What is right, in a sentence without a full stop, for the formats that have a place for it.
        proposed: Texts of files that are not written yet, by path.
    """
    from generator.manifest import source
    from generator.report import findings as report

    def text_of(path: str) -> str | None:
        if proposed and path in proposed:
            return proposed[path]
        return source.excerpt_source(folder / path)

    onto = stream or sys.stdout
    colour = onto.isatty() and not os.environ.get("NO_COLOR")
    within = within_repository(folder.resolve())
    text = report.render(findings, report.Format(fmt.value), text_of, color=colour, within=within, verdict=verdict)
    onto.write(text)


def within_repository(folder: Path) -> str:
    """Return a folder's path within the git repository around it, ending in a slash; empty for its top, or outside."""
    top = next((parent for parent in (folder, *folder.parents) if (parent / ".git").exists()), folder)
    return "" if top == folder else f"{folder.relative_to(top).as_posix()}/"


def say(line: str) -> None:
    """Print a line of progress on stderr."""
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def ending_well(run: Callable[[], object]) -> int:
    """Run the command line; turn every way in which it can end into an exit code, and none into a traceback."""
    _open_closed_streams()
    try:
        code = _code_of(run)
        sys.stdout.flush()
    except BrokenPipeError:
        code = _unread()
    return code


def _code_of(run: Callable[[], object]) -> int:
    try:
        run()
    except SystemExit as end:
        # typer and rich both turn a broken pipe into exit status 1, which is kept for findings.
        if isinstance(end.__context__, BrokenPipeError):
            raise BrokenPipeError from end
        return end.code if isinstance(end.code, int) else ExitCode.CLEAN if end.code is None else ExitCode.USAGE
    except CrosskeysError as error:
        say(f"error: {redacted(error.message)}")
        if error.help:
            say(f"help: {redacted(error.help)}")
        _log.debug("raised here", exc_info=error)
        return error.exit_code
    except KeyboardInterrupt:
        say("interrupted")
        return ExitCode.INTERRUPTED
    except BrokenPipeError:
        raise
    except Exception as error:  # noqa: BLE001 - the outermost edge: a bug is said in one line, its trace is in the log
        say(f"error: crosskeys itself failed: {type(error).__name__}: {redacted(str(error))}")
        say("help: run it again with -vv and report what the log says")
        _log.debug("crosskeys itself failed", exc_info=error)
        return ExitCode.USAGE
    return ExitCode.CLEAN


def _unread() -> int:
    """End a run whose output was closed before all of it was written: what is not said was perhaps not done either."""
    # Python would try once more at exit, and complain.
    sys.stdout = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - as long as the process lives
    with suppress(BrokenPipeError):
        say("error: the output was closed before all of it was written")
    return ExitCode.USAGE


def _open_closed_streams() -> None:
    """Let a run whose stdout or stderr the shell has closed (`>&-`) write into nothing."""
    # Python leaves these None then, and the next file opened would be given the closed descriptor's number.
    sys.stdout = sys.stdout or Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - as in _unread
    sys.stderr = sys.stderr or Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - as in _unread
