"""The fleet settings: `crosskeys.yaml`. Every key is optional; the defaults are the plain registration."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import (
    ConfigDict,
    Field,
    PlainValidator,
    StrictBool,
    StrictInt,
    StrictStr,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import PydanticCustomError

from generator.manifest.values import (
    DirectoryTemplate,
    Duration,
    Form,
    KvPath,
    Model,
    MountPath,
    NameTemplate,
    Owner,
    PolicyArnTemplate,
    PrincipalArn,
    Region,
    Tags,
    Unique,
)

_CONSTRAINT = Form("[0-9<>=!~., ]+", "version constraints such as >= 1.11, < 2")


class VaultSettings(Model):
    """The Vault that the fleet logs in to."""

    namespace: Annotated[StrictStr, Form("[A-Za-z0-9_-]+(?:/[A-Za-z0-9_-]+)*", "a namespace such as admin")] | None = (
        "admin"
    )
    """Namespace in the Vault provider block; null for none. Community Edition ignores it."""
    auth_mount: MountPath = "aws"
    """Mount path of the AWS auth method."""
    kv_mount: MountPath = "secret"
    """Mount path of the KV version 2 secrets engine."""
    directory: DirectoryTemplate = "certs/{account_id}/{role_name}"
    """Each client's own directory in the KV mount."""
    role: NameTemplate = "{role_name}"
    """Name of each client's Vault role."""
    policy: NameTemplate = "{name}-policy"
    """Name of each client's Vault policy."""
    server_id_header: (
        Annotated[StrictStr, Form("[A-Za-z0-9.:/_-]{1,255}", "a header value such as vault.example.com")] | None
    ) = None
    """Value of X-Vault-AWS-IAM-Server-ID that a login must have signed."""
    principals: Annotated[tuple[PrincipalArn, ...], Unique()] = ()
    """Vault's own IAM principals: who may assume the accounts' STS roles."""
    sts_region_from_client: StrictBool = True
    """Check a login at the STS endpoint for which the client signed it."""
    iam_alias: Literal["role_id", "unique_id", "canonical_arn", "full_arn"] = "role_id"
    """What identifies a client's entity alias."""
    iam_metadata: Annotated[
        tuple[
            Literal[
                "account_id",
                "auth_type",
                "canonical_arn",
                "client_arn",
                "client_user_id",
                "inferred_aws_region",
                "inferred_entity_id",
                "inferred_entity_type",
            ],
            ...,
        ],
        Unique(),
    ] = ("account_id", "auth_type", "canonical_arn")
    """What Vault notes of a login in the alias and the audit log."""


class Defaults(Model):
    """Token limits of clients that set none; without any, Vault's own apply: 32 days."""

    token_ttl: Duration | None = None
    """How long a token lives before it must be renewed."""
    token_max_ttl: Duration | None = None
    """How long a token can live at most."""


class AwsSettings(Model):
    """What holds for every AWS account of the fleet."""

    partition: Literal["aws", "aws-us-gov", "aws-cn"] = "aws"
    """The partition: one a fleet, for nothing can be delegated between partitions."""
    region: Region = "us-east-1"
    """Region of the AWS providers."""
    permissions_boundary: PolicyArnTemplate | None = None
    """Permissions boundary of every role; `{account_id}` stands for each account."""
    tags: Tags = {"managed-by": "crosskeys"}
    """Tags of everything in every account."""


class Platform(Model):
    """Which parts of the platform Terraform manages; the others are somebody else's."""

    auth_mount: StrictBool = False
    """The mount of the AWS auth method."""
    client_config: StrictBool = False
    """The auth method's client and identity configuration."""
    kv_mount: StrictBool = False
    """The mount of the KV secrets engine."""


class SharedPath(Model):
    """A path in the KV mount that clients can be granted."""

    path: KvPath
    """The path."""
    owner: Owner
    """Who approves grants on it."""

    def __str__(self) -> str:
        return self.path


class Providers(Model):
    """Version constraints of the providers."""

    vault: Annotated[StrictStr, _CONSTRAINT] = ">= 5.9, < 6"
    """Of hashicorp/vault."""
    aws: Annotated[StrictStr, _CONSTRAINT] = ">= 5.100, < 7"
    """Of hashicorp/aws."""


_NAME = "[a-z][a-z0-9_]*"
_NAMES = re.compile(_NAME, re.ASCII)

Scalar = str | bool | int
Simple = Scalar | tuple[Scalar, ...]
Setting = Simple | Mapping[str, Simple]


def _setting(value: object) -> Setting:
    # A union would give a finding for each of its types.
    if isinstance(value, Mapping) and all(_NAMES.fullmatch(str(key)) for key in value):
        return {str(key): _simple(item) for key, item in value.items()}
    return _simple(value)


def _simple(value: object) -> Simple:
    if isinstance(value, Scalar):
        return value
    if isinstance(value, list | tuple) and all(isinstance(item, Scalar) for item in value):
        return tuple(value)
    raise PydanticCustomError(
        "form", "expected a string, a whole number, true or false, a list of these, or a map of such to their names"
    )


