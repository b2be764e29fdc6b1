"""Flaws of the version that the live Vault has."""

from __future__ import annotations

from generator.diagnostics import Severity
from generator.rules.examples import LEDGER, PAYMENTS, client
from generator.rules.registry import Example, Rule

_SHARED = {
    PAYMENTS: client("vault: {role: payments}\n", role="app"),
    LEDGER: client("vault: {role: ledger}\n", name="ledger", account_id="222222222222", role="app"),
}

RULES = (
    Rule(
        id="CK968",
        name="vault-lets-another-in",
        title="The live Vault has a flaw by which somebody else may read a client's certificates",
        why="What is rendered is right, and Vault does not keep to it. CVE-2025-11621 is such a flaw where two clients "
        "have IAM roles of one name in two accounts: Vault takes the one for the other.",
        source="https://www.cve.org/CVERecord?id=CVE-2025-11621",
        fix="Update Vault to a version that the finding names; until then give the clients' IAM roles different names.",
        bad=Example(_SHARED, live="vault version  # Vault v1.20.4", also=("CK317",)),
        good=Example({**_SHARED, LEDGER: client(name="ledger", account_id="222222222222")}),
    ),
    Rule(
        id="CK969",
        name="flawed-vault",
        title="The live Vault has a flaw that is known, and that this use of it meets",
        severity=Severity.WARNING,
        why="By itself it lets nobody read a client's certificates; together with rights that others have in Vault it "
        "may. The [list of flaws](../vault-versions.md) says of each why it matters here.",
        source="https://www.cve.org/CVERecord?id=CVE-2026-3605",
        fix="Update Vault to a version that the finding names.",
        bad=Example({PAYMENTS: client()}, live="vault version  # Vault v1.21.2"),
        good=Example({PAYMENTS: client()}),
    ),
)
