"""The fleet as it shall be: every default applied, every name spelt out. What the templates and the rules see."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from generator.manifest.values import seconds

if TYPE_CHECKING:
    from collections.abc import Mapping

    from generator.manifest.account import AccountManifest, AccountSts
    from generator.manifest.client import ClientManifest, Ec2Inference, Grant, Retire, Suspend
    from generator.manifest.load import Manifests
    from generator.manifest.settings import FleetSettings
    from generator.manifest.validate import Sourced

NO_PROFILE = "none"


@dataclass(frozen=True, slots=True)
class WorkloadRole:
    """The client's IAM role and instance profile, where the fleet makes them.

    Args:
        path: IAM path, with a slash at both ends.
        instance_profile: Name of the instance profile; None for none.
        trusted_services: AWS service principals that may assume the role.
        permissions_boundary: ARN of the boundary; None for none.
        max_session_duration: Seconds.
        tags: The client's own tags; the account's are the provider's default tags.
    """

    path: str
    instance_profile: str | None
    trusted_services: tuple[str, ...]
    permissions_boundary: str | None
    max_session_duration: int
    tags: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Client:
    """One client.

    Args:
        principal_arn: The canonical ARN of the client's IAM role, as Vault compares it: without the IAM path.
        directory: The client's own directory in the KV mount, without slashes at the ends.
        token_ttl: Seconds; None leaves it to Vault.
        token_max_ttl: Seconds; None leaves it to Vault.
        workload: The IAM role to make; None for one that exists.
        previously: The name under which Terraform knows the client's objects; None for its own.
        suspend: Why it is cut off; None while it is not.
        retire: Why it has no objects any more, only reserved names; None while it has.
    """

    name: str
    account_id: str
    role_name: str
    owner: str
    description: str | None
    change_ref: str | None
    vault_role: str
    vault_policy: str
    principal_arn: str
    directory: str
    token_ttl: int | None
    token_max_ttl: int | None
    token_bound_cidrs: tuple[str, ...]
    resolve_unique_ids: bool
    ec2: Ec2Inference | None
    grants: tuple[Grant, ...]
    workload: WorkloadRole | None
    previously: str | None
    suspend: Suspend | None
    retire: Retire | None
    source: Sourced[ClientManifest] = field(compare=False, repr=False)

    @property
    def path(self) -> str:
        """The manifest, relative to the fleet's folder."""
        return self.source.path

    @property
    def needs_sts(self) -> bool:
        """Whether Vault must look into the client's account."""
        return self.resolve_unique_ids or self.ec2 is not None

    @property
    def trusted_services(self) -> tuple[str, ...]:
        """The AWS services that may assume the client's IAM role, one that exists already too."""
        return self.source.model.aws.trusted_services or default_services(self.principal_arn.split(":")[1])


@dataclass(frozen=True, slots=True)
class Account:
    """One AWS account that has clients or a manifest.

    Args:
        managed: Whether this fleet's runs apply its AWS side; otherwise its owner does.
        provisioner_role: ARN that runs assume in a managed account.
        tags: Default tags of everything in the account.
        sts: The role that Vault assumes; None when it has no way in.
        source: Its manifest; None when it has none.
        clients: All that have a manifest, the retired ones too: their names stay reserved.
    """

    id: str
    name: str | None
    owner: str | None
    managed: bool
    provisioner_role: str | None
    region: str
    tags: Mapping[str, str]
    sts: AccountSts | None
    sts_boundary: str | None
    source: Sourced[AccountManifest] | None = field(compare=False, repr=False)
    clients: tuple[Client, ...]

    @property
    def path(self) -> str:
        """The file that says what holds for the account, relative to the fleet's folder."""
        return self.source.path if self.source else "crosskeys.yaml"

    @property
    def declared(self) -> tuple[Client, ...]:
        """The clients that have objects: all but the retired ones."""
        return tuple(client for client in self.clients if client.retire is None)


@dataclass(frozen=True, slots=True)
class Fleet:
    """All accounts, by id, and the settings they share."""

    settings: FleetSettings
    accounts: tuple[Account, ...]
    source: Sourced[FleetSettings] | None = field(default=None, compare=False, repr=False)

    @property
    def clients(self) -> tuple[Client, ...]:
        """Every client, by account and name; the retired ones too, whose names stay reserved."""
        return tuple(client for account in self.accounts for client in account.clients)

    @property
    def declared(self) -> tuple[Client, ...]:
        """The clients that have objects, by account and name: all but the retired ones."""
        return tuple(client for account in self.accounts for client in account.declared)

    @property
    def sources(self) -> tuple[Sourced[ClientManifest] | Sourced[AccountManifest] | Sourced[FleetSettings], ...]:
        """The manifests that say all this, with their places and texts; those that are missing left out."""
        above = (self.source, *(account.source for account in self.accounts))
        return (*(source for source in above if source), *(client.source for client in self.clients))


