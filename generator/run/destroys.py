"""Whether a run may destroy what its plans would destroy. Pure: plans, fleet and day in, a judgement out.

A manifest announces destroys with ``retire`` or ``suspend``: of its own client's objects in its own account's roots.
Whatever else goes, and too much at once, is allowed by one thing only: the digest of exactly these destroys.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from generator.render.layout import RootKind

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Iterator, Mapping

    from generator.manifest.fleet import Client, Fleet
    from generator.manifest.settings import Limits
    from generator.render.layout import Root
    from generator.report.runs import ResourceChange
    from generator.run.results import PlanResult

VAULT_ROLE, VAULT_POLICY = "vault_aws_auth_backend_role", "vault_policy"
IAM_ROLE, INSTANCE_PROFILE = "aws_iam_role", "aws_iam_instance_profile"


@dataclass(frozen=True, slots=True)
class Destroy:
    """An object that would be destroyed.

    Args:
        root: The root whose plan says so.
        address: The object's address there.
        action: ``delete``, or ``replace`` when another is made in its place.
        announced_by: The client whose manifest announces it; None when none does.
    """

    root: Root
    address: str
    action: str
    announced_by: Client | None = None


@dataclass(frozen=True, slots=True)
class Judgement:
    """What is to be thought of a run's destroys.

    Args:
        destroys: All of them, by root and address.
        digest: Names exactly these destroys and no others: SHA-256, hex.
        reasons: Why they may not be done, one sentence without a full stop each; empty when they may.
        final: Whether no digest allows them.
    """

    destroys: tuple[Destroy, ...]
    digest: str
    reasons: tuple[str, ...]
    final: bool

    @property
    def allowed(self) -> bool:
        """Whether the run may be applied."""
        return not self.reasons


def judge(
    planned: Iterable[PlanResult], fleet: Fleet, declared: int, today: dt.date, allowed: str | None = None
) -> Judgement:
    """Judge what the plans of a run would destroy.

    Args:
        planned: The run's plans.
        fleet: The whole fleet, whichever of its roots the run is about.
        declared: How many objects the whole fleet declares.
        today: The day by which the permission of ``retire`` ends, in UTC.
        allowed: The digest of the destroys that somebody has looked at and wants.
    """
    announced = _announced(fleet, today)
    destroys = tuple(
        Destroy(result.root, change.address, change.action, _by(announced, result.root, change))
        for result in sorted(planned, key=lambda result: result.root.name)
        for change in sorted(result.changes)
        if change.destroys
    )
    digest = digest_of(destroys)
    if of_platform := [each for each in destroys if each.root.kind is RootKind.PLATFORM]:
        return Judgement(destroys, digest, (f"{_objects(len(of_platform))} of the platform would go",), final=True)
    if allowed is None:
        return Judgement(destroys, digest, tuple(_reasons(destroys, fleet, declared)), final=False)
    differs = () if allowed == digest else ("what would be destroyed is not what --destroy allows",)
    return Judgement(destroys, digest, differs, final=False)


def digest_of(destroys: Iterable[Destroy]) -> str:
    """Return the SHA-256 over root, address and action of each destroy, in that order, as hex digits."""
    rows = sorted((each.root.name, each.address, each.action) for each in destroys)
    return hashlib.sha256(json.dumps(rows).encode()).hexdigest()


def _announced(fleet: Fleet, today: dt.date) -> Mapping[tuple[str, str], Client]:
    """Return who announces which destroys, by root and address."""
    return {
        object_: client
        for client in fleet.clients
        if (client.retire and not client.retire.has_lapsed(today)) or (client.suspend and not client.retire)
        for object_ in _announced_by(client)
    }


def _announced_by(client: Client) -> Iterator[tuple[str, str]]:
    vault, aws = (f"accounts/{client.account_id}/{side}" for side in ("vault", "aws"))
    yield vault, f"{VAULT_ROLE}.{client.name}"
    if client.suspend:
        # A client that is renamed and suspended at once has no role that the old one could move to.
        if client.previously:
            yield vault, f"{VAULT_ROLE}.{client.previously}"
        return
    yield vault, f"{VAULT_POLICY}.{client.name}"
    if client.workload:
        yield aws, f"{IAM_ROLE}.{client.name}"
        if client.workload.instance_profile:
            yield aws, f"{INSTANCE_PROFILE}.{client.name}"


def _by(announced: Mapping[tuple[str, str], Client], root: Root, change: ResourceChange) -> Client | None:
    """Return who announces that an object goes for good; that it is replaced nobody can."""
    return announced.get((root.name, change.address)) if change.action == "delete" else None


def _reasons(destroys: tuple[Destroy, ...], fleet: Fleet, declared: int) -> Iterator[str]:
    if not destroys:
        return
    limits, number = fleet.settings.limits, len(destroys)
    if unannounced := sum(each.announced_by is None for each in destroys):
        yield f"{_objects(unannounced)} would go that no manifest announces"
    if not fleet.declared:
        yield "the last client of the fleet would go"
    if number > limits.announced_destroys:
        yield f"{_objects(number)} would go, and limits.announced_destroys is {limits.announced_destroys}"
    if _too_large_a_share(destroys, declared, limits):
        yield f"{number} of {declared} objects of the fleet would go, and limits.destroy_percent is " + str(
            limits.destroy_percent
        )


def _too_large_a_share(destroys: tuple[Destroy, ...], declared: int, limits: Limits) -> bool:
    # In a small fleet one client is more than any sensible share, and cutting it off must not wait for a second run.
    clients = {each.announced_by.name if each.announced_by else None for each in destroys}
    return len(clients) > 1 and len(destroys) * 100 > declared * limits.destroy_percent


def _objects(number: int) -> str:
    return f"{number} object{'' if number == 1 else 's'}"
