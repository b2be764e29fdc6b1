"""Progress of a run: lines for a log, which never falls silent, and a bar for a terminal."""

from __future__ import annotations

import io
import time

import pytest

from generator.report.pace import Pace, duration
from generator.report.progress import progress
from tests.report.runs import CLEAN, FAILED, PLANNED, SKIPPED, Terminal

ROOTS = (PLANNED.root, CLEAN.root, FAILED.root)


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)


def test_a_log_gets_one_plain_line_for_each_root_with_something_to_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TTY_INTERACTIVE", "1")
    stream = io.StringIO()
    with progress(ROOTS, stream) as observer:
        observer.started("plan", PLANNED.root)
        observer.progress(PLANNED.root, "vault_policy.payments: Refreshing state...")
        observer.finished(PLANNED)
        observer.finished(CLEAN)
        observer.finished(SKIPPED)
        observer.finished(FAILED)
        observer.interrupted(2)
    assert stream.getvalue().splitlines() == [
        "plan  accounts/111111111111/vault  +2 ~0 -1  0.4 s",
        "apply accounts/222222222222/vault  skipped: accounts/222222222222/aws failed  0.4 s",
        "plan  accounts/333333333333/vault  failed  0.4 s",
        "interrupted: waiting for Terraform to stop in 2 roots; do not kill it",
    ]


def test_a_log_that_was_silent_for_long_says_how_far_the_run_is() -> None:
    stream = io.StringIO()
    with progress(ROOTS, stream, silence=0.05) as observer:
        observer.finished(CLEAN)
        observer.started("plan", PLANNED.root)
        until = time.monotonic() + 10
        while not stream.getvalue() and time.monotonic() < until:
            time.sleep(0.01)
    first = stream.getvalue().splitlines()[0]
    assert first.startswith("1 of 3 roots done, ")
    assert first.endswith("less than a minute left; running: accounts/111111111111/vault for 0 s")


def test_a_log_with_lines_gets_no_status() -> None:
    stream = io.StringIO()
    with progress(ROOTS, stream, silence=0.5) as observer:
        for _ in range(30):
            observer.finished(PLANNED)
            time.sleep(0.02)
    assert "roots done" not in stream.getvalue()


def test_a_terminal_shows_what_runs_and_keeps_what_matters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "200")
    stream = Terminal()
    with progress(ROOTS, stream) as observer:
        observer.started("plan", PLANNED.root)
        observer.progress(PLANNED.root, "vault_policy.x: Refreshing state... [id=/x]")
        observer.started("plan", CLEAN.root)
        observer.finished(CLEAN)
        observer.finished(PLANNED)
        observer.finished(SKIPPED)
        observer.interrupted(0)
        time.sleep(0.25)  # the bar is drawn ten times a second
    out = stream.getvalue()
    assert "plan  accounts/111111111111/vault  +2 ~0 -1  0.4 s" in out
    assert "222222222222/vault  +0" not in out
    assert "skipped: accounts/222222222222/aws failed" in out
    assert "interrupted: nothing new is started" in out
    assert "\x1b[3" not in out
    assert out.count("\x1b[?25h") == 1, "the cursor is back"


def test_a_terminal_shows_the_time_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "200")
    stream = Terminal()
    with progress(ROOTS, stream) as observer:
        observer.finished(PLANNED)
        observer.started("plan", CLEAN.root)
        time.sleep(0.25)
    assert "a second, less than a minute left" in stream.getvalue()


def test_a_dumb_terminal_gets_plain_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    stream = Terminal()
    with progress(ROOTS, stream) as observer:
        observer.finished(PLANNED)
    assert stream.getvalue() == "plan  accounts/111111111111/vault  +2 ~0 -1  0.4 s\n"


def test_a_closed_stderr_fails_no_run() -> None:
    class Closed(io.StringIO):
        def write(self, _text: str) -> int:
            raise BrokenPipeError

    with progress(ROOTS, Closed(), silence=0.01) as observer:
        observer.finished(PLANNED)
        time.sleep(0.05)


def test_the_time_left_is_estimated_by_kind_of_root() -> None:
    names = [f"accounts/{number}/{side}" for number in range(100) for side in ("aws", "vault")]
    pace = Pace(names, 0.0)
    for name in ("accounts/0/aws", "accounts/1/aws"):
        pace.start(name, 0.0)
    pace.finish("accounts/0/aws", 4.0)
    assert pace.seconds_left(4.0) is None, "no vault root is done, and nothing is known of them"
    pace.start("accounts/0/vault", 4.0)
    pace.finish("accounts/0/vault", 0.5)
    pace.finish("accounts/1/aws", 6.0)
    # 98 AWS roots of 5 s and 99 Vault roots of 0.5 s, two at a time.
    assert pace.seconds_left(6.0) == pytest.approx((98 * 5 + 99 * 0.5) / 2)
    pace.start("accounts/2/aws", 6.0)
    assert pace.seconds_left(8.0) == pytest.approx((98 * 5 + 99 * 0.5 - 2) / 2)
    assert pace.status(8.0) == ("3 of 200 roots done, 22.5 a minute, about 4 min left; running: accounts/2/aws for 2 s")


def test_nothing_is_left_when_all_is_done() -> None:
    pace = Pace(["platform"], 0.0)
    pace.finish("platform", 1.0)
    assert pace.done == 1
    assert pace.seconds_left(1.0) is None
    assert pace.status(1.0) == "1 of 1 roots done, 1.0 a second"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(-1, "less than a minute"), (89, "about 1 min"), (600, "about 10 min"), (5400, "about 1.5 h")],
)
def test_a_length_of_time_is_told_as_an_estimate_is(seconds: float, words: str) -> None:
    assert duration(seconds) == words
