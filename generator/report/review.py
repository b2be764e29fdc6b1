"""An access review: the verdict on a tree, and every grant in it with all that a reviewer asks about one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from generator.diagnostics import Diagnostic

UNKNOWN = "unknown"
"""What a review says where git cannot tell: in a shallow clone, or of a file that was never committed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewRow:
    """One path that one principal reaches, through one rule of one policy.

    Args:
        client: The client's name.
        owner: Who answers for the client; empty when no manifest names the client.
        account_id: The account of the principal.
        account_name: The account's name by its manifest; empty without one.
        principal_arn: The IAM role that logs in; of a suspended client the one that its manifest names.
        vault_role: The role of Vault's AWS auth method; empty for a suspended client, which has none.
        auth_mount: That method's mount; empty for a suspended client.
        policy: The Vault policy that grants.
        path: The rule's path, as the policy has it.
        capabilities: The rule's capabilities, sorted.
        sharing: ``own`` for the client's own directory, ``shared`` below one of the fleet's shared paths, ``other``
            for anything else.
        shared_owner: Who owns the shared path; empty unless shared.
        token_ttl: Seconds; None leaves it to Vault.
        token_max_ttl: Seconds; None leaves it to Vault.
        token_bound_cidrs: From where the token may be used; empty for anywhere.
        status: ``active``, or ``suspended`` by the manifest: the rows of a suspended client are its denials.
        since: The commit that introduced the client's file, abbreviated to 12 digits, or `UNKNOWN`.
        since_date: The day of it, ISO 8601, or `UNKNOWN`.
        changed: The commit that last changed it, abbreviated to 12 digits, or `UNKNOWN`.
        changed_date: The day of it, ISO 8601, or `UNKNOWN`.
        changed_by: The author of it, or `UNKNOWN`. An author, who need not have approved anything.
        change_ref: Where the access was approved, by the manifest; empty when it does not say.
        file: The file of the granting rule, relative to the fleet's folder.
        line: The rule's line, from 1.
    """

    client: str
    owner: str
    account_id: str
    account_name: str
    principal_arn: str
    vault_role: str
    auth_mount: str
    policy: str
    path: str
    capabilities: tuple[str, ...]
    sharing: str
    shared_owner: str
    token_ttl: int | None
    token_max_ttl: int | None
    token_bound_cidrs: tuple[str, ...]
    status: str
    since: str
    since_date: str
    changed: str
    changed_date: str
    changed_by: str
    change_ref: str
    file: str
    line: int


@dataclass(frozen=True, slots=True)
class ChangedRow:
    """A grant that two reviews have, and whose row differs.

    Args:
        before: The row of the earlier review.
        after: The row of this one.
        fields: Names of the fields that differ, in their order.
    """

    before: ReviewRow
    after: ReviewRow
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RowChanges:
    """What an earlier review did not have, had, or had otherwise; each in the order of its review.

    Args:
        since: What was asked for: a day or a revision.
        revision: The commit that stands for it; `UNKNOWN` when history begins later, and then all is added.
        added: Rows of this review alone.
        removed: Rows of the earlier one alone.
        changed: Rows of both that differ in more than their lines and commits.
    """

    since: str
    revision: str
    added: tuple[ReviewRow, ...]
    removed: tuple[ReviewRow, ...]
    changed: tuple[ChangedRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """What a report is made of.

    Args:
        isolated: Whether the proof found no way from one client to another's.
        verdict: The same as a sentence.
        findings: What the audit found, by place.
        rows: By account, client and path.
        digest: SHA-256 of the reviewed tree, hex.
        revision: The commit that is checked out, with ``+`` when the tree differs from it, or `UNKNOWN`.
        clients: How many clients can log in.
        accounts: How many accounts they are in.
        files: How many rendered files were read.
        unseen: What the review cannot know, one sentence each.
        changes: How it differs from an earlier one; None when it was compared with none.
    """

    isolated: bool
    verdict: str
    findings: tuple[Diagnostic, ...]
    rows: tuple[ReviewRow, ...]
    digest: str
    revision: str
    clients: int
    accounts: int
    files: int
    unseen: tuple[str, ...]
    changes: RowChanges | None = None
