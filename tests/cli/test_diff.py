"""The verb diff, on a clone of the example fleet's own repository."""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING

import pytest
from markdown_it import MarkdownIt

from generator.errors import ExitCode
from tests.cli.conftest import edit

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Run

PAYMENTS = "terraform/accounts/111111111111/vault/client-payments.tf"
GRANT = "grants: [{path: shared/ca}]\n"


def git(folder: Path, *arguments: str) -> None:
    environment = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    settings = ("-c", "user.name=Ada", "-c", "user.email=ada@example.com", "-c", "init.defaultBranch=main")
    subprocess.run(["git", *settings, *arguments], cwd=folder, env=environment, capture_output=True, check=True)


@pytest.fixture
def cloned(fleet: Path) -> Path:
    """The example fleet, committed on main, with a branch checked out."""
    (fleet / ".gitignore").write_text(".crosskeys/\n")
    git(fleet, "init", "--quiet")
    git(fleet, "add", "--all")
    git(fleet, "commit", "--quiet", "--message", "x")
    git(fleet, "checkout", "--quiet", "-b", "topic")
    return fleet


def append(path: Path, text: str) -> None:
    path.write_text(path.read_text("utf-8") + text, "utf-8")


def test_nothing_is_said_where_nothing_changes(run: Run, cloned: Path) -> None:
    ended = run("diff", "--base", "main")
    assert (ended.code, ended.err) == (ExitCode.CLEAN, "")
    assert ended.out.endswith("where HEAD left main: nothing changes in meaning\n")
    append(cloned / "clients/payments.yaml", "description: what it is\n")
    assert run("render").code == ExitCode.CLEAN
    assert "nothing changes in meaning: 2 files differ in comments alone" in run("diff", "--base", "main").out


def test_a_grant_is_shown_first_with_whose_approval_it_needs(run: Run, cloned: Path) -> None:
    append(cloned / "clients/payments.yaml", GRANT)
    assert run("render").code == ExitCode.CLEAN
    ended = run("diff", "--base", "main")
    assert ended.code == ExitCode.CLEAN
    lines = ended.out.splitlines()
    assert lines[2] == "Beyond the client's own directory"
    assert "payments-app` gains read and list on `secret/data/shared/ca/*`: shared by `pki@example.com`" in lines[3]
    assert lines[4].strip() == f"{PAYMENTS}:16"
    assert "Needs the approval of pki@example.com: payments" in lines
    assert "Owner payments-team@example.com: payments" in lines
    assert "Root accounts/111111111111/vault (1 file)" in lines
    said = json.loads(run("diff", "--base", "main", "--format", "json").out)
    assert said["approvals"] == [{"owner": "pki@example.com", "for": ["payments"]}]
    assert [(each["topic"], each["effect"], each["path"], each["operations"]) for each in said["changes"]] == [
        ("beyond", "widens", "secret/data/shared/ca/*", ["read", "list"]),
        ("beyond", "widens", "secret/metadata/shared/ca/*", ["read", "list"]),
    ]
    assert len(run("diff", "--base", "main", "--format", "concise").out.splitlines()) == 2


def test_the_life_of_clients_is_told(run: Run, cloned: Path) -> None:
    append(cloned / "clients/payments.yaml", "suspend: {reason: key leaked}\n")
    append(cloned / "clients/ledger.yaml", 'retire: {approved_until: "2099-01-31", reason: moved}\n')
    (cloned / "clients/search.yaml").unlink()
    (cloned / "clients/new.yaml").write_text(
        'name: new\naccount_id: "111111111111"\nrole_name: new-app\nowner: new@example.com\n'
    )
    old, new = cloned / "clients/partner-gateway.yaml", cloned / "clients/gateway.yaml"
    text = old.read_text("utf-8").replace("name: partner-gateway\n", "name: gateway\npreviously: partner-gateway\n", 1)
    new.write_text(text, "utf-8")
    old.unlink()
    if "policy" not in text:
        append(new, "" if "vault:" in text else "vault: {policy: partner-gateway-policy}\n")
    rendered = run("render")
    assert rendered.code == ExitCode.CLEAN, rendered
    out = run("diff", "--base", "main").out
    for line in (
        "  - payments: the client `payments` is suspended: `key leaked`",
        "  - ledger: the client `ledger` is retired: `moved, may be destroyed until 2099-01-31`",
        "  - search: the client `search` is removed",
        "  + new: the client `new` is added: `arn:aws:iam::111111111111:role/new-app` may log in",
        "  ~ gateway: the client `partner-gateway` is renamed to `gateway`",
    ):
        assert line in out
    # The two are committed, and what is told next is told against them.
    git(cloned, "add", "--all")
    git(cloned, "commit", "--quiet", "--message", "x")
    edit(cloned / "clients/payments.yaml", "suspend: {reason: key leaked}\n", "")
    assert run("render").code == ExitCode.CLEAN
    assert "the client `payments` is no longer suspended" in run("diff", "--base", "HEAD").out


