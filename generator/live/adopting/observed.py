"""Everything about registrations that a live Vault has, read once; decides nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from generator.live.answers import Unknown
from generator.live.mounts import AUTH, mounts
from generator.live.pace import each
from generator.live.vault import WORKERS
from generator.live.vault_roles import live_role, live_sts, policy_path, policy_text, role_path, sts_path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from generator.audit.declared import StsRole
    from generator.live.vault import Vault
    from generator.live.vault_roles import LiveRole

DEFAULT = "default"
"""The policy that every token has, named by a role or not: vault/policy_store.go."""
_EVERY = 1000  # answers between two lines of progress


@dataclass(frozen=True, slots=True)
class Observed:
    """A Vault as far as registrations are concerned.

    Args:
        mount: The AWS auth method's mount.
        roles: By name, in lower case as Vault has it.
        policies: Texts by name; None for one that a role names and that does not exist.
        sts: The STS entries, by account id.
        client: The auth method's client configuration; None where there is none.
        identity: Its identity configuration; None where there is none.
        unknown: What could not be read, by what was asked.
    """

    mount: str
    roles: Mapping[str, LiveRole]
    policies: Mapping[str, str | None]
    sts: Mapping[str, StsRole]
    client: Mapping[str, Any] | None
    identity: Mapping[str, Any] | None
    unknown: tuple[Unknown, ...]


def observe(vault: Vault, mount: str, wanted: Callable[[LiveRole], bool], progress: Callable[[str], None]) -> Observed:
    """Read all roles and STS entries of a mount, and the policies of some roles.

    Args:
        vault: Whom to ask.
        mount: The AWS auth method's mount.
        wanted: Whose policies are read.
        progress: Is told what has been read, now and then.
    """
    unknown: list[Unknown] = []

    def read(names: Iterable[str], path_of: Callable[[str], str], kind: str) -> dict[str, Mapping[str, Any] | None]:
        return _known(each(lambda name: vault.read(path_of(name)), names, WORKERS), kind, unknown, progress)

    names = _listed(vault, f"auth/{mount}/role", unknown)
    roles = {
        name: live_role(mount, name, data)
        for name, data in read(names, lambda name: role_path(mount, name), "roles").items()
        if data is not None
    }
    policies = {
        policy for live in roles.values() if wanted(live) for policy in live.role.token_policies if policy != DEFAULT
    }
    texts = read(sorted(map(str, policies)), policy_path, "policies")
    accounts = _listed(vault, f"auth/{mount}/config/sts", unknown)
    entries = read(accounts, lambda account: sts_path(mount, account), "STS entries")
    configuration = {name: vault.read(f"auth/{mount}/config/{name}") for name in ("client", "identity")}
    unknown += [found for found in configuration.values() if isinstance(found, Unknown)]
    known = {name: None if isinstance(found, Unknown) else found for name, found in configuration.items()}
    return Observed(
        mount,
        roles,
        {name: None if data is None else policy_text(data) for name, data in texts.items()},
        {account: live_sts(mount, account, data) for account, data in entries.items() if data is not None},
        known["client"],
        known["identity"],
        tuple(sorted(unknown, key=lambda one: one.what)),
    )


def _listed(vault: Vault, path: str, unknown: list[Unknown]) -> tuple[str, ...]:
    found = vault.list(path)
    if isinstance(found, Unknown):
        unknown.append(found)
        return ()
    return found or ()


def _known(
    answers: Iterable[tuple[str, Mapping[str, Any] | Unknown | None]],
    kind: str,
    unknown: list[Unknown],
    progress: Callable[[str], None],
) -> dict[str, Mapping[str, Any] | None]:
    """Return what was read by name, sorted; leave out, and note, what could not be read."""
    found: dict[str, Mapping[str, Any] | None] = {}
    for count, (name, data) in enumerate(answers, start=1):
        if isinstance(data, Unknown):
            unknown.append(data)
        else:
            found[name] = data
        if count % _EVERY == 0:
            progress(f"read {count} {kind}")
    return dict(sorted(found.items()))


def aws_mounts(vault: Vault) -> tuple[str, ...] | Unknown:
    """Return the mounts of the AWS auth method, in order."""
    found = mounts(vault, AUTH)
    if isinstance(found, Unknown):
        return found
    return tuple(sorted(path for path, each in found.items() if each.get("type") == "aws"))
