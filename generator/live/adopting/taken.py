"""What declared objects there are already, and what an apply would change of them once they are imported."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from generator.audit.declared import (
    AuthBackend,
    AuthBackendClient,
    AuthBackendIdentity,
    AwsProvider,
    IamRole,
    IamRolePolicy,
    InstanceProfile,
    Mount,
    PolicyDocument,
    StsRole,
    VaultPolicy,
    VaultRole,
    policy_name,
)
from generator.live import differences, meaning
from generator.live.adopting.policies import mean_the_same
from generator.live.answers import Unknown
from generator.live.mounts import AUTH, ENGINES, mounts
from generator.live.vault_roles import policy_path, policy_text
from generator.report.imported import Change

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from generator.audit.declared import Declared, Resource, Statement
    from generator.live.adopting.aws_side import Iam
    from generator.live.adopting.observed import Observed
    from generator.live.differences import Difference
    from generator.live.systems import Systems
    from generator.manifest.fleet import Account

# What the provider destroys an object to change: `ForceNew` in the sources of hashicorp/vault 5.9.0 and hashicorp/aws
# 5.100.0. Whether unique ids are resolved can be turned on in place, and not off.
_REPLACING = frozenset({"auth_type", "path", "type"})
_UNIQUE_IDS = "resolve_aws_unique_ids"


@dataclass(frozen=True, slots=True)
class Taken:
    """A declared object that is there.

    Args:
        changes: What an apply changes of it.
        replaced: The first field for which Terraform would destroy it; None where it changes all in place.
    """

    changes: tuple[Change, ...]
    replaced: str | None


class Taking:
    """Looks up declared objects among what was observed, and asks for the rest.

    Args:
        declared: The tree.
        observed: What Vault has.
        systems: Whom to ask for a policy that was not read, and what Terraform's variables are.
        iam: Asks AWS.
        accounts: The accounts of the fleet, by id.
    """

    def __init__(
        self, declared: Declared, observed: Observed, systems: Systems, iam: Iam, accounts: Mapping[str, Account]
    ) -> None:
        self._declared = declared
        self._observed = observed
        self._vault = systems.vault
        self._variables = systems.variables
        self._iam = iam
        self._accounts = accounts
        self._unknown = {each.what: each for each in observed.unknown}
        self._default_tags = {item.root: dict(item.default_tags) for item in declared.of(AwsProvider)}

    def of(self, item: Resource) -> Taken | Unknown | None:
        """Return what becomes of an object that is there, None where it is not."""
        match item:
            case VaultRole():
                found: Taken | Unknown | None = self._of_role(item)
            case VaultPolicy():
                found = self._of_policy(item)
            case StsRole():
                found = self._of_sts(item)
            case AuthBackend() | Mount():
                found = self._of_mount(item)
            case AuthBackendClient() | AuthBackendIdentity():
                found = self._of_configuration(item)
            case IamRole():
                found = self._of_iam_role(item)
            case InstanceProfile():
                found = self._of_profile(item)
            case IamRolePolicy():
                found = self._of_inline_policy(item)
            case _:
                found = None
        return found

    def _of_role(self, item: VaultRole) -> Taken | Unknown | None:
        name = item.role.lower()
        found = self._observed.roles.get(name)
        if found is None:
            return self._unlisted(f"auth/{self._observed.mount}/role", name)
        what = f"role {item.role}"
        single = [cidr for cidr in item.token_bound_cidrs if "/" not in cidr]
        # Vault keeps a single address without a prefix; what the provider imports has one, and is written once without.
        words = [Change(what, "token_bound_cidrs", "other words", ", ".join(single), quiet=True)] if single else []
        return _taken(what, differences.of_role(self._declared, item, found.role), words)

    def _of_sts(self, item: StsRole) -> Taken | Unknown | None:
        found = self._observed.sts.get(item.account_id)
        if found is None:
            return self._unlisted(f"auth/{self._observed.mount}/config/sts", item.account_id)
        return _taken(f"STS entry {item.account_id}", differences.of_sts(item, found))

    def _unlisted(self, folder: str, name: str) -> Unknown | None:
        """Return that something is not known to be absent: it, or its folder, could not be read."""
        return self._unknown.get(folder) or self._unknown.get(f"{folder}/{name}")

    def _of_policy(self, item: VaultPolicy) -> Taken | Unknown | None:
        name = policy_name(item.name)
        if name in self._observed.policies:
            text = self._observed.policies[name]
        else:
            found = self._vault.read(policy_path(name))
            if isinstance(found, Unknown):
                return found
            text = None if found is None else policy_text(found)
        if text is None:
            return None
        what = f"policy {item.name}"
        if text == item.text:
            return Taken((), None)
        if mean_the_same(text, item.text, item.name):
            return Taken((Change(what, "policy", "other words", "as rendered", quiet=True),), None)
        drift = differences.of_policy(item, text)
        said = "; ".join(drift.allows) if drift else ""
        return Taken((Change(what, "policy", said or "other rules", "as rendered"),), None)

    def _of_configuration(self, item: AuthBackendClient | AuthBackendIdentity) -> Taken | Unknown | None:
        mount = self._observed.mount
        kind = "client" if isinstance(item, AuthBackendClient) else "identity"
        found = self._observed.client if isinstance(item, AuthBackendClient) else self._observed.identity
        if found is None:
            return self._unlisted(f"auth/{mount}/config", kind)
        compared = (
            differences.of_client_config(self._declared, item, self._variables, found)
            if isinstance(item, AuthBackendClient)
            else differences.of_identity_config(item, found)
        )
        return _taken(f"{kind} configuration of {mount}/", compared)

    def _of_mount(self, item: AuthBackend | Mount) -> Taken | Unknown | None:
        mounted = mounts(self._vault, AUTH if isinstance(item, AuthBackend) else ENGINES)
        if isinstance(mounted, Unknown):
            return mounted
        found = mounted.get(item.path)
        if found is None:
            return None
        fields = {"type": (item.type, found.get("type"))}
        if isinstance(item, Mount):
            options = found.get("options") or {}
            fields |= {f"options.{key}": (value, options.get(key)) for key, value in item.options}
        return _taken(f"mount {item.path}/", differences.of_fields(fields))

    def _of_iam_role(self, item: IamRole) -> Taken | Unknown | None:
        account = self._account(item)
        role = self._iam.role(account, item.name)
        if role is None or isinstance(role, Unknown):
            return role
        what = f"IAM role {item.name} in {account.id}"
        trust = _document(what, "assume_role_policy", self._statements(item), role.trust)
        return _taken(what, (*self._tagged(item, role.tags), *differences.of_iam_role(item, role)), trust)

    def _of_profile(self, item: InstanceProfile) -> Taken | Unknown | None:
        account = self._account(item)
        profile = self._iam.profile(account, item.name)
        if profile is None or isinstance(profile, Unknown):
            return profile
        compared = differences.of_instance_profile(self._declared, item, profile)
        return _taken(f"instance profile {item.name} in {account.id}", (*self._tagged(item, profile.tags), *compared))

    def _of_inline_policy(self, item: IamRolePolicy) -> Taken | Unknown | None:
        account = self._account(item)
        owner = self._declared.text(item.root, item.role)
        role = self._iam.role(account, owner, policies=True)
        if role is None or isinstance(role, Unknown):
            return role
        if item.name not in role.inline:
            return None
        what = f"policy {item.name} of IAM role {owner} in {account.id}"
        return Taken(tuple(_document(what, "policy", self._statements(item), role.inline[item.name])), None)

    def _account(self, item: Resource) -> Account:
        return self._accounts[item.root.split("/")[1]]

    def _tagged(self, item: IamRole | InstanceProfile, live: Mapping[str, str]) -> Iterator[Difference]:
        for each in differences.of_tags(self._default_tags.get(item.root, {}), item, live):
            yield replace(each, field=f"tags.{each.field}")

    def _statements(self, item: IamRole | IamRolePolicy) -> tuple[Statement, ...]:
        reference = item.assume_role_policy if isinstance(item, IamRole) else item.policy
        document = self._declared.target(item.root, reference)
        return document.statements if isinstance(document, PolicyDocument) else ()


def _taken(what: str, found: Iterable[Difference], more: Iterable[Change] = ()) -> Taken:
    differing = tuple(found)
    changes = (Change(what, each.field, _shown(each.live), _shown(each.declared)) for each in differing)
    replaced = (each.field for each in differing if each.field in _REPLACING or _turned_off(each))
    return Taken((*changes, *more), next(replaced, None))


def _turned_off(difference: Difference) -> bool:
    return difference.field == _UNIQUE_IDS and difference.declared is False


def _document(what: str, field: str, declared: tuple[Statement, ...], live: Mapping[str, Any]) -> Iterator[Change]:
    try:
        found = meaning.of_document(live)
    except ValueError as error:
        yield Change(what, field, str(error), "as rendered")
        return
    more, less = meaning.difference(declared, found)
    if more or less:
        yield Change(what, field, "; ".join(more) or "less", "; ".join(less) or "as rendered")
    elif found != declared:
        yield Change(what, field, "other words", "as rendered", quiet=True)


def _shown(value: object) -> str:
    match value:
        case None:
            return "none"
        case bool():
            return str(value).lower()
        case frozenset():
            return ", ".join(sorted(map(str, value))) or "none"
        case _:
            return str(value)
