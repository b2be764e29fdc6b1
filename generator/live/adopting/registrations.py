"""Which live roles are registrations of one client each, by what the role itself says; the others with the reason."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from generator.live.adopting import reasons
from generator.live.adopting.observed import DEFAULT
from generator.report.imported import Left

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from generator.audit.declared import VaultRole
    from generator.live.vault_roles import LiveRole
    from generator.report.imported import Reason

_ROLE_ARN = re.compile(
    r"arn:(?P<partition>aws(?:-us-gov|-cn)?):iam::(?P<account_id>[0-9]{12}):role/(?P<path>.+/)?(?P<name>[^/]+)",
    re.ASCII,
)
# What binds an instance in a way for which manifests have no key.
_OTHER_BINDS = ("bound_account_ids", "bound_regions", "bound_iam_role_arns", "bound_iam_instance_profile_arns")
_TOKEN_FIELDS = ("token_no_default_policy", "token_explicit_max_ttl", "token_period", "token_num_uses", "token_type")


@dataclass(frozen=True, slots=True)
class Registration:
    """A live role that one IAM role alone may log in by, with one policy.

    Args:
        live: The role.
        policy: Its policy's name.
        text: The policy.
    """

    live: LiveRole
    partition: str
    account_id: str
    role_name: str
    policy: str
    text: str

    @property
    def role(self) -> VaultRole:
        """The role in Terraform's words."""
        return self.live.role

    @property
    def what(self) -> str:
        """What reports call it."""
        return f"role {self.role.role}"

    @property
    def needs_sts(self) -> bool:
        """Whether Vault must look into the account."""
        return self.role.resolve_aws_unique_ids or self.role.inferred_entity_type is not None

    def left(self, reason: Reason, detail: str) -> Left:
        """Return that it is left alone."""
        return Left(reason, self.what, detail)


def registrations(
    roles: Mapping[str, LiveRole], policies: Mapping[str, str | None], wanted: Iterable[str]
) -> tuple[tuple[Registration, ...], tuple[Left, ...]]:
    """Return the registrations among live roles, and which are none and why; both in the order of their names.

    Args:
        roles: All roles of the mount, by name: what another role has too is no client's own.
        policies: The wanted roles' policies, by name; a role whose policy is not among them is passed over.
        wanted: Names of the roles that are asked about.
    """
    bound = Counter(arn for live in roles.values() for arn in set(live.role.bound_iam_principal_arns))
    given = Counter(str(policy) for live in roles.values() for policy in set(live.role.token_policies))
    found: list[Registration] = []
    left: list[Left] = []
    for name in sorted(wanted):
        live = roles[name]
        objection = next(_objections(live, bound, given, policies), None)
        if objection:
            left.append(Left(objection[0], f"role {name}", objection[1]))
            continue
        text = policies.get(_own(live)[0])
        arn = _ROLE_ARN.fullmatch(live.role.bound_iam_principal_arns[0])
        if text is not None and arn:
            registration = Registration(live, arn["partition"], arn["account_id"], arn["name"], _own(live)[0], text)
            found.append(registration)
    return tuple(found), tuple(left)


def _own(live: LiveRole) -> tuple[str, ...]:
    return tuple(str(policy) for policy in live.role.token_policies if policy != DEFAULT)


def _objections(
    live: LiveRole, bound: Mapping[str, int], given: Mapping[str, int], policies: Mapping[str, str | None]
) -> Iterator[tuple[Reason, str]]:
    role = live.role
    if role.auth_type != "iam":
        yield reasons.EC2_AUTH, f"auth_type is {role.auth_type}"
    yield from _of_principal(role, bound)
    for field in _OTHER_BINDS:
        if value := getattr(role, field):
            yield reasons.OTHER_BINDS, f"{field} is {', '.join(value)}"
    for name, value in live.others:
        yield reasons.OTHER_FIELDS, f"{name} is {value}"
    for field in _TOKEN_FIELDS:
        if value := getattr(role, field):
            yield reasons.TOKEN_FIELDS, f"{field} is {str(value).lower()}"
    yield from _of_policies(_own(live), given, policies)


def _of_policies(
    own: tuple[str, ...], given: Mapping[str, int], policies: Mapping[str, str | None]
) -> Iterator[tuple[Reason, str]]:
    if not own:
        yield reasons.NO_POLICY, "it has none but default"
        return
    if len(own) > 1:
        yield reasons.EXTRA_POLICIES, f"it gives {', '.join(own)}"
    if given[own[0]] > 1:
        yield reasons.SHARED_POLICY, f"{own[0]} is given by {given[own[0]]} roles"
    if own[0] in policies and policies[own[0]] is None:
        yield reasons.MISSING_POLICY, f"there is no policy {own[0]}"


def _of_principal(role: VaultRole, bound: Mapping[str, int]) -> Iterator[tuple[Reason, str]]:
    arns = role.bound_iam_principal_arns
    if not arns:
        yield reasons.NO_PRINCIPAL, "it is bound to none"
        return
    if any(arn.endswith("*") for arn in arns):
        yield reasons.WILDCARD, f"it is bound to {', '.join(arns)}"
    if len(arns) > 1:
        yield reasons.SEVERAL_PRINCIPALS, f"it is bound to {', '.join(arns)}"
    match = _ROLE_ARN.fullmatch(arns[0])
    if match is None:
        yield reasons.NOT_A_ROLE, f"it is bound to {arns[0]}"
    elif match["path"]:
        yield reasons.PRINCIPAL_WITH_PATH, f"it is bound to {arns[0]}"
    if bound[arns[0]] > 1:
        yield reasons.SHARED_PRINCIPAL, f"{arns[0]} is bound by {bound[arns[0]]} roles"
