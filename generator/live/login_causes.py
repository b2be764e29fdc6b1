"""What Vault's refusal of a login means: the line of a manifest or of the settings behind it, and what to change.

The words are those of Vault's builtin/credential/aws/path_login.go, version 1.21, of its core and of STS.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from generator.diagnostics import Span
    from generator.manifest.fleet import Client, Fleet


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a login was refused.

    Args:
        why: What it means, one sentence without a full stop.
        help: What to do about it.
        span: The line that it comes from; None where it comes from none.
        wanted: Whether the manifest says that it shall be refused.
        reached: Whether it was Vault's own judgement; otherwise Vault, or AWS behind it, could not judge.
    """

    why: str
    help: str
    span: Span | None = None
    wanted: bool = False
    reached: bool = True


def explain_login(said: str, client: Client, fleet: Fleet, caller: str) -> Cause:
    """Return what a refusal means.

    Args:
        said: Vault's words.
        client: Who wanted to log in.
        fleet: The client's.
        caller: The ARN that AWS takes the caller for.
    """
    for pattern, cause in _CAUSES:
        if re.search(pattern, said, re.IGNORECASE):
            return cause(said, client, fleet, caller)
    return Cause(
        "Vault refuses for a reason that is not known here",
        f"look at Vault's own log, and compare live with the manifests: crosskeys verify --client {client.name}",
    )


def principal(arn: str) -> tuple[str, str, str]:
    """Return an ARN's account, what kind of principal it is, and its name: without path or session."""
    parts = arn.split(":", 5)
    if len(parts) != 6:  # noqa: PLR2004 - arn:partition:service:region:account:resource
        return "", "", arn
    kind, *names = parts[5].split("/")
    # assumed-role/NAME/SESSION and instance-profile-less federated-user/NAME, but user/PATH/NAME
    name = names[0] if kind == "assumed-role" and names else names[-1] if names else ""
    return parts[4], kind, name


def _setting(fleet: Fleet, *location: str) -> Span | None:
    return fleet.source.key_span(*location) if fleet.source else None


def _no_role(_said: str, client: Client, _fleet: Fleet, _caller: str) -> Cause:
    if client.retire:
        return Cause("it is retired", "nothing: it shall not log in", client.source.key_span("retire"), wanted=True)
    if client.suspend:
        why = f"it is suspended: {client.suspend.reason}"
        helping = "take `suspend` out, render and apply, once it may come back"
        return Cause(why, helping, client.source.key_span("suspend"), wanted=True)
    named = client.source.model.vault.role is not None
    return Cause(
        f"Vault has no role {client.vault_role}: it was not applied, or somebody has removed it",
        f"crosskeys plan --check --client {client.name} shows whether it is to be applied",
        client.source.key_span("vault", "role") if named else client.source.key_span("role_name"),
    )


def _other_principal(said: str, client: Client, _fleet: Fleet, caller: str) -> Cause:
    quoted = re.search(r'Principal "([^"]+)"', said)
    account, kind, name = principal(quoted[1] if quoted else caller)
    manifest = client.source
    if account != client.account_id:
        why = f"it runs in account {account}, and the manifest says {client.account_id}"
        return Cause(why, "run it in that account, or correct the manifest", manifest.key_span("account_id"))
    if kind not in {"assumed-role", "role"}:
        why = f"it is a {kind} and no session of the role {client.role_name}"
        return Cause(
            why, "run it with the instance's own credentials: take others away", manifest.key_span("role_name")
        )
    if name != client.role_name:
        case = ", and Vault heeds the case of letters" if name.lower() == client.role_name.lower() else ""
        why = f"it runs as the IAM role {name}, and the manifest says {client.role_name}{case}"
        helping = "give the instance the profile of the manifest's role, or correct the manifest"
        return Cause(why, helping, manifest.key_span("role_name"))
    if client.resolve_unique_ids:
        return Cause(
            "the Vault role is bound to the unique id that the IAM role had, and it was made anew since",
            "where that was meant, have the Vault role made anew: terraform apply -replace="
            f"vault_aws_auth_backend_role.{client.name}, in the account's vault/ root",
            manifest.key_span("vault", "resolve_unique_ids"),
        )
    return Cause(
        f"the Vault role {client.vault_role} is bound to another principal than the manifest says",
        f"crosskeys verify --client {client.name} shows to which; apply puts it right",
        manifest.key_span("role_name"),
    )


def _header(said: str, _client: Client, fleet: Fleet, _caller: str) -> Cause:
    ours = fleet.settings.vault.server_id_header
    expected = re.search(r'expected "([^"]*)"', said)
    span = _setting(fleet, "vault", "server_id_header")
    if expected:
        why = f"Vault expects the server id {expected[1]}, and the settings say {ours}"
    elif ours is None:
        why = "Vault expects a server id, and the settings have none"
    else:
        why = "the server id was not sent, or is not part of what was signed"
    return Cause(
        why, "set vault.server_id_header to what Vault's client configuration has, or apply the platform", span
    )


