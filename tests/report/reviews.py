"""Reviews made up for tests: one plain row, and whatever differs from it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from generator.report.review import Review, ReviewRow, RowChanges

ROW = ReviewRow(
    client="payments",
    owner="payments-team@example.com",
    account_id="111111111111",
    account_name="retail-production",
    principal_arn="arn:aws:iam::111111111111:role/payments-app",
    vault_role="payments-app",
    auth_mount="aws",
    policy="payments-policy",
    path="secret/data/certs/111111111111/payments-app/*",
    capabilities=("list", "read"),
    sharing="own",
    shared_owner="",
    token_ttl=3600,
    token_max_ttl=None,
    token_bound_cidrs=("10.0.0.0/8", "192.0.2.0/24"),
    status="active",
    since="0123456789ab",
    since_date="2026-01-31",
    changed="unknown",
    changed_date="unknown",
    changed_by="unknown",
    change_ref="CHG-1",
    file="terraform/accounts/111111111111/vault/client-payments.tf",
    line=12,
)


def row(**changes: Any) -> ReviewRow:
    """Return the plain row with some fields changed."""
    return replace(ROW, **changes)


def review(*rows: ReviewRow, changes: RowChanges | None = None, **others: Any) -> Review:
    """Return a review that found nothing, of these rows."""
    plain = Review(
        isolated=True,
        verdict="isolated among declared clients: none of 1 reaches what is another's",
        findings=(),
        rows=rows,
        digest="a" * 64,
        revision="b" * 40,
        clients=1,
        accounts=1,
        files=3,
        unseen=("the live `default` policy",),
        changes=changes,
    )
    return replace(plain, **others)
