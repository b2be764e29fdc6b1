"""The verb matrix: a run split over the jobs of a CI."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from generator.cli.selection import (
    AccountOption,
    ClientOption,
    CostsOption,
    Selection,
    SideOption,
    SinceOption,
    Target,
    TargetOption,
    costs_of,
    selected,
)
from generator.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from generator.cli.context import Context
    from generator.render.layout import Root
    from generator.report.matrix import Matrix


class Ci(StrEnum):
    """Whose words the split is written in."""

    GITHUB = "github"
    GITLAB = "gitlab"
    JSON = "json"


def matrix(
    context: typer.Context,
    max_jobs: Annotated[int, typer.Option("--max-jobs", metavar="N", min=1, help="So many shards at the most.")],
    target: TargetOption = Target.SANDBOX,
    account: AccountOption = None,
    client: ClientOption = None,
    side: SideOption = None,
    since: SinceOption = None,
    costs: CostsOption = None,
    fmt: Annotated[Ci, typer.Option("--format", help="For whose CI.")] = Ci.JSON,
) -> None:
    """Split the roots that are meant into shards that end at about the same time."""
    from generator.report import matrix as report
    from generator.run import shards

    here: Context = context.obj
    most = {Ci.GITHUB: report.MOST_ON_GITHUB, Ci.GITLAB: report.MOST_ON_GITLAB, Ci.JSON: shards.MOST}[fmt]
    if max_jobs > most:
        raise UsageError(f"{max_jobs} jobs are more than can be run", help=f"--max-jobs {most} is the most for {fmt}")
    rendered, _ = here.gated(None)
    roots = selected(here.folder, rendered, target, Selection.of(account, client, side, since))
    weights = costs_of(here.folder, roots, costs)
    found = replace(
        _matrix(shards.useful(roots, weights, max_jobs), weights), side=side.value if side else None, since=since
    )
    write = {Ci.GITHUB: report.as_github, Ci.GITLAB: report.as_gitlab, Ci.JSON: report.as_json}[fmt]
    typer.echo(write(found), nl=False)


def _matrix(parts: Sequence[Sequence[Root]], weights: Mapping[str, int]) -> Matrix:
    from generator.report.matrix import Matrix, Part
    from generator.run.shards import digest

    return Matrix(
        tuple(
            Part(
                f"{number}/{len(parts)}",
                tuple(root.name for root in part),
                sum(weights[root.name] for root in part) / 1000,
            )
            for number, part in enumerate(parts, 1)
        ),
        digest(parts),
    )
