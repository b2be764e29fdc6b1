"""Registrations as people have written them by hand, in all the ways in which that is done."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from generator.live.pace import each

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import hvac

ACCOUNTS = ("111111111111", "222222222222", "333333333333", "444444444444", "555555555555", "666666666666")


@dataclass(frozen=True, slots=True)
class Registration:
    """One call of ``vault write auth/aws/role/ROLE …`` and the policy that it names.

    Args:
        role: As it was spelt.
        iam_role: The name of the IAM role, where it is bound to one.
        arguments: Of the write.
        policies: Texts by name, as they were spelt.
        reason: Why it cannot be imported; empty where it can.
    """

    role: str
    account_id: str
    iam_role: str
    arguments: Mapping[str, object]
    policies: Mapping[str, str] = field(default_factory=dict)
    reason: str = ""
    style: str = ""


def paths(account_id: str, iam_role: str) -> tuple[str, str]:
    """Return what a client's policy is about, data first."""
    directory = f"certs/{account_id}/{iam_role}"
    return f"secret/data/{directory}/*", f"secret/metadata/{directory}/*"


def seeds(account_id: str, iam_role: str) -> str:
    """Return the policy as the registration's guide has it."""
    data, metadata = paths(account_id, iam_role)
    return (
        f"# list or read the actual certificates\n"
        f'path "{data}" {{ capabilities = ["read", "list"] }}\n'
        f"# list metadata for the directory or its certificates\n"
        f'path "{metadata}" {{ capabilities = ["list", "read"] }}\n'
    )


def _expanded(account_id: str, iam_role: str) -> str:
    data, metadata = paths(account_id, iam_role)
    return (
        f'path "{metadata}" {{\n    capabilities = ["read",\n      "list"]\n}}\n\n/* certificates */\n'
        f'path "/{data}" {{\n  capabilities = [ "list", "read" ] // both\n}}'
    )


def _as_json(account_id: str, iam_role: str) -> str:
    data, metadata = paths(account_id, iam_role)
    rules = {data: {"capabilities": ["read"]}, metadata: {"capabilities": ["list", "read"]}}
    return json.dumps({"path": rules})


def _twice(account_id: str, iam_role: str) -> str:
    data, metadata = paths(account_id, iam_role)
    return (
        f'path "{data}" {{ capabilities = ["read"] }}\npath "{metadata}" {{ capabilities = ["list"] }}\n'
        f'path "{metadata}" {{ capabilities = ["read"] }}\n'
    )


def _granted(account_id: str, iam_role: str) -> str:
    rules = 'path "secret/data/shared/ca/*" { capabilities = ["read", "list"] }\n'
    rules += 'path "secret/metadata/shared/ca/*" { capabilities = ["read", "list"] }\n'
    return seeds(account_id, iam_role) + rules


STYLES: tuple[str, ...] = (
    "plain",
    "token_policies",
    "list of principals",
    "deprecated limits",
    "limits",
    "half of the limits",
    "upper case",
    "default too",
    "expanded policy",
    "policy in JSON",
    "rules twice",
    "granted",
    "CIDRs",
    "other role name",
    "other policy name",
)


def expressible(number: int, account_id: str) -> Registration:
    """Return one that can be imported, in a style by its number."""
    style = STYLES[number % len(STYLES)]
    name = f"app-{number:03}"
    iam_role = f"App_{number:03}.Prod" if style == "upper case" else name
    role = iam_role.upper() if style == "upper case" else f"vault.{name}" if style == "other role name" else name
    policy = f"{name.upper()}-Policy" if style == "upper case" else f"{name}-policy"
    policy = f"read_{number:03}" if style == "other policy name" else policy
    text = {
        "expanded policy": _expanded,
        "policy in JSON": _as_json,
        "rules twice": _twice,
        "granted": _granted,
    }.get(style, seeds)(account_id, iam_role)
    arn = f"arn:aws:iam::{account_id}:role/{iam_role}"
    arguments: dict[str, object] = {
        "auth_type": "iam",
        "bound_iam_principal_arn": [arn] if style == "list of principals" else arn,
        "resolve_aws_unique_ids": False,
    }
    in_style: dict[str, dict[str, object]] = {
        "token_policies": {"token_policies": [policy]},
        "deprecated limits": {"policies": policy, "ttl": "30m", "max_ttl": 7200},
        "limits": {"policies": policy, "token_ttl": "1h", "token_max_ttl": "4h"},
        "half of the limits": {"policies": policy, "token_ttl": 900},
        "default too": {"policies": f"default,{policy}"},
        "CIDRs": {"policies": policy, "token_bound_cidrs": ["127.0.0.1/32", "10.20.0.0/16"]},
    }
    arguments |= in_style.get(style, {"policies": policy})
    return Registration(role, account_id, iam_role, arguments, {policy: text}, style=style)