_SCALAR: dict[str, object] = {"type": ["string", "boolean", "integer"]}
_SIMPLE: dict[str, object] = {"anyOf": [_SCALAR, {"type": "array", "items": _SCALAR}]}
_MAP: dict[str, object] = {
    "type": "object",
    "propertyNames": {"pattern": f"^{_NAME}$"},
    "additionalProperties": _SIMPLE,
}

BackendSetting = Annotated[Setting, PlainValidator(_setting), WithJsonSchema({"anyOf": [_SIMPLE, _MAP]})]


class Backend(Model):
    """Where each root's state is kept: a Terraform backend's type and its own settings, passed through.

    `{root}` in a setting stands for the root's name, such as `accounts/123456789012/vault`, and `{root_label}` for the
    same with hyphens in place of slashes: without one all roots would share one state.
    """

    model_config = ConfigDict(extra="allow", json_schema_extra={"propertyNames": {"pattern": f"^{_NAME}$"}})

    type: Annotated[StrictStr, Form(_NAME, "a Terraform backend such as local or s3")] = "local"
    """The backend's type."""
    __pydantic_extra__: dict[str, BackendSetting] = Field(init=False)

    @model_validator(mode="after")
    def _names_of_settings(self) -> Self:
        for key in self.__pydantic_extra__:
            if _NAMES.fullmatch(key) is None:
                raise PydanticCustomError("form", "`{key}` is no name of a backend's setting", {"key": key})
        return self

    @property
    def settings(self) -> dict[str, Setting]:
        """The backend's own settings, in the order of the file."""
        if not self.__pydantic_extra__ and self.type == "local":
            return {"path": ".crosskeys/state/{root}.tfstate"}
        return dict(self.__pydantic_extra__)


class TerraformSettings(Model):
    """What every root says of Terraform itself."""

    required_version: Annotated[StrictStr, _CONSTRAINT] = ">= 1.11"
    """Constraint on Terraform's version."""
    providers: Providers = Providers()
    """Constraints on the providers' versions."""
    backend: Backend = Backend()
    """Where state is kept; a local path is relative to the fleet's folder."""


class Live(Model):
    """The Vault that live runs must find, and nothing else."""

    vault_address: Annotated[StrictStr, Form("https?://[A-Za-z0-9.-]+(?::[0-9]{1,5})?", "https://host:port")] | None = (
        None
    )
    """Address of the live Vault."""
    cluster_id: StrictStr | None = None
    """Cluster id that the live Vault must report (`vault status`)."""
    local_state: StrictBool = False
    """Says that live runs are meant to keep their state in local files."""
    operator_policies: Annotated[
        tuple[Annotated[StrictStr, Form("[a-z0-9][a-z0-9._/-]{0,127}", "a policy's name in lower case")], ...], Unique()
    ] = ()
    """Policies of those who run Vault: `verify` counts them and does not judge what they reach."""


class Limits(Model):
    """How much a run may destroy without `apply --destroy`; what no manifest announces it never may."""

    announced_destroys: Annotated[StrictInt, Field(ge=0)] = 25
    """How many objects, all of them announced by `retire` or `suspend`."""
    destroy_percent: Annotated[StrictInt, Field(ge=0, le=100)] = 10
    """How many of the objects that the whole fleet declares, in per cent, where more than one client loses some."""


class RunSettings(Model):
    """How the tool itself runs; a flag or a CROSSKEYS_ variable comes before these."""

    jobs: Annotated[StrictInt, Field(ge=1, le=256)] | None = None
    """Roots that are planned or applied at the same time. Default: the number of processors."""
    retries: Annotated[StrictInt, Field(ge=0, le=10)] = 3
    """How often a root is planned anew after a failure that may pass, as throttling or a held lock."""
    format: Literal["full", "concise", "json"] = "full"
    """How findings are printed."""
    log_format: Literal["text", "json"] = "text"
    """How the log on stderr is written."""


class FleetSettings(Model):
    """Settings of a fleet."""

    version: Literal[1] = 1
    """Version of this file's format."""
    requires: Annotated[StrictStr, _CONSTRAINT] | None = None
    """Versions of crosskeys that may be used on this fleet, such as >=0.1."""
    vault: VaultSettings = VaultSettings()
    """The Vault that the fleet logs in to."""
    defaults: Defaults = Defaults()
    """Defaults of the clients."""
    aws: AwsSettings = AwsSettings()
    """What holds for every AWS account."""
    accounts: Literal["any", "registered"] = "any"
    """`registered`: a client's account must have an account manifest."""
    platform: Platform = Platform()
    """Which parts of the platform Terraform manages."""
    shared_paths: Annotated[tuple[SharedPath, ...], Unique()] = ()
    """Paths that clients can be granted."""
    terraform: TerraformSettings = TerraformSettings()
    """What every root says of Terraform itself."""
    live: Live = Live()
    """The Vault that live runs must find."""
    limits: Limits = Limits()
    """How much a run may destroy without being told so."""
    run: RunSettings = RunSettings()
    """How the tool itself runs."""
