"""A fleet as it was at a commit."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from generator.audit import earlier
from generator.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

MANIFEST = 'name: a\naccount_id: "111111111111"\nrole_name: a-app\nowner: a@example.com\n'
RENDERED = "terraform/accounts/111111111111/vault/client-a.tf"


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    git(tmp_path, "init", "--quiet", "--initial-branch", "main")
    return tmp_path


def git(folder: Path, *arguments: str, given: str = "") -> str:
    who = ("-c", "user.name=Ada", "-c", "user.email=ada@example.com")
    environment = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    done = subprocess.run(
        ["git", *who, *arguments], cwd=folder, env=environment, input=given, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def committed(folder: Path, files: dict[str, str]) -> str:
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, "utf-8")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "x")
    return git(folder, "rev-parse", "HEAD")


def test_manifests_and_tree_are_those_of_the_commit(repository: Path) -> None:
    at = committed(repository, {"clients/a.yaml": MANIFEST})
    committed(repository, {"clients/a.yaml": MANIFEST.replace("a@example.com", "b@example.com")})
    was = earlier.at(repository, at)
    assert [client.owner for client in was.fleet.clients] == ["a@example.com"]
    assert (was.is_whole, was.findings) == (True, ())
    assert was.tree is not None
    assert was.tree.declared.objects == {}


def test_a_commit_without_a_fleet_is_an_empty_one(repository: Path) -> None:
    was = earlier.at(repository, committed(repository, {"other": "x"}))
    assert (was.fleet.clients, was.is_whole, was.texts) == ((), True, {})


def test_what_was_not_rendered_and_manifests_that_had_errors_are_told(repository: Path) -> None:
    at = committed(repository, {"clients/a.yaml": "name: a\n", RENDERED: "# by hand\n"})
    was = earlier.at(repository, at)
    assert was.tree is None
    assert not was.is_whole
    assert [finding.span.path for finding in was.findings] == [RENDERED]
    assert was.texts == {RENDERED: "# by hand\n"}


def test_a_commit_made_by_hand_writes_nothing_elsewhere(repository: Path) -> None:
    blob = git(repository, "hash-object", "-w", "--stdin", given="x")
    inner = git(repository, "mktree", given=f"100644 blob {blob}\tescaped\n")
    for _ in range(3):
        inner = git(repository, "mktree", given=f"040000 tree {inner}\t..\n")
    top = git(repository, "mktree", given=f"040000 tree {inner}\tclients\n")
    at = git(repository, "commit-tree", top, "-m", "x")
    git(repository, "update-ref", "HEAD", at)
    with pytest.raises(UsageError, match="impossible name"):
        earlier.at(repository, at)
