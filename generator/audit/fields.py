"""What it means that an argument of a declaration changes. Every argument is compared, known here or not."""

from __future__ import annotations

import ipaddress
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any

from generator.audit.change import Effect, Topic, quote
from generator.audit.declared import (
    DEFAULT_SESSION,
    AwsProvider,
    Declaration,
    Declared,
    IamRole,
    Import,
    InstanceProfile,
    Reference,
    Resource,
    StsRole,
    Terraform,
    VaultPolicy,
    VaultProvider,
    VaultRole,
)
from generator.render.layout import RootKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# Where no number is given Vault's own limit holds, which is the largest; with these there is none without them.
_UNLIMITED = frozenset({"token_ttl", "token_max_ttl", "token_explicit_max_ttl", "token_num_uses"})
_SECONDS = frozenset({"token_ttl", "token_max_ttl", "token_explicit_max_ttl", "token_period", "max_session_duration"})
_DETAILS = frozenset({"tags", "default_tags", "description"})
_READ_ELSEWHERE = frozenset({"root", "label", "rules"})
_NOUNS: dict[type[Declaration], tuple[str, str]] = {
    VaultPolicy: ("the policy", "name"),
    VaultRole: ("the Vault role", "role"),
    IamRole: ("the IAM role", "name"),
    InstanceProfile: ("the instance profile", "name"),
}


def name_of(item: Declaration) -> str:
    """Return what a declaration is called in a sentence."""
    noun, attribute = _NOUNS.get(type(item), ("", ""))
    return f"{noun} {quote(getattr(item, attribute))}" if noun else f"{quote(item.address)}"


def changed(
    before: Declared, old: Declaration, after: Declared, new: Declaration
) -> Iterator[tuple[Topic, Effect, str]]:
    """Yield topic, effect and sentence for each argument that differs between two declarations of one object."""
    for field in fields(new):
        if not field.compare or field.name in _READ_ELSEWHERE:
            continue
        was = _resolved(before, old.root, getattr(old, field.name))
        now = _resolved(after, new.root, getattr(new, field.name))
        if was == now:
            continue
        topic = _topic(new, field.name)
        if field.name == "bound_iam_principal_arns":
            yield from principals(new, set(was), set(now))
            continue
        said = (
            f"{quote(field.name)} of {name_of(new)} changes from {shown(field.name, was)} to {shown(field.name, now)}"
        )
        yield topic, effect_of(field.name, was, now), said


def effect_of(name: str, was: Any, now: Any) -> Effect:
    """Return whether more is possible once an argument has another value."""
    judge: Callable[[Any, Any], Effect] | None = None
    if name in _UNLIMITED:
        judge = _by_number
    elif name == "max_session_duration":
        return _by_number(was or DEFAULT_SESSION, now or DEFAULT_SESSION)
    elif name == "token_period":  # with one the token can be renewed for ever
        judge = _by_period
    elif name == "token_bound_cidrs":
        judge = _by_networks
    elif name.startswith("bound_"):
        judge = _by_members
    elif name in {"permissions_boundary", "external_id", "inferred_entity_type", "iam_server_id_header_value"}:
        judge = _by_presence
    elif name in {"resolve_aws_unique_ids", "prevent_destroy", "token_no_default_policy"}:
        return Effect.NARROWS if now else Effect.WIDENS
    return judge(was, now) if judge else Effect.CHANGES


def shown(name: str, value: Any) -> str:
    """Return an argument's value as a sentence has it."""
    if value is None or value == ():
        return "none"
    if isinstance(value, int) and name in _SECONDS:
        return quote(_duration(value))
    return quote(_text(value))


def _duration(seconds: int) -> str:
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return "".join(f"{number}{unit}" for number, unit in ((hours, "h"), (minutes, "m"), (rest, "s")) if number) or "0s"


