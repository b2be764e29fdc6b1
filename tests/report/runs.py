"""Rows of runs, as tests of reports need them."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

from generator.diagnostics import Severity
from generator.report.run_report import RunReport
from generator.report.runs import ResourceChange, Row, TerraformDiagnostic

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
    clients=("payments",),
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
    """What takes itself for a terminal."""

    def isatty(self) -> bool:
        return True


def many(number: int, **differently: Any) -> list[Row]:
    """Return as many roots, each with a client of its own that gets a policy."""
    return [
        replace(
            PLANNED,
            root=f"accounts/{index:012}/vault",
            clients=(f"client-{index}",),
            **{
                "add": 1,
                "destroy": 0,
                "changes": (ResourceChange(f"vault_policy.client-{index}", "create"),),
                **differently,
            },
        )
        for index in range(number)
    ]


def report(*rows: Row, **differently: Any) -> RunReport:
    """Return the report of a run with these rows."""
    said: dict[str, Any] = {
        "verb": "apply" if any(row.step == "apply" for row in rows) else "plan",
        "target": "sandbox",
        "tree": "a" * 64,
        "started": "2026-01-02T03:04:05Z",
        "seconds": 61.04,
        "exit_code": 0,
        "rows": rows,
    }
    return RunReport(**(said | differently))
