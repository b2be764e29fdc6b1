from __future__ import annotations

import io
import json
from dataclasses import replace

import pytest

from generator.diagnostics import Severity
from generator.report.progress import progress
from generator.report.runs import ResourceChange, Row, TerraformDiagnostic, print_summary, to_json

PLANNED = Row(
    step="plan",
    root="accounts/111111111111/vault",
    outcome="changes",
    add=2,
    change=0,
    destroy=1,
    seconds=0.44,
    reason=None,
    changes=(ResourceChange("vault_policy.payments", "create"),),
    diagnostics=(),
)
CLEAN = replace(PLANNED, root="accounts/222222222222/vault", outcome="clean", add=0, destroy=0, changes=())
SKIPPED = replace(CLEAN, step="apply", outcome="skipped", reason="accounts/222222222222/aws failed")
FAILED = replace(
    CLEAN,
    root="accounts/333333333333/vault",
    outcome="failed",
    diagnostics=(
        TerraformDiagnostic(
            Severity.ERROR,
            "Error writing [red]x[/red]",
            "first line\n\n\x1b[2Jsecond line " + "long " * 40,
            "vault_policy.payments",
            "accounts/333333333333/vault/client-payments.tf",
            8,
        ),
        TerraformDiagnostic(Severity.WARNING, "Deprecated"),
    ),
)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)


def test_the_table_has_a_line_a_root_and_ends_with_the_total() -> None:
    stream = io.StringIO()
    print_summary([PLANNED, replace(PLANNED, root="platform", add=1)], stream)
    lines = [line.split() for line in stream.getvalue().splitlines()]
    assert lines[0] == ["root", "outcome", "add", "change", "destroy", "seconds"]
    assert ["accounts/111111111111/vault", "changes", "2", "0", "1", "0.4"] in lines
    assert lines[-1] == ["total:", "2", "roots", "3", "0", "2"]


def test_terraform_is_quoted_whole_and_takes_no_hold_of_the_terminal() -> None:
    stream = io.StringIO()
    print_summary([FAILED], stream)
    out = stream.getvalue()
    assert out.startswith(
        "error: Error writing [red]x[/red]\n"
        "  accounts/333333333333/vault/client-payments.tf:8, vault_policy.payments\n"
        "  first line\n\n  \\x1b[2Jsecond line " + "long " * 40
    )
    assert "warning: Deprecated\n  accounts/333333333333/vault\n" in out
    assert "\x1b" not in out


def test_a_skipped_root_says_why() -> None:
    stream = io.StringIO()
    print_summary([SKIPPED], stream)
    assert "accounts/222222222222/vault skipped: accounts/222222222222/aws failed\n" in stream.getvalue()


def test_colour_is_for_terminals_that_want_it(monkeypatch: pytest.MonkeyPatch) -> None:
    coloured, plain = Terminal(), Terminal()
    print_summary([FAILED], coloured)
    assert "\x1b[1;31m" in coloured.getvalue()
    monkeypatch.setenv("NO_COLOR", "1")
    print_summary([FAILED], plain)
    assert "31m" not in plain.getvalue()


def test_json_is_one_object_with_everything() -> None:
    document = json.loads(to_json([PLANNED, FAILED]))
    assert document["total"] == {"add": 2, "change": 0, "destroy": 1}
    assert document["roots"][0]["changes"] == [{"address": "vault_policy.payments", "action": "create"}]
    assert document["roots"][0]["outcome"] == "changes"
    assert document["roots"][1]["diagnostics"][0]["line"] == 8
    assert document["roots"][1]["diagnostics"][0]["severity"] == "error"


def test_a_log_gets_one_plain_line_a_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TTY_INTERACTIVE", "1")
    stream = io.StringIO()
    with progress(3, stream) as observer:
        observer.started("plan", PLANNED.root)
        observer.progress(PLANNED.root, "vault_policy.payments: Refreshing state...")
        observer.finished(PLANNED)
        observer.finished(SKIPPED)
        observer.finished(FAILED)
        observer.interrupted(2)
    assert stream.getvalue().splitlines() == [
        "plan  accounts/111111111111/vault  +2 ~0 -1  0.4 s",
        "apply accounts/222222222222/vault  skipped: accounts/222222222222/aws failed  0.4 s",
        "plan  accounts/333333333333/vault  failed  0.4 s",
        "interrupted: waiting for Terraform to stop in 2 roots; do not kill it",
    ]


def test_a_terminal_shows_what_runs_and_keeps_what_matters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "200")
    stream = Terminal()
    with progress(3, stream) as observer:
        observer.started("plan", PLANNED.root)
        observer.progress(PLANNED.root, "vault_policy.x: Refreshing state... [id=/x]")
        observer.started("plan", CLEAN.root)
        observer.finished(CLEAN)
        observer.finished(PLANNED)
        observer.finished(SKIPPED)
        observer.interrupted(0)
    out = stream.getvalue()
    assert "plan  accounts/111111111111/vault  +2 ~0 -1  0.4 s" in out
    assert "222222222222/vault  +0" not in out
    assert "skipped: accounts/222222222222/aws failed" in out
    assert "interrupted: nothing new is started" in out
    assert "\x1b[3" not in out
    assert out.count("\x1b[?25h") == 1, "the cursor is back"


def test_a_dumb_terminal_gets_plain_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    stream = Terminal()
    with progress(1, stream) as observer:
        observer.finished(PLANNED)
    assert stream.getvalue() == "plan  accounts/111111111111/vault  +2 ~0 -1  0.4 s\n"


def test_a_closed_stderr_fails_no_run() -> None:
    class Closed(io.StringIO):
        def write(self, _text: str) -> int:
            raise BrokenPipeError

    with progress(1, Closed()) as observer:
        observer.finished(PLANNED)
