"""The linters of each kind of file find nothing, nor does the shell."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from generator import cache
from generator.sandbox.gobuild import GoModule, built
from tests.scaffold.files import (
    CHECKOUT,
    GITLAB,
    GITLAB_PARTS,
    HOOK_CONFIG,
    HOOKS,
    SCAFFOLD,
    WORKFLOWS,
    Script,
    scripts,
)

BIN = Path(sys.executable).parent
ACTIONLINT = GoModule(
    folder="actionlint",
    title="actionlint",
    programs=(("actionlint", "github.com/rhysd/actionlint/cmd/actionlint"),),
    instead="run the tests without the mark toolchain",
)


def lint(*argv: str | Path) -> None:
    done = subprocess.run(argv, cwd=CHECKOUT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.toolchain
def test_actionlint_finds_nothing_in_the_workflows() -> None:
    program = built(ACTIONLINT, cache.folder(), print) / "actionlint"
    # Without the linters that it would find on some machines and not on others.
    lint(program, "-shellcheck=", "-pyflakes=", *WORKFLOWS)


def test_zizmor_finds_nothing_in_the_workflows() -> None:
    lint(BIN / "zizmor", "--offline", "--no-progress", "--pedantic", *WORKFLOWS)


def test_each_thing_that_zizmor_shall_overlook_says_why() -> None:
    ignores = [
        line.split("zizmor: ignore[")[1].split("]")[1]
        for path in WORKFLOWS
        for line in path.read_text("utf-8").splitlines()
        if "zizmor: ignore[" in line
    ]
    assert len(ignores) == 1
    assert all(len(reason.split()) > 5 for reason in ignores)


def test_the_workflows_follow_githubs_schema() -> None:
    lint(BIN / "check-jsonschema", "--builtin-schema", "vendor.github-workflows", *WORKFLOWS)
    lint(BIN / "check-jsonschema", "--builtin-schema", "custom.github-workflows-require-timeout", *WORKFLOWS)


def test_the_pipeline_follows_gitlabs_schema() -> None:
    transform = ("--data-transform", "gitlab-ci")
    lint(BIN / "check-jsonschema", "--builtin-schema", "vendor.gitlab-ci", *transform, GITLAB, *GITLAB_PARTS)


def test_pre_commit_accepts_the_hooks_and_the_configuration() -> None:
    lint(BIN / "pre-commit", "validate-manifest", HOOKS)
    lint(BIN / "pre-commit", "validate-config", HOOK_CONFIG)


@pytest.mark.parametrize("script", list(scripts()), ids=str)
def test_scripts_in_ci_files_are_shell(script: Script) -> None:
    lint("bash", "-n", "-c", script.text)


@pytest.mark.parametrize("path", sorted((SCAFFOLD / "ci").iterdir()), ids=lambda path: path.name)
def test_scripts_of_their_own_are_shell(path: Path) -> None:
    lint("bash", "-n", path)
