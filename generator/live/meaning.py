"""What an IAM policy document comes to, whatever its form: blocks of HCL and AWS's JSON compare. Pure.

Order, a string where a list may stand, ids of statements, letter case where IAM has none, and into how many statements
something is divided say nothing; all else does. Grammar:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING, Any

from generator.audit import documents, statements
from generator.audit.declared import Condition, PolicyDocument, Principals, Statement
from generator.diagnostics import Span

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

# What a policy variable begins with: version 2008-10-17 takes it for plain text.
_VARIABLE = "${"
_OLD = "2008-10-17"
_WHOLE_ACCOUNT = re.compile(r"arn:aws[a-z-]*:iam::([0-9]{12}):root", re.ASCII)

Grants = dict[tuple[object, ...], Statement]


def of_document(found: Mapping[str, Any]) -> tuple[Statement, ...]:
    """Return the statements of a document as AWS answers it.

    Raises:
        ValueError: When it says what no document of a rendered tree could, such as ``NotPrincipal``; with what.
    """
    text = json.dumps(found)
    # A document without a version is one of the old, which differs in variables alone.
    if found.get("Version", _OLD) == _OLD and _VARIABLE not in text:
        text = json.dumps({**found, "Version": documents.VERSION})
    return documents.statements(text)


def difference(declared: Iterable[Statement], live: Iterable[Statement]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return what a live document says beyond the declared one, and what it lacks, as sentences in order.

    Args:
        declared: The statements that were reviewed.
        live: Those that are in force.
    """
    wanted, found = _grants(declared), _grants(live)
    return (
        _said(found[key] for key in found.keys() - wanted.keys()),
        _said(wanted[key] for key in wanted.keys() - found.keys()),
    )


def _grants(several: Iterable[Statement]) -> Grants:
    """Return single grants: each of one action, one resource and one principal, by what it means."""
    grants: Grants = {}
    for statement in several:
        who = [(group.type, each) for group in statement.principals for each in group.identifiers]
        conditions = tuple(sorted(map(_condition, statement.conditions), key=str))
        # A trust policy has no resources, and a permissions policy no principals.
        for action, resource, principal in product(statement.actions, statement.resources or ("",), who or (None,)):
            whose = _principal(*principal) if principal else None
            # Actions have no letter case, and the keys of conditions neither; their values do.
            grants[statement.effect, action.lower(), resource, whose, conditions] = replace(
                statement,
                sid=None,
                actions=(action,),
                resources=(resource,) if resource else (),
                principals=(Principals(type=principal[0], identifiers=(principal[1],)),) if principal else (),
            )
    return grants


def _principal(kind: str, identifier: str) -> tuple[str, str]:
    if kind == "*":
        return "AWS", "*"
    whole = _WHOLE_ACCOUNT.fullmatch(identifier)
    return kind, whole[1] if whole and kind == "AWS" else identifier


def _condition(condition: Condition) -> tuple[str, str, tuple[str, ...]]:
    return condition.test, condition.variable.lower(), tuple(sorted(set(condition.values)))


def _said(grants: Iterable[Statement]) -> tuple[str, ...]:
    document = PolicyDocument(root="", span=Span(""), label="live", statements=tuple(grants))
    return tuple(sorted(statements.sentences(document)))
