"""What each rendered file must declare, worked out from the resolved fleet and from nothing that renders it.

The second entry of a double-entry book: templates say it in HCL, this says it in values, and parse-back compares.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from generator.audit.declared import (
    AssumeRole,
    AuthBackend,
    AuthBackendClient,
    AuthBackendIdentity,
    AwsProvider,
    Backend,
    Condition,
    Declaration,
    IamRole,
    IamRolePolicy,
    InstanceProfile,
    Mount,
    Moved,
    PathRule,
    PolicyDocument,
    Principals,
    Reference,
    RequiredProvider,
    Statement,
    StsRole,
    Terraform,
    Variable,
    VaultPolicy,
    VaultProvider,
    VaultRole,
)
from generator.audit.read import root_of
from generator.diagnostics import Span
from generator.render.layout import TREE, backend_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.audit.declared import Pairs, Settings
    from generator.manifest.fleet import Account, Client, Fleet, WorkloadRole
    from generator.manifest.settings import FleetSettings, Setting

Declarations = tuple[Declaration, ...]

_VAULT_STS_DESCRIPTION = "HCP Vault assumes this role to look up instances and IAM roles"
_VAULT_STS_SESSION = 3600


def expected(fleet: Fleet) -> Iterator[tuple[str, Declarations]]:
    """Yield the path of every file of the fleet's tree with its declarations."""
    for path, declarations in _files(fleet):
        yield path, tuple(declarations)


def _files(fleet: Fleet) -> Iterator[tuple[str, Iterator[Declaration]]]:
    settings = fleet.settings
    platform = settings.platform
    if platform.auth_mount or platform.client_config or platform.kv_mount:
        root = f"{TREE}/platform"
        yield f"{root}/root.tf", _vault_root(settings, f"{root}/root.tf")
        yield f"{root}/platform.tf", _platform(settings, f"{root}/platform.tf")
    for account in fleet.accounts:
        aws, vault = (f"{TREE}/accounts/{account.id}/{side}" for side in ("aws", "vault"))
        yield f"{aws}/root.tf", _aws_root(settings, account, f"{aws}/root.tf")
        yield f"{vault}/root.tf", _vault_root(settings, f"{vault}/root.tf")
        if account.sts:
            yield f"{aws}/sts.tf", _aws_sts(settings, account, f"{aws}/sts.tf")
            yield f"{vault}/sts.tf", _vault_sts(settings, account, f"{vault}/sts.tf")
        for client in account.declared:
            file = f"client-{client.name}.tf"
            vault_side = _suspended if client.suspend else _vault_client
            yield f"{vault}/{file}", vault_side(settings, client, f"{vault}/{file}")
            if client.workload:
                yield f"{aws}/{file}", _aws_client(client, client.workload, f"{aws}/{file}")


def _vault_client(settings: FleetSettings, client: Client, path: str) -> Iterator[Declaration]:
    root, span = root_of(path), Span(path)
    readable = (client.directory, *(grant.path for grant in client.grants))
    yield VaultPolicy(
        root=root,
        span=span,
        label=client.name,
        name=client.vault_policy,
        rules=tuple(rule for directory in readable for rule in _read_below(settings.vault.kv_mount, directory)),
    )
    ec2 = client.ec2
    yield VaultRole(
        root=root,
        span=span,
        label=client.name,
        backend=settings.vault.auth_mount,
        role=client.vault_role,
        auth_type="iam",
        bound_iam_principal_arns=(client.principal_arn,),
        resolve_aws_unique_ids=client.resolve_unique_ids,
        inferred_entity_type="ec2_instance" if ec2 else None,
        inferred_aws_region=ec2.region if ec2 else None,
        bound_ec2_instance_ids=ec2.instance_ids if ec2 else (),
        bound_ami_ids=ec2.ami_ids if ec2 else (),
        bound_vpc_ids=ec2.vpc_ids if ec2 else (),
        bound_subnet_ids=ec2.subnet_ids if ec2 else (),
        token_policies=(Reference(f"vault_policy.{client.name}", "name"),),
        token_ttl=client.token_ttl,
        token_max_ttl=client.token_max_ttl,
        token_bound_cidrs=client.token_bound_cidrs,
    )
    yield from _moved(client, root, span, "vault_policy", "vault_aws_auth_backend_role")


