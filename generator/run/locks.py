"""Locks on state: who holds one, from Terraform's own words, and what is to be done about it."""

from __future__ import annotations

import re
from dataclasses import dataclass

_FAILED = "Error acquiring the state lock"
# A lock can also not be had because the state cannot be read; then nobody holds it.
_HELD = re.compile(r"Lock Info:|resource temporarily unavailable")
# Beside this one the backend `http` tells who asked for the lock, as if that were who holds it
# (internal/backend/remote-state/http/client.go, Lock).
_HTTP = re.compile(r"HTTP remote state already locked: ID=(\S+)")
# terraform internal/states/statemgr/locker.go, LockInfo.String
_FIELD = re.compile(r"^ +(ID|Operation|Who|Created): +(\S.*?) *$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Lock:
    """A lock that somebody holds; what is not known is empty.

    Args:
        id: The id by which Terraform would release it.
        who: User and machine.
        operation: What they do, in Terraform's word, such as ``OperationTypeApply``.
        created: Since when, as Terraform writes it.
    """

    id: str = ""
    who: str = ""
    operation: str = ""
    created: str = ""

    def __str__(self) -> str:
        since = f" since {self.created}" if self.created else ""
        doing = f" ({self.operation.removeprefix('OperationType').lower()})" if self.operation else ""
        return f"{self.who or 'somebody'}{since}{doing}"


def lock_in(text: str) -> Lock | None:
    """Return the lock that Terraform complains of, None where it complains of none."""
    if _FAILED not in text or not _HELD.search(text):
        return None
    if foreign := _HTTP.search(text):
        return Lock(foreign[1])
    said = dict(_FIELD.findall(text))
    return Lock(said.get("ID", ""), said.get("Who", ""), said.get("Operation", ""), said.get("Created", ""))


def advice(lock: Lock, terraform: str) -> str:
    """Return what to do about a lock that somebody holds.

    Args:
        lock: The lock.
        terraform: How Terraform is called where the state's backend is set up.
    """
    wait = "let that run end, and run again"
    if not lock.id:
        return wait
    return f"{wait}. Only when it is certain that nothing works on it any more: {terraform} force-unlock {lock.id}"
