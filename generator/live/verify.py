"""Live against rendered, without Terraform: reads what the fleet's Vault and AWS accounts have, and changes nothing.

Objects are read in no order, many at once, and each is judged when its answer comes: nothing of it is kept but what was
found. The order of the steps is the order of what they need: policies before roles, groups before entities.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from generator.audit.declared import Declared, StsRole, VaultPolicy, VaultRole
from generator.live import verify_aws, verify_declared, verify_platform, verify_strays
from generator.live.advisories import advisories
from generator.live.answers import Unknown
from generator.live.pace import each
from generator.live.territory import Territory
from generator.live.vault import WORKERS
from generator.live.verified import Verified, together
from generator.live.verify_identity import ENTITIES, GROUPS, Identity
from generator.live.verify_strays import Reach

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

    from generator.live.reviewed import Reviewed, Scope
    from generator.live.systems import Systems
    from generator.live.vault import Vault
    from generator.live.vault_roles import LiveRole
    from generator.live.verify_platform import Mounts

T = TypeVar("T")
_SEALED = Unknown("all of Vault's side", "Vault is sealed", "run again when `vault status` is well")


class Progress(Protocol):
    """Told how far the look is; must not raise."""

    def more(self, number: int) -> None:
        """So many objects more are to be looked at."""

    def done(self) -> None:
        """One of them was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What a look at the live systems came to.

    Args:
        verified: What was found, what could not be read, and how much was compared.
        version: Vault's version; empty where it was not asked or did not say.
        cluster_id: The cluster's id, likewise.
        handed_over: Accounts that were not looked at, as nobody here has credentials.
        undeclared: How many roles, policies and STS entries nobody declared, harmless ones too, by kind.
        requests: How many questions Vault was asked.
    """

    verified: Verified
    version: str = ""
    cluster_id: str = ""
    handed_over: tuple[str, ...] = ()
    undeclared: tuple[tuple[str, int], ...] = ()
    requests: int = 0


@dataclass(slots=True)
class _Looking:
    """One look while it goes on."""

    reviewed: Reviewed
    scope: Scope
    progress: Progress
    parts: list[Verified] = field(default_factory=list)
    undeclared: dict[str, int] = field(default_factory=dict)
    by_unique_id: dict[str, LiveRole] = field(default_factory=dict)

    def all_of(self, items: Collection[T], look: Callable[[T], Verified]) -> None:
        """Look at many objects at once."""
        self.progress.more(len(items))
        self.every(items, look)

    def every(self, items: Iterable[T], look: Callable[[T], Verified]) -> None:
        """Look at objects whose number is told elsewhere; what had nothing to tell leaves a count alone."""
        counts: dict[str, int] = {}
        for _, part in each(look, items, WORKERS):
            self.progress.done()
            if part.findings or part.unknown:
                self.parts.append(part)
                continue
            for kind, number in part.checked:
                counts[kind] = counts.get(kind, 0) + number
        self.parts.append(Verified(checked=tuple(counts.items())))

    def listed(self, vault: Vault, path: str, kind: str, known: Collection[str]) -> tuple[str, ...]:
        """Return what a list of Vault's has beside what is known, and count it; nothing where it cannot be read."""
        found = vault.list(path)
        if isinstance(found, Unknown):
            self.parts.append(Verified(unknown=(found,)))
            return ()
        beside = tuple(name for name in found or () if name not in known)
        if kind:
            self.undeclared[kind] = self.undeclared.get(kind, 0) + len(beside)
        return beside


def verify(reviewed: Reviewed, systems: Systems, scope: Scope, progress: Progress) -> Look:
    """Compare the live systems with what was reviewed.

    Args:
        reviewed: The tree and its manifests.
        systems: What to ask.
        scope: Which part is looked at.
        progress: Told how far it is.

    Raises:
        UsageError: When the environment names no Vault or no token.
    """
    looking = _Looking(reviewed, scope, progress)
    health: Mapping[str, Any] = {}
    requests = 0
    if scope.vault or scope.platform:
        vault = systems.vault
        found = vault.health()
        if isinstance(found, Unknown):
            looking.parts.append(Verified(unknown=(found,)))
        elif found.get("sealed"):
            # Each question would be asked again and again, as if it were busy.
            looking.parts.append(Verified(unknown=(_SEALED,)))
        else:
            health = found
            looking.parts.append(advisories(health.get("version"), reviewed.fleet))
            _vault_side(looking, vault, str(health.get("version") or ""))
        requests = vault.asked
    handed_over = _aws_side(looking, systems) if scope.aws else ()
    return Look(
        verified=together(looking.parts),
        version=str(health.get("version") or ""),
        cluster_id=str(health.get("cluster_id") or ""),
        handed_over=handed_over,
        undeclared=tuple(sorted(looking.undeclared.items())),
        requests=requests,
    )


