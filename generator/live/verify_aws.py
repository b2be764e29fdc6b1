"""The AWS side of an account, live against rendered: the roles of its clients, and the one that Vault assumes.

What a client's role may do in its own account is its team's: only who may be the client is compared. Of the role that
Vault assumes everything is.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from generator.audit.declared import (
    AwsProvider,
    Declared,
    IamRole,
    IamRolePolicy,
    InstanceProfile,
    PolicyDocument,
    Principals,
    Statement,
)
from generator.audit.fields import name_of, shown
from generator.diagnostics import Diagnostic, Note, Severity
from generator.live import differences, meaning
from generator.live.answers import Unknown
from generator.live.verified import Verified, together

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from generator.audit.declared import Declaration
    from generator.diagnostics import Span
    from generator.live.aws import AwsAccount, LiveIamRole
    from generator.live.differences import Difference
    from generator.live.vault_roles import LiveRole
    from generator.manifest.fleet import Account, Client

MISSING = "CK960"
TRUST = "CK961"
SETTINGS = "CK962"
WORDS = "CK963"
WAY_IN = "CK964"
PROFILE = "CK965"
EXISTING_TRUST = "CK966"
RECREATED = "CK967"

_APPLY = "find out who changed it and why; `crosskeys apply` makes it what was reviewed, or the manifest says it anew"
_HELP = {
    MISSING: "find out who deleted it; `crosskeys apply` makes what the fleet creates",
    TRUST: "find out who changed it: treat what the client could read as read; then `crosskeys apply`",
    SETTINGS: _APPLY,
    WORDS: _APPLY,
    WAY_IN: "find out who changed it: Vault looks into the account through this role; then `crosskeys apply`",
    PROFILE: "find out who changed it: `crosskeys apply` makes what the fleet declares as it was reviewed, and the "
    "account's owner removes the rest",
    EXISTING_TRUST: "have the role's owner narrow its trust policy, or say in the manifest's `aws.trusted_services` "
    "that these are meant",
}
_WARNINGS = frozenset({WORDS, EXISTING_TRUST})


def by_root(declared: Declared) -> Mapping[str, Declared]:
    """Return what each root declares, so that an account's side is found without a look at all the others."""
    objects: dict[str, dict[tuple[str, str], Declaration]] = defaultdict(dict)
    for key, item in declared.objects.items():
        objects[key[0]][key] = item
    return {root: Declared(items) for root, items in objects.items()}


def verify_account(
    account: Account, declared: Declared, aws: AwsAccount, live_roles: Mapping[str, LiveRole] | None = None
) -> Verified:
    """Compare the AWS side of an account with what is declared of it.

    Args:
        account: Managed, or handed over to somebody whose credentials are there.
        declared: The tree, or what it declares in the account's root of AWS alone (``by_root``).
        aws: The account to ask.
        live_roles: Vault's roles by name, as far as they are known: those of clients with unique ids are compared.
    """
    return together(check() for check in checks(account, declared, aws, live_roles))


def checks(
    account: Account, declared: Declared, aws: AwsAccount, live_roles: Mapping[str, LiveRole] | None = None
) -> Iterator[Callable[[], Verified]]:
    """Yield the parts of ``verify_account``, one for each role: each may run in a thread of its own."""
    side = _side(account, declared, aws, live_roles or {})
    for role in side.roles:
        yield partial(side.role, role)
    for client in account.declared:
        if client.workload is None:
            yield partial(side.existing_role, client)


def verify_unique_ids(client: Client, live_role: LiveRole, iam_role: LiveIamRole) -> Diagnostic | None:
    """Return a finding where Vault waits for an IAM role that is no more: another one has its name.

    Args:
        client: Whose Vault role is bound to the unique id of its IAM role.
        live_role: Vault's role.
        iam_role: AWS's role of that name.
    """
    if not live_role.role.resolve_aws_unique_ids or iam_role.unique_id in live_role.principal_ids:
        return None
    ids = ", ".join(f"`{each}`" for each in live_role.principal_ids) or "none"
    return Diagnostic(
        RECREATED,
        Severity.ERROR,
        client.source.span("vault", "resolve_unique_ids"),
        f"the IAM role `{iam_role.name}` was made anew: its unique id is `{iam_role.unique_id}`, and Vault's role "
        f"`{client.vault_role}` waits for {ids}, so `{client.name}` cannot log in",
        # builtin/credential/aws/path_role.go: ids are looked up anew when the ARNs are written.
        f"see that the new role is meant; then write {client.principal_arn} as bound_iam_principal_arn of "
        f"auth/<mount>/role/{client.vault_role} once more: Vault looks its id up again",
    )


