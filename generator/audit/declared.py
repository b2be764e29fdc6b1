"""What a rendered tree declares, in Terraform's own words: one class for each kind of block.

A field has the name of the argument it was read from; an argument that was not given is None or empty. Mappings are
pairs in the order of their keys, so that equal declarations are equal values.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, TypeVar

if TYPE_CHECKING:
    from collections.abc import Mapping

    from generator.diagnostics import Span


@dataclass(frozen=True, slots=True)
class Reference:
    """An attribute of another object of the same root.

    Args:
        address: The object: ``vault_policy.payments``, ``data.aws_iam_policy_document.payments``, ``var.region``.
        attribute: Its attribute, such as ``name``; empty for a variable, which is its own value.
    """

    address: str
    attribute: str = ""

    def __str__(self) -> str:
        return f"{self.address}.{self.attribute}" if self.attribute else self.address


Text = str | Reference
Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration:
    """The base of all: where it stands.

    Args:
        root: The root's path below ``terraform/``, such as ``accounts/123456789012/vault``.
        span: Its block; no part of what it declares, so it is left out of comparisons.
    """

    root: str
    span: Span = field(compare=False, repr=False)

    @property
    def address(self) -> str:
        """What Terraform calls it; unique in its root."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource(Declaration):
    """The base of resources and data sources.

    Args:
        label: The block's second label.
    """

    kind: ClassVar[str]
    label: str

    @property
    def address(self) -> str:
        """Its type and label."""
        return f"{self.kind}.{self.label}"


@dataclass(frozen=True, slots=True, kw_only=True)
class RequiredProvider:
    """One entry of ``required_providers``."""

    name: str
    source: str
    version: str


