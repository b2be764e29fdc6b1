"""Names that must be one client's alone: two green pull requests can still collide together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from generator.diagnostics import Diagnostic, Note, Severity, Span

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from generator.manifest.fleet import Client, Fleet

TWO_MANIFESTS_FOR_ONE_NAME = "CK310"
SHARED_VAULT_ROLE = "CK311"
SHARED_POLICY = "CK312"
SHARED_PRINCIPAL = "CK313"
SHARED_IAM_ROLE = "CK314"
SHARED_INSTANCE_PROFILE = "CK315"
SHARED_DIRECTORY = "CK316"
ROLE_NAME_IN_SEVERAL_ACCOUNTS = "CK317"


def check(fleet: Fleet) -> Iterator[Diagnostic]:
    """Yield a finding for every name that two clients of the fleet both take, both ends named."""
    clients = fleet.clients
    yield from _doubles(
        clients,
        TWO_MANIFESTS_FOR_ONE_NAME,
        key=lambda client: client.name,
        place=lambda _: ("name",),
        message=lambda client: f"there are two manifests for the client `{client.name}`",
        help_="give one of them another name",
    )
    yield from _doubles(
        clients,
        SHARED_VAULT_ROLE,
        # Vault stores a role under its lower-cased name, and the name carries no account: builtin/credential/aws.
        key=lambda client: client.vault_role.lower(),
        place=lambda client: ("vault", "role") if client.source.model.vault.role else ("role_name",),
        message=lambda client: f"the Vault role `{client.vault_role}` is taken: the second write would silently win",
        help_="set `vault.role` to a name of its own; Vault's role names carry no account",
    )
    yield from _doubles(
        clients,
        SHARED_POLICY,
        key=lambda client: client.vault_policy.lower(),
        place=lambda client: ("vault", "policy") if client.source.model.vault.policy else ("name",),
        message=lambda client: f"the Vault policy `{client.vault_policy}` is taken: one would read the other's secrets",
        help_="set `vault.policy` to a name of its own",
    )
    yield from _doubles(
        clients,
        SHARED_PRINCIPAL,
        key=lambda client: client.principal_arn,
        place=lambda _: ("role_name",),
        message=lambda client: f"`{client.principal_arn}` is another client's role already",
        help_="one IAM role is one client; give this workload a role of its own",
    )
    yield from _doubles(
        clients,
        SHARED_IAM_ROLE,
        # IAM role names are unique without regard to case; the same spelling is SHARED_PRINCIPAL.
        key=lambda client: (client.account_id, client.role_name.lower()),
        place=lambda _: ("role_name",),
        message=lambda client: f"the account has the IAM role `{client.role_name}` already, in another spelling",
        help_="IAM tells role names apart without regard to case; choose another name",
        unless=lambda one, other: one.principal_arn == other.principal_arn,
    )
    yield from _doubles(
        [client for client in clients if client.workload and client.workload.instance_profile],
        SHARED_INSTANCE_PROFILE,
        key=lambda client: (
            client.account_id,
            (client.workload.instance_profile or "").lower() if client.workload else "",
        ),
        place=lambda client: (
            ("aws", "instance_profile") if client.source.model.aws.instance_profile else ("role_name",)
        ),
        message=lambda _: "another client of the account has an instance profile of this name",
        help_="an instance profile holds one role; set `aws.instance_profile` to a name of its own",
    )
    yield from _doubles(
        clients,
        SHARED_DIRECTORY,
        # Placeholders hold no slash, so all directories are equally deep: none lies in another.
        key=lambda client: client.directory,
        place=lambda _: ("role_name",),
        message=lambda client: f"the directory `{client.directory}` is another client's already",
        help_="each client needs a directory of its own; check `vault.directory` in crosskeys.yaml",
        # One principal twice is a finding of its own, and says more.
        unless=lambda one, other: one.principal_arn == other.principal_arn,
    )
    yield from _in_several_accounts(fleet)


def _in_several_accounts(fleet: Fleet) -> Iterator[Diagnostic]:
    """Yield a warning for each client that Vault looks up and whose role's name another account has too.

    Source: CVE-2025-11621. A login that is compared with an exact ARN looks nothing up, whatever the role is called:
    builtin/credential/aws/path_login.go.
    """
    by_name: dict[str, list[Client]] = {}
    for client in sorted(fleet.declared, key=lambda each: each.path):
        by_name.setdefault(client.role_name.lower(), []).append(client)
    for clients in by_name.values():
        for client in clients:
            others = (other for other in clients if other.account_id != client.account_id)
            if client.needs_sts and (other := next(others, None)):
                yield Diagnostic(
                    ROLE_NAME_IN_SEVERAL_ACCOUNTS,
                    Severity.WARNING,
                    client.source.span("role_name"),
                    f"Vault looks this role up, and the account {other.account_id} has a role `{other.role_name}` "
                    "too: Vault before 1.21.0 could take one for the other (CVE-2025-11621)",
                    "give the roles different names, or make sure that Vault is 1.21.0 or newer",
                    (Note(other.source.span("role_name"), "the other one is here"),),
                )


def _doubles(
    clients: tuple[Client, ...] | list[Client],
    rule: str,
    *,
    key: Callable[[Client], object],
    place: Callable[[Client], tuple[str, ...]],
    message: Callable[[Client], str],
    help_: str,
    unless: Callable[[Client, Client], bool] = lambda _one, _other: False,
) -> Iterator[Diagnostic]:
    first: dict[object, Client] = {}
    for client in sorted(clients, key=lambda each: each.path):
        other = first.setdefault(key(client), client)
        if other is not client and not unless(other, client):
            here, there = client.source.span(*place(client)), other.source.span(*place(other))
            yield collision(rule, here, message(client), help_, there)


def collision(rule: str, span: Span, message: str, help_: str, other: Span) -> Diagnostic:
    """Return the finding about two places that cannot both stand."""
    return Diagnostic(rule, Severity.ERROR, span, message, help_, (Note(other, "the other one is here"),))
