"""A split run in the words of the CI that is to run it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import yaml

from generator.report.machine import to_json

MOST_ON_GITHUB = 256
"""Jobs that a matrix can make there (GitHub Actions, usage limits)."""

MOST_ON_GITLAB = 200
"""Jobs that ``parallel:matrix`` can make there (GitLab, CI/CD YAML syntax reference)."""

SHARD_FILE = "ci/shard.gitlab-ci.yml"
"""The file of a fleet's repository that says what a job of a shard does on GitLab.

Its hidden jobs are ``.shard-vault`` and ``.shard-aws``, and ``.shard`` where a run is about both sides.
"""


@dataclass(frozen=True, slots=True)
class Part:
    """One shard.

    Args:
        shard: ``3/16``.
        roots: Names of its roots.
        seconds: What they cost together.
    """

    shard: str
    roots: tuple[str, ...]
    seconds: float


@dataclass(frozen=True, slots=True)
class Matrix:
    """All shards.

    Args:
        parts: In order; none where no root takes part.
        split: The digest of the split, the same for all.
        side: The side that they are of; None for both.
        since: What they are the changes since; None for everything.
    """

    parts: tuple[Part, ...]
    split: str
    side: str | None = None
    since: str | None = None


def as_json(matrix: Matrix) -> str:
    """Return the shards with the names of their roots as a JSON object."""
    shards = [
        {"shard": part.shard, "split": matrix.split, "seconds": part.seconds, "roots": part.roots}
        for part in matrix.parts
    ]
    return to_json({"shards": shards})


def as_github(matrix: Matrix) -> str:
    """Return what ``strategy.matrix`` takes through ``fromJSON``, in one line, for that is what an output can be.

    The roots are counted and not named: GitHub takes a megabyte of outputs, and the names of a large fleet are more.
    """
    include = [
        {"shard": part.shard, "split": matrix.split, "roots": len(part.roots), "seconds": part.seconds}
        for part in matrix.parts
    ]
    return json.dumps({"include": include}) + "\n"


def as_gitlab(matrix: Matrix) -> str:
    """Return a child pipeline: a job a shard, which does what the fleet's repository says of its side."""
    if not matrix.parts:
        # GitLab refuses a pipeline without jobs.
        return _yaml({"nothing-to-do": {"script": ["echo 'no root takes part'"]}})
    shards = [f"{part.shard}@{matrix.split}" for part in matrix.parts]
    since = {"variables": {"CROSSKEYS_SINCE": matrix.since}} if matrix.since else {}
    return _yaml(
        {
            "include": [{"local": SHARD_FILE}],
            "shard": {
                "extends": f".shard-{matrix.side}" if matrix.side else ".shard",
                **since,
                "parallel": {"matrix": [{"CROSSKEYS_SHARD": shards}]},
            },
        }
    )


def _yaml(pipeline: dict[str, Any]) -> str:
    text: str = yaml.safe_dump(pipeline, sort_keys=False)
    return f"# Made by `crosskeys matrix` for one run: nothing to be committed.\n{text}"