def _suspended(settings: FleetSettings, client: Client, path: str) -> Iterator[Declaration]:
    root, span, kv_mount = root_of(path), Span(path), settings.vault.kv_mount
    # KV version 2, every operation on a secret: https://developer.hashicorp.com/vault/api-docs/secret/kv/kv-v2
    areas = ("data", "metadata", "delete", "undelete", "destroy", "subkeys")
    yield VaultPolicy(
        root=root,
        span=span,
        label=client.name,
        name=client.vault_policy,
        rules=(
            # Vault decides about a LIST by the path without its slash before any prefix: vault/acl.go, AllowOperation.
            PathRule(path=f"{kv_mount}/metadata/{client.directory}", capabilities=("deny",)),
            *(PathRule(path=f"{kv_mount}/{area}/{client.directory}/*", capabilities=("deny",)) for area in areas),
        ),
    )
    yield from _moved(client, root, span, "vault_policy")


def _moved(client: Client, root: str, span: Span, *types: str) -> Iterator[Moved]:
    if client.previously:
        for type_ in types:
            yield Moved(root=root, span=span, from_=f"{type_}.{client.previously}", to=f"{type_}.{client.name}")


def _read_below(kv_mount: str, directory: str) -> tuple[PathRule, PathRule]:
    # KV version 2: https://developer.hashicorp.com/vault/docs/secrets/kv/kv-v2#acl-rules
    return (
        PathRule(path=f"{kv_mount}/data/{directory}/*", capabilities=("read", "list")),
        PathRule(path=f"{kv_mount}/metadata/{directory}/*", capabilities=("list", "read")),
    )


def _aws_client(client: Client, workload: WorkloadRole, path: str) -> Iterator[Declaration]:
    root, span, label = root_of(path), Span(path), client.name
    trust = Statement(
        sid="WorkloadAssumesItsRole",
        effect="Allow",
        actions=("sts:AssumeRole",),
        principals=(Principals(type="Service", identifiers=workload.trusted_services),),
    )
    yield PolicyDocument(root=root, span=span, label=label, statements=(trust,))
    yield IamRole(
        root=root,
        span=span,
        label=label,
        name=client.role_name,
        path=workload.path,
        description=f"Logs in to HCP Vault as {client.vault_role}",
        assume_role_policy=Reference(f"data.aws_iam_policy_document.{label}", "json"),
        permissions_boundary=workload.permissions_boundary,
        max_session_duration=workload.max_session_duration,
        tags=_pairs(workload.tags),
    )
    if workload.instance_profile:
        yield InstanceProfile(
            root=root,
            span=span,
            label=label,
            name=workload.instance_profile,
            path=workload.path,
            role=Reference(f"aws_iam_role.{label}", "name"),
            tags=_pairs(workload.tags),
        )
    profile = ("aws_iam_instance_profile",) if workload.instance_profile else ()
    yield from _moved(client, root, span, "aws_iam_role", *profile)


def _aws_sts(settings: FleetSettings, account: Account, path: str) -> Iterator[Declaration]:
    if account.sts is None:
        return
    root, span = root_of(path), Span(path)
    trust = Statement(
        sid="VaultAssumesThisRole",
        effect="Allow",
        actions=("sts:AssumeRole",),
        principals=(Principals(type="AWS", identifiers=settings.vault.principals),),
        conditions=(Condition(test="StringEquals", variable="sts:ExternalId", values=(account.sts.external_id,)),),
    )
    roles = f"arn:{settings.aws.partition}:iam::{account.id}:role/*"
    permissions = (
        Statement(sid="FindInstances", effect="Allow", actions=("ec2:DescribeInstances",), resources=("*",)),
        Statement(sid="ReadRoles", effect="Allow", actions=("iam:GetRole",), resources=(roles,)),
    )
    yield PolicyDocument(root=root, span=span, label="vault_sts_trust", statements=(trust,))
    yield PolicyDocument(root=root, span=span, label="vault_sts_permissions", statements=permissions)
    yield IamRole(
        root=root,
        span=span,
        label="vault_sts",
        name=account.sts.role,
        description=_VAULT_STS_DESCRIPTION,
        assume_role_policy=Reference("data.aws_iam_policy_document.vault_sts_trust", "json"),
        permissions_boundary=account.sts_boundary,
        max_session_duration=_VAULT_STS_SESSION,
    )
    yield IamRolePolicy(
        root=root,
        span=span,
        label="vault_sts",
        name=account.sts.role,
        role=Reference("aws_iam_role.vault_sts", "name"),
        policy=Reference("data.aws_iam_policy_document.vault_sts_permissions", "json"),
    )


