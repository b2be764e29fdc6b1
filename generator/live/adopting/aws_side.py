"""From an IAM role and its instance profile to what a client manifest says of them."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from generator.audit.declared import DEFAULT_SESSION
from generator.live import meaning
from generator.live.adopting import reasons
from generator.live.answers import Unknown
from generator.manifest.client import ClientAws
from generator.manifest.fleet import NO_PROFILE, default_services
from generator.report.imported import Left

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from generator.audit.declared import Statement
    from generator.live.adopting.registrations import Registration
    from generator.live.aws import LiveIamRole, LiveInstanceProfile
    from generator.live.systems import Systems
    from generator.manifest.fleet import Account
    from generator.manifest.proposal import Value

EXISTING: Mapping[str, Value] = {"role": "existing"}
_OWNER_TAGS = ("owner", "Owner")


@dataclass(frozen=True, slots=True)
class AwsSide:
    """What a client's manifest says of AWS.

    Args:
        aws: The keys below ``aws``.
        owner: Whom the IAM role's tags call its owner; None for nobody.
        left: Why the IAM role stays as it is; None where it is imported too.
    """

    aws: Mapping[str, Value]
    owner: str | None = None
    left: Left | None = None


@dataclass(frozen=True, slots=True)
class Unsaid:
    """What of an IAM role no manifest can say, as the end of a sentence about it."""

    why: str


class Iam:
    """What accounts have, each thing asked for once; may be asked by many threads at once.

    Accounts that are handed over are not looked into.

    Args:
        systems: Whom to ask.
    """

    def __init__(self, systems: Systems) -> None:
        self._systems = systems
        self._known: dict[tuple[str, str, str], Any] = {}
        self._lock = threading.Lock()

    def looks_into(self, account: Account) -> bool | Unknown:
        """Tell whether an account's side of AWS is this fleet's to import."""
        if not account.managed:
            return False
        found = self._systems.aws(account)
        return found if isinstance(found, Unknown) else found is not None

    def role(self, account: Account, name: str, *, policies: bool = False) -> LiveIamRole | Unknown | None:
        """Return a role, None where there is none; with its policies where they are asked for."""
        found: LiveIamRole | Unknown | None = self._asked(
            account, f"role {policies}", name, lambda aws: aws.role(name, policies=policies)
        )
        return found

    def profiles(self, account: Account, role: str) -> tuple[LiveInstanceProfile, ...] | Unknown:
        """Return the instance profiles that a role is in."""
        found: tuple[LiveInstanceProfile, ...] | Unknown | None = self._asked(
            account, "profiles", role, lambda aws: aws.instance_profiles_of(role)
        )
        return () if found is None else found

    def profile(self, account: Account, name: str) -> LiveInstanceProfile | Unknown | None:
        """Return an instance profile, None where there is none."""
        found: LiveInstanceProfile | Unknown | None = self._asked(
            account, "profile", name, lambda aws: aws.instance_profile(name)
        )
        return found

    def _asked(self, account: Account, kind: str, name: str, ask: Callable[[Any], Any]) -> Any:
        aws = self._systems.aws(account) if account.managed else None
        if aws is None or isinstance(aws, Unknown):
            return aws
        key = (account.id, kind, name)
        with self._lock:
            if key in self._known:
                return self._known[key]
        found = ask(aws)
        with self._lock:
            self._known[key] = found
        return found


def aws_side(registration: Registration, account: Account, iam: Iam) -> AwsSide | Left | Unknown:
    """Return what the manifest of a registration says of AWS, why it cannot be imported at all, or what is not known.

    Args:
        registration: What Vault has.
        account: The principal's account.
        iam: Asks AWS.
    """
    looks = iam.looks_into(account)
    if isinstance(looks, Unknown):
        return looks
    if not looks:
        return AwsSide(EXISTING)
    role = iam.role(account, registration.role_name)
    profiles = iam.profiles(account, registration.role_name)
    if isinstance(role, Unknown) or isinstance(profiles, Unknown):
        return role if isinstance(role, Unknown) else profiles  # type: ignore[return-value]  # one of the two is
    return _read(registration, account, role, profiles)


def _read(
    registration: Registration, account: Account, role: LiveIamRole | None, profiles: tuple[LiveInstanceProfile, ...]
) -> AwsSide | Left:
    if role is None or role.name != registration.role_name:
        return registration.left(reasons.IAM_ROLE_MISSING, f"{account.id} has no IAM role {registration.role_name}")
    ids = registration.live.principal_ids
    if registration.role.resolve_aws_unique_ids and role.unique_id not in ids:
        return registration.left(reasons.RECREATED, f"bound to {', '.join(ids) or 'no id'}, and it is {role.unique_id}")
    owner = next((role.tags[tag] for tag in _OWNER_TAGS if role.tags.get(tag)), None)
    said = _said(role, profiles, account)
    if isinstance(said, Unsaid):
        path: dict[str, Value] = {} if role.path == "/" else {"role_path": role.path}
        left = Left(reasons.AWS_SIDE, f"IAM role {role.name} in {account.id}", said.why)
        return AwsSide({**EXISTING, **path}, owner, left)
    return AwsSide(said, owner)


def _said(role: LiveIamRole, profiles: tuple[LiveInstanceProfile, ...], account: Account) -> dict[str, Value] | Unsaid:
    """Return the keys below ``aws``, or what of the role they cannot say."""
    services = _services(role)
    if isinstance(services, Unsaid):
        return services
    profile = _profile(role, profiles)
    if isinstance(profile, Unsaid):
        return profile
    boundary = account.sts_boundary  # the account's or the fleet's: what a client that says nothing gets
    if boundary and role.permissions_boundary is None:
        return Unsaid(f"it has no permissions boundary, and would get {boundary}")
    tags = {
        key: value
        for key, value in sorted(role.tags.items())
        if account.tags.get(key) != value and not key.startswith("aws:")
    }
    keys: dict[str, Value] = {
        "role_path": None if role.path == "/" else role.path,
        "instance_profile": profile,
        "trusted_services": None if services == default_services(role.arn.split(":")[1]) else services,
        "permissions_boundary": None if role.permissions_boundary == boundary else role.permissions_boundary,
        "max_session_duration": None if role.max_session_duration == DEFAULT_SESSION else role.max_session_duration,
        "tags": tags,
    }
    try:
        ClientAws.model_validate({key: value for key, value in keys.items() if value is not None})
    except ValidationError as error:
        first = error.errors()[0]
        return Unsaid(f"it has {'.'.join(map(str, first['loc']))}: {first['msg']}")
    return keys


def _services(role: LiveIamRole) -> tuple[str, ...] | Unsaid:
    """Return the services that may assume a role and that nobody else may, or what else its trust policy says."""
    try:
        statements = meaning.of_document(role.trust)
    except ValueError as error:
        return Unsaid(f"its trust policy cannot be said: {error}")
    services: list[str] = []
    for statement in statements:
        if not _trusts_services(statement):
            return Unsaid("its trust policy says more than that services may assume it")
        services += (each for group in statement.principals for each in group.identifiers if each not in services)
    return tuple(sorted(services))


def _trusts_services(statement: Statement) -> bool:
    return (
        statement.effect == "Allow"
        and statement.actions == ("sts:AssumeRole",)
        and not statement.conditions
        and all(group.type == "Service" for group in statement.principals)
    )


def _profile(role: LiveIamRole, profiles: tuple[LiveInstanceProfile, ...]) -> str | Unsaid | None:
    """Return the value of ``instance_profile``, None for its default, or what it cannot say."""
    if not profiles:
        return NO_PROFILE
    if len(profiles) > 1:
        return Unsaid(f"it is in several instance profiles: {', '.join(profile.name for profile in profiles)}")
    if profiles[0].path != role.path:
        return Unsaid(f"it has the path {role.path}, and its instance profile {profiles[0].path}")
    return None if profiles[0].name == role.name else profiles[0].name
