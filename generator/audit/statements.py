"""Statements of IAM policy documents as sentences, one for each principal, so that two documents can be compared."""

from __future__ import annotations

from typing import TYPE_CHECKING

from generator.audit.change import Effect, quote
from generator.audit.declared import IamRole, IamRolePolicy
from generator.audit.fields import name_of

if TYPE_CHECKING:
    from generator.audit.declared import Condition, Declared, PolicyDocument, Statement


def sentences(document: PolicyDocument) -> dict[str, Effect]:
    """Return what a document says, and what it means that it says so."""
    return {
        sentence: Effect.NARROWS if statement.effect == "Deny" else Effect.WIDENS
        for statement in document.statements
        for sentence in _sentences(statement)
    }


def subject(declared: Declared, document: PolicyDocument) -> str:
    """Return what a document belongs to, and as what."""
    for role in declared.of(IamRole):
        if role.root == document.root and role.assume_role_policy.address == document.address:
            return f"the trust of {name_of(role)}"
    for policy in declared.of(IamRolePolicy):
        if policy.root == document.root and policy.policy.address == document.address:
            return f"the permissions {quote(policy.name)}"
    return quote(document.address)


def _sentences(statement: Statement) -> list[str]:
    may = "may not" if statement.effect == "Deny" else "may"
    what = ", ".join(quote(action) for action in sorted(statement.actions))
    where = f" on {', '.join(quote(each) for each in sorted(statement.resources))}" if statement.resources else ""
    when = "".join(_condition(each) for each in sorted(statement.conditions, key=str))
    who = sorted({f"{group.type} {quote(each)}" for group in statement.principals for each in group.identifiers})
    return [f"{each} {may} {what}{where}{when}" for each in who] or [f"its bearer {may} {what}{where}{when}"]


def _condition(condition: Condition) -> str:
    values = " or ".join(quote(value) for value in sorted(condition.values))
    return f", if {quote(condition.test)} {quote(condition.variable)} is {values}"
