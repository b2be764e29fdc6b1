"""Logging in to Vault by AWS IAM: a signed sts:GetCallerIdentity that Vault sends on, as Vault's own client does."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import TYPE_CHECKING, Any

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import NoCredentialsError

if TYPE_CHECKING:
    import boto3
    import hvac

    from generator.manifest.fleet import Client
    from generator.manifest.settings import FleetSettings

HEADER = "X-Vault-AWS-IAM-Server-ID"

_BODY = "Action=GetCallerIdentity&Version=2011-06-15"
_GLOBAL = ("https://sts.amazonaws.com", "us-east-1")


def sign_in(
    vault: hvac.Client, session: boto3.session.Session, settings: FleetSettings, role: str, header: str | None
) -> dict[str, Any]:
    """Log in and give the client the token; return what Vault says of it.

    Signed is for the STS endpoint to which Vault sends it on: the session's region's with ``sts_region_from_client``,
    else the global one, which is Vault's default. hvac's own login signs for the global one's host in any region.

    Args:
        vault: A client without a token.
        session: Whose credentials sign.
        settings: The fleet's.
        role: The Vault role to ask for; empty asks for the one named after the IAM role.
        header: The server id to sign; None or empty signs none.

    Raises:
        botocore.exceptions.NoCredentialsError: When the session has none.
        hvac.exceptions.VaultError: When Vault refuses.
        requests.RequestException: When it does not answer.
    """
    url, region = endpoint_of(session, settings)
    request = AWSRequest("POST", url, data=_BODY, headers={HEADER: header} if header else {})
    request.headers["Content-Type"] = "application/x-www-form-urlencoded; charset=utf-8"
    credentials = session.get_credentials()
    if credentials is None:
        raise NoCredentialsError
    SigV4Auth(credentials.get_frozen_credentials(), "sts", region).add_auth(request)
    headers = {"Host": url.partition("://")[2], **dict(request.headers.items())}
    answer = vault.adapter.login(
        url=f"/v1/auth/{settings.vault.auth_mount}/login",
        use_token=True,
        json={
            "iam_http_request_method": "POST",
            "iam_request_url": _encoded(f"{url}/"),
            "iam_request_headers": _encoded(json.dumps({name: [value] for name, value in headers.items()})),
            "iam_request_body": _encoded(_BODY),
            "role": role,
        },
    )
    auth: dict[str, Any] = answer["auth"]
    return auth


def endpoint_of(session: boto3.session.Session, settings: FleetSettings) -> tuple[str, str]:
    """Return the base URL of the STS endpoint that a login is signed for, and its region."""
    if not settings.vault.sts_region_from_client and settings.aws.partition == "aws":
        return _GLOBAL
    region = session.region_name or settings.aws.region
    suffix = ".cn" if settings.aws.partition == "aws-cn" else ""
    return f"https://sts.{region}.amazonaws.com{suffix}", region


def role_arn(client: Client) -> str:
    """Return the ARN of a client's IAM role as IAM has it, with its path."""
    partition = client.principal_arn.split(":")[1]
    path = client.source.model.aws.role_path
    return f"arn:{partition}:iam::{client.account_id}:role{path}{client.role_name}"


def _encoded(text: str) -> str:
    return b64encode(text.encode()).decode()
