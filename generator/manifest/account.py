"""The account manifest: what holds for a whole AWS account, in `clients/accounts/<account_id>.yaml`."""

from __future__ import annotations

from typing import Literal

from generator.manifest.values import (
    ExternalId,
    FreeText,
    IamRoleName,
    Model,
    Owner,
    PolicyArn,
    Region,
    RoleArn,
    Tags,
)


class AccountSts(Model):
    """The role that Vault assumes in the account, for EC2 inference and unique ids."""

    role: IamRoleName
    """Name of the IAM role that is rendered for Vault to assume."""
    external_id: ExternalId
    """External id that Vault must send; one that no other account uses."""


class AccountManifest(Model):
    """An AWS account that holds clients."""

    name: FreeText
    """Name of the account."""
    owner: Owner
    """Who answers for the account."""
    provisioning: Literal["handover", "managed"] = "handover"
    """`handover`: its owner applies the rendered `aws/` root. `managed`: this fleet's runs do."""
    provisioner_role: RoleArn | None = None
    """The IAM role that runs assume in a managed account."""
    sts: AccountSts | None = None
    """Lets Vault look into the account. Off unless given: the plain registration needs no way in."""
    permissions_boundary: PolicyArn | None = None
    """Permissions boundary of the account's roles. Default: the fleet's."""
    tags: Tags = {}
    """Tags of everything in the account, beside the fleet's."""
    region: Region | None = None
    """Region of the AWS provider. Default: the fleet's."""
