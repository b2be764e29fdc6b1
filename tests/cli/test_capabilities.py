"""The verb capabilities."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Run

POLICY = """\
path "secret/data/certs/*" {
  capabilities = ["read", "list"]
}
path "secret/data/certs/+/root" {
  policy = "deny"
}
path "home/{{identity.entity.name}}" {
  capabilities = ["update"]
}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "ops.hcl").write_text(POLICY, "utf-8")
    (tmp_path / "more.json").write_text('{"path": {"secret/data/certs/*": {"policy": "write"}}}', "utf-8")
    (tmp_path / "who.json").write_text('{"entity": {"name": "ann"}}', "utf-8")
    return tmp_path


@pytest.fixture
def asked(folder: Path, call: Run) -> Run:
    """Ask about the policies in the folder."""
    return lambda *arguments: call("-C", str(folder), "capabilities", *arguments)


def test_shows_what_vault_would_answer_for_each_path_in_order(asked: Run) -> None:
    shown = asked("--policy", "ops.hcl", "x", "secret/data/certs/a", "--format", "json")
    assert shown.code == 0
    assert list(json.loads(shown.out).items()) == [("secret/data/certs/a", ["list", "read"]), ("x", ["deny"])]
    shown = asked("--policy", "ops.hcl", "--policy", "more.json", "secret/data/certs/a")
    assert shown.out == "secret/data/certs/a  create, delete, list, read, update\n"


def test_says_which_rule_of_which_file_decides_a_request_and_exits_1_when_one_is_denied(asked: Run) -> None:
    allowed = asked("--policy", "ops.hcl", "--operation", "read", "secret/data/certs/a")
    assert (allowed.code, allowed.out.splitlines()[1].strip()) == (0, 'ops.hcl:1:1: path "secret/data/certs/*"')
    denied = asked("--policy", "more.json", "--operation", "patch", "secret/data/certs/a", "--format", "json")
    assert denied.code == 1
    assert json.loads(denied.out) == {
        "secret/data/certs/a": {
            "operation": "patch",
            "allowed": False,
            "reason": "the rule has no capability `patch`",
            "rules": [{"policy": "more", "path": "secret/data/certs/*", "file": "more.json", "line": 1, "column": 11}],
        }
    }


def test_templated_paths_are_for_the_identity_that_is_given(asked: Run) -> None:
    assert asked("--policy", "ops.hcl", "home/ann").out == "home/ann  deny\n"
    assert asked("--policy", "ops.hcl", "--identity", "who.json", "home/ann").out == "home/ann  update\n"


def test_lists_are_decided_by_the_version_that_is_named(asked: Run, folder: Path) -> None:
    (folder / "p.hcl").write_text('path "a/*" { policy = "read" }\npath "a/b/*" { policy = "deny" }\n', "utf-8")
    arguments = ("--policy", "p.hcl", "--operation", "list", "a/b")
    assert asked(*arguments).code == 0
    assert asked(*arguments, "--semantics", "2.0.3").code == 1


def test_every_fault_of_every_policy_is_a_finding(asked: Run, folder: Path) -> None:
    (folder / "a.hcl").write_text('path "a" { capabilities = ["raed"] }\npath "+*" {}\n', "utf-8")
    (folder / "b.hcl").write_text('path "a" { mfa_methods = ["duo"] }\n', "utf-8")
    shown = asked("--policy", "a.hcl", "--policy", "b.hcl", "x", "--format", "concise")
    assert shown.code == 1
    assert [line.split()[0] + line.split()[2] for line in shown.out.splitlines()[:3]] == [
        "a.hcl:1:12:CK820",
        "a.hcl:2:1:CK820",
        "b.hcl:1:12:CK821",
    ]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--policy", "none.hcl", "x"), "none.hcl cannot be read: No such file"),
        (("--policy", ".", "x"), "cannot be read: Is a directory"),
        (("--policy", "latin.hcl", "x"), "latin.hcl is not UTF-8 at byte 8"),
        (("--policy", "ops.hcl", "--identity", "ops.hcl", "x"), "ops.hcl is not JSON"),
        (("--policy", "ops.hcl", "--identity", "more.json", "x"), "the identity cannot be read"),
        (("--policy", "ops.hcl", ""), "is no path"),
        (("--policy", "ops.hcl", "a\x1b[1mb"), r"`'a\x1b[1mb'` is no path"),
        (("--policy", "ops.hcl", "--operation", "read", "a//b"), "Vault redirects a request to `a//b`"),
        (("--policy", "ops.hcl", "--operation", "read", "a/../b"), "Vault redirects a request"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_cannot_be_asked_is_a_usage_error(asked: Run, folder: Path, arguments: tuple[str, ...], said: str) -> None:
    (folder / "latin.hcl").write_bytes(b'path "a \xe4" {}\n')
    ended = asked(*arguments)
    assert (ended.code, ended.out) == (2, "")
    assert said in ended.err
    assert "help: " in ended.err
