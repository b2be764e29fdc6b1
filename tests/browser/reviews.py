"""Made-up reviews: of few clients or very many, well or hostile."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from generator.diagnostics import Diagnostic, Note, Severity, Span
from generator.report.review import Review, ReviewRow

if TYPE_CHECKING:
    from collections.abc import Iterator

_NAMES = ("payments", "ledger", "reports-eu", "reports-us", "scanner", "search", "partner-gateway", "vault-backup")
_TEAMS = ("payments-team", "finance-platform", "reporting", "security-tooling", "search", "partners", "operations")
_SHARED = (
    ("shared/ca", "pki@example.com"),
    ("shared/crl", "pki@example.com"),
    ("shared/partners", "partners@example.com"),
)

UNSEEN = (
    "Policies and roles that somebody wrote into Vault without Terraform.",
    "Logins by other auth methods than AWS, and tokens that were issued before.",
    "Who can assume the IAM roles in the clients' accounts.",
)


def row(number: int, clients_an_account: int = 3) -> ReviewRow:
    """The grant of a client's own directory under data/."""
    name = _NAMES[number] if number < len(_NAMES) else f"{_NAMES[number % len(_NAMES)]}-{number}"
    nth = number // clients_an_account
    account = f"{111111111111 + nth:012d}"
    return ReviewRow(
        client=name,
        owner=f"{_TEAMS[number % len(_TEAMS)]}{number // 50 or ''}@example.com",
        account_id=account,
        account_name=f"{('retail', 'finance', 'platform', 'partners')[nth % 4]}-{nth}",
        principal_arn=f"arn:aws:iam::{account}:role/{name}-app",
        vault_role=f"{name}-app",
        auth_mount="aws",
        policy=f"{name}-policy",
        path=f"secret/data/certs/{account}/{name}-app/*",
        capabilities=("list", "read"),
        sharing="own",
        shared_owner="",
        token_ttl=3600 if number % 5 else None,
        token_max_ttl=14400,
        token_bound_cidrs=("10.20.0.0/16",) if number % 4 == 1 else (),
        status="suspended" if number % 40 == 6 else "active",
        since=f"{number * 7919 + 0x3A41F00D27C1:012x}",
        since_date=f"2025-{number % 12 + 1:02d}-{number % 28 + 1:02d}",
        changed=f"{number * 104729 + 0x9B02C4D8E611:012x}",
        changed_date=f"2026-{number % 11 + 1:02d}-{number % 28 + 1:02d}",
        changed_by="Release bot" if number % 3 else "Operations",
        change_ref=f"CHG-{1000 + number}" if number % 6 else "",
        file=f"terraform/accounts/{account}/vault/client-{name}.tf",
        line=10,
    )


def rows(clients: int, clients_an_account: int = 3) -> Iterator[ReviewRow]:
    """Two grants a client, and those of shared paths that some have."""
    for number in range(clients):
        data = row(number, clients_an_account)
        yield data
        yield replace(data, path=data.path.replace("/data/", "/metadata/"), line=12)
        for at, (path, owner) in enumerate(_SHARED):
            if number % (2, 5, 7)[at] == 1:
                shared = replace(data, sharing="shared", shared_owner=owner, capabilities=("read",), line=14 + 2 * at)
                yield replace(shared, path=f"secret/data/{path}/*")


def review(clients: int, *, clients_an_account: int = 3, broken: bool = False) -> Review:
    """A review of a fleet, in which one client reaches another's directory when it is broken."""
    found = tuple(rows(clients, clients_an_account))
    findings: tuple[Diagnostic, ...] = (
        Diagnostic(
            "CK206",
            Severity.WARNING,
            Span("clients/ledger.yaml", 7, 3, 7, 12),
            "tokens live longer than the fleet's default",
            "leave out `token_ttl`",
        ),
    )
    if broken:
        reach = replace(
            found[0],
            path=next(each.path for each in found if each.client == found[-1].client),
            sharing="other",
            line=16,
        )
        findings = (
            Diagnostic(
                "CK901",
                Severity.ERROR,
                Span(reach.file, 16, 5, 16, 60),
                f"`{reach.client}` reads what is `{found[-1].client}`'s own",
                "take the path out of the policy, or share it by `shared_paths`",
                (Note(Span(found[-1].file, 10, 5, 10, 60), "the directory is granted here"),),
            ),
            *findings,
        )
        found = (found[0], reach, *found[1:])
    return Review(
        isolated=not broken,
        verdict=(
            f"The policies let {found[0].client} read what belongs to {found[-1].client}."
            if broken
            else f"No policy lets any of the {clients:,} clients read what belongs to another."
        ),
        findings=findings,
        rows=found,
        digest="df675b101fd92aac0f368d17c20b08106ff030942222022858e179ee55cc8314",
        revision="1787c54a90fb",
        clients=clients,
        accounts=len({each.account_id for each in found}),
        files=clients + 2 * len({each.account_id for each in found}),
        unseen=UNSEEN,
    )
