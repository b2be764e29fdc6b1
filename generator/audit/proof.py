"""The isolation proof: no client of a tree can reach what is another's, nor change that it cannot.

What exactly is proven, of what, and what is not modelled: docs/proof.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from generator.audit import access, proof_aws, proof_logins, proof_roots
from generator.audit.declared import StsRole, VaultPolicy, VaultRole
from generator.audit.proof_default import STOCK
from generator.audit.proof_reach import Reaches

if TYPE_CHECKING:
    from generator.audit.declared import Declared, PathRule
    from generator.diagnostics import Diagnostic
    from generator.manifest.fleet import Fleet


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """The outcome for one tree and one fleet.

    Args:
        findings: Why the tree does not isolate, or why that cannot be said; by place.
        clients: How many clients have a directory, the suspended and retired ones too.
        accounts: How many accounts they are in.
        principals: How many principals can log in.
        logins: How many pairs of a principal and a Vault role that lets it in.
        policies: How many policies the tree declares.
        rules: How many rules they have.
        existing: How many clients bring an IAM role of their own, whose trust policy nobody here can judge.
    """

    findings: tuple[Diagnostic, ...]
    clients: int
    accounts: int
    principals: int
    logins: int
    policies: int
    rules: int
    existing: int

    @property
    def isolated(self) -> bool:
        """Whether it is proven that every client is kept to what its manifest says."""
        return not self.findings

    @property
    def verdict(self) -> str:
        """The outcome as a sentence without a full stop."""
        if self.isolated:
            brought = f"; {self.existing} of the IAM roles exist outside of the tree" if self.existing else ""
            return f"isolated: none of {self.clients} clients reaches what is another's{brought}"
        count = len(self.findings)
        return f"not proven to be isolated: {count} finding{'' if count == 1 else 's'}"


def prove(declared: Declared, fleet: Fleet, default: tuple[PathRule, ...] = STOCK) -> Proof:
    """Prove that a tree keeps every client of a fleet to itself, or say why it does not.

    It may find what does no harm; it never says isolated where a client reaches what is another's.

    Args:
        declared: What the tree declares, as the audit reads it.
        fleet: The fleet: whose directory is which, and who shares what.
        default: The rules of Vault's policy ``default``, which every token has; what Vault begins with unless given.
    """
    roles, policies, logins = declared.of(VaultRole), declared.of(VaultPolicy), access.logins(declared)
    ways_in = frozenset(way.sts_role for way in declared.of(StsRole)) | frozenset(
        f"arn:{fleet.settings.aws.partition}:iam::{account.id}:role/{account.sts.role}"
        for account in fleet.accounts
        if account.sts
    )
    findings = (
        *proof_logins.principals(fleet, roles, ways_in),
        *proof_logins.logins(fleet, declared, roles),
        *proof_logins.undeclared(logins),
        *proof_logins.policies(fleet, policies),
        *Reaches(fleet, default).findings(policies, logins),
        *proof_aws.aws_side(fleet, declared),
        *proof_roots.unknown(declared),
        *proof_roots.providers(fleet, declared),
        *proof_roots.platform(fleet, declared),
    )
    return Proof(
        findings=tuple(sorted(findings, key=lambda finding: finding.sort_key)),
        clients=len(fleet.clients),
        accounts=len(fleet.accounts),
        principals=len({login.principal_arn for login in logins}),
        logins=len(logins),
        policies=len(policies),
        rules=sum(len(policy.rules) for policy in policies),
        existing=sum(client.workload is None for client in fleet.declared),
    )