# What STS says, and what that means.
_OF_STS = (
    (r"ExpiredToken|security token included in the request is expired", "the AWS credentials have expired",
     "get new ones: on an instance the SDK does so by itself"),
    (r"Signature expired|not yet current|RequestExpired", "the signature's time is not STS's: the clock is wrong",
     "set the clock of the machine, by NTP"),
    (r"scoped to a valid region|SignatureDoesNotMatch", "it was signed for another region than Vault asks",
     "sign for the region of Vault's sts_endpoint, or set vault.sts_region_from_client: true and apply the platform"),
    (r"InvalidClientTokenId", "STS does not know the AWS credentials: revoked, or of a region that is not opted into",
     "get new ones, and sign for a region that the account uses"),
)  # fmt: skip


def _sts(said: str, _client: Client, fleet: Fleet, _caller: str) -> Cause:
    span = _setting(fleet, "vault", "sts_region_from_client")
    for pattern, why, helping in _OF_STS:
        if re.search(pattern, said):
            return Cause(why, helping, span, reached=False)
    return Cause(
        "STS does not accept what was signed: another region than Vault asks, a wrong clock, or expired credentials",
        "check the region and the clock of the machine, and vault.sts_region_from_client",
        span,
        reached=False,
    )


def _sts_unreachable(_said: str, _client: Client, _fleet: Fleet, _caller: str) -> Cause:
    return Cause(
        "Vault cannot reach STS, or what answers there is not STS",
        "look at sts_endpoint of the auth method's client configuration, and Vault's way out",
        reached=False,
    )


def _instance(said: str, client: Client, fleet: Fleet, caller: str) -> Cause:
    span = client.source.key_span("vault", "ec2")
    session = caller.rpartition("/")[2]
    if not re.fullmatch(r"i-[0-9a-f]+", session, re.ASCII):
        why = f"its session is named {session} and not after an instance: it runs on none"
        return Cause(why, "run it on its instance, with that one's own credentials", span)
    if re.search(r"AccessDenied|UnauthorizedOperation|not authorized", said):
        account = next(each for each in fleet.accounts if each.id == client.account_id)
        return Cause(
            f"Vault may not look into account {client.account_id}",
            "apply the account's aws/ root: its STS role needs ec2:DescribeInstances, and must trust Vault",
            account.source.key_span("sts") if account.source else span,
        )
    region = client.ec2.region if client.ec2 else ""
    why = f"Vault finds no running instance {session} in {region}"
    return Cause(
        why, "run it in that region, or correct the manifest", client.source.key_span("vault", "ec2", "region")
    )


def _bind(said: str, client: Client, _fleet: Fleet, _caller: str) -> Cause:
    keys = {"AMI": "ami_ids", "subnet": "subnet_ids", "VPC": "vpc_ids", "instance ID": "instance_ids"}
    key = next((key for word, key in keys.items() if word.lower() in said.lower()), None)
    span = client.source.key_span("vault", "ec2", *([key] if key else []))
    return Cause("its instance is none of those that the manifest lets in", "correct the manifest's vault.ec2", span)


def _denied(_said: str, client: Client, fleet: Fleet, _caller: str) -> Cause:
    if client.token_bound_cidrs:
        return Cause(
            f"its address, as Vault sees it, is not in {', '.join(client.token_bound_cidrs)}",
            "add the address that Vault sees to token_bound_cidrs: that of a NAT or a proxy in between, often",
            client.source.key_span("vault", "token_bound_cidrs"),
        )
    return Cause(
        f"there is no auth method at {fleet.settings.vault.auth_mount}/ in this namespace, or the role has "
        "token_bound_cidrs that the manifest does not say",
        "check vault.auth_mount and vault.namespace against `vault auth list`",
        _setting(fleet, "vault", "auth_mount"),
    )


def _mount(_said: str, _client: Client, fleet: Fleet, _caller: str) -> Cause:
    return Cause(
        f"there is no AWS auth method at {fleet.settings.vault.auth_mount}/ in this namespace",
        "check vault.auth_mount and vault.namespace against `vault auth list`; apply the platform where it is managed",
        _setting(fleet, "vault", "auth_mount"),
    )


def _namespace(_said: str, _client: Client, fleet: Fleet, _caller: str) -> Cause:
    why = f"Vault has no namespace {fleet.settings.vault.namespace}, or not for this caller"
    return Cause(why, "correct vault.namespace", _setting(fleet, "vault", "namespace"))


def _not_iam(_said: str, client: Client, _fleet: Fleet, _caller: str) -> Cause:
    why = f"the Vault role {client.vault_role} is of another auth type than iam: somebody has changed it"
    return Cause(why, "apply: that puts it right", client.source.key_span("role_name"))


def _down(_said: str, _client: Client, _fleet: Fleet, _caller: str) -> Cause:
    return Cause("Vault is sealed or down", "try again when `vault status` is well", reached=False)


_CAUSES: tuple[tuple[str, Callable[[str, Client, Fleet, str], Cause]], ...] = (
    (r"entry for role .* not found", _no_role),
    (r"IAM Principal .* does not belong", _other_principal),
    (r"error validating X-Vault-AWS-IAM-Server-ID", _header),
    (r"received error code \d+ from STS", _sts),
    (r"error making upstream request", _sts_unreachable),
    (r"failed to verify .* as a valid EC2 instance", _instance),
    (r"does not satisfy the constraint|does not belong to( the)? role|error validating instance", _bind),
    (r"auth method iam not allowed", _not_iam),
    (r"sealed|Vault is down|standby", _down),
    (r"no handler for route|unsupported path", _mount),
    (r"namespace", _namespace),
    (r"permission denied", _denied),
)
