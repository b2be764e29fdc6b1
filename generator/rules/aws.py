"""ARNs, regions and services: of another account or partition than they stand in, or more than IAM takes."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING

from generator.diagnostics import Diagnostic, Severity, Span

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from generator.manifest.fleet import Fleet

WRONG_PARTITION = "CK601"
WRONG_ACCOUNT = "CK602"
REGION_OF_ANOTHER_PARTITION = "CK603"
SERVICE_OF_ANOTHER_PARTITION = "CK604"
TRUST_POLICY_TOO_LONG = "CK606"

_ALL = "aws"  # the account field of the policies that AWS manages
_ANY = "{account_id}"
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html: characters of a role's trust policy
_LONGEST_TRUST_POLICY = 2048


def check(fleet: Fleet) -> Iterator[Diagnostic]:
    """Yield findings about every ARN, region and service that is written in a manifest or in the settings."""
    partition = fleet.settings.aws.partition
    for arn, span, account_id in _arns(fleet):
        written, found = arn.split(":")[1], arn.split(":")[4]
        if written != partition:
            yield Diagnostic(
                WRONG_PARTITION,
                Severity.ERROR,
                span(),
                f"the ARN is of the partition `{written}`, and this fleet is of `{partition}`",
                "a fleet has one partition, for nothing can be delegated between two; keep a fleet for each",
            )
        elif account_id is not None and found not in {account_id, _ALL}:
            yield Diagnostic(
                WRONG_ACCOUNT,
                Severity.ERROR,
                span(),
                f"the ARN is of the account {found}, and this manifest is of {account_id}",
                "name the object of this account",
            )
    yield from _fleets_boundary(fleet)
    yield from _trust_policies(fleet)
    for region, span in _regions(fleet):
        if partition_of(region) != partition:
            yield Diagnostic(
                REGION_OF_ANOTHER_PARTITION,
                Severity.ERROR,
                span(),
                f"the region `{region}` is of the partition `{partition_of(region)}`, "
                f"and this fleet is of `{partition}`",
                "a fleet has one partition; name a region of it",
            )
    for client in fleet.clients:
        for index, service in enumerate(client.source.model.aws.trusted_services or ()):
            if service.endswith(".cn") and partition != "aws-cn":
                yield Diagnostic(
                    SERVICE_OF_ANOTHER_PARTITION,
                    Severity.ERROR,
                    client.source.span("aws", "trusted_services", index),
                    f"the service `{service}` is of the partition `aws-cn`, and this fleet is of `{partition}`",
                    f"write {service.removesuffix('.cn')}",
                )


def _fleets_boundary(fleet: Fleet) -> Iterator[Diagnostic]:
    boundary = fleet.settings.aws.permissions_boundary
    account_id = boundary.split(":")[4] if boundary else _ANY
    if account_id in {_ANY, _ALL}:
        return
    for account in fleet.accounts:
        roles = [client.workload.permissions_boundary for client in account.declared if client.workload]
        if account.id != account_id and boundary in (*roles, account.sts_boundary if account.sts else None):
            yield Diagnostic(
                WRONG_ACCOUNT,
                Severity.ERROR,
                _setting(fleet, "aws", "permissions_boundary"),
                f"the boundary is of the account {account_id}, and {account.id} has roles that are to have it too",
                f"write {_ANY} in place of {account_id}: a boundary lies in the account of its role",
            )
            return


def _trust_policies(fleet: Fleet) -> Iterator[Diagnostic]:
    for client in fleet.declared:
        if client.workload:
            policy = _trust_policy("WorkloadAssumesItsRole", {"Service": client.workload.trusted_services})
            yield from _too_long(policy, partial(client.source.span, "aws", "trusted_services"))
    longest = max((account.sts.external_id for account in fleet.accounts if account.sts), key=len, default=None)
    if longest is not None:
        condition = {"Condition": {"StringEquals": {"sts:ExternalId": longest}}}
        policy = _trust_policy("VaultAssumesThisRole", {"AWS": fleet.settings.vault.principals}, **condition)
        yield from _too_long(policy, partial(_setting, fleet, "vault", "principals"))


def _trust_policy(sid: str, principal: Mapping[str, tuple[str, ...]], **more: object) -> str:
    """Return a trust policy as it is rendered, without the white space, which IAM does not count."""
    statement = {"Sid": sid, "Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole", **more}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]}, separators=(",", ":"))


def _too_long(policy: str, span: Callable[[], Span]) -> Iterator[Diagnostic]:
    if len(policy) > _LONGEST_TRUST_POLICY:
        yield Diagnostic(
            TRUST_POLICY_TOO_LONG,
            Severity.ERROR,
            span(),
            f"the role's trust policy would have {len(policy)} characters, and IAM takes {_LONGEST_TRUST_POLICY}",
            "trust fewer: whoever can assume a role is all that it is",
        )


def partition_of(region: str) -> str:
    """Return the partition of a region: aws, aws-us-gov or aws-cn."""
    return {"us-gov": "aws-us-gov", "cn": "aws-cn"}.get(region.rsplit("-", 2)[0], "aws")


def _arns(fleet: Fleet) -> Iterator[tuple[str, Callable[[], Span], str | None]]:
    settings = fleet.settings
    for index, principal in enumerate(settings.vault.principals):
        yield principal, partial(_setting, fleet, "vault", "principals", index), None
    if settings.aws.permissions_boundary:
        yield settings.aws.permissions_boundary, partial(_setting, fleet, "aws", "permissions_boundary"), None
    for account in fleet.accounts:
        if account.source:
            for key in ("provisioner_role", "permissions_boundary"):
                if arn := getattr(account.source.model, key):
                    yield arn, partial(account.source.span, key), account.id
        for client in account.clients:
            if arn := client.source.model.aws.permissions_boundary:
                yield arn, partial(client.source.span, "aws", "permissions_boundary"), account.id


def _regions(fleet: Fleet) -> Iterator[tuple[str, Callable[[], Span]]]:
    yield fleet.settings.aws.region, partial(_setting, fleet, "aws", "region")
    for account in fleet.accounts:
        if account.source and account.source.model.region:
            yield account.source.model.region, partial(account.source.span, "region")
        for client in account.clients:
            if client.ec2:
                yield client.ec2.region, partial(client.source.span, "vault", "ec2", "region")


def _setting(fleet: Fleet, *location: str | int) -> Span:
    return fleet.source.span(*location) if fleet.source else Span("crosskeys.yaml")
