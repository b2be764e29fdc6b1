"""A split run in the words of the CI that is to run it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml

from generator.report.machine import to_json

if TYPE_CHECKING:
    from collections.abc import Sequence

MOST_ON_GITHUB = 256
"""Jobs that a matrix can make there (GitHub Actions, usage limits)."""

MOST_ON_GITLAB = 200
"""Jobs that ``parallel:matrix`` can make there (GitLab, CI/CD YAML syntax reference)."""

SHARD_FILE = "ci/shard.gitlab-ci.yml"
"""The file of a fleet's repository that says what a GitLab job of a shard does: its hidden job ``.shard``."""


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
    """

    parts: tuple[Part, ...]
    split: str


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
    """Return a child pipeline: a job a shard, which does what ``.shard`` in the fleet's repository says."""
    if not matrix.parts:
        # GitLab refuses a pipeline without jobs.
        return _yaml({"nothing-to-do": {"script": ["echo 'no root takes part'"]}})
    shards: Sequence[str] = [part.shard for part in matrix.parts]
    return _yaml(
        {
            "include": [{"local": SHARD_FILE}],
            "shard": {
                "extends": ".shard",
                "variables": {"SPLIT": matrix.split},
                "parallel": {"matrix": [{"SHARD": shards}]},
            },
        }
    )


def _yaml(pipeline: dict[str, Any]) -> str:
    text: str = yaml.safe_dump(pipeline, sort_keys=False)
    return f"# Made by `crosskeys matrix` for one run: nothing to be committed.\n{text}"
