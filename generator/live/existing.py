"""Whether an object that a tree declares is there already, and what it is: one question of each kind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, assert_never

from generator.audit.declared import (
    AuthBackend,
    AuthBackendClient,
    AuthBackendIdentity,
    IamRole,
    IamRolePolicy,
    InstanceProfile,
    Mount,
    StsRole,
    VaultPolicy,
    VaultRole,
)
from generator.audit.faults import Unreadable
from generator.audit.policy import rules
from generator.diagnostics import Span
from generator.live.answers import Unknown
from generator.live.mounts import AUTH, ENGINES, mounted
from generator.live.vault_roles import live_role, live_sts, policy_path, policy_text, role_path, sts_path

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from generator.audit.declared import Declared
    from generator.live.aws import AwsAccount
    from generator.live.vault import Vault

OfVault = VaultPolicy | VaultRole | StsRole | AuthBackend | AuthBackendClient | AuthBackendIdentity | Mount
OfAws = IamRole | IamRolePolicy | InstanceProfile

# What a mount answers that nobody has configured: builtin/credential/aws, path_config_identity.go. A client
# configuration is not there at all until somebody writes one; path_config_client.go has this one default.
_IDENTITY = {
    "iam_alias": "role_id",
    "ec2_alias": "role_id",
    "iam_metadata": {"account_id", "auth_type"},
    "ec2_metadata": {"account_id", "auth_type"},
}
_RETRIES = ("max_retries", -1)


def in_vault(item: OfVault, declared: Declared, vault: Vault) -> str | Unknown | None:
    """Return what is there in an object's place in Vault, in a few words; None for nothing.

    A configuration that is as Vault has it by itself is nothing: nobody set it.

    Args:
        item: The object.
        declared: The tree that declares it.
        vault: The Vault to ask.
    """
    path, words = _place(item, declared)
    found = vault.read(path)
    return found if found is None or isinstance(found, Unknown) else words(found)


def in_aws(item: OfAws, declared: Declared, account: AwsAccount) -> str | Unknown | None:
    """Return what is there in an object's place in its account, in a few words; None for nothing.

    Args:
        item: The object.
        declared: The tree that declares it.
        account: The account to ask.
    """
    match item:
        case IamRole():
            role = account.role(item.name, policies=False)
            return role if role is None or isinstance(role, Unknown) else f"{role.arn}, {role.unique_id}"
        case IamRolePolicy():
            role = account.role(declared.text(item.root, item.role))
            if role is None or isinstance(role, Unknown):
                return role
            return f"a policy of {role.arn}" if item.name in role.inline else None
        case InstanceProfile():
            profile = account.instance_profile(item.name)
            if profile is None or isinstance(profile, Unknown):
                return profile
            return f"{profile.arn} with {' and '.join(profile.roles) or 'no role'}"
        case _:
            assert_never(item)


def _place(item: OfVault, declared: Declared) -> tuple[str, Callable[[Mapping[str, Any]], str | None]]:
    """Return where in Vault an object is read, and what makes words of the answer."""
    match item:
        case VaultPolicy():
            return policy_path(item.name), _policy
        case AuthBackend():
            return AUTH, lambda found: _mount("an auth method", item.path, found)
        case Mount():
            return ENGINES, lambda found: _mount("a secrets engine", item.path, found)
    mount = declared.text(item.root, item.backend)
    words: Callable[[Mapping[str, Any]], str | None]
    match item:
        case VaultRole():
            place, words = role_path(mount, item.role), _role
        case StsRole():
            place, words = sts_path(mount, item.account_id), _sts
        case AuthBackendClient():
            place, words = f"auth/{mount}/config/client", _client_config
        case AuthBackendIdentity():
            place, words = f"auth/{mount}/config/identity", _identity_config
        case _:
            assert_never(item)
    return place, words


def _policy(data: Mapping[str, Any]) -> str:
    text = policy_text(data)
    try:
        paths = [rule.path for rule in rules(text, Span(""))]
    except Unreadable:
        return f"a policy of {len(text)} characters"
    return f"a policy for {paths[0]}{' and more' * (len(paths) > 1)}" if paths else "a policy that allows nothing"


def _role(data: Mapping[str, Any]) -> str:
    role = live_role("", "", data).role
    principals = ", ".join(role.bound_iam_principal_arns) or f"{role.auth_type} logins"
    policies = ", ".join(str(policy) for policy in role.token_policies) or "no policy"
    return f"lets {principals} log in with {policies}"


def _sts(data: Mapping[str, Any]) -> str:
    return f"lets Vault assume {live_sts('', '', data).sts_role}"


def _mount(what: str, path: str, data: Mapping[str, Any]) -> str | None:
    found = mounted(data).get(path)
    return f"{what} of type {found.get('type')}" if found else None


def _client_config(data: Mapping[str, Any]) -> str | None:
    # Names alone: a value may be a key.
    names = sorted(name for name, value in data.items() if value and (name, value) != _RETRIES)
    return f"sets {', '.join(names)}" if names else None


def _identity_config(data: Mapping[str, Any]) -> str | None:
    names = [name for name, default in _IDENTITY.items() if name in data and _plain(data[name]) != default]
    return f"sets {', '.join(names)}" if names else None


def _plain(value: object) -> object:
    return set(value) if isinstance(value, list) else value
