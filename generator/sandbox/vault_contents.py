"""What stands in the sandbox's Vault beside what Terraform makes: the platform of others, and certificates."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import hvac
import requests

from generator.errors import RemoteError

if TYPE_CHECKING:
    from generator.manifest.fleet import Fleet
    from generator.manifest.settings import FleetSettings
    from generator.sandbox.services import Services

CERTIFICATE = "tls"
"""Name of the demonstration secret in each directory."""

_FAULTS = (hvac.exceptions.VaultError, requests.RequestException)


def connect(services: Services) -> hvac.Client:
    """Return a client with Vault's root token."""
    return hvac.Client(url=services.vault_address, token=services.vault_token)


def endpoints(services: Services, region: str) -> dict[str, str]:
    """Return where Vault finds AWS in the sandbox, by the names of `auth/aws/config/client`."""
    return {
        "endpoint": services.aws_endpoint,
        "iam_endpoint": services.aws_endpoint,
        "sts_endpoint": services.aws_endpoint,
        "sts_region": region,
    }


def seed_platform(vault: hvac.Client, services: Services, fleet: Fleet) -> None:
    """Make by API those parts of the platform that the fleet leaves to others.

    Raises:
        RemoteError: When Vault does not answer or refuses.
    """
    settings, platform = fleet.settings.vault, fleet.settings.platform
    try:
        if not platform.auth_mount and f"{settings.auth_mount}/" not in _data(vault.sys.list_auth_methods()):
            vault.sys.enable_auth_method("aws", path=settings.auth_mount)
        if not platform.kv_mount and f"{settings.kv_mount}/" not in _data(vault.sys.list_mounted_secrets_engines()):
            vault.sys.enable_secrets_engine("kv", path=settings.kv_mount, options={"version": "2"})
        if not platform.client_config and not platform.auth_mount:
            # A mount that Terraform makes is configured by whoever configures it, once it is there.
            vault.write_data(
                f"auth/{settings.auth_mount}/config/client",
                data={
                    **endpoints(services, fleet.settings.aws.region),
                    "iam_server_id_header_value": settings.server_id_header or "",
                },
            )
            vault.write_data(
                f"auth/{settings.auth_mount}/config/identity",
                data={"iam_alias": settings.iam_alias, "iam_metadata": list(settings.iam_metadata)},
            )
    except _FAULTS as error:
        raise RemoteError(f"the platform could not be prepared in the sandbox's Vault: {error}") from error


def forget_lost_aws(vault: hvac.Client, settings: FleetSettings) -> tuple[str, ...]:
    """Take back what Vault remembers of an AWS that lost its memory; return the names of the roles removed.

    Vault's cached AWS sessions are flushed. Roles bound to the unique id of an IAM role are removed, so that the next
    plan makes them anew: the ids went with the IAM roles, and Terraform cannot see that.

    Raises:
        RemoteError: When Vault does not answer or refuses.
    """
    mount = f"auth/{settings.vault.auth_mount}"
    try:
        if f"{settings.vault.auth_mount}/" not in _data(vault.sys.list_auth_methods()):
            return ()
        config = vault.read(f"{mount}/config/client")
        if config is not None:
            # Sessions are flushed only when something changes: builtin/credential/aws/path_config_client.go.
            endpoint = config["data"]["endpoint"]
            for value in (f"{endpoint}/flush", endpoint):
                vault.write_data(f"{mount}/config/client", data={"endpoint": value})
        listed = vault.list(f"{mount}/role")
        removed = []
        for name in listed["data"]["keys"] if listed else ():
            role = vault.read(f"{mount}/role/{name}")
            if role and role["data"].get("bound_iam_principal_id"):
                vault.delete(f"{mount}/role/{name}")
                removed.append(name)
    except _FAULTS as error:
        raise RemoteError(f"the sandbox's Vault could not be read: {error}") from error
    return tuple(removed)


def seed_certificates(vault: hvac.Client, fleet: Fleet) -> int:
    """Put a demonstration certificate under every client's directory and shared path that has none; return how many.

    Nothing happens while there is no KV mount.

    Raises:
        RemoteError: When Vault does not answer or refuses.
    """
    mount = fleet.settings.vault.kv_mount
    wanted = {client.directory: client.name for client in fleet.clients}
    wanted |= {shared.path: shared.path for shared in fleet.settings.shared_paths}
    try:
        if f"{mount}/" not in _data(vault.sys.list_mounted_secrets_engines()):
            return 0
        missing = {
            path: name for path, name in wanted.items() if not vault.read(f"{mount}/metadata/{path}/{CERTIFICATE}")
        }
        for path, name in missing.items():
            vault.secrets.kv.v2.create_or_update_secret(f"{path}/{CERTIFICATE}", certificate(name), mount_point=mount)
    except _FAULTS as error:
        raise RemoteError(f"the demonstration certificates could not be stored: {error}") from error
    return len(missing)


def certificate(name: str) -> dict[str, str]:
    """Return a self-signed certificate and its private key, both PEM, valid for a day."""
    from cryptography import x509  # noqa: PLC0415 - slow to import, and most certificates are there already
    from cryptography.hazmat.primitives import hashes, serialization  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415
    from cryptography.x509.oid import NameOID  # noqa: PLC0415

    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:64])])
    now = dt.datetime.now(dt.UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + dt.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return {"certificate": signed.public_bytes(serialization.Encoding.PEM).decode(), "private_key": private.decode()}


def _data(answer: Any) -> Any:
    return answer["data"]