def resolve(manifests: Manifests) -> Fleet:
    """Apply every default: client before account before fleet."""
    clients: dict[str, list[Client]] = {account_id: [] for account_id in manifests.accounts}
    for sourced in manifests.clients:
        account = manifests.accounts.get(sourced.model.account_id)
        client = _client(sourced, account.model if account else None, manifests.settings)
        clients.setdefault(client.account_id, []).append(client)
    return Fleet(
        manifests.settings,
        tuple(
            _account(account_id, manifests.accounts.get(account_id), inside, manifests.settings)
            for account_id, inside in sorted(clients.items())
        ),
        manifests.settings_source,
    )


def default_services(partition: str) -> tuple[str, ...]:
    """Return the AWS services that may assume a client's IAM role where its manifest names none."""
    return ("ec2.amazonaws.com.cn" if partition == "aws-cn" else "ec2.amazonaws.com",)


def _client(sourced: Sourced[ClientManifest], account: AccountManifest | None, settings: FleetSettings) -> Client:
    manifest, vault = sourced.model, sourced.model.vault
    names = {"name": manifest.name, "account_id": manifest.account_id, "role_name": manifest.role_name}
    ttl = vault.token_ttl or settings.defaults.token_ttl
    max_ttl = vault.token_max_ttl or settings.defaults.token_max_ttl
    return Client(
        name=manifest.name,
        account_id=manifest.account_id,
        role_name=manifest.role_name,
        owner=manifest.owner,
        description=manifest.description,
        change_ref=manifest.change_ref,
        vault_role=vault.role or settings.vault.role.format_map(names),
        vault_policy=vault.policy or settings.vault.policy.format_map(names),
        principal_arn=f"arn:{settings.aws.partition}:iam::{manifest.account_id}:role/{manifest.role_name}",
        directory=settings.vault.directory.format_map(names),
        token_ttl=seconds(ttl) if ttl else None,
        token_max_ttl=seconds(max_ttl) if max_ttl else None,
        token_bound_cidrs=vault.token_bound_cidrs,
        resolve_unique_ids=vault.resolve_unique_ids,
        ec2=vault.ec2,
        grants=manifest.grants,
        workload=_workload(manifest, account, settings) if manifest.aws.role == "create" else None,
        previously=manifest.previously,
        suspend=manifest.suspend,
        retire=manifest.retire,
        source=sourced,
    )


def _workload(manifest: ClientManifest, account: AccountManifest | None, settings: FleetSettings) -> WorkloadRole:
    aws = manifest.aws
    profile = aws.instance_profile or manifest.role_name
    return WorkloadRole(
        path=aws.role_path,
        instance_profile=None if profile == NO_PROFILE else profile,
        trusted_services=aws.trusted_services or default_services(settings.aws.partition),
        permissions_boundary=aws.permissions_boundary or _boundary(manifest.account_id, account, settings),
        max_session_duration=aws.max_session_duration,
        tags=aws.tags,
    )


def _account(
    account_id: str, sourced: Sourced[AccountManifest] | None, clients: list[Client], settings: FleetSettings
) -> Account:
    manifest = sourced.model if sourced else None
    return Account(
        id=account_id,
        name=manifest.name if manifest else None,
        owner=manifest.owner if manifest else None,
        managed=manifest is not None and manifest.provisioning == "managed",
        provisioner_role=manifest.provisioner_role if manifest else None,
        region=(manifest.region if manifest else None) or settings.aws.region,
        tags={**settings.aws.tags, **(manifest.tags if manifest else {})},
        sts=manifest.sts if manifest else None,
        sts_boundary=_boundary(account_id, manifest, settings),
        source=sourced,
        clients=tuple(sorted(clients, key=lambda client: client.name)),
    )


def _boundary(account_id: str, account: AccountManifest | None, settings: FleetSettings) -> str | None:
    if account and account.permissions_boundary:
        return account.permissions_boundary
    boundary = settings.aws.permissions_boundary
    return boundary.replace("{account_id}", account_id) if boundary else None
