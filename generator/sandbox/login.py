"""A client logs in as it would from its instance, and tries every door."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import hvac
import requests

from generator.errors import RemoteError, UsageError
from generator.sandbox.vault_contents import CERTIFICATE

if TYPE_CHECKING:
    from generator.manifest.fleet import Client
    from generator.sandbox.world import World


@dataclass(frozen=True, slots=True)
class Attempt:
    """One path that a client tried.

    Args:
        whose: The client whose path it is, or "shared".
        path: The path in the KV mount.
        wanted: Whether it should succeed.
        allowed: Whether it did.
        answer: What came back, without any secret.
    """

    whose: str
    path: str
    wanted: bool
    allowed: bool
    answer: str

    @property
    def is_right(self) -> bool:
        """Whether the answer is the one that the fleet says."""
        return self.wanted == self.allowed


@dataclass(frozen=True, slots=True)
class Login:
    """A login and what could be reached with it.

    Args:
        policies: The token's policies.
        ttl: The token's time to live, seconds.
    """

    client: str
    vault_role: str
    principal_arn: str
    policies: tuple[str, ...]
    ttl: int
    attempts: tuple[Attempt, ...]


def client_named(world: World, name: str) -> Client:
    """Return a client of the fleet.

    Raises:
        UsageError: When there is none of that name.
    """
    for client in world.fleet.clients:
        if client.name == name:
            return client
    known = ", ".join(client.name for client in world.fleet.clients)
    raise UsageError(f"there is no client {name}", help=f"the fleet's clients are: {known}")


def token_of(
    world: World, client: Client, *, role: str | None = None, header: str | None = None
) -> tuple[hvac.Client, dict[str, object]]:
    """Log in as a client by AWS IAM; return a client with the token and Vault's answer.

    Args:
        world: The sandbox.
        client: Whose IAM role is assumed.
        role: The Vault role to ask for; the client's own unless given.
        header: The server id to sign; the fleet's unless given.

    Raises:
        hvac.exceptions.VaultError: When Vault refuses.
        RemoteError: When AWS refuses.
    """
    # On an instance the session is named after it, and that is where EC2 inference finds the id.
    session = world.accounts.instance_of(client) if client.ec2 else "workload"
    keys = world.accounts.assume(_role_arn(client), session)
    vault = hvac.Client(url=world.services.vault_address)
    settings = world.fleet.settings
    answer = vault.auth.aws.iam_login(
        keys.access_key_id,
        keys.secret_access_key,
        keys.session_token,
        header_value=header or settings.vault.server_id_header,
        role=role or client.vault_role,
        region=settings.aws.region,
        mount_point=settings.vault.auth_mount,
    )
    return vault, answer["auth"]


def login(world: World, name: str) -> Login:
    """Log in as a client, read its own certificate and try everybody else's.

    Raises:
        RemoteError: When the login is refused or a server does not answer.
        UsageError: When there is no such client.
    """
    client = client_named(world, name)
    try:
        vault, auth = token_of(world, client)
        attempts = tuple(
            _try(vault, world.fleet.settings.vault.kv_mount, whose, path, wanted=wanted)
            for whose, path, wanted in _doors(world, client)
        )
    except hvac.exceptions.VaultError as error:
        raise RemoteError(
            f"{name} could not log in as {client.vault_role}: {error}",
            help=_way_out(client),
        ) from error
    except requests.RequestException as error:
        raise RemoteError(f"Vault does not answer: {error}", help="run `crosskeys sandbox up`") from error
    policies, ttl = auth["policies"], auth["lease_duration"]
    assert isinstance(policies, list)  # noqa: S101 - Vault's API says so
    assert isinstance(ttl, int)  # noqa: S101 - as above
    return Login(name, client.vault_role, client.principal_arn, tuple(policies), ttl, attempts)


def _way_out(client: Client) -> str:
    if client.retire:
        return "it is retired, and cannot any more"
    if client.suspend:
        return "it is suspended: take `suspend` out of its manifest, render and apply"
    return "apply the fleet first: crosskeys apply --target sandbox"


def _doors(world: World, client: Client) -> list[tuple[str, str, bool]]:
    granted = {grant.path for grant in client.grants}
    others = [other for other in world.fleet.clients if other.name != client.name]
    return [
        (client.name, client.directory, True),
        *(("shared", shared.path, shared.path in granted) for shared in world.fleet.settings.shared_paths),
        *((other.name, other.directory, False) for other in others),
    ]


def _try(vault: hvac.Client, mount: str, whose: str, directory: str, *, wanted: bool) -> Attempt:
    path = f"{directory}/{CERTIFICATE}"
    try:
        found = vault.secrets.kv.v2.read_secret_version(path, mount_point=mount, raise_on_deleted_version=True)
    except hvac.exceptions.Forbidden:
        return Attempt(whose, path, wanted, allowed=False, answer="403 permission denied")
    except hvac.exceptions.InvalidPath:
        return Attempt(whose, path, wanted, allowed=True, answer="404, and would have been read")
    names = ", ".join(sorted(found["data"]["data"]))
    return Attempt(whose, path, wanted, allowed=True, answer=f"read: {names}")


def _role_arn(client: Client) -> str:
    partition = client.principal_arn.split(":")[1]
    path = client.source.model.aws.role_path
    return f"arn:{partition}:iam::{client.account_id}:role{path}{client.role_name}"