def inexpressible(account_id: str) -> Iterable[Registration]:
    """Yield those that cannot be imported, at least one for each reason that a role can have."""

    def left(reason: str, name: str, **arguments: object) -> Registration:
        policy = f"{name}-policy"
        text = arguments.pop("text", seeds(account_id, name))
        usual = {
            "auth_type": "iam",
            "bound_iam_principal_arn": f"arn:aws:iam::{account_id}:role/{name}",
            "resolve_aws_unique_ids": False,
            "policies": policy,
        }
        policies = {} if text is None else {policy: str(text)}
        return Registration(name, account_id, name, {**usual, **arguments}, policies, reason)

    arn = f"arn:aws:iam::{account_id}"
    yield left("wildcard-principal", "wild", bound_iam_principal_arn=f"{arn}:role/*")
    yield left("wildcard-principal", "wild-prefix", bound_iam_principal_arn=f"{arn}:role/wild-*")
    yield left("several-principals", "pair", bound_iam_principal_arn=f"{arn}:role/one,{arn}:role/two")
    yield left("not-an-iam-role", "person", bound_iam_principal_arn=f"{arn}:user/jo")
    yield left("not-an-iam-role", "session", bound_iam_principal_arn=f"arn:aws:sts::{account_id}:assumed-role/a/b")
    yield left("not-an-iam-role", "whole-account", bound_iam_principal_arn=f"{arn}:root")
    yield left("principal-with-path", "pathed", bound_iam_principal_arn=f"{arn}:role/apps/pathed")
    yield left("other-partition", "china", bound_iam_principal_arn=f"arn:aws-cn:iam::{account_id}:role/china")
    yield left("unsupported-token-field", "period", period="24h")
    yield left("unsupported-token-field", "batch", token_type="batch")
    yield left("unsupported-token-field", "uses", token_num_uses=3)
    yield left("unsupported-token-field", "bare", token_no_default_policy=True)
    yield left("no-policy", "idle", policies="", text=None)
    yield left("no-policy", "idle-default", policies="default", text=None)
    yield left("extra-policies", "much", policies="much-policy,another-policy")
    yield left("missing-policy", "hollow", text=None)
    yield left("shared-policy", "share-one", policies="shared-policy", text=None)
    yield left("shared-policy", "share-two", policies="shared-policy", text=None)
    yield left(
        "undecidable-policy",
        "templated",
        text='path "secret/data/{{identity.entity.name}}/*" {\n  capabilities = ["read"]\n}\n',
    )
    yield left(
        "undecidable-policy",
        "constrained",
        text='path "secret/data/certs/*" {\n  capabilities = ["update"]\n  allowed_parameters = { "a" = [] }\n}\n',
    )
    yield left("other-policy", "broad", text='path "secret/*" { capabilities = ["read", "list"] }\n')
    yield left("other-policy", "writer", text=seeds(account_id, "writer").replace('"read", "list"', '"read", "update"'))
    yield left("other-policy", "narrow", text=seeds(account_id, "narrow").split("# list metadata")[0])
    yield left("other-directory", "elsewhere", text=seeds(account_id, "somebody"))
    yield left("unshared-path", "curious", text=seeds(account_id, "curious") + seeds(account_id, "private"))
    yield left("shared-principal", "twin-one", bound_iam_principal_arn=f"{arn}:role/twin")
    yield left("shared-principal", "twin-two", bound_iam_principal_arn=f"{arn}:role/twin")
    yield left("no-name", "9lives", policies="9lives", text=None)
    yield left("token-limits", "endless", token_ttl="240h", token_max_ttl="0")


def write(vault: hvac.Client, found: Iterable[Registration], mount: str = "aws") -> None:
    """Write registrations into Vault, policies first."""

    def one(registration: Registration) -> None:
        for name, text in registration.policies.items():
            vault.sys.create_or_update_policy(name, text)
        vault.write_data(f"auth/{mount}/role/{registration.role}", data=dict(registration.arguments))

    for _ in each(one, found, 8):
        pass
