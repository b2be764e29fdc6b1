"""What happens at the edges: closed outputs, bugs, the log, and the time it takes to say the version."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from generator import __version__
from generator.cli import manifests
from generator.cli.context import ending_well
from generator.errors import ExitCode
from tests.cli.conftest import PROGRAM, edit, program

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Run

VAULT_TOKEN = "hvs.CAESIJ1mYfX2s0dPpvQqkZ3yH5w8n4t6u7v9x0a1b2c3d4"
SECRET_KEY = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"


@pytest.mark.parametrize("verb", [["schema", "fleet"], ["validate"], ["render", "--diff"]], ids=" ".join)
def test_a_reader_that_goes_away_gets_no_traceback_and_no_false_verdict(fleet: Path, verb: list[str]) -> None:
    edit(fleet / "clients/payments.yaml", "owner: payments-team@example.com", "owner: others@example.com")
    read, write = os.pipe()
    os.close(read)
    try:
        ended = subprocess.run(
            [PROGRAM, "-C", fleet, *verb], stdout=write, stderr=subprocess.PIPE, text=True, check=False
        )
    finally:
        os.close(write)
    assert ended.stderr == "error: the output was closed before all of it was written\n"
    assert ended.returncode == ExitCode.USAGE


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-", "<&-"])
def test_closed_streams_change_no_verdict(fleet: Path, closed: str) -> None:
    def code(verb: str) -> int:
        line = f"'{PROGRAM}' -C '{fleet}' {verb} {closed}"
        return subprocess.run(["sh", "-c", line], capture_output=True, check=False).returncode

    assert code("check") == ExitCode.CLEAN
    edit(fleet / "clients/payments.yaml", "owner:", "owned_by:")
    assert code("check") == ExitCode.FINDINGS


def test_a_bug_is_said_in_one_line_and_is_2(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError(f"with a token {VAULT_TOKEN}")

    monkeypatch.setattr(manifests, "print_findings", fail)
    ended = run("validate")
    assert ended.code == ExitCode.USAGE
    assert ended.err.splitlines() == [
        "error: crosskeys itself failed: ZeroDivisionError: with a token [redacted]",
        "help: run it again with -vv and report what the log says",
    ]
    ended = run("-vv", "validate")
    assert "Traceback" in ended.err
    assert VAULT_TOKEN not in ended.err


def test_an_interruption_is_130(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(manifests, "print_findings", interrupt)
    assert run("validate").code == ExitCode.INTERRUPTED
    assert ending_well(interrupt) == ExitCode.INTERRUPTED


def test_the_log_is_silent_unless_asked_and_never_on_stdout(run: Run) -> None:
    assert run("check").err == ""
    ended = run("-v", "--no-cache", "check")
    assert "read the manifests clients=9 accounts=4" in ended.err
    assert ended.out == run("check").out


def test_each_line_of_a_json_log_is_an_object_with_time_level_and_message(run: Run) -> None:
    lines = [json.loads(line) for line in run("-vv", "--log-format", "json", "--no-cache", "check").err.splitlines()]
    assert lines
    for line in lines:
        assert line.keys() >= {"time", "level", "logger", "message"}
    assert lines[0]["clients"] == 9


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_secrets_do_not_reach_the_log(run: Run, capsys: pytest.CaptureFixture[str], log_format: str) -> None:
    run("-vv", "--log-format", log_format, "check")
    logging.getLogger("generator.test").warning(
        "token %s", VAULT_TOKEN, extra={"variables": f"AWS_SECRET_ACCESS_KEY={SECRET_KEY}"}
    )
    said = capsys.readouterr().err
    assert "redacted" in said
    assert VAULT_TOKEN not in said
    assert SECRET_KEY not in said


def test_the_version_is_said() -> None:
    assert program("--version").out == f"crosskeys {__version__}\n"


HEAVY = ("boto3", "hvac", "hcl2", "pydantic", "jinja2", "rich", "requests", "yaml")


@pytest.mark.parametrize("option", ["--version", "--help"])
def test_help_and_version_load_no_heavy_library(option: str) -> None:
    script = (
        "import sys; from generator.cli import app\n"
        f"try: app(['{option}'], prog_name='crosskeys')\n"
        "except SystemExit: pass\n"
        f"sys.exit(','.join(set({HEAVY!r}) & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.stderr.strip() == ""
