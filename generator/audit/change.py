"""What one change of a fleet means: a sentence, whom it is about, and whether it opens or closes something."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from generator.diagnostics import Span


class Topic(StrEnum):
    """What a change is about; in the order in which a reviewer should look."""

    BEYOND = "beyond"
    CLIENTS = "clients"
    ACCESS = "access"
    TRUST = "trust"
    LIMITS = "limits"
    PLATFORM = "platform"
    ROOTS = "roots"
    OWNERS = "owners"
    DETAILS = "details"


class Effect(StrEnum):
    """Whether more is possible after a change, or less; neither where that cannot be said."""

    WIDENS = "widens"
    NARROWS = "narrows"
    CHANGES = "changes"

    @property
    def opposite(self) -> Effect:
        """The effect of taking it back."""
        return {Effect.WIDENS: Effect.NARROWS, Effect.NARROWS: Effect.WIDENS}.get(self, self)


def quote(text: str) -> str:
    """Return text of somebody's file as a message quotes it: nothing in it ends the quotation."""
    return f"`{text.replace('`', chr(39))}`" if text.strip() else "(blank)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One change.

    Args:
        subject: The client's name, the account's id, or ``platform``.
        message: What changes, a sentence without a full stop; what is quoted from files stands in backticks.
        span: Where it stands now, or stood; None where no line says it.
        approvals: Whose approval it needs, beyond the subject's: who owned until now what it reaches or takes over.
        principals: Of a change of access, the ARNs that gain or lose.
        path: Of a change of access, the rule's path.
        operations: Of a change of access, what is gained or lost.
    """

    topic: Topic
    subject: str
    effect: Effect
    message: str
    span: Span | None = None
    approvals: tuple[str, ...] = ()
    principals: tuple[str, ...] = ()
    path: str = ""
    operations: tuple[str, ...] = ()

    @property
    def sort_key(self) -> tuple[int, str, int, str]:
        """The order in which changes are shown: by topic and subject, what widens first, then by text."""
        return (list(Topic).index(self.topic), self.subject, list(Effect).index(self.effect), self.message)
