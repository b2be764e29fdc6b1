"""The verb diff: what a change means, against the commit at which it began."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Annotated

import typer

from generator.cli.context import Context, Format, print_findings, say
from generator.errors import CrosskeysError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from generator.audit.declared import Declared
    from generator.manifest.fleet import Fleet
    from generator.report.differences import Touched

_FORMATS = (Format.FULL, Format.CONCISE, Format.JSON, Format.MARKDOWN)


def _format(fmt: Format | None) -> Format | None:
    if fmt is not None and fmt not in _FORMATS:
        raise UsageError(f"{fmt} is a format for findings, and this prints changes", help=", ".join(_FORMATS))
    return fmt


def diff(
    context: typer.Context,
    base: Annotated[
        str, typer.Option(metavar="REF", help="The branch that this change is for, or another revision of git.")
    ],
    fmt: Annotated[
        Format | None,
        typer.Option(
            "--format",
            envvar="CROSSKEYS_FORMAT",
            metavar="|".join(_FORMATS),
            callback=_format,
            help="How changes are printed; markdown is for a pull request. Default: full.",
        ),
    ] = None,
) -> None:
    """Say what a change means: who gains or loses access to what, and who has to approve it."""
    from generator import history
    from generator.audit import earlier, tree
    from generator.audit.changes import State, compare
    from generator.audit.faults import UnreadableTreeError
    from generator.report import differences as report

    here: Context = context.obj
    validated, chosen = here.read(fmt)
    fleet = validated.fleet
    at = history.merge_base(here.folder, base)
    before = earlier.at(here.folder, at)
    if before.tree is None:
        say(f"terraform/ cannot be read as it was at {at[:12]}:")
        print_findings(here.folder, before.findings, chosen, proposed=before.texts)
        raise typer.Exit(UnreadableTreeError.exit_code)
    try:
        after = tree.load(here.folder)
    except UnreadableTreeError as error:
        print_findings(here.folder, error.findings, chosen)
        raise typer.Exit(error.exit_code) from error
    if not before.is_whole:
        say(f"warning: the manifests had errors at {at[:12]}, so former owners may be missing")
    _warn(here.folder, fleet, after.declared, has_errors=validated.has_errors)
    changes = compare(State(before.tree.declared, before.fleet), State(after.declared, fleet))
    roots = tuple(_touched(before.tree.texts, after.texts, fleet))
    found = report.Differences(base, at, changes, roots, (before.fleet, fleet))
    if chosen is Format.MARKDOWN:
        typer.echo(report.markdown(found, history.within_repository(here.folder)), nl=False)
        return
    write = {Format.JSON: report.as_json, Format.CONCISE: report.concise}.get(chosen, report.full)
    typer.echo(write(found), nl=False)


def _warn(folder: Path, fleet: Fleet, declared: Declared, *, has_errors: bool) -> None:
    """Say when terraform/ is not what the manifests say: what is compared is what stands there."""
    from generator.audit.leftover import leftover
    from generator.audit.pending import pending
    from generator.render import tree
    from generator.render.layout import layout
    from generator.render.render import Renderer
    from generator.resources import data

    if has_errors:
        say("warning: the manifests have errors, so owners may be missing: `crosskeys validate` shows them")
        return
    try:
        roots = layout(fleet)
        pages = (page for root in roots for page in root.pages)
        texts = Renderer([folder / "templates", data("templates")]).render(pages)
    except CrosskeysError as error:
        say(f"warning: the manifests cannot be rendered: {error.message}")
        return
    comparison = tree.compare(folder, texts)
    left = leftover(comparison.found, roots, fleet.settings, None)
    standing = pending(comparison.found, declared, roots, None)
    kept = comparison.keeping(left.texts, left.spoilt).keeping(standing.texts, standing.spoilt)
    if not kept.is_current:
        say("warning: terraform/ is stale, and what stands there is compared: `crosskeys render` renews it")


def _touched(before: Mapping[str, str], after: Mapping[str, str], fleet: Fleet) -> Iterator[Touched]:
    from generator.report.differences import Touched

    differing = (path for path in before.keys() | after.keys() if before.get(path) != after.get(path))
    files = Counter("/".join(path.split("/")[1:-1]) for path in differing)
    handed = {f"accounts/{each.id}/aws": each.owner or "its account" for each in fleet.accounts if not each.managed}
    for root in sorted(files):
        yield Touched(root, files[root], handed.get(root, ""))
