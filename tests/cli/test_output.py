"""What is printed, where, and in which format."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
from typing import TYPE_CHECKING

import pytest

from generator.errors import ExitCode, RemoteError
from tests.cli.conftest import PROGRAM, edit, program

if TYPE_CHECKING:
    from pathlib import Path

    from generator.manifest.fleet import Fleet
    from tests.cli.conftest import Run

PAYMENTS = "clients/payments.yaml"
RENDERED = "terraform/accounts/111111111111/vault/client-payments.tf"
ANSI = "\x1b["


def test_findings_are_shown_with_their_line_and_what_to_write_instead(run: Run, fleet: Path) -> None:
    edit(fleet / PAYMENTS, '"111111111111"', "111111111111")
    out = run("validate").out
    assert f"--> {PAYMENTS}:3:13" in out
    assert "3 | account_id: 111111111111" in out
    assert "^^^^^^^^^^^^" in out
    assert "help: " in out


def test_all_findings_come_at_once(run: Run, fleet: Path) -> None:
    edit(fleet / PAYMENTS, "owner:", "owned_by:")
    edit(fleet / "clients/ledger.yaml", "15m", "15 minutes")
    out = run("validate", "--format", "concise").out
    assert {line.split(":")[0] for line in out.splitlines()} == {PAYMENTS, "clients/ledger.yaml"}


def test_concise_findings_are_one_line_each(run: Run, fleet: Path) -> None:
    edit(fleet / PAYMENTS, "owner:", "owned_by:")
    lines = run("validate", "--format", "concise").out.splitlines()
    assert lines
    for line in lines:
        assert re.fullmatch(r"clients/payments\.yaml:\d+:\d+: error CK\d{3} .+", line)


@pytest.mark.parametrize(
    "verb", [["validate"], ["check"], ["render", "--check"], ["render", "--diff"], ["render"], ["sandbox", "status"]]
)
@pytest.mark.parametrize("state", ["in order", "stale", "broken"])
def test_json_parses_whatever_the_verb_has_to_say(run: Run, fleet: Path, verb: list[str], state: str) -> None:
    if state == "stale":
        edit(fleet / PAYMENTS, "owner: payments-team@example.com", "owner: others@example.com")
    if state == "broken":
        edit(fleet / PAYMENTS, "owner:", "owned_by:")
    json.loads(run(*verb, "--format", "json").out)


def test_json_findings_have_rule_and_place(run: Run, fleet: Path) -> None:
    edit(fleet / PAYMENTS, "owner:", "owned_by:")
    findings = json.loads(run("validate", "--format", "json").out)
    assert {(f["path"], f["severity"]) for f in findings} == {(PAYMENTS, "error")}
    assert all(f["rule"].startswith("CK") and f["fingerprint"] for f in findings)


def test_render_says_in_json_what_it_wrote(run: Run, fleet: Path) -> None:
    (fleet / RENDERED).unlink()
    assert json.loads(run("render", "--format", "json").out) == {
        "added": [RENDERED],
        "changed": [],
        "removed": [],
        "unchanged": 28,
    }


def test_render_check_names_what_is_missing_stale_and_left_over(run: Run, fleet: Path) -> None:
    edit(fleet / PAYMENTS, "owner: payments-team@example.com", "owner: others@example.com")
    (fleet / "terraform/platform/root.tf").unlink()
    (fleet / "clients/search.yaml").unlink()
    out = run("render", "--check", "--format", "concise").out
    assert f"{RENDERED}: error CK701 the file is out of date" in out
    assert "terraform/platform/root.tf: error CK701 the file is missing" in out
    left_over = "terraform/accounts/333333333333/vault/client-search.tf"
    assert f"{left_over}: error CK701 no manifest says that this file exists" in out


def test_a_hand_edit_is_told_from_a_stale_file(run: Run, fleet: Path) -> None:
    edit(fleet / RENDERED, "3600", "36000")
    assert f"{RENDERED}: error CK703" in run("check", "--format", "concise").out


def test_render_diff_shows_the_change_and_writes_nothing(run: Run, fleet: Path) -> None:
    edit(fleet / PAYMENTS, "owner: payments-team@example.com", "owner: others@example.com")
    before = (fleet / RENDERED).read_bytes()
    ended = run("render", "--diff")
    assert ended.code == ExitCode.CLEAN
    assert f"--- a/{RENDERED}\n+++ b/{RENDERED}\n" in ended.out
    assert "-# Owner: payments-team@example.com\n+# Owner: others@example.com\n" in ended.out
    assert (fleet / RENDERED).read_bytes() == before


def test_render_diff_with_check_fails_when_there_is_a_difference(run: Run, fleet: Path) -> None:
    assert run("render", "--diff", "--check").code == ExitCode.CLEAN
    edit(fleet / PAYMENTS, "owner: payments-team@example.com", "owner: others@example.com")
    ended = run("render", "--diff", "--check")
    assert ended.code == ExitCode.FINDINGS
    assert "+# Owner: others@example.com" in ended.out


def test_the_folder_is_the_one_that_c_names_or_the_current_one(fleet: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(fleet.parent)
    assert program("-C", "fleet", "check").code == ExitCode.CLEAN
    assert program("check").code == ExitCode.FINDINGS, "there is no client manifest here"
    assert program("check", environment={"CROSSKEYS_DIRECTORY": "fleet"}).code == ExitCode.CLEAN
    monkeypatch.chdir(fleet)
    assert program("check").code == ExitCode.CLEAN


def on_a_terminal(fleet: Path, *arguments: str, **environment: str) -> str:
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [PROGRAM, "-C", str(fleet), *arguments],
        env={**os.environ, "TERM": "xterm", **environment},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    ) as process:
        os.close(theirs)
        said = b""
        while True:
            try:
                chunk = os.read(ours, 4096)
            except OSError:  # Linux: the other end of the terminal is closed
                break
            said += chunk
        process.wait()
    os.close(ours)
    return said.decode()


def test_colours_are_for_terminals_that_want_them(run: Run, fleet: Path) -> None:
    edit(fleet / PAYMENTS, "owner:", "owned_by:")
    assert ANSI in on_a_terminal(fleet, "validate")
    assert ANSI not in on_a_terminal(fleet, "validate", NO_COLOR="1")
    assert ANSI not in on_a_terminal(fleet, "validate", "--format", "json")
    assert ANSI not in run("validate").out


def test_what_a_manifest_says_never_reaches_a_shell_that_evaluates_the_sandboxs_variables(
    run: Run, fleet: Path
) -> None:
    edit(fleet / PAYMENTS, "owner:", '"$(touch pwned)":')
    for fmt in ("env", "json", "full"):
        ended = run("sandbox", "up", "--format", fmt)
        assert ended.code == ExitCode.FINDINGS
        assert ended.out == ""
        assert "touch pwned" in ended.err


def test_a_fleet_that_was_just_begun_gets_a_sandbox_before_its_first_client(
    call: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Fleet] = []

    def not_now(_: Path, fleet: Fleet) -> None:
        asked.append(fleet)
        raise RemoteError("no sandbox is brought up here")

    monkeypatch.setattr("generator.cli.sandbox.brought_up", not_now)
    assert call("init", str(tmp_path / "begun")).code == ExitCode.CLEAN
    assert call("-C", str(tmp_path / "begun"), "sandbox", "up").code == ExitCode.REMOTE
    assert [fleet.clients for fleet in asked] == [()]


def test_a_folder_that_is_no_fleet_gets_no_sandbox(tmp_path: Path) -> None:
    ended = program("-C", str(tmp_path), "sandbox", "up")
    assert (ended.code, ended.out) == (ExitCode.FINDINGS, "")
    assert "there is no client manifest" in ended.err
    assert not (tmp_path / ".crosskeys").exists()


def test_schemas_are_printed_and_written(run: Run, fleet: Path) -> None:
    for kind in ("client", "account", "fleet"):
        assert json.loads(run("schema", kind).out)["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert run("schema").out == run("schema", "client").out
    assert run("schema", "--write", "made/schemas").code == ExitCode.CLEAN
    written = {path.name: path.read_text() for path in (fleet / "made/schemas").iterdir()}
    assert sorted(written) == ["account.schema.json", "client.schema.json", "fleet.schema.json"]
    assert written["client.schema.json"] == run("schema", "client").out


@pytest.mark.parametrize("verb", [["validate"], ["check"], ["render", "--check"]])
@pytest.mark.parametrize("state", ["in order", "stale", "broken"])
def test_sarif_is_a_whole_document_whatever_the_verb_has_to_say(
    run: Run, fleet: Path, verb: list[str], state: str
) -> None:
    if state == "stale":
        edit(fleet / PAYMENTS, "owner: payments-team@example.com", "owner: others@example.com")
    if state == "broken":
        edit(fleet / PAYMENTS, "owner:", "owned_by:")
    ended = run(*verb, "--format", "sarif")
    results = json.loads(ended.out)["runs"][0]["results"]
    assert bool(results) is (ended.code == ExitCode.FINDINGS)
    assert bool(results) is (state == "broken" or (state == "stale" and verb != ["validate"]))


def test_a_fleet_below_the_top_of_its_repository_names_files_as_the_repository_does(run: Run, fleet: Path) -> None:
    (fleet.parent / ".git").mkdir()
    edit(fleet / PAYMENTS, "owner:", "owned_by:")
    assert f"file={fleet.name}/{PAYMENTS}," in run("check", "--format", "github").out
    assert f"**`{fleet.name}/{PAYMENTS}`**" in run("check", "--format", "markdown").out
    assert f'"uri": "{fleet.name}/{PAYMENTS}"' in run("check", "--format", "sarif").out
    assert f"\n{PAYMENTS}:" in "\n" + run("check", "--format", "concise").out
    (fleet / ".git").write_text("gitdir: elsewhere\n")
    assert f"file={PAYMENTS}," in run("check", "--format", "github").out


def test_a_comment_shows_what_is_right_and_what_rendering_would_change(run: Run, fleet: Path) -> None:
    assert run("check", "--format", "markdown").out == (
        "### crosskeys: all in order\n\n9 clients in 4 accounts: in order, and terraform/ is up to date.\n"
    )
    edit(fleet / PAYMENTS, "owner: payments-team@example.com", "owner: others@example.com")
    (fleet / "terraform/platform/root.tf").unlink()
    out = run("check", "--format", "markdown").out
    assert out.startswith(
        "### crosskeys: 3 errors\n\n9 clients in 4 accounts: in order; rendering would add 1, change 2 "
    )
    assert f"**`{RENDERED}`**" in out


@pytest.mark.parametrize("fmt", ["sarif", "github", "markdown"])
@pytest.mark.parametrize(
    "verb",
    [["render"], ["render", "--diff"], ["render", "--check", "--diff"], ["plan"], ["apply"], ["sandbox", "status"]],
)
def test_formats_of_findings_are_refused_where_something_else_is_printed(run: Run, verb: list[str], fmt: str) -> None:
    ended = run(*verb, "--format", fmt)
    assert ended.code == ExitCode.USAGE
    assert ended.out == ""
    assert "full, concise or json" in ended.err
