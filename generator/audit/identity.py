"""Which blocks of a tree make the same thing of Vault's or AWS's: the second would overwrite the first. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from generator.audit.declared import (
    AuthBackend,
    AuthBackendClient,
    AuthBackendIdentity,
    IamRole,
    IamRolePolicy,
    InstanceProfile,
    Mount,
    StsRole,
    VaultPolicy,
    VaultRole,
    policy_name,
)
from generator.audit.faults import OVERWRITTEN, Unreadable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.audit.declared import Declaration, Declared, Text
    from generator.diagnostics import Diagnostic


def collisions(declared: Declared) -> Iterator[Diagnostic]:
    """Yield a finding for each block that makes what another block of any root makes too."""
    first: dict[tuple[str, str, str], Declaration] = {}
    for item in declared.objects.values():
        key = _key(declared, item)
        other = first.setdefault(key, item) if key else item
        if key and other is not item:
            kind, scope, name = key
            what = " of ".join(f"`{part}`" for part in (name, scope) if part)
            message = f"{item.address} and {other.address} at {other.span.start} are one {kind}, {what}"
            yield Unreadable(OVERWRITTEN, item.span, message).finding


def _key(declared: Declared, item: Declaration) -> tuple[str, str, str] | None:
    """Return what an object is to Vault or AWS: its kind, the mount or root that it belongs to, its name there.

    Vault's namespace is left out: a tree of several is refused.
    """

    def mount(backend: Text) -> str:
        return declared.text(item.root, backend).strip("/")

    match item:
        # A role is stored under its name in lower case, without its account: builtin/credential/aws/path_role.go.
        case VaultRole():
            scope, name = mount(item.backend), item.role.lower()
        case VaultPolicy():
            scope, name = "", policy_name(item.name)
        case StsRole():
            scope, name = mount(item.backend), item.account_id
        case AuthBackendClient() | AuthBackendIdentity():
            scope, name = mount(item.backend), ""
        case AuthBackend() | Mount():
            scope, name = "", mount(item.path)
        # Names of IAM that differ in case alone cannot be side by side: IAM User Guide, IAM identifiers.
        case IamRole() | InstanceProfile():
            scope, name = item.root, item.name.lower()
        case IamRolePolicy():
            scope, name = item.root, f"{declared.text(item.root, item.role)}/{item.name}".lower()
        case _:
            return None
    return (item.kind, scope, name)
