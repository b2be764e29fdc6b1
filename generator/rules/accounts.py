"""What a client needs of its account, and an account of itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from generator.diagnostics import Diagnostic, Severity, Span
from generator.rules.names import collision

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.manifest.account import AccountManifest
    from generator.manifest.fleet import Account, Fleet
    from generator.manifest.validate import Sourced

UNREGISTERED_ACCOUNT = "CK401"
NO_WAY_INTO_THE_ACCOUNT = "CK402"
NO_PROVISIONER_ROLE = "CK403"
NO_VAULT_PRINCIPAL = "CK404"
STS_ROLE_IS_A_CLIENT = "CK405"
SHARED_EXTERNAL_ID = "CK406"
TOO_MANY_TAGS = "CK407"
PROVISIONER_ROLE_IS_TAKEN = "CK408"
IDLE_STS_ROLE = "CK409"

_MOST_TAGS = 50  # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html


def check(fleet: Fleet) -> Iterator[Diagnostic]:
    """Yield findings about accounts and about what clients ask of them."""
    external_ids: dict[str, Span] = {}
    for account in fleet.accounts:
        yield from _clients(account, registered=fleet.settings.accounts == "registered")
        if account.source is None:
            continue
        if account.managed and account.provisioner_role is None:
            yield Diagnostic(
                NO_PROVISIONER_ROLE,
                Severity.ERROR,
                account.source.span("provisioning"),
                "a managed account needs `provisioner_role`: the IAM role that runs assume in it",
                f"add provisioner_role: arn:{fleet.settings.aws.partition}:iam::{account.id}:role/<name>",
            )
        yield from _provisioner(account, account.source)
        if account.sts is None:
            continue
        if not any(client.needs_sts for client in account.declared):
            yield Diagnostic(
                IDLE_STS_ROLE,
                Severity.WARNING,
                account.source.key_span("sts"),
                "Vault may look into this account, and no client of it needs that",
                "remove `sts`, unless a client with `vault.ec2` or `vault.resolve_unique_ids` is about to come",
            )
        if not fleet.settings.vault.principals:
            yield Diagnostic(
                NO_VAULT_PRINCIPAL,
                Severity.ERROR,
                account.source.key_span("sts"),
                "nobody could assume the STS role: the fleet names no principal of Vault's",
                "set `vault.principals` in crosskeys.yaml to the exact ARN of Vault's IAM role",
            )
        span = account.source.span("sts", "external_id")
        other = external_ids.setdefault(account.sts.external_id, span)
        if other != span:
            yield collision(
                SHARED_EXTERNAL_ID,
                span,
                "another account has the same external id",
                "an external id of its own for each account is what stops one account from posing as another",
                other,
            )


def _provisioner(account: Account, source: Sourced[AccountManifest]) -> Iterator[Diagnostic]:
    """Yield findings about who else has the role that runs assume; IAM compares names without regard to case."""
    _, _, _, _, account_id, resource = (account.provisioner_role or ":::::").split(":", 5)
    name = resource.rpartition("/")[2]
    if account_id != account.id:
        return
    taken = [client.source.span("role_name") for client in account.clients if client.role_name.lower() == name.lower()]
    if account.sts and account.sts.role.lower() == name.lower():
        taken.append(source.span("sts", "role"))
    for span in taken:
        yield collision(
            PROVISIONER_ROLE_IS_TAKEN,
            span,
            f"`{name}` is the role that runs assume in this account, and may change every other",
            "choose a role of its own",
            source.span("provisioner_role"),
        )


def _clients(account: Account, *, registered: bool) -> Iterator[Diagnostic]:
    for client in account.clients:
        if registered and account.source is None:
            yield Diagnostic(
                UNREGISTERED_ACCOUNT,
                Severity.ERROR,
                client.source.span("account_id"),
                f"the account {account.id} is not registered, and the fleet allows registered accounts only",
                f"check the account id; if it is right, add clients/accounts/{account.id}.yaml",
            )
        if account.sts and account.sts.role.lower() == client.role_name.lower():
            yield Diagnostic(
                STS_ROLE_IS_A_CLIENT,
                Severity.ERROR,
                client.source.span("role_name"),
                f"`{client.role_name}` is the role that Vault assumes in this account: it can never be a client",
                "give the client a role of its own",
            )
        if client.retire:
            continue  # only its names are left, and its roots
        if client.needs_sts and account.sts is None:
            asks = "ec2" if client.ec2 else "resolve_unique_ids"
            yield Diagnostic(
                NO_WAY_INTO_THE_ACCOUNT,
                Severity.ERROR,
                client.source.key_span("vault", asks),
                f"`vault.{asks}` needs Vault to look into the account, and {account.id} has not turned that on",
                f"add `sts: {{role: …, external_id: …}}` to clients/accounts/{account.id}.yaml",
            )
        tags = {*account.tags, *(client.workload.tags if client.workload else ())}
        if len(tags) > _MOST_TAGS:
            yield Diagnostic(
                TOO_MANY_TAGS,
                Severity.ERROR,
                client.source.span("aws", "tags"),
                f"fleet, account and client together set {len(tags)} tags, and IAM takes {_MOST_TAGS}",
                "leave some out",
            )