@dataclass(frozen=True, slots=True)
class _Side:
    """What is declared of an account's side of AWS, by role, and where to look for it."""

    account: Account
    declared: Declared
    aws: AwsAccount
    live_roles: Mapping[str, LiveRole]
    clients: Mapping[str, Client]
    roles: tuple[IamRole, ...]
    profiles: Mapping[str, list[InstanceProfile]]
    policies: Mapping[str, list[IamRolePolicy]]
    default_tags: Mapping[str, str]

    def role(self, role: IamRole) -> Verified:
        is_way_in = self.account.sts is not None and role.name == self.account.sts.role
        live = self.aws.role(role.name, policies=is_way_in)
        if isinstance(live, Unknown):
            return Verified(unknown=(live,))
        if live is None:
            return _found(IamRole, _missing(role, f"the IAM role `{role.name}`", self.account))
        client = self.clients.get(role.name)
        trust = self._trust(role, live, client, WAY_IN if is_way_in else TRUST)
        ids = self._unique_ids(client, live) if client else ()
        return together(
            (
                _found(IamRole, *trust, *_settings(role, live), *_tags(self.default_tags, role, live.tags), *ids),
                *([self._permissions(role, live)] if is_way_in else []),
                *self._profiles(role, client),
            )
        )

    def existing_role(self, client: Client) -> Verified:
        live = self.aws.role(client.role_name, policies=False)
        if isinstance(live, Unknown):
            return Verified(unknown=(live,))
        if live is None:
            message = (
                f"`{client.name}` says that the IAM role `{client.role_name}` exists in account {self.account.id}, "
                "and there is none: whoever makes one of this name is the client"
            )
            return _found(IamRole, _finding(MISSING, client.source.span("role_name"), message))
        return _found(IamRole, *_others_than_services(client, live), *self._unique_ids(client, live))

    def _document(self, item: IamRole | IamRolePolicy) -> PolicyDocument:
        reference = item.assume_role_policy if isinstance(item, IamRole) else item.policy
        document = self.declared.target(item.root, reference)
        assert isinstance(document, PolicyDocument)  # noqa: S101 - what the reader guarantees
        return document

    def _unique_ids(self, client: Client, live: LiveIamRole) -> Iterator[Diagnostic]:
        # Vault keeps the names of roles in lower case.
        vault_role = self.live_roles.get(client.vault_role.lower())
        if client.resolve_unique_ids and vault_role and (found := verify_unique_ids(client, vault_role, live)):
            yield found

    def _trust(self, role: IamRole, live: LiveIamRole, client: Client | None, rule: str) -> Iterator[Diagnostic]:
        document = self._document(role)
        what = f"the trust policy of the IAM role `{role.name}`"
        who = f"whoever can assume it is `{client.name}` to Vault" if client else ""
        notes = (Note(client.source.span("role_name").start, "its manifest is here"),) if client else ()
        for message in _differences(what, document.statements, live.trust, who):
            yield _finding(rule, document.span, message, *notes)

    def _permissions(self, role: IamRole, live: LiveIamRole) -> Verified:
        policies = self.policies.get(role.name, [])
        return Verified(tuple(self._policies(role, policies, live)), (), ((IamRolePolicy.kind, len(policies)),))

    def _policies(self, role: IamRole, policies: Iterable[IamRolePolicy], live: LiveIamRole) -> Iterator[Diagnostic]:
        undeclared = dict(live.inline)
        for policy in policies:
            what = f"the policy `{policy.name}` of the IAM role `{role.name}`"
            found = undeclared.pop(policy.name, None)
            if found is None:
                yield _missing(policy, what, self.account)
                continue
            document = self._document(policy)
            for message in _differences(what, document.statements, found):
                yield _finding(WAY_IN, document.span, message)
        for other in (*undeclared, *live.attached):
            message = (
                f"the IAM role `{role.name}`, which Vault assumes, has the policy `{other}`, which is not declared"
            )
            yield _finding(WAY_IN, role.span, message)

    def _profiles(self, role: IamRole, client: Client | None) -> Iterator[Verified]:
        declared = self.profiles.get(role.name, [])
        for profile in declared:
            yield self._profile(profile)
        having = self.aws.instance_profiles_of(role.name)
        if isinstance(having, Unknown):
            yield Verified(unknown=(having,))
            return
        names = {profile.name for profile in declared}
        who = f"is `{client.name}` to Vault" if client else "can do what Vault can in this account"
        others = (each.name for each in having if each.name not in names)
        yield Verified(
            tuple(
                _finding(
                    PROFILE,
                    role.span,
                    f"the IAM role `{role.name}` is in the instance profile `{other}` too, which is not declared: an "
                    f"instance that has it {who}",
                )
                for other in others
            )
        )

    def _profile(self, profile: InstanceProfile) -> Verified:
        live = self.aws.instance_profile(profile.name)
        if isinstance(live, Unknown):
            return Verified(unknown=(live,))
        if live is None:
            return _found(InstanceProfile, _missing(profile, name_of(profile), self.account))
        compared = differences.of_instance_profile(self.declared, profile, live)
        findings = (_differing(PROFILE, profile, each) for each in compared)
        return _found(InstanceProfile, *findings, *_tags(self.default_tags, profile, live.tags))


