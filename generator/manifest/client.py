"""The client manifest: what one client team writes in `clients/<name>.yaml`."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StrictBool, StrictInt, StrictStr
from pydantic_core import PydanticCustomError

from generator.manifest.values import (
    AccountId,
    AmiId,
    Cidr,
    ClientName,
    Duration,
    Form,
    FreeText,
    IamPath,
    IamRoleName,
    InstanceId,
    InstanceProfileName,
    KvPath,
    Model,
    Owner,
    PolicyArn,
    Region,
    ServicePrincipal,
    SubnetId,
    Tags,
    Unique,
    VaultPolicyName,
    VaultRoleName,
    VpcId,
)


class Ec2Inference(Model):
    """EC2 inference: Vault looks the instance up, so the account's `sts` must be on."""

    region: Region
    """The region in which the client's instances run (`inferred_aws_region`)."""
    instance_ids: Annotated[tuple[InstanceId, ...], Unique()] = ()
    """Only these instances may log in (`bound_ec2_instance_ids`)."""
    ami_ids: Annotated[tuple[AmiId, ...], Unique()] = ()
    """Only instances of these images may log in (`bound_ami_ids`)."""
    vpc_ids: Annotated[tuple[VpcId, ...], Unique()] = ()
    """Only instances in these VPCs may log in (`bound_vpc_ids`)."""
    subnet_ids: Annotated[tuple[SubnetId, ...], Unique()] = ()
    """Only instances in these subnets may log in (`bound_subnet_ids`)."""


class ClientVault(Model):
    """The Vault side of a client."""

    role: VaultRoleName | None = None
    """Name of the Vault role. Default: the fleet's naming, `{role_name}` unless it says otherwise."""
    policy: VaultPolicyName | None = None
    """Name of the Vault policy. Default: the fleet's naming, `{name}-policy` unless it says otherwise."""
    token_ttl: Duration | None = None
    """How long a token lives before it must be renewed. Default: the fleet's."""
    token_max_ttl: Duration | None = None
    """How long a token can live at most. Default: the fleet's."""
    token_bound_cidrs: Annotated[tuple[Cidr, ...], Unique()] = ()
    """Addresses from which logging in and using the token is allowed. Default: any."""
    resolve_unique_ids: StrictBool = False
    """Bind the role's unique id, so that a recreated IAM role is locked out; needs the account's `sts`."""
    ec2: Ec2Inference | None = None
    """EC2 inference: only EC2 instances may log in; needs the account's `sts`."""


class ClientAws(Model):
    """The AWS side of a client: its IAM role in its own account."""

    role: Literal["create", "existing"] = "create"
    """`existing` renders neither IAM role nor instance profile: the account has the role already."""
    role_path: IamPath = "/"
    """IAM path of the role. Vault drops it from the ARN that it compares."""
    instance_profile: InstanceProfileName | None = None
    """Name of the instance profile, or `none` for a client without one. Default: the role's name."""
    trusted_services: Annotated[tuple[ServicePrincipal, ...], Unique(1)] | None = None
    """AWS services that may assume the role: each is this client to Vault. Default: EC2 alone."""
    permissions_boundary: PolicyArn | None = None
    """Permissions boundary of the role. Default: the account's, then the fleet's."""
    max_session_duration: Annotated[StrictInt, Field(ge=3600, le=43200)] = 3600
    """Longest session of the role in seconds, 3600 to 43200."""
    tags: Tags = {}
    """Tags of the role and instance profile, beside the fleet's and the account's."""


class Grant(Model):
    """Access beyond the client's own directory."""

    path: KvPath
    """A path in the KV mount, at or below one of the fleet's `shared_paths`."""
    access: Literal["read"] = "read"
    """`read`: read and list what lies below the path."""

    def __str__(self) -> str:
        return self.path


def _in_the_calendar(value: str) -> str:
    try:
        dt.date.fromisoformat(value)
    except ValueError as error:
        raise PydanticCustomError(
            "form", "expected a day that the calendar has ({reason})", {"reason": str(error)}
        ) from None
    return value


Day = Annotated[
    StrictStr,
    Form("[0-9]{4}-[0-9]{2}-[0-9]{2}", 'a day in quotes, such as "2027-01-31"'),
    AfterValidator(_in_the_calendar),
]


class Suspend(Model):
    """Cut the client off at the next apply; nothing in AWS is touched."""

    reason: FreeText
    """Why; stands in the rendered policy's file."""


class Retire(Model):
    """End the client's access; the manifest stays and keeps its names reserved."""

    approved_until: Day
    """The last day on which this client's objects may be destroyed."""
    reason: FreeText
    """Why; shown in reviews."""

    def has_lapsed(self, today: dt.date) -> bool:
        """Tell whether the permission is gone."""
        return today > dt.date.fromisoformat(self.approved_until)


class ClientManifest(Model):
    """A client: an EC2 workload in its own AWS account that reads its own certificates from Vault."""

    name: ClientName
    """Name of the client, the same as the file's name without `.yaml`."""
    account_id: AccountId
    """The AWS account in which the client runs: twelve digits, in quotes."""
    role_name: IamRoleName
    """The client's IAM role in that account, without its path."""
    owner: Owner
    """Who answers for the client: a team's mail address, for instance."""
    description: FreeText | None = None
    """What the client is, in any language."""
    change_ref: FreeText | None = None
    """Where this access was approved; shown in reviews."""
    vault: ClientVault = ClientVault()
    """The Vault side, where it differs from the fleet's defaults."""
    aws: ClientAws = ClientAws()
    """The AWS side, where it differs from the fleet's defaults."""
    grants: Annotated[tuple[Grant, ...], Unique()] = ()
    """Shared paths that the client may read."""
    previously: ClientName | None = None
    """Former name of the client: what Terraform knows moves to the new one, nothing is destroyed."""
    suspend: Suspend | None = None
    """Cut the client off at the next apply; taken out, everything is as it was."""
    retire: Retire | None = None
    """End the client's access at the next apply, for good; the manifest stays and keeps its names reserved."""
