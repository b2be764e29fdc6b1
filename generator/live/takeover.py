"""What a run would take over: objects that its plans would make and that are there already.

Terraform's Vault provider writes over a role or a policy that exists and calls it added. So whatever a plan would
create is looked up first. What an unfinished run of this fleet has made itself is nobody else's; its journal says so.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from generator.audit.imports import import_id
from generator.errors import RefusedError, RemoteError
from generator.live.answers import Unknown
from generator.live.existing import OfAws, OfVault, in_aws, in_vault
from generator.live.pace import each
from generator.live.vault import WORKERS
from generator.report.runs import printable
from generator.run.refusals import client_of, object_lines

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from generator.audit.declared import Declared
    from generator.live.systems import Systems
    from generator.manifest.fleet import Fleet
    from generator.render.layout import Root
    from generator.report.runs import ResourceChange
    from generator.run.results import PlanResult

_ENOUGH = 20  # answers that could not be had: whatever the reason is, the next question will meet it too
_COMMANDS = 10  # that are shown


@dataclass(frozen=True, slots=True)
class Wanted:
    """An object that a plan would create.

    Args:
        root: The root whose plan says so.
        item: The object.
        replaces: Whether it is made for another of this fleet's, which has another name.
    """

    root: Root
    item: OfVault | OfAws
    replaces: bool = False


@dataclass(frozen=True, slots=True)
class There:
    """An object that a plan would create, and that is there.

    Args:
        root: The root whose plan says so.
        address: The object's address there.
        what: What is there, in a few words.
        replaces: Whether it is made for another of this fleet's: the state has that one, and an import does nothing.
    """

    root: Root
    address: str
    what: str
    replaces: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """What looking up a run's objects has shown.

    Args:
        there: Those that are there already, by root and address.
        unknown: What could not be read, in the order of its names.
        unasked: How many were not asked for, since too many could not be read.
        earlier: The plans are an earlier command's, and may have been applied since.
    """

    there: tuple[There, ...] = ()
    unknown: tuple[Unknown, ...] = ()
    unasked: int = 0
    earlier: bool = False

    def but(self, made: Collection[tuple[str, str]]) -> Found:
        """Return the same without the objects that this fleet's own runs have made, by root and address."""
        return replace(self, there=tuple(one for one in self.there if (one.root.name, one.address) not in made))


def would_create(planned: Iterable[PlanResult], declared: Declared) -> tuple[Wanted, ...]:
    """Return the objects that plans would create, those among them that get another name by it than they had.

    Neither those that they import, nor those that are made anew in their own place.

    Args:
        planned: The plans of a run.
        declared: What the tree that was planned declares.
    """
    made = (
        (result.root, declared.objects.get((result.root.name, change.address)), change)
        for result in planned
        for change in result.changes
        if change.makes and not change.imported
    )
    return tuple(
        Wanted(root, item, replaces=change.action == "replace")
        for root, item, change in made
        if isinstance(item, OfVault | OfAws) and not _stays(item, change, declared)
    )


def _stays(item: OfVault | OfAws, change: ResourceChange, declared: Declared) -> bool:
    # Vault's roles and policies and IAM's roles and profiles have no letter case.
    return change.action == "replace" and change.was.lower() == (import_id(declared, item) or "").lower()


def look_up(wanted: Sequence[Wanted], declared: Declared, fleet: Fleet, systems: Systems) -> Found:
    """Look up objects in the live systems, many at once.

    Args:
        wanted: The objects.
        declared: The tree that declares them.
        fleet: Whose accounts they are in.
        systems: What is asked.

    Raises:
        UsageError: When the environment has no token of Vault's, and Vault is to be asked.
    """
    accounts = {account.id: account for account in fleet.accounts}

    def ask(one: Wanted) -> str | Unknown | None:
        if isinstance(one.item, OfVault):
            return in_vault(one.item, declared, systems.vault)
        account = systems.aws(accounts[one.root.account_id or ""])
        if account is None:
            return Unknown(f"account {one.root.account_id}", "it is handed over", "have its owner apply it")
        return account if isinstance(account, Unknown) else in_aws(one.item, declared, account)

    there, unknown, asked = [], [], 0
    for one, answer in each(ask, wanted, WORKERS):
        asked += 1
        if isinstance(answer, Unknown):
            unknown.append(answer)
            if len(unknown) == _ENOUGH:
                break
        elif answer is not None:
            there.append(There(one.root, one.item.address, answer, one.replaces))
    there.sort(key=lambda one: (one.root.name, one.address))
    unknown.sort(key=lambda one: (one.what, one.why))
    return Found(tuple(there), tuple(unknown), len(wanted) - asked)


def require_none(found: Found, target: str) -> None:
    """Check that a run takes nothing over.

    Args:
        found: What was found.
        target: ``sandbox`` or ``live``.

    Raises:
        RefusedError: When it would, naming every object, what is there, and the command that adopts it.
        RemoteError: When that cannot be told.
    """
    if found.there:
        raise RefusedError(f"nothing was applied: {sentence(found)}", help=ways_on(found, target))
    if found.unknown:
        raise RemoteError(f"nothing was applied: {sentence(found)}", help=ways_on(found, target))


def sentence(found: Found) -> str:
    """Return what would be taken over and what cannot be told, with a line for every object."""
    return "\n".join((*_there(found), *_unknown(found)))


def _there(found: Found) -> Iterator[str]:
    if number := len(found.there):
        others = "" if found.earlier else ", and this fleet did not make"
        yield f"{_objects(number)} that would be made {_is(number)} there already{others}:"
        yield from object_lines([(one.root, one.address, one.what) for one in found.there])


def _unknown(found: Found) -> Iterator[str]:
    if found.unknown:
        number = len(found.unknown) + found.unasked
        yield f"whether {_objects(number)} that would be made {_is(number)} there cannot be told:"
        yield from (printable(f"  {one.what}: {one.why}") for one in found.unknown)
        if found.unasked:
            yield f"  and {found.unasked} more, which were not asked for after these"


def ways_on(found: Found, target: str) -> str:
    """Return what can be done about what was found."""
    ways = ["plan again, if these plans were applied already; else"] if found.there and found.earlier else []
    adoptable = [one for one in found.there if not one.replaces]
    if adoptable:
        commands = list(dict.fromkeys(f"crosskeys import --target {target} {_meant(one)}" for one in adoptable))
        shown = [f"  {command}" for command in commands[:_COMMANDS]]
        if left := commands[_COMMANDS:]:
            shown.append(f"  and so for {len(left)} more")
        ways.append("\n".join(("adopt what is there, and see in the plan what would change of it:", *shown)))
    if found.there:
        instead = "remove it where nobody needs it, or give what is to be made another name in its manifest"
        ways.append(f"or {instead}" if adoptable else instead)
    ways += dict.fromkeys(one.help for one in found.unknown)
    # A line each: a command is copied with whatever stands behind it.
    return "\n      ".join(ways)


def _meant(one: There) -> str:
    if client := client_of(one.address):
        return f"--client {client}"
    return f"--account {one.root.account_id}" if one.root.account_id else "--platform"


def _is(number: int) -> str:
    return "is" if number == 1 else "are"


def _objects(number: int) -> str:
    return f"{number} object{'' if number == 1 else 's'}"