def _side(account: Account, declared: Declared, aws: AwsAccount, live_roles: Mapping[str, LiveRole]) -> _Side:
    root = f"accounts/{account.id}/aws"
    profiles: dict[str, list[InstanceProfile]] = defaultdict(list)
    policies: dict[str, list[IamRolePolicy]] = defaultdict(list)
    roles: list[IamRole] = []
    tags: dict[str, str] = {}
    for item in declared.objects.values():
        match item:
            case _ if item.root != root:
                pass
            case IamRole():
                roles.append(item)
            case InstanceProfile():
                profiles[declared.text(root, item.role)].append(item)
            case IamRolePolicy():
                policies[declared.text(root, item.role)].append(item)
            case AwsProvider():
                tags = dict(item.default_tags)
            case _:
                pass
    clients = {client.role_name: client for client in account.declared}
    return _Side(account, declared, aws, live_roles, clients, tuple(roles), profiles, policies, tags)


def _settings(role: IamRole, live: LiveIamRole) -> Iterator[Diagnostic]:
    for each in differences.of_iam_role(role, live):
        yield _differing(WORDS if each.field == "description" else SETTINGS, role, each)


def _tags(default: Mapping[str, str], item: IamRole | InstanceProfile, live: Mapping[str, str]) -> Iterator[Diagnostic]:
    for each in differences.of_tags(default, item, live):
        yield _differing(WORDS if each.declared is None else SETTINGS, item, replace(each, field=f"tag {each.field}"))


def _others_than_services(client: Client, live: LiveIamRole) -> Iterator[Diagnostic]:
    wanted = Statement(
        effect="Allow",
        actions=("sts:AssumeRole",),
        principals=(Principals(type="Service", identifiers=client.trusted_services),),
    )
    what = f"the trust policy of the IAM role `{client.role_name}`, which the fleet does not make,"
    try:
        more, _ = meaning.difference((wanted,), meaning.of_document(live.trust))
    except ValueError as error:
        more = (str(error),)
    if more:
        message = f"{what} says more than that its services may assume it: {'; '.join(more)}"
        yield _finding(EXISTING_TRUST, client.source.span("role_name"), message)


def _differences(
    what: str, declared: tuple[Statement, ...], live: Mapping[str, object], consequence: str = ""
) -> Iterator[str]:
    """Yield a message for what a live document says beyond the declared one, and one for what it lacks."""
    so = f": {consequence}" if consequence else ""
    try:
        more, less = meaning.difference(declared, meaning.of_document(live))
    except ValueError as error:
        yield f"{what} is not what was reviewed, and says what no manifest can, {error}{so}"
        return
    if more:
        yield f"{what} says beyond what was reviewed that {'; '.join(more)}{so}"
    if less:
        yield f"{what} no longer says that {'; '.join(less)}"


def _missing(item: IamRole | InstanceProfile | IamRolePolicy, name: str, account: Account) -> Diagnostic:
    return _finding(MISSING, item.span, f"{name} is not there in account {account.id}")


def _differing(rule: str, item: IamRole | InstanceProfile, each: Difference) -> Diagnostic:
    is_, was = shown(each.field, each.live), shown(each.field, each.declared)
    return _finding(rule, item.span, f"`{each.field}` of {name_of(item)} is {is_} in AWS, and {was} was reviewed")


def _finding(rule: str, span: Span, message: str, *notes: Note) -> Diagnostic:
    severity = Severity.WARNING if rule in _WARNINGS else Severity.ERROR
    return Diagnostic(rule, severity, span, message, _HELP[rule], notes)


def _found(kind: type[IamRole | InstanceProfile], *findings: Diagnostic) -> Verified:
    return Verified(findings, (), ((kind.kind, 1),))
