"""A client logs in as it would from its instance, and tries every door."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import boto3
import hvac
import requests

from generator.errors import RemoteError
from generator.live import doors
from generator.live.login import client_named
from generator.live.sign_in import role_arn, sign_in
from generator.sandbox.vault_contents import CERTIFICATE

if TYPE_CHECKING:
    from generator.live.doors import Attempt
    from generator.manifest.fleet import Client
    from generator.sandbox.world import World


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


def session_of(world: World, client: Client) -> boto3.session.Session:
    """Return a session of a client's IAM role, as its workload has it.

    Raises:
        RemoteError: When AWS refuses.
    """
    # On an instance the session is named after it, and that is where EC2 inference finds the id.
    name = world.accounts.instance_of(client) if client.ec2 else "workload"
    keys = world.accounts.assume(role_arn(client), name)
    return boto3.session.Session(
        aws_access_key_id=keys.access_key_id,
        aws_secret_access_key=keys.secret_access_key,
        aws_session_token=keys.session_token,
        region_name=world.fleet.settings.aws.region,
    )


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
    session = session_of(world, client)
    vault = hvac.Client(url=world.services.vault_address)
    settings = world.fleet.settings
    header = header or settings.vault.server_id_header
    return vault, sign_in(vault, session, settings, role or client.vault_role, header)


def login(world: World, name: str) -> Login:
    """Log in as a client, read its own certificate and try everybody else's.

    Raises:
        RemoteError: When the login is refused or a server does not answer.
        UsageError: When there is no such client.
    """
    client = client_named(world.fleet, name)
    try:
        vault, auth = token_of(world, client)
        attempts = tuple(
            doors.read(vault, world.fleet.settings.vault.kv_mount, whose, f"{path}/{CERTIFICATE}", wanted=wanted)
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
