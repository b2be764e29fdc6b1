"""Copying a root's state from one backend to another, so that at no moment it is in neither.

Nothing is taken from the old place, ever. The new place is written by ``terraform state push``, which itself refuses,
under the new place's lock, whatever would replace another state or a later one; ``terraform init -migrate-state
-force-copy`` would not. A copy that was cut short anywhere is made or found again by the next one.

Of what is copied the contents are compared: into an empty remote backend Terraform writes a state under a new lineage
and serial number, by either command (internal/states/remote/state.go, PersistState after refreshState).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from generator.errors import RemoteError
from generator.run.locks import advice

if TYPE_CHECKING:
    from generator.run.state import Keeper, Snapshot


class Outcome(StrEnum):
    """What became of one root's state."""

    MOVED = "moved"
    THERE = "there"
    NONE = "none"
    REFUSED = "refused"
    FAILED = "failed"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True)
class Migration:
    """How the copying of one root's state ended.

    Args:
        outcome: How.
        snapshot: What the new place holds now, where that was read.
        reason: Why it was not copied, and what to do about it.
    """

    outcome: Outcome
    snapshot: Snapshot | None = None
    reason: str | None = None

    @property
    def settled(self) -> bool:
        """Whether the new place can be used from now on."""
        return self.outcome in {Outcome.MOVED, Outcome.THERE, Outcome.NONE}


def migrate(old: Keeper, new: Keeper) -> Migration:
    """Copy a root's state from its old backend to its new one, unless it is there already; read both back.

    Args:
        old: Where it is.
        new: Where it is to be; nothing but an earlier or equal snapshot of the same state may be there.
    """
    try:
        return _migrate(old, new)
    except RemoteError as error:
        if old.children.stopping():
            return Migration(Outcome.INTERRUPTED, reason="nothing is lost: run it again")
        return Migration(Outcome.FAILED, reason=error.message)


def _migrate(old: Keeper, new: Keeper) -> Migration:
    old.connect()
    new.connect()
    found = _there(new)
    if locked := _locked(old, new):
        return Migration(Outcome.REFUSED, reason=locked)
    text = old.pull()
    before = old.snapshot(text)
    if before is None:
        return Migration(Outcome.NONE if found is None else Outcome.THERE, found)
    if found is not None and (ended := _already_there(before, found)):
        return ended
    new.push(text)
    return _compared(before, new.snapshot(new.pull()), old.snapshot(old.pull()))


def _there(new: Keeper) -> Snapshot | None:
    try:
        return new.snapshot(new.pull())
    except RemoteError as error:
        raise RemoteError(
            f"{error.message}\nWhat is in the new place is not a whole state: put it away and run this again; the old "
            "state is untouched"
        ) from error


def _locked(old: Keeper, new: Keeper) -> str | None:
    if lock := old.lock():
        return f"the old state is locked by {lock}; {advice(lock, old.own_terraform)}"
    if lock := new.lock():
        return f"the new state is locked by {lock}; {advice(lock, new.own_terraform)}"
    return None


def _compared(before: Snapshot, after: Snapshot | None, old: Snapshot | None) -> Migration:
    """Return how it ended, once both places were read again."""
    if after is None or after.contents != before.contents:
        return Migration(Outcome.FAILED, after, "what was written is not what was read; the old state is untouched")
    if old != before:
        reason = (
            "the old state was changed meanwhile: end what runs with the old settings, put away the copy in the new "
            "place, and run this again"
        )
        return Migration(Outcome.FAILED, after, reason)
    return Migration(Outcome.MOVED, after)


def _already_there(before: Snapshot, found: Snapshot) -> Migration | None:
    """Return how it ends where something is in the new place; None where it is an earlier snapshot of the same."""
    of_the_same = found.lineage == before.lineage
    if found.contents == before.contents or (of_the_same and found.serial > before.serial):
        return Migration(Outcome.THERE, found)
    if of_the_same and found.serial < before.serial:
        return None
    return Migration(
        Outcome.REFUSED,
        found,
        f"another state is there (lineage {found.lineage}, serial {found.serial}, {len(found.objects)} objects), and "
        f"is not replaced by this one (lineage {before.lineage}, serial {before.serial}, {len(before.objects)} "
        "objects): see which of them is right, and put the other away",
    )
