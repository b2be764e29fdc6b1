"""The verb export: the fleet's roots for other tools that run Terraform."""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from generator.cli.context import Context, say, within_repository
from generator.errors import ExitCode, RefusedError, UsageError

if TYPE_CHECKING:
    from generator.pipeline import Rendered
    from generator.report.atlantis import Project

app = typer.Typer(help="Write the fleet's roots for another tool that runs Terraform.", no_args_is_help=True)

_EXACT = re.compile(r"=? ?([0-9]+\.[0-9]+\.[0-9]+)", re.ASCII)


@app.command()
def atlantis(
    context: typer.Context,
    terraform_version: Annotated[
        str | None,
        typer.Option(metavar="VERSION", help="For every project. Default: the one that the fleet requires, if exact."),
    ] = None,
    check: Annotated[bool, typer.Option("--check", help="Write nothing; exit 1 when atlantis.yaml is stale.")] = False,
) -> None:
    """Write atlantis.yaml at the top of the repository: a project a root, in the order of applying."""
    from generator.report.atlantis import FILE, HEAD, render

    here: Context = context.obj
    if terraform_version is not None and not re.fullmatch(r"[0-9]+\.[0-9]+\.[0-9]+", terraform_version, re.ASCII):
        raise UsageError(f"`{terraform_version}` is no version", help="write it as 1.11.4")
    rendered, _ = here.gated(None)
    inside = within_repository(here.folder.resolve())
    file = here.folder.resolve().parents[inside.count("/") - 1] / FILE if inside else here.folder / FILE
    text = render(_projects(rendered, inside), terraform_version or _required(rendered))
    found = _read(file)
    if found is not None and not found.startswith(HEAD):
        raise RefusedError(
            f"{file} is there already and was not written by this command", help="move it away, then run this again"
        )
    if found == text:
        say(f"{file} is up to date")
    elif check:
        typer.echo(f"{file} is stale: run `crosskeys export atlantis` and commit what it writes")
        raise typer.Exit(ExitCode.FINDINGS)
    else:
        _write(file, text)
        typer.echo(f"wrote {file}")


def _projects(rendered: Rendered, inside: str) -> list[Project]:
    from generator.render.layout import TREE
    from generator.report.atlantis import Project

    return [
        Project(root.name, root.kind.value, f"{inside}{TREE}/{root.name}", root.account_id)
        for root in rendered.roots
        if not root.handover
    ]


def _required(rendered: Rendered) -> str | None:
    exact = _EXACT.fullmatch(rendered.fleet.settings.terraform.required_version)
    return exact[1] if exact else None


def _read(file: Path) -> str | None:
    """Return a file's text, None where there is none."""
    if not os.path.lexists(file):
        return None
    if file.is_symlink() or not file.is_file():
        raise RefusedError(f"{file} is no regular file", help="move it away, then run this again")
    try:
        return file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{file} cannot be read: {error}", help="move it away, then run this again") from error


def _write(file: Path, text: str) -> None:
    try:
        descriptor, aside = tempfile.mkstemp(prefix=f".{file.name}-", dir=file.parent)
        try:
            with open(descriptor, "w", encoding="utf-8", newline="\n") as out:  # noqa: PTH123 - a descriptor
                out.write(text)
            Path(aside).chmod(0o644)
            Path(aside).replace(file)
        except BaseException:
            Path(aside).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise UsageError(
            f"{file} cannot be written: {error.strerror}", help="make room or set the permissions right"
        ) from error