def _text(value: Any) -> str:
    if isinstance(value, tuple):
        if len(value) == 2 and all(isinstance(one, str | int | bool) for one in value) and isinstance(value[0], str):  # noqa: PLR2004 - key and value
            return " ".join(map(_text, value))
        return ", ".join(map(_text, value))
    if is_dataclass(value):
        return " ".join(_text(getattr(value, each.name)) for each in fields(value))
    return str(value).lower() if isinstance(value, bool) else str(value)


def _resolved(declared: Declared, root: str, value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(_resolved(declared, root, one) for one in value)
    if isinstance(value, Reference) and value.attribute not in {"json", ""}:
        return declared.text(root, value)
    return value


def _topic(item: Declaration, name: str) -> Topic:
    if item.root == RootKind.PLATFORM:
        return Topic.PLATFORM
    if name in _DETAILS:
        return Topic.DETAILS
    if isinstance(item, Terraform | VaultProvider | AwsProvider):
        return Topic.ROOTS
    if isinstance(item, VaultPolicy) or name in {"token_policies", "token_no_default_policy"}:
        return Topic.ACCESS
    if name.startswith("token_"):
        return Topic.LIMITS
    return Topic.TRUST


def principals(role: Declaration, was: set[str], now: set[str]) -> Iterator[tuple[Topic, Effect, str]]:
    """Yield who may log in by a role from now on, and who no longer."""
    for arn in sorted(now - was):
        yield Topic.TRUST, Effect.WIDENS, f"{quote(arn)} may log in by {name_of(role)}"
    for arn in sorted(was - now):
        yield Topic.TRUST, Effect.NARROWS, f"{quote(arn)} may no longer log in by {name_of(role)}"


def _by_number(was: int | None, now: int | None) -> Effect:
    before, after = was or float("inf"), now or float("inf")
    if before == after:
        return Effect.CHANGES
    return Effect.WIDENS if after > before else Effect.NARROWS


def _by_period(was: int | None, now: int | None) -> Effect:
    return Effect.WIDENS if (now or 0) > (was or 0) else Effect.NARROWS


def _by_members(was: tuple[str, ...], now: tuple[str, ...]) -> Effect:
    if not was or not now:  # none binds nobody, so that anybody fits
        return Effect.NARROWS if now else Effect.WIDENS
    if set(was) < set(now):
        return Effect.WIDENS
    return Effect.NARROWS if set(now) < set(was) else Effect.CHANGES


def _by_networks(was: tuple[str, ...], now: tuple[str, ...]) -> Effect:
    if not was or not now:
        return Effect.NARROWS if now else Effect.WIDENS
    try:
        wider, narrower = _all_within(was, now), _all_within(now, was)
    except (ValueError, TypeError):  # no network, or of two versions of IP: for whoever reads it to judge
        return Effect.CHANGES
    if wider == narrower:
        return Effect.CHANGES
    return Effect.WIDENS if wider else Effect.NARROWS


def _all_within(inner: tuple[str, ...], outer: tuple[str, ...]) -> bool:
    networks = [ipaddress.ip_network(each, strict=False) for each in outer]
    return all(
        any(one.version == each.version and one.subnet_of(each) for each in networks)  # type: ignore[arg-type] # the versions are compared first
        for one in (ipaddress.ip_network(each, strict=False) for each in inner)
    )


def _by_presence(was: str | None, now: str | None) -> Effect:
    if was and now:
        return Effect.CHANGES
    return Effect.NARROWS if now else Effect.WIDENS


def subject_of(item: Declaration, clients: frozenset[str]) -> str:
    """Return whom a declaration is about: a client, else the account of its root, else the platform."""
    label = item.label if isinstance(item, Resource) else item.to.rpartition(".")[2] if isinstance(item, Import) else ""
    if label in clients:
        return label
    parts = item.root.split("/")
    return parts[1] if len(parts) > 1 else item.root


def sts_role(item: StsRole) -> str:
    """Return what an STS role allows, as a sentence."""
    condition = f" with the external id {quote(item.external_id)}" if item.external_id else " with no external id"
    return f"Vault may look into the account {quote(item.account_id)} by {quote(item.sts_role)}{condition}"
