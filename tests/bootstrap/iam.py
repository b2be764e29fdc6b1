"""IAM's decision on a request, as far as the bootstrap templates use its language.

An explicit deny wins, an allow is needed, and a condition on a key that the request lacks does not hold:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping


@dataclass(frozen=True)
class Request:
    """What somebody asks of AWS.

    Args:
        action: Such as ``iam:CreateRole``.
        resource: The ARN that it is about.
        context: Condition keys with their values.
    """

    action: str
    resource: str
    context: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.action} on {self.resource} with {dict(self.context)}"


def allows(statements: Iterable[Mapping[str, Any]], request: Request) -> bool:
    """Tell whether statements, of one caller's policies or of one resource's policy for one caller, allow a request."""
    effects = {each["Effect"] for each in statements if _is_about(each, request)}
    return effects == {"Allow"}


def statements(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return a policy's statements."""
    return list(many(document["Statement"]))


def many(value: Any) -> list[Any]:
    """Return a value that IAM lets be one or several as a list."""
    return value if isinstance(value, list) else [value]


def without_each(document: list[dict[str, Any]]) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Yield the statements as they would be with one allowed action fewer, for each of them."""
    for index, statement in enumerate(document):
        for action in many(statement["Action"]) if statement["Effect"] == "Allow" else ():
            fewer = {**statement, "Action": [each for each in many(statement["Action"]) if each != action]}
            yield f"{statement['Sid']}: {action}", [*document[:index], fewer, *document[index + 1 :]]


def _is_about(statement: Mapping[str, Any], request: Request) -> bool:
    return (
        any(_matches(each.lower(), request.action.lower()) for each in many(statement["Action"]))
        and any(_matches(each, request.resource) for each in many(statement["Resource"]))
        and all(_holds(operator, keys, request.context) for operator, keys in statement.get("Condition", {}).items())
    )


def _holds(operator: str, keys: Mapping[str, Any], context: Mapping[str, str]) -> bool:
    assert operator in {"StringEquals", "Bool"}, "the templates use no other"
    return all(key in context and context[key] in many(wanted) for key, wanted in keys.items())


def _matches(pattern: str, text: str) -> bool:
    return re.fullmatch(".*".join(re.escape(part) for part in pattern.split("*")), text) is not None
