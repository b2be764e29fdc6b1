"""The verb that judges what stands in the tree: audit."""

from __future__ import annotations

import io
import json
import os
import stat
import sys
from contextlib import suppress
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from generator.cli.context import Context, FindingsFormatOption, Format, no_results, print_findings, say
from generator.errors import ExitCode, UsageError, worst

if TYPE_CHECKING:
    from typing import TextIO

    from generator.audit.attestation import Difference, Statement
    from generator.report.review import Review


class Report(StrEnum):
    """What a report is."""

    HTML = "html"
    CSV = "csv"
    JSON = "json"
    SARIF = "sarif"
    MARKDOWN = "markdown"


def audit(
    context: typer.Context,
    report: Annotated[
        Report | None,
        typer.Option(metavar="|".join(Report), help="Make an access review: on stdout, or with --out in a file."),
    ] = None,
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the report here; html needs it.")] = None,
    since: Annotated[
        str | None,
        typer.Option(metavar="DATE|REF", help="Show what changed since a day began (UTC) or since a revision of git."),
    ] = None,
    attest: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write digests and verdict as an in-toto Statement.")
    ] = None,
    check_attestation: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Name what differs from an attestation; exit 1 if anything.")
    ] = None,
    fmt: FindingsFormatOption = None,
) -> None:
    """Prove from terraform/ as it stands that no client reaches what is another's; report who reaches what."""
    from generator import pipeline, reviewing

    if out is not None and report is None:
        raise UsageError("--out names a file for a report, and none is asked for", help="name one with --report")
    if report is Report.HTML and out is None:
        raise UsageError("an html report is a page to open, not to print", help="name its file with --out")
    if check_attestation is not None:
        no_results(fmt)
    here: Context = context.obj
    # What may be destroyed until when is no question of who reaches what, and no audit's result depends on the day.
    validated, chosen = here.read(fmt, dated=False)
    result = reviewing.audit(here.folder, validated, here.cache, since)
    review = result.review
    onto = sys.stderr if report is not None and out is None else sys.stdout
    if report is not None:
        _hand_over(here.folder, report, review, out)
    codes = [pipeline.code_of(review.findings), ExitCode.CLEAN if review.isolated else ExitCode.FINDINGS]
    if attest is not None:
        _attest(here.folder / attest, result.statement)
    if check_attestation is not None and result.statement is not None:
        codes.append(_check(here.folder / check_attestation, result.statement, chosen, onto))
    else:
        _print(here.folder, review, chosen, onto)
    raise typer.Exit(worst(codes))


def _print(folder: Path, review: Review, chosen: Format, onto: TextIO) -> None:
    from generator.report.reviews import as_text

    if chosen in {Format.FULL, Format.CONCISE}:
        print_findings(folder, review.findings, chosen, onto)
        onto.write(as_text.render(review, brief=chosen is Format.CONCISE))
    else:
        print_findings(folder, review.findings, chosen, onto, verdict=review.verdict)


def _hand_over(folder: Path, report: Report, review: Review, out: Path | None) -> None:
    content = _content(folder, report, review).encode()
    if out is None:
        typer.echo(content, nl=False)  # as bytes: a report is UTF-8 whatever the terminal's encoding is
    else:
        _write(folder / out, content)


def _content(folder: Path, report: Report, review: Review) -> str:
    match report:
        case Report.HTML:
            from generator.report import html

            return html.page(review)
        case Report.CSV:
            from generator.report.reviews import as_csv

            return as_csv.render(review)
        case Report.JSON:
            from generator.report.reviews import as_json

            return as_json.render(review)
        case Report.SARIF:
            text = io.StringIO()
            print_findings(folder, review.findings, Format.SARIF, text)
            return text.getvalue()
        case Report.MARKDOWN:
            from generator.report.reviews import as_markdown

            return as_markdown.render(review)


def _attest(path: Path, statement: Statement | None) -> None:
    from generator.audit import attestation

    if statement is None:
        say(f"{path.name} is not written: there is nothing to attest before the findings are gone")
    else:
        _write(path, attestation.text(statement).encode())


def _check(path: Path, statement: Statement, chosen: Format, onto: TextIO) -> ExitCode:
    from generator.audit import attestation
    from generator.report.text import visible

    try:
        filed = path.read_bytes()
    except OSError as error:
        raise UsageError(f"the attestation cannot be read: {error.strerror}: {path}") from error
    found = attestation.differences(filed, statement)
    if chosen is Format.JSON:
        onto.write(f"{json.dumps([asdict(each) for each in found], indent=2)}\n")
    else:
        onto.writelines(f"{visible(_difference(each))}\n" for each in found)
        onto.write(f"{len(found)} differences from {path.name}\n" if found else f"all is as {path.name} says\n")
    return ExitCode.FINDINGS if found else ExitCode.CLEAN


def _difference(each: Difference) -> str:
    return f"{each.part} {each.name}: {each.filed or 'nothing'} then, {each.now or 'nothing'} now"


def _write(path: Path, content: bytes) -> None:
    """Write a file aside and rename it into place; a file that was there before is replaced."""
    aside = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        if os.path.lexists(path) and not stat.S_ISREG(path.lstat().st_mode):
            # Renaming would put the file in place of the device or the link, not write to it.
            raise UsageError(f"{path} is there already and is no regular file", help="name another file")
        with aside.open("xb") as file:
            file.write(content)
        aside.replace(path)
    except OSError as error:
        raise UsageError(
            f"{path} cannot be written: {error.strerror}",
            help="name a file in a folder that is there and can be written to, or make room; nothing was changed",
        ) from error
    finally:
        with suppress(OSError):
            aside.unlink(missing_ok=True)
