"""Live objects of Vault and AWS against declared ones, field by field, both as these keep them. Pure."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from generator.audit import acl_policy
from generator.audit.acl_constraints import Constraints
from generator.audit.acl_faults import UnreadablePolicyError
from generator.audit.declared import DEFAULT_SESSION, Declared, Reference, VaultPolicy, VaultRole, policy_name
from generator.audit.reaches import gains_and_losses
from generator.diagnostics import Span
from generator.live.territory import literal, live_rules

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from generator.audit.declared import (
        AuthBackendClient,
        AuthBackendIdentity,
        IamRole,
        InstanceProfile,
        PathRule,
        StsRole,
    )
    from generator.live.aws import LiveIamRole, LiveInstanceProfile

Value = str | int | bool | None | frozenset[str]

# The first three say where a block stands, the others which role it is.
_NOT_COMPARED = frozenset({"root", "span", "label", "backend", "role"})
_ROLE_FIELDS = tuple(field.name for field in fields(VaultRole) if field.name not in _NOT_COMPARED)
_LIVE_CLIENT = {
    "iam_server_id_header_value": "iam_server_id_header_value",
    "use_sts_region_from_client": "use_sts_region_from_client",
    "sts_endpoint": "sts_endpoint",
    "sts_region": "sts_region",
    "iam_endpoint": "iam_endpoint",
    "ec2_endpoint": "endpoint",
}
_SHOWN_SHIFTS = 3


@dataclass(frozen=True, slots=True)
class Difference:
    """A field that is not as declared.

    Args:
        field: In Terraform's words.
        declared: What was applied.
        live: What is there.
    """

    field: str
    declared: Value
    live: Value

    @property
    def said(self) -> str:
        """The two values as the end of a sentence."""
        if isinstance(self.declared, frozenset) and isinstance(self.live, frozenset):
            more, less = (", ".join(f"`{each}`" for each in sorted(found)) for found in self._apart())
            return " and ".join(filter(None, (more and f"has {more} added", less and f"lacks {less}")))
        return f"is {_shown(self.live)}, and {_shown(self.declared)} was applied"

    def _apart(self) -> tuple[frozenset[str], frozenset[str]]:
        if not isinstance(self.declared, frozenset) or not isinstance(self.live, frozenset):
            return frozenset(), frozenset()
        return self.live - self.declared, self.declared - self.live


@dataclass(frozen=True, slots=True)
class PolicyDrift:
    """How the text of a policy differs.

    Args:
        allows: What it allows more or less, in words; empty when only its words are others.
        rules: What it allows at most.
    """

    allows: tuple[str, ...]
    rules: tuple[PathRule, ...]


def of_role(declared: Declared, role: VaultRole, live: VaultRole) -> Iterator[Difference]:
    """Yield the fields of a Vault role that are not as declared.

    Args:
        declared: The tree, for what the role refers to.
        role: The role as declared.
        live: The role as Vault has it.
    """
    yield from of_fields(
        {name: (_of_role(declared, role, name), _of_role(declared, live, name)) for name in _ROLE_FIELDS}
    )


def of_sts(role: StsRole, live: StsRole) -> Iterator[Difference]:
    """Yield the fields of an STS entry that are not as declared."""
    yield from of_fields({name: (getattr(role, name), getattr(live, name)) for name in ("sts_role", "external_id")})


def of_client_config(
    declared: Declared, config: AuthBackendClient, variables: Mapping[str, str], live: Mapping[str, object]
) -> Iterator[Difference]:
    """Yield the fields of the auth method's client configuration that are not as declared.

    Args:
        declared: The tree, for what the configuration refers to.
        config: The configuration as declared.
        variables: Values of Terraform's variables where they have others than their defaults.
        live: The configuration as Vault answers it.
    """
    for name, key in _LIVE_CLIENT.items():
        value = getattr(config, name)
        if isinstance(value, Reference):
            variable = value.address.removeprefix("var.")
            value = variables[variable] if variable in variables else declared.text(config.root, value)
        wanted = _truth(value) if name == "use_sts_region_from_client" else value or None
        found = live.get(key)
        found = bool(found) if name == "use_sts_region_from_client" else str(found) if found else None
        if wanted != found:
            yield Difference(name, wanted, found)


def of_identity_config(config: AuthBackendIdentity, live: Mapping[str, object]) -> Iterator[Difference]:
    """Yield the fields of the auth method's identity configuration that are not as declared."""
    if config.iam_alias is not None and config.iam_alias != live.get("iam_alias"):
        yield Difference("iam_alias", config.iam_alias, str(live.get("iam_alias") or "") or None)
    listed = live.get("iam_metadata")
    wanted, found = frozenset(config.iam_metadata), frozenset(map(str, listed if isinstance(listed, list) else ()))
    if wanted != found:
        yield Difference("iam_metadata", wanted, found)