def _vault_sts(settings: FleetSettings, account: Account, path: str) -> Iterator[Declaration]:
    if account.sts:
        yield StsRole(
            root=root_of(path),
            span=Span(path),
            label=f"account-{account.id}",
            backend=settings.vault.auth_mount,
            account_id=account.id,
            sts_role=f"arn:{settings.aws.partition}:iam::{account.id}:role/{account.sts.role}",
            external_id=account.sts.external_id,
        )


def _vault_root(settings: FleetSettings, path: str) -> Iterator[Declaration]:
    yield _terraform(settings, "vault", settings.terraform.providers.vault, path)
    yield VaultProvider(root=root_of(path), span=Span(path), namespace=settings.vault.namespace)


def _aws_root(settings: FleetSettings, account: Account, path: str) -> Iterator[Declaration]:
    yield _terraform(settings, "aws", settings.terraform.providers.aws, path, own_backend=not account.managed)
    provisioner = account.provisioner_role
    yield AwsProvider(
        root=root_of(path),
        span=Span(path),
        region=account.region,
        allowed_account_ids=(account.id,),
        assume_role=AssumeRole(role_arn=provisioner, session_name="crosskeys") if provisioner else None,
        default_tags=_pairs(account.tags),
    )


def _terraform(
    settings: FleetSettings, provider: str, version: str, path: str, *, own_backend: bool = False
) -> Terraform:
    root = root_of(path)
    return Terraform(
        root=root,
        span=Span(path),
        required_version=settings.terraform.required_version,
        required_providers=(RequiredProvider(name=provider, source=f"hashicorp/{provider}", version=version),),
        # A root that is handed over is applied with a backend of its new owner's.
        backend=None if own_backend else backend(settings, root),
    )


def backend(settings: FleetSettings, root: str) -> Backend:
    """Return where the settings keep the state of a root."""
    block = backend_of(settings, root)
    blocks = tuple((name, _settings(inside)) for name, inside in sorted(block.blocks.items()))
    return Backend(type=block.type, settings=_settings(block.settings), blocks=blocks)


def _settings(settings: Mapping[str, Setting]) -> Settings:
    return tuple(
        (key, tuple(sorted(value.items())) if isinstance(value, Mapping) else value)
        for key, value in sorted(settings.items())
    )


def _platform(settings: FleetSettings, path: str) -> Iterator[Declaration]:
    root, span = root_of(path), Span(path)
    vault, platform = settings.vault, settings.platform
    if platform.auth_mount:
        yield AuthBackend(root=root, span=span, label="aws", type="aws", path=vault.auth_mount, prevent_destroy=True)
    if platform.client_config:
        backend = Reference("vault_auth_backend.aws", "path") if platform.auth_mount else vault.auth_mount
        for name in ("sts_endpoint", "sts_region", "iam_endpoint", "ec2_endpoint"):
            yield Variable(root=root, span=span, name=name, type="string", default=None)
        from_client = "use_sts_region_from_client"
        yield Variable(root=root, span=span, name=from_client, type="bool", default=vault.sts_region_from_client)
        yield AuthBackendClient(
            root=root,
            span=span,
            label="aws",
            backend=backend,
            iam_server_id_header_value=vault.server_id_header,
            use_sts_region_from_client=Reference(f"var.{from_client}"),
            sts_endpoint=Reference("var.sts_endpoint"),
            sts_region=Reference("var.sts_region"),
            iam_endpoint=Reference("var.iam_endpoint"),
            ec2_endpoint=Reference("var.ec2_endpoint"),
            prevent_destroy=True,
        )
        yield AuthBackendIdentity(
            root=root,
            span=span,
            label="aws",
            backend=backend,
            iam_alias=vault.iam_alias,
            iam_metadata=vault.iam_metadata,
            prevent_destroy=True,
        )
    if platform.kv_mount:
        yield Mount(
            root=root,
            span=span,
            label="kv",
            path=vault.kv_mount,
            type="kv",
            options=(("version", "2"),),
            prevent_destroy=True,
        )


def _pairs(values: Mapping[str, str]) -> Pairs:
    return tuple(sorted(values.items()))
