"""The report of a look as Markdown: what somebody reads who was woken by it."""

from __future__ import annotations

from generator.diagnostics import Diagnostic, Note, Severity, Span
from generator.report import since
from generator.report.verification import Verification, as_markdown

OLD = Diagnostic("CK941", Severity.ERROR, Span("terraform/b.tf", 3, 1, 3, 9), "it is `b`", "apply")
NEW = Diagnostic(
    "CK947", Severity.ERROR, Span("terraform/c.tf", 3, 1, 3, 9), "it is `c`", "narrow it", (Note(Span("c.yaml"), "of"),)
)
WARNING = Diagnostic("CK969", Severity.WARNING, Span("crosskeys.yaml"), "it is `a`", "update it")


def verification(compared: since.Since | None) -> Verification:
    return Verification(
        target="live",
        whole=True,
        clients=9,
        findings=(WARNING, OLD, NEW),
        unread=(),
        unread_count=0,
        checked=(("vault_policy", 40),),
        undeclared=(),
        handed_over=(),
        vault_version="1.21.2",
        cluster_id="",
        tree="0" * 64,
        started="2026-11-24T02:00:00Z",
        seconds=1.25,
        requests=80,
        since=compared,
    )


def look(when: str, *findings: Diagnostic) -> since.Outcome:
    seen = since.seen(findings, when)
    return since.Outcome(of="live", cluster_id="c-1", when=when, objects=40, seen=seen, complete=True)


def test_errors_come_first_each_with_what_to_do_and_how_long_it_is_there() -> None:
    gone = Diagnostic("CK940", Severity.ERROR, Span("terraform/a.tf"), "it is gone", "apply")
    before, now = look("2026-11-23T02:00:00Z", gone, OLD, WARNING), look("2026-11-24T02:00:00Z", WARNING, OLD, NEW)
    text = as_markdown(verification(since.since(before, now)))
    assert text.endswith(
        "since the last look, 2026-11-23T02:00:00Z: 1 new, 2 still there, 1 gone\n"
        "\n"
        "- `gone: error[CK940] terraform/a.tf: it is gone`\n"
        "\n"
        "**Findings**\n"
        "\n"
        "- since 2026-11-23T02:00:00Z: error `CK941`, `terraform/b.tf:3:1`: it is `b`\\\n"
        "  → apply\n"
        "- **new** error `CK947`, `terraform/c.tf:3:1`: it is `c`\\\n"
        "  note: of: `c.yaml`\\\n"
        "  → narrow it\n"
        "- since 2026-11-23T02:00:00Z: warning `CK969`, `crosskeys.yaml`: it is `a`\\\n"
        "  → update it\n"
    )


def test_nothing_is_called_new_where_nothing_can_be_compared() -> None:
    first = since.since("there is none yet", look("2026-11-24T02:00:00Z", OLD))
    assert "**new**" not in as_markdown(verification(first))
    assert "not compared with the last look: there is none yet\n" in as_markdown(verification(first))
    assert "- error `CK941`" in as_markdown(verification(None))