def test_a_base_without_the_tool_means_that_everything_is_added(run: Run, cloned: Path) -> None:
    git(cloned, "checkout", "--quiet", "--orphan", "empty")
    git(cloned, "rm", "--quiet", "-r", "--cached", ".")
    git(cloned, "commit", "--quiet", "--allow-empty", "--message", "x")
    ended = run("diff", "--base", "empty", "--format", "json")
    assert (ended.code, ended.err) == (ExitCode.CLEAN, "")
    added = {each["subject"] for each in json.loads(ended.out)["changes"] if each["topic"] == "clients"}
    assert {"payments", "ledger", "scanner"} <= added


def test_a_stale_tree_is_compared_as_it_stands_and_said_to_be_stale(run: Run, cloned: Path) -> None:
    append(cloned / "clients/payments.yaml", GRANT)
    ended = run("diff", "--base", "main")
    assert ended.code == ExitCode.CLEAN
    assert "nothing changes in meaning" in ended.out
    assert "warning: terraform/ is stale" in ended.err


def test_an_account_that_is_left_over_is_not_stale(run: Run, cloned: Path) -> None:
    for path in cloned.glob("clients/**/*.yaml"):
        if "444444444444" in path.read_text("utf-8") or path.stem == "444444444444":
            path.unlink()
    assert run("render").code == ExitCode.CLEAN
    ended = run("diff", "--base", "main")
    assert (ended.code, ended.err) == (ExitCode.CLEAN, "")
    assert (cloned / "terraform/accounts/444444444444/vault/root.tf").exists()


def test_a_tree_that_cannot_be_read_is_findings_on_either_side(run: Run, cloned: Path) -> None:
    edit(cloned / PAYMENTS, '"iam"', "var.auth")
    now = run("diff", "--base", "main")
    assert (now.code, PAYMENTS in now.out, now.err) == (ExitCode.FINDINGS, True, "")
    git(cloned, "commit", "--quiet", "--all", "--message", "x")
    edit(cloned / PAYMENTS, "var.auth", '"iam"')
    former = run("diff", "--base", "HEAD")
    assert former.code == ExitCode.FINDINGS
    assert "terraform/ cannot be read as it was at" in former.err
    assert "var.auth" in former.out, "the line is shown as it was"


@pytest.mark.usefixtures("cloned")
@pytest.mark.parametrize("ref", ["nope", "--help", "-x"])
def test_an_unknown_base_is_a_usage_error(run: Run, ref: str) -> None:
    ended = run("diff", f"--base={ref}")
    assert (ended.code, ended.out) == (ExitCode.USAGE, "")
    assert f"git knows no commit `{ref}`" in ended.err


def test_outside_of_a_repository_and_without_a_base_it_is_a_usage_error(run: Run) -> None:
    assert run("diff", "--base", "main").code == ExitCode.USAGE
    assert run("diff").code == ExitCode.USAGE
    assert run("diff", "--base", "main", "--format", "sarif").code == ExitCode.USAGE


HOSTILE = "</details><img src=x onerror=alert(1)> @everyone `code` [x](http://x.example) #1 \\u202e **bold**"


def test_what_manifests_say_is_nothing_but_text_in_a_comment(run: Run, cloned: Path) -> None:
    for name in ("payments", "ledger"):
        path = cloned / f"clients/{name}.yaml"
        lines = [line for line in path.read_text("utf-8").splitlines() if not line.startswith("owner:")]
        path.write_text("\n".join([*lines, f"owner: '{HOSTILE}'", f"suspend: {{reason: '{HOSTILE}'}}", ""]), "utf-8")
    assert run("render").code == ExitCode.CLEAN
    out = run("diff", "--base", "main", "--format", "markdown").out
    tokens = MarkdownIt("gfm-like", {"linkify": False}).parse(out)
    html = [token.content for token in tokens if token.type == "html_block"]
    assert all(each.strip().startswith(("<details><summary>", "</details>")) and "img" not in each for each in html)
    plain = [
        child for token in tokens for child in token.children or () if child.type not in {"code_inline", "softbreak"}
    ]
    assert {child.type for child in plain} <= {"text", "strong_open", "strong_close"}
    assert not [child.content for child in plain if "@" in child.content or "#1" in child.content]
    assert out.count("<details>") == out.count("\n</details>\n")
    assert out == run("diff", "--base", "main", "--format", "markdown").out


def test_a_comment_is_cut_where_github_would_and_says_how_much_is_left_out(run: Run, cloned: Path) -> None:
    for number in range(300):
        name = f"c{number:03}"
        (cloned / f"clients/{name}.yaml").write_text(
            f'name: {name}\naccount_id: "555555555555"\nrole_name: {name}-app\nowner: {name}@example.com\n{GRANT}'
        )
    assert run("render").code == ExitCode.CLEAN
    out = run("diff", "--base", "main", "--format", "markdown").out
    changes = len(json.loads(run("diff", "--base", "main", "--format", "json").out)["changes"])
    assert 50_000 < len(out.encode()) <= 60_000
    shown = sum(line.startswith("- ") for line in out.splitlines())
    assert f"And {changes - shown} more changes: run `crosskeys diff` against `main` to see all." in out
    assert out.count("<details>") == out.count("\n</details>\n")
