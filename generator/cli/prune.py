"""The verb prune: remove the roots that no manifest says any more, once nothing is left of what they made."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from generator.cli.context import Context, Format, FormatOption
from generator.cli.runs import place_of
from generator.cli.selection import Target, TargetOption
from generator.errors import ExitCode, RefusedError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from generator.pipeline import Rendered
    from generator.render.layout import Root
    from generator.run.roots import Workspace

_UNSEEN = "handed over, so that it cannot be seen; --handed-over says that its owner has nothing left of it"


def prune(
    context: typer.Context,
    target: TargetOption = Target.SANDBOX,
    check_only: Annotated[
        bool, typer.Option("--check", help="Remove nothing; exit 1 when a root is left over.")
    ] = False,
    handed_over: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ID",
            help="The owner of this account, to whom its AWS root was handed over, has nothing left of it; "
            "may be repeated.",
        ),
    ] = None,
    fmt: FormatOption = None,
) -> None:
    """Remove leftover roots of whose objects nothing is left; say what is left of the others."""
    from generator.render import tree

    here: Context = context.obj
    with tree.lock(here.folder):
        rendered, chosen = here.gated(fmt)
        left_over = tuple(root for root in rendered.roots if root.leftover)
        _require_sense(rendered, left_over, target, handed_over or ())
        said = {f"accounts/{account_id}/aws" for account_id in handed_over or ()}
        unseen = {root.name for root in left_over if target is Target.LIVE and root.handover}
        seen = [root for root in left_over if root.name not in unseen]
        workspaces = place_of(here, target, rendered, seen).workspaces if seen else ()
        left: dict[str, tuple[str, ...]] = dict.fromkeys(sorted(unseen - said), (_UNSEEN,))
        left |= {name: objects for name, objects in _objects(workspaces).items() if objects}
        done = [root for root in left_over if root.name not in left]
        if not check_only:
            by_name = {workspace.root.name: workspace for workspace in workspaces}
            for root in done:
                _remove(here.folder, root, by_name.get(root.name))
    _print(done, left, chosen, check_only=check_only)
    raise typer.Exit(ExitCode.FINDINGS if left or (check_only and done) else ExitCode.CLEAN)


def _require_sense(rendered: Rendered, left_over: Sequence[Root], target: Target, handed_over: Sequence[str]) -> None:
    live = rendered.fleet.settings.live.vault_address
    if left_over and target is Target.SANDBOX and live is not None:
        raise RefusedError(
            f"what is left of {', '.join(root.name for root in left_over)} at {live} the sandbox does not know",
            help="crosskeys prune --target live",
        )
    known = {root.account_id for root in left_over if root.handover}
    if unknown := sorted(set(handed_over) - known):
        raise UsageError(
            f"no root that was handed over is left over of {', '.join(unknown)}",
            help="crosskeys prune --check names those that are left over",
        )


def _objects(workspaces: Sequence[Workspace]) -> Mapping[str, tuple[str, ...]]:
    from generator.report.progress import progress
    from generator.run import remains, terraform
    from generator.run.children import Children

    terraform.require(workspaces)
    children = Children()
    with (
        progress([workspace.root.name for workspace in workspaces], sys.stderr) as observer,
        children.stopped_by_signals(observer.interrupted),
    ):
        found = {workspace.root.name: remains.objects(workspace, children, observer) for workspace in workspaces}
    if children.stopping():
        raise KeyboardInterrupt
    return found


def _remove(folder: Path, root: Root, workspace: Workspace | None) -> None:
    from generator.run import remains

    if workspace is None:
        remains.remove(folder, root, None, ())
        return
    elsewhere = () if workspace.directory == folder / "terraform" / root.name else (workspace.directory,)
    remains.remove(folder, root, remains.local_path(workspace), (workspace.data_dir, *elsewhere))


def _print(done: Sequence[Root], left: Mapping[str, Sequence[str]], fmt: Format, *, check_only: bool) -> None:
    from generator.report.machine import to_json
    from generator.report.runs import printable

    if fmt is Format.JSON:
        typer.echo(to_json({"pruned": [root.name for root in done], "left": left}), nl=False)
        return
    verb = "would remove" if check_only else "removed"
    for root in done:
        typer.echo(f"{verb} {root.name}: nothing is left of what it made")
    for name, objects in left.items():
        typer.echo(printable(f"kept {name}: {', '.join(objects)}"))
    if not done and not left:
        typer.echo("no root is left over")