def of_iam_role(role: IamRole, live: LiveIamRole) -> Iterator[Difference]:
    """Yield the fields of an IAM role that are not as declared; documents and tags are compared by themselves."""
    fields: dict[str, tuple[Value, Value]] = {
        "path": (role.path or "/", live.path),
        "permissions_boundary": (role.permissions_boundary, live.permissions_boundary),
        "max_session_duration": (role.max_session_duration or DEFAULT_SESSION, live.max_session_duration),
        "description": (role.description, live.description or None),
    }
    yield from of_fields(fields)


def of_instance_profile(
    declared: Declared, profile: InstanceProfile, live: LiveInstanceProfile
) -> Iterator[Difference]:
    """Yield the fields of an instance profile that are not as declared; tags are compared by themselves."""
    role = declared.text(profile.root, profile.role)
    yield from of_fields({"role": (role, " ".join(live.roles) or None), "path": (profile.path or "/", live.path)})


def of_tags(
    default: Mapping[str, str], item: IamRole | InstanceProfile, live: Mapping[str, str]
) -> Iterator[Difference]:
    """Yield the tags that are not as declared, by key; those of AWS itself, which nobody can set, are left out.

    Args:
        default: The provider's default tags.
        item: The object.
        live: All tags that it has.
    """
    wanted = {**default, **dict(item.tags)}
    keys = sorted({*wanted, *(key for key in live if not key.startswith("aws:"))})
    yield from of_fields({key: (wanted.get(key), live.get(key)) for key in keys})


def of_policy(policy: VaultPolicy, text: str) -> PolicyDrift | None:
    """Return how the live text of a policy differs from the declared one; None when it is the same.

    Args:
        policy: The policy as declared.
        text: The text that Vault has, byte for byte as it was written.
    """
    if text == policy.text:
        return None
    rules = live_rules(policy.name, text)
    try:
        parsed = acl_policy.parse(text, Span("policy", 1, 1), policy.name)
    except UnreadablePolicyError as error:
        return PolicyDrift((f"what it allows cannot be told: {error.findings[0].message}",), rules)
    before = ((policy,),)
    after = ((_with_rules(policy, tuple(map(literal, rules))),),)
    shifts = [
        f"{'does not let' if shift.lost else 'lets'} {' and '.join(shift.operations)} `{shift.path}`"
        for shift in gains_and_losses(before, after)
    ]
    if len(shifts) > _SHOWN_SHIFTS:
        shifts[_SHOWN_SHIFTS:] = [f"{len(shifts) - _SHOWN_SHIFTS} more such changes"]
    if not shifts and _as_set(rules) != _as_set(policy.rules):
        shifts = ["has other rules, by which the same requests are decided alike"]
    if not shifts and any(rule.constraints != Constraints() for rule in parsed.rules):
        shifts = ["asks for parameters, or that its answers are wrapped"]
    return PolicyDrift(tuple(shifts), rules)


def of_fields(fields: Mapping[str, tuple[Value, Value]]) -> Iterator[Difference]:
    """Yield the fields whose two values, the declared and the live one, are not the same."""
    for name, (wanted, found) in fields.items():
        if wanted != found:
            yield Difference(name, wanted, found)


def _of_role(declared: Declared, role: VaultRole, name: str) -> Value:
    value = getattr(role, name)
    if name == "token_policies":
        return frozenset(policy_name(declared.text(role.root, each)) for each in value)
    if name == "token_bound_cidrs":
        return frozenset(map(_network, value))
    if isinstance(value, tuple):
        return frozenset(value)
    if name == "token_type" and value in {"default", ""}:
        return None
    # A time or a use of 0 is no limit, as if it were not given.
    return value if isinstance(value, bool) else value or None


def _network(text: str) -> str:
    # Vault keeps a single address without its prefix: go-sockaddr, IPv4Addr.String.
    try:
        return str(ipaddress.ip_network(text, strict=False))
    except ValueError:
        return text


def _truth(value: object) -> bool:
    return value if isinstance(value, bool) else str(value).lower() in {"true", "1"}


def _with_rules(policy: VaultPolicy, rules: tuple[PathRule, ...]) -> VaultPolicy:
    return VaultPolicy(root=policy.root, span=policy.span, label=policy.label, name=policy.name, rules=rules)


def _as_set(rules: tuple[PathRule, ...]) -> set[tuple[str, frozenset[str]]]:
    return {(rule.path.removeprefix("/"), frozenset(rule.capabilities)) for rule in rules}


def _shown(value: Value) -> str:
    if value is None:
        return "nothing"
    return str(value).lower() if isinstance(value, bool) else f"`{value}`"