Scalar = str | bool | int
Setting = Scalar | tuple[Scalar, ...] | tuple[tuple[str, Scalar | tuple[Scalar, ...]], ...]
Settings = tuple[tuple[str, Setting], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Backend:
    """Where the root's state is kept; ``settings`` and those of its nested blocks as they stand, sorted by name."""

    type: str
    settings: Settings
    blocks: tuple[tuple[str, Settings], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Terraform(Declaration):
    """The ``terraform`` block."""

    required_version: str
    required_providers: tuple[RequiredProvider, ...]
    backend: Backend | None = None

    @property
    def address(self) -> str:
        """The block's name: a root has one."""
        return "terraform"


@dataclass(frozen=True, slots=True, kw_only=True)
class VaultProvider(Declaration):
    """The Vault provider."""

    namespace: str | None = None

    @property
    def address(self) -> str:
        """The block's name and label."""
        return "provider.vault"


@dataclass(frozen=True, slots=True, kw_only=True)
class AssumeRole:
    """The role that the AWS provider assumes."""

    role_arn: str
    session_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AwsProvider(Declaration):
    """The AWS provider."""

    region: str
    allowed_account_ids: tuple[str, ...]
    assume_role: AssumeRole | None = None
    default_tags: Pairs = ()

    @property
    def address(self) -> str:
        """The block's name and label."""
        return "provider.aws"


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable(Declaration):
    """A variable of the platform's root."""

    name: str
    type: str
    default: str | bool | None

    @property
    def address(self) -> str:
        """The variable as expressions name it."""
        return f"var.{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved(Declaration):
    """What Terraform knows under one address it takes for another from now on.

    Args:
        from_: The address that is no more.
        to: The address of a resource of the same type and root.
    """

    from_: str
    to: str

    @property
    def address(self) -> str:
        """The block's name and what moves: nothing moves to two places."""
        return f"moved {self.from_}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Import(Declaration):
    """What exists already becomes what a resource of the root declares.

    Args:
        to: The address of the resource.
        id: What its provider knows the object by.
    """

    to: str
    id: str

    @property
    def address(self) -> str:
        """The block's name and what is imported: nothing is imported twice."""
        return f"import {self.to}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PathRule:
    """One rule of a Vault policy.

    Args:
        span: Where it stands; None for a rule that was not read from a file.
    """

    path: str
    capabilities: tuple[str, ...]
    span: Span | None = field(default=None, compare=False, repr=False)


def policy_name(name: str) -> str:
    """Return a policy's name as Vault keeps it, trimmed and in lower case: vault/policy_store.go, sanitizeName."""
    return name.strip().lower()


@dataclass(frozen=True, slots=True, kw_only=True)
class VaultPolicy(Resource):
    """A Vault policy.

    Args:
        rules: What its text says.
        text: The text as Vault stores it, comments and all.
    """

    kind = "vault_policy"
    name: str
    rules: tuple[PathRule, ...]
    text: str = field(default="", compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class VaultRole(Resource):
    """A role of Vault's AWS auth method; times are in seconds, and a use or a time of 0 is no limit, as Vault has it.

    Args:
        bound_account_ids: As other binds but the principals: of the EC2 instance; only with an inferred entity type.
        token_no_default_policy: The policy ``default`` is then no part of the token unless it is named.
    """

    kind = "vault_aws_auth_backend_role"
    backend: Text
    role: str
    auth_type: str
    bound_iam_principal_arns: tuple[str, ...]
    resolve_aws_unique_ids: bool
    inferred_entity_type: str | None = None
    inferred_aws_region: str | None = None
    bound_ec2_instance_ids: tuple[str, ...] = ()
    bound_ami_ids: tuple[str, ...] = ()
    bound_vpc_ids: tuple[str, ...] = ()
    bound_subnet_ids: tuple[str, ...] = ()
    bound_account_ids: tuple[str, ...] = ()
    bound_regions: tuple[str, ...] = ()
    bound_iam_role_arns: tuple[str, ...] = ()
    bound_iam_instance_profile_arns: tuple[str, ...] = ()
    token_policies: tuple[Text, ...]
    token_no_default_policy: bool = False
    token_ttl: int | None = None
    token_max_ttl: int | None = None
    token_explicit_max_ttl: int | None = None
    token_period: int | None = None
    token_num_uses: int | None = None
    token_type: str | None = None
    token_bound_cidrs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class StsRole(Resource):
    """How Vault gets into one account."""

    kind = "vault_aws_auth_backend_sts_role"
    backend: Text
    account_id: str
    sts_role: str
    external_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Principals:
    """Who a statement is about."""

    type: str
    identifiers: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """When a statement holds."""

    test: str
    variable: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One statement of an IAM policy document."""

    sid: str | None = None
    effect: str
    actions: tuple[str, ...]
    resources: tuple[str, ...] = ()
    principals: tuple[Principals, ...] = ()
    conditions: tuple[Condition, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyDocument(Resource):
    """A trust policy or a permissions policy of IAM.

    One that is written out inside the resource that it belongs to has that resource's address and the argument as its
    label, such as ``aws_iam_role.payments.assume_role_policy``: a label that no block can have.
    """

    kind = "aws_iam_policy_document"
    statements: tuple[Statement, ...]

    @property
    def address(self) -> str:
        """Its type and label, as a data source."""
        return f"data.{self.kind}.{self.label}"


DEFAULT_SESSION = 3600
"""Seconds that a session of an IAM role lasts at most where nothing is said: IAM's own default."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IamRole(Resource):
    """An IAM role."""

    kind = "aws_iam_role"
    name: str
    path: str | None = None
    description: str | None = None
    assume_role_policy: Reference
    permissions_boundary: str | None = None
    max_session_duration: int | None = None
    tags: Pairs = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class IamRolePolicy(Resource):
    """A policy that is part of an IAM role."""

    kind = "aws_iam_role_policy"
    name: str
    role: Text
    policy: Reference


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceProfile(Resource):
    """An instance profile."""

    kind = "aws_iam_instance_profile"
    name: str
    path: str | None = None
    role: Text
    tags: Pairs = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthBackend(Resource):
    """The mount of an auth method."""

    kind = "vault_auth_backend"
    type: str
    path: str
    prevent_destroy: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthBackendClient(Resource):
    """How the AWS auth method calls AWS."""

    kind = "vault_aws_auth_backend_client"
    backend: Text
    iam_server_id_header_value: str | None = None
    use_sts_region_from_client: bool | Reference | None = None
    sts_endpoint: Text | None = None
    sts_region: Text | None = None
    iam_endpoint: Text | None = None
    ec2_endpoint: Text | None = None
    prevent_destroy: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthBackendIdentity(Resource):
    """What the AWS auth method makes of a login's identity."""

    kind = "vault_aws_auth_backend_config_identity"
    backend: Text
    iam_alias: str | None = None
    iam_metadata: tuple[str, ...] = ()
    prevent_destroy: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Mount(Resource):
    """The mount of a secrets engine."""

    kind = "vault_mount"
    path: str
    type: str
    options: Pairs = ()
    prevent_destroy: bool = False


T = TypeVar("T", bound=Declaration)


@dataclass(frozen=True, slots=True)
class Declared:
    """All that a tree declares, by root and address.

    Every reference in it names an object of its root that is in it too.
    """

    objects: Mapping[tuple[str, str], Declaration]

    def of(self, kind: type[T]) -> tuple[T, ...]:
        """Return everything of one kind, in the order of the tree."""
        return tuple(item for item in self.objects.values() if isinstance(item, kind))

    def target(self, root: str, reference: Reference) -> Declaration:
        """Return the object that a reference in ``root`` names."""
        return self.objects[root, reference.address]

    def text(self, root: str, value: Text) -> str:
        """Return a string as Terraform will have it: what it refers to where it is a reference."""
        if not isinstance(value, Reference):
            return value
        found = getattr(self.target(root, value), value.attribute or "default")
        return self.text(root, found)
