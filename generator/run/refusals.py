"""A judgement of destroys in words: what would go, what that means for whom, and the ways on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from generator.errors import RefusedError
from generator.render.layout import RootKind
from generator.report.runs import printable
from generator.run.destroys import IAM_ROLE, INSTANCE_PROFILE, VAULT_POLICY, VAULT_ROLE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from generator.render.layout import Root
    from generator.run.destroys import Destroy, Judgement

_STS_LABEL = "vault_sts"
_OF_CLIENTS = {
    VAULT_ROLE: ("{} can no longer log in", "{} cannot log in meanwhile"),
    VAULT_POLICY: ("tokens of {} can read nothing any more", "tokens of {} can read nothing meanwhile"),
    IAM_ROLE: ("{} loses its IAM role", "{} gets another IAM role, with another unique id"),
    INSTANCE_PROFILE: ("instances of {} lose their credentials", "instances of {} lose their credentials"),
}
_OF_ACCOUNTS = {
    "vault_aws_auth_backend_sts_role": "Vault can no longer look into {}",
    IAM_ROLE: "Vault can no longer look into {}",
    "aws_iam_role_policy": "Vault can no longer look into {}",
}
_OF_PLATFORM = {
    "vault_auth_backend": "no client can log in, and every Vault role is lost",
    "vault_aws_auth_backend_client": "logins are no longer checked as the fleet says",
    "vault_aws_auth_backend_config_identity": "identities are no longer those that the fleet says",
    "vault_mount": "every certificate in it is lost",
}


def require_allowed(judgement: Judgement) -> None:
    """Check that a run may destroy what it would.

    Raises:
        RefusedError: When it may not, naming every object and the ways on.
    """
    if not judgement.allowed:
        raise RefusedError(f"nothing was applied: {sentence(judgement)}", help=ways_on(judgement))


def sentence(judgement: Judgement) -> str:
    """Return why a run may not be applied, and under it a line for every object that would be destroyed."""
    return "\n".join(("; ".join(judgement.reasons) + ":", *lines(judgement.destroys)))


def lines(destroys: Sequence[Destroy]) -> Iterator[str]:
    """Yield a line for each object: client, account, address, what its end means, and what announces it."""
    if not destroys:
        yield "  nothing would be destroyed"
        return
    yield from object_lines([(each.root, each.address, f"{meaning(each)}{_announced(each)}") for each in destroys])


def object_lines(objects: Sequence[tuple[Root, str, str]]) -> Iterator[str]:
    """Yield a line for each object: client, account, root and address, and what is to be said of it.

    Args:
        objects: Root, address and words of each; at least one.
    """
    rows = [
        (client_of(address) or "-", root.account_id or "-", f"{root.name} {address}") for root, address, _ in objects
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    for row, (_, _, words) in zip(rows, objects, strict=True):
        cells = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield printable(f"  {cells}  {words}").rstrip()


def _announced(destroy: Destroy) -> str:
    return f" (announced by {destroy.announced_by.path})" if destroy.announced_by else ""


def ways_on(judgement: Judgement) -> str:
    """Return what can be done about a judgement that refuses."""
    if judgement.final:
        return (
            "nothing allows this: everybody depends on the platform. Restore its settings in crosskeys.yaml; what "
            "shall be somebody else's from now on, take out of the state with `terraform state rm`"
        )
    ways = [f"look at each of these, and allow exactly them with --destroy {judgement.digest}"]
    if any(each.announced_by is None for each in judgement.destroys):
        ways = [
            "restore the manifests that are gone (`git restore`) and render again",
            "or announce it: keep the manifest, with `retire: {approved_until: ..., reason: ...}`",
            f"or {ways[0]}",
        ]
    return ";\n      ".join(ways)


def meaning(destroy: Destroy) -> str:
    """Return what it means that an object is destroyed, empty where that is not known."""
    kind = destroy.address.partition(".")[0]
    replaced = destroy.action == "replace"
    if destroy.root.kind is RootKind.PLATFORM:
        return _OF_PLATFORM.get(kind, "")
    if client := client_of(destroy.address):
        return _OF_CLIENTS[kind][replaced].format(client)
    words = _OF_ACCOUNTS.get(kind, "").format(destroy.root.account_id)
    return f"{words} meanwhile" if words and replaced else words


def client_of(address: str) -> str | None:
    """Return the name of the client whose object has an address, None for one of the account or the platform."""
    kind, _, label = address.partition(".")
    # An underscore is in no client's name.
    return label if kind in _OF_CLIENTS and label != _STS_LABEL else None
