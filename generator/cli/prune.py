"""The verb prune: remove leftover roots that have nothing left of what they made, and import files that are applied."""

from __future__ import annotations

import sys
from dataclasses import dataclass
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
_OWNERS = "handed over, so that it cannot be seen; delete it once its owner has applied it"


def prune(
    context: typer.Context,
    target: TargetOption = Target.SANDBOX,
    check_only: Annotated[
        bool, typer.Option("--check", help="Remove nothing; exit 1 when there is something to remove.")
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
    """Remove leftover roots of whose objects nothing is left, and import files whose objects are in the state."""
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
        files, waiting = _imports(here, rendered, target)
        if not check_only:
            _delete(here.folder, files)
    _print(Pruned(done, left, files, waiting), chosen, check_only=check_only)
    something = left or waiting or (check_only and (done or files))
    raise typer.Exit(ExitCode.FINDINGS if something else ExitCode.CLEAN)


@dataclass(frozen=True, slots=True)
class Pruned:
    """What was removed, or is to be, and what stays for now.

    Args:
        roots: Leftover roots.
        left: What is left of other leftover roots, by name.
        files: Import files.
        waiting: What other import files have yet to import, by path.
    """

    roots: Sequence[Root]
    left: Mapping[str, Sequence[str]]
    files: Sequence[str]
    waiting: Mapping[str, Sequence[str]]


def _imports(here: Context, rendered: Rendered, target: Target) -> tuple[list[str], Mapping[str, Sequence[str]]]:
    from generator.audit.pending import settled
    from generator.cli.state import objects_of

    importing = [root for root in rendered.roots if root.imports]
    seen = [root for root in importing if target is Target.SANDBOX or not root.handover]
    unseen = {path: (_OWNERS,) for root in importing if root not in seen for path in root.imports}
    files, waiting = settled(rendered.declared, objects_of(here, rendered, target, seen) if seen else {})
    return files, {**waiting, **unseen}


def _require_sense(rendered: Rendered, left_over: Sequence[Root], target: Target, handed_over: Sequence[str]) -> None:
    live = rendered.fleet.settings.live.vault_address
    left = [f"what is left of {', '.join(root.name for root in left_over)}"] if left_over else []
    importing = [f"what {root.name} has imported" for root in rendered.roots if root.imports][:1]
    if (unknown := left or importing) and target is Target.SANDBOX and live is not None:
        raise RefusedError(
            f"{unknown[0]} at {live} the sandbox does not know",
            help="crosskeys prune --target live",
        )
    known = {root.account_id for root in left_over if root.handover}
    if strangers := sorted(set(handed_over) - known):
        raise UsageError(
            f"no root that was handed over is left over of {', '.join(strangers)}",
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


def _delete(folder: Path, files: Sequence[str]) -> None:
    try:
        for path in files:
            (folder / path).unlink(missing_ok=True)
    except OSError as error:
        raise UsageError(
            f"an import file cannot be removed: {error.strerror}: {error.filename}",
            help="set the permissions right, then run `crosskeys prune` again",
        ) from error


def _print(pruned: Pruned, fmt: Format, *, check_only: bool) -> None:
    from generator.report.machine import to_json
    from generator.report.runs import printable

    if fmt is Format.JSON:
        imports = {"pruned": list(pruned.files), "left": pruned.waiting}
        found = {"pruned": [root.name for root in pruned.roots], "left": pruned.left, "imports": imports}
        typer.echo(to_json(found), nl=False)
        return
    verb = "would remove" if check_only else "removed"
    for root in pruned.roots:
        typer.echo(f"{verb} {root.name}: nothing is left of what it made")
    for path in pruned.files:
        typer.echo(f"{verb} {path}: what it imports is in the state")
    for name, objects in pruned.left.items():
        typer.echo(printable(f"kept {name}: {', '.join(objects)}"))
    for path, objects in pruned.waiting.items():
        why = ", ".join(objects)
        typer.echo(f"kept {path}: {why if why == _OWNERS else f'not in the state yet: {why}'}")
    if not (pruned.roots or pruned.left or pruned.files or pruned.waiting):
        typer.echo("no root is left over")