def _vault_side(looking: _Looking, vault: Vault, version: str) -> None:
    reviewed, scope = looking.reviewed, looking.scope
    part, mounts = verify_platform.auth_mounts(reviewed, vault)
    looking.parts.append(part)
    # Without the mount each of its roles would be a finding that says the same.
    is_there = mounts is None or mounts.types.get(reviewed.mount) == verify_platform.AWS
    if scope.platform:
        looking.parts.append(verify_platform.kv_mount(reviewed, vault))
        looking.parts.append(verify_platform.default_policy(reviewed, vault))
        if is_there:
            looking.parts.append(verify_platform.configurations(reviewed, vault))
    if not scope.vault:
        return
    territory = Territory(reviewed.fleet, mounts.types if mounts else ())
    reach = Reach(reviewed)
    policies = [item for item in reviewed.declared.of(VaultPolicy) if scope.takes(item)]
    looking.all_of(policies, partial(verify_declared.policy, reviewed, vault, territory))
    if is_there:
        _declared_logins(looking, vault)
    if scope.is_everyone:
        known = reviewed.policies.keys() | verify_strays.vaults_own(version, vault.address)
        names = looking.listed(vault, "sys/policies/acl", VaultPolicy.kind, known)
        looking.all_of(names, partial(verify_strays.policy, reviewed, vault, territory, reach))
        _stray_logins(looking, vault, reach, mounts)
        _identity(looking, vault, reach, mounts)


def _declared_logins(looking: _Looking, vault: Vault) -> None:
    reviewed, scope = looking.reviewed, looking.scope

    def role(item: VaultRole) -> Verified:
        part, live = verify_declared.role(reviewed, vault, item)
        if live is not None and live.principal_ids:
            looking.by_unique_id[live.role.role] = live
        return part

    looking.all_of([item for item in reviewed.declared.of(VaultRole) if scope.takes(item)], role)
    entries = [item for item in reviewed.declared.of(StsRole) if scope.takes(item)]
    looking.all_of(entries, partial(verify_declared.sts, reviewed, vault))


def _stray_logins(looking: _Looking, vault: Vault, reach: Reach, mounts: Mounts | None) -> None:
    reviewed = looking.reviewed
    types = {reviewed.mount: verify_platform.AWS} if mounts is None else mounts.types
    for mount in (name for name, type_ in types.items() if type_ == verify_platform.AWS):
        ours = mount == reviewed.mount
        names = looking.listed(vault, f"auth/{mount}/role", VaultRole.kind, reviewed.roles if ours else ())
        looking.all_of(names, partial(verify_strays.role, reviewed, vault, reach, mount))
        if ours:
            entries = looking.listed(vault, f"auth/{mount}/config/sts", StsRole.kind, reviewed.sts)
            looking.all_of(entries, partial(verify_strays.sts, reviewed))


def _identity(looking: _Looking, vault: Vault, reach: Reach, mounts: Mounts | None) -> None:
    types = mounts.types if mounts else {}
    accessors = frozenset(each for name, each in (mounts.accessors if mounts else {}).items() if types[name] == "aws")
    identity = Identity(looking.reviewed, reach, accessors)
    looking.all_of(looking.listed(vault, GROUPS, "", ()), partial(identity.group, vault))
    looking.all_of(looking.listed(vault, ENTITIES, "", ()), partial(identity.entity, vault))


def _aws_side(looking: _Looking, systems: Systems) -> tuple[str, ...]:
    """Look at every account that may be, and return those that were handed over."""
    handed_over: list[str] = []
    roots = verify_aws.by_root(looking.reviewed.declared)

    def checks() -> Iterator[Callable[[], Verified]]:
        for account in looking.reviewed.fleet.accounts:
            if not looking.scope.takes_account(account):
                continue
            aws = systems.aws(account)
            if isinstance(aws, Unknown):
                looking.parts.append(Verified(unknown=(aws,)))
            elif aws is None:
                handed_over.append(account.id)
            else:
                part = looking.scope.part_of(account)
                declared = looking.scope.part_of_tree(roots.get(f"accounts/{account.id}/aws", Declared({})), account)
                found = tuple(verify_aws.checks(part, declared, aws, looking.by_unique_id))
                looking.progress.more(len(found))
                yield from found

    looking.every(checks(), lambda check: check())
    return tuple(handed_over)
