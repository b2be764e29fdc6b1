"""Flaws of Vault that are known and matter to what is rendered here, by version: data, each with its source.

The versions are those of the CVE records, https://github.com/CVEProject/cvelistV5; a record's link is in ``source``.
Denial of service is left out, and so is what needs an auth method or a secrets engine that no fleet has.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from packaging.version import InvalidVersion, Version

from generator.diagnostics import Diagnostic, Severity, Span
from generator.live.answers import Unknown
from generator.live.verified import Verified

if TYPE_CHECKING:
    from collections.abc import Mapping

    from generator.manifest.fleet import Fleet

OPEN = "CK968"
FLAWED = "CK969"


@dataclass(frozen=True, slots=True, kw_only=True)
class Flaw:
    """One flaw.

    Args:
        id: Its CVE number.
        since: The first version that has it.
        community: The first version of each release line of Community Edition that has it no longer.
        enterprise: The same of Enterprise, which HCP Vault is; releases between two lines have it.
        what: What it lets somebody do, a clause.
        why: What that means to a fleet.
        source: Where it is said.
    """

    id: str
    since: str
    community: tuple[str, ...]
    enterprise: tuple[str, ...]
    what: str
    why: str
    source: str


LOGIN_OF_ANOTHER_ACCOUNT = "CVE-2025-11621"
LOGIN_AS_ANYBODY = "CVE-2020-16250"
_DISCUSS = "https://discuss.hashicorp.com/t"

FLAWS = (
    Flaw(
        id=LOGIN_AS_ANYBODY,
        since="0.7.1",
        community=("1.2.5", "1.3.8", "1.4.4", "1.5.1"),
        enterprise=("1.2.5", "1.3.8", "1.4.4", "1.5.1"),
        what="a login to the AWS auth method can be forged",
        why="Whoever reaches Vault can log in as any client.",
        source="https://github.com/advisories/GHSA-fp52-qw33-mfmw",
    ),
    Flaw(
        id="CVE-2024-9180",
        since="1.7.7",
        community=("1.18.0",),
        enterprise=("1.15.16", "1.16.11", "1.17.7", "1.18.0"),
        what="whoever may write identities in the root namespace can have the policy root",
        why="Root reads every certificate.",
        source=f"{_DISCUSS}/hcsec-2024-21-vault-operators-in-root-namespace-may-elevate-their-privileges/70565",
    ),
    Flaw(
        id="CVE-2025-5999",
        since="0.10.4",
        community=("1.20.0",),
        enterprise=("1.16.22", "1.17.18", "1.18.11", "1.19.6", "1.20.0"),
        what="whoever may write identities in the root namespace can have the policy root",
        why="Root reads every certificate.",
        source=f"{_DISCUSS}/hcsec-2025-13-vault-root-namespace-operator-may-elevate-token-privileges/76032",
    ),
    Flaw(
        id=LOGIN_OF_ANOTHER_ACCOUNT,
        since="0.6.0",
        community=("1.21.0",),
        enterprise=("1.16.27", "1.19.11", "1.20.5", "1.21.0"),
        what="an IAM role can log in as the role of the same name in another account",
        why="Two clients whose IAM roles have one name read each other's certificates, and so may a role of that name "
        "in an account that Vault is let into.",
        source=f"{_DISCUSS}/hcsec-2025-30-vault-aws-auth-method-authentication-bypass-through-mishandling-of-cache-"
        "entries/76709",
    ),
    Flaw(
        id="CVE-2026-3605",
        since="0.10.0",
        community=("2.0.0",),
        enterprise=("1.19.16", "1.20.10", "1.21.5", "2.0.0"),
        what="whoever has a KV path by a rule that ends in `*` can delete secrets that it does not allow",
        why="Every client's rules end so: one could delete certificates of others, and read none of them.",
        source=f"{_DISCUSS}/hcsec-2026-05-vault-kvv2-metadata-and-secret-deletion-policy-bypass-denial-of-service/77342",
    ),
    Flaw(
        id="CVE-2026-105820",
        since="0.0.1",
        community=(),
        enterprise=("1.19.23", "1.20.17", "1.21.12", "2.1.2"),
        what="a policy's name can lead into another namespace",
        why="Whoever may name the policies of a role or a token can use policies of the root namespace. What is "
        "rendered names its own policies alone; others in the namespace may not.",
        source=f"{_DISCUSS}/hcsec-2026-42-vault-enterprise-acl-policy-cache-vulnerable-to-cross-namespace-policy-"
        "resolution/77814",
    ),
    Flaw(
        id="CVE-2026-89322",
        since="0.0.1",
        community=("2.1.2",),
        enterprise=("1.19.23", "1.20.17", "1.21.12", "2.1.2"),
        what="a rule that denies can be evaded by the letter case of a role's or policy's name",
        why="Somebody who manages other roles of the auth method may write those of clients in spite of a deny. No "
        "client's access rests on a deny; the rights of those who manage Vault may.",
        source=f"{_DISCUSS}/hcsec-2026-43-vault-inconsistent-acl-policy-evaluation-may-allow-bypass-of-deny-"
        "restrictions/77815",
    ),
    Flaw(
        id="CVE-2026-93335",
        since="0.2.0",
        community=("2.2.2",),
        enterprise=("1.19.25", "1.21.14", "2.2.2"),
        what="a rule that denies can be evaded by the letter case of the path",
        why="Rules of others that are held back by a deny may reach clients' roles and policies, whose names have no "
        "letter case. No client's access rests on a deny.",
        source="https://www.cve.org/CVERecord?id=CVE-2026-93335",
    ),
)


def advisories(version: str | None, fleet: Fleet) -> Verified:
    """Return what is known of a version of Vault that matters to a fleet.

    A flaw by which another than the client itself may read its certificates is an error; others are warnings, for they
    are no difference between what is live and what was reviewed.

    Args:
        version: As ``sys/health`` says it: ``1.21.2``, ``1.20.4+ent.hsm``; None where it says none.
        fleet: Whose Vault it is.
    """
    try:
        running = Version(version or "")
    except InvalidVersion:
        why = f"Vault says that its version is {version!r}" if version else "Vault does not say its version"
        what = "sys/health: version"
        return Verified(unknown=(Unknown(what, why, "see with `vault status` whether a flaw of it is known"),))
    span = fleet.source.span("live", "vault_address") if fleet.source else Span("crosskeys.yaml")
    found = [_finding(flaw, version or "", span, fleet) for flaw in FLAWS if has(running, flaw)]
    return Verified(tuple(found))


def has(version: Version, flaw: Flaw) -> bool:
    """Tell whether a version has a flaw: a fix counts for its own release line, and the newest for all after it."""
    fixes = [Version(fixed) for fixed in (flaw.enterprise if is_enterprise(version) else flaw.community)]
    if not fixes or version < Version(flaw.since):
        return False
    # `+ent` makes a version later than the plain one to packaging, and no earlier than its fix.
    return not any(version >= fix and (version.release[:2] == fix.release[:2] or fix == max(fixes)) for fix in fixes)


def is_enterprise(version: Version) -> bool:
    """Tell whether it is Enterprise, by what stands after the plus sign: ``ent``, ``ent.hsm``; formerly ``prem``."""
    return bool(version.local) and str(version.local).startswith(("ent", "pro", "prem"))


def _finding(flaw: Flaw, version: str, span: Span, fleet: Fleet) -> Diagnostic:
    shared = _shared_role_names(fleet) if flaw.id == LOGIN_OF_ANOTHER_ACCOUNT else {}
    opens = flaw.id == LOGIN_AS_ANYBODY or bool(shared)
    whom = "".join(f"; here {' and '.join(names)} share `{role}`" for role, names in sorted(shared.items())[:3])
    fixes = flaw.enterprise if is_enterprise(Version(version)) else flaw.community
    return Diagnostic(
        OPEN if opens else FLAWED,
        Severity.ERROR if opens else Severity.WARNING,
        span,
        f"Vault {version} has {flaw.id}: {flaw.what}{whom}",
        f"update Vault to {' or '.join(reversed(fixes))}, or later; {flaw.source}",
    )


def _shared_role_names(fleet: Fleet) -> Mapping[str, list[str]]:
    clients: dict[str, dict[str, str]] = {}
    for client in fleet.declared:
        clients.setdefault(client.role_name, {}).setdefault(client.account_id, f"`{client.name}`")
    return {role: sorted(names.values()) for role, names in clients.items() if len(names) > 1}
