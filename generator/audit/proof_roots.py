"""The roots themselves: each acts in its own account and namespace, and the platform is what the settings say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from generator.audit.declared import (
    AuthBackend,
    AuthBackendClient,
    AuthBackendIdentity,
    AwsProvider,
    IamRole,
    IamRolePolicy,
    Import,
    InstanceProfile,
    Mount,
    Moved,
    PolicyDocument,
    Resource,
    StsRole,
    Terraform,
    Variable,
    VaultPolicy,
    VaultProvider,
    VaultRole,
)
from generator.audit.proof_findings import PLATFORM, PROVIDER, finding
from generator.diagnostics import Span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.audit.declared import Declared
    from generator.diagnostics import Diagnostic
    from generator.manifest.fleet import Fleet

_KNOWN = frozenset(
    {
        AuthBackend,
        AuthBackendClient,
        AuthBackendIdentity,
        AwsProvider,
        IamRole,
        IamRolePolicy,
        Import,
        InstanceProfile,
        Mount,
        Moved,
        PolicyDocument,
        StsRole,
        Terraform,
        Variable,
        VaultPolicy,
        VaultProvider,
        VaultRole,
    }
)
_ENDPOINTS = ("sts_endpoint", "sts_region", "iam_endpoint", "ec2_endpoint")


def unknown(declared: Declared) -> Iterator[Diagnostic]:
    """Yield a finding for each object of a kind that the proof knows nothing of, a later reader's for instance."""
    for item in declared.objects.values():
        if type(item) not in _KNOWN:
            yield finding(PROVIDER, item.span, f"what {item.address} does is not known to the proof")


def providers(fleet: Fleet, declared: Declared) -> Iterator[Diagnostic]:
    """Yield a finding for each root that acts elsewhere than it should, or through another provider."""
    accounts = {account.id: account for account in fleet.accounts}
    sources = {block.root: block for block in declared.of(Terraform)}
    vault = {block.root: block for block in declared.of(VaultProvider)}
    aws = {block.root: block for block in declared.of(AwsProvider)}
    acting = {root for (root, _), item in declared.objects.items() if isinstance(item, Resource)}
    for root in dict.fromkeys(root for root, _ in declared.objects):
        account = accounts.get(root.split("/")[1]) if root.startswith("accounts/") else None
        name = "aws" if root.endswith("/aws") else "vault"
        block = aws.get(root) if name == "aws" else vault.get(root)
        terraform = sources.get(root)
        where = Span(f"terraform/{root}/root.tf")
        # A leftover root declares no object, and can only destroy: audit/leftover.py.
        if account is None and root != "platform" and root in acting:
            yield finding(PROVIDER, where, f"no manifest tells of the account of {root}")
        if block is None or terraform is None:
            yield finding(PROVIDER, where, f"{root} does not say through which {name} provider it acts")
            continue
        if [(each.name, each.source) for each in terraform.required_providers] != [(name, f"hashicorp/{name}")]:
            yield finding(PROVIDER, terraform.span, f"{root} may load another provider than hashicorp/{name}")
        if isinstance(block, VaultProvider):
            if block.namespace != fleet.settings.vault.namespace:
                message = f"{root} acts in the namespace `{block.namespace}`, not in `{fleet.settings.vault.namespace}`"
                yield finding(PROVIDER, block.span, message)
        elif account:
            if block.allowed_account_ids != (account.id,):
                message = f"{root} may act in {', '.join(block.allowed_account_ids) or 'any account'}"
                yield finding(PROVIDER, block.span, message)
            assumed = block.assume_role.role_arn if block.assume_role else None
            if assumed != account.provisioner_role:
                message = f"{root} acts as `{assumed}`, and the account's manifest says `{account.provisioner_role}`"
                yield finding(PROVIDER, block.span, message)


def platform(fleet: Fleet, declared: Declared) -> Iterator[Diagnostic]:
    """Yield a finding for each part of the platform that would make paths or logins mean something else."""
    vault, managed = fleet.settings.vault, fleet.settings.platform
    mounts, backends = declared.of(Mount), declared.of(AuthBackend)
    clients, identities = declared.of(AuthBackendClient), declared.of(AuthBackendIdentity)
    wanted_mounts = [(vault.kv_mount, "kv", (("version", "2"),))] if managed.kv_mount else []
    if [(mount.path, mount.type, mount.options) for mount in mounts] != wanted_mounts:
        yield from _differs("the KV mount", *mounts)
    wanted_backends = [(vault.auth_mount, "aws")] if managed.auth_mount else []
    if [(backend.path, backend.type) for backend in backends] != wanted_backends:
        yield from _differs("the mount of the AWS auth method", *backends)
    configured = [vault.auth_mount] if managed.client_config else []
    if [declared.text(each.root, each.backend) for each in clients] != configured:
        yield from _differs("the auth method's configuration", *clients)
    for client in clients:
        yield from _client(fleet, declared, client)
    if [declared.text(each.root, each.backend) for each in identities] != configured or any(
        (each.iam_alias, each.iam_metadata) != (vault.iam_alias, vault.iam_metadata) for each in identities
    ):
        yield from _differs("how the auth method names identities", *identities)
    for variable in declared.of(Variable):
        # Whoever answers for STS says who everybody is.
        if variable.name in _ENDPOINTS and variable.default is not None:
            yield finding(PLATFORM, variable.span, f"`{variable.name}` has a default: logins would be checked there")


def _client(fleet: Fleet, declared: Declared, client: AuthBackendClient) -> Iterator[Diagnostic]:
    header = fleet.settings.vault.server_id_header
    if client.iam_server_id_header_value != header:
        yield finding(PLATFORM, client.span, f"the server id that a login must have signed is not `{header}`")
    for name in _ENDPOINTS:
        value = getattr(client, name)
        target = declared.target(client.root, value) if value is not None and not isinstance(value, str) else None
        if value is not None and not (isinstance(target, Variable) and target.name == name):
            yield finding(PLATFORM, client.span, f"`{name}` is fixed to `{value}`: logins would be checked there")


def _differs(what: str, *found: Mount | AuthBackend | AuthBackendClient | AuthBackendIdentity) -> Iterator[Diagnostic]:
    span = found[0].span if found else Span("terraform/platform/platform.tf")
    yield finding(PLATFORM, span, f"{what} is not what the settings say")
