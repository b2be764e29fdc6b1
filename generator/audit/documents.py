"""An IAM policy written out as JSON to its statements, in the words of ``aws_iam_policy_document``.

Grammar: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NoReturn

from generator.audit.declared import Condition, Principals, Statement

if TYPE_CHECKING:
    from collections.abc import Iterable

VERSION = "2012-10-17"


def statements(text: str) -> tuple[Statement, ...]:
    """Return the statements of a policy, one string where a list may stand taken for a list of it.

    Raises:
        ValueError: When it is not JSON, has a key twice, or says what an ``aws_iam_policy_document`` of this tool could
            not; with what is wrong, and the line where that is known.
    """
    document = _object(_parsed(text), "a policy", {"Version", "Id", "Statement"})
    if document.get("Version") != VERSION:
        raise ValueError(f'its `Version` is not "{VERSION}"')
    if not isinstance(document.get("Id", ""), str):
        raise ValueError("its `Id` is not a string")  # noqa: TRY004 - what is wrong is the text, not a call
    found = document.get("Statement")
    return tuple(_statement(one) for one in (found if isinstance(found, list) else [found]))


def _parsed(text: str) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_once, parse_float=_no_number, parse_constant=_no_number)
    except json.JSONDecodeError as error:
        raise ValueError(f"it is not JSON: {error.msg} in its line {error.lineno}") from None
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"the key `{key}` is given twice")
        found[key] = value
    return found


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"it holds {text}")


def _object(value: Any, what: str, keys: set[str]) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"{what} is not an object")  # noqa: TRY004 - as above
    for key in value:
        if key not in keys:
            raise ValueError(f"{what} has a key `{key}`")
    return value


def _statement(value: Any) -> Statement:
    keys = {"Sid", "Effect", "Action", "Resource", "Principal", "Condition"}
    found = _object(value, "a statement", keys)
    if found.get("Effect") not in {"Allow", "Deny"}:
        raise ValueError("the `Effect` of a statement is neither Allow nor Deny")
    if "Action" not in found:
        raise ValueError("a statement has no `Action`")
    sid = found.get("Sid")
    if sid is not None and not isinstance(sid, str):
        raise ValueError("the `Sid` of a statement is not a string")
    return Statement(
        sid=sid,
        effect=found["Effect"],
        actions=_texts(found["Action"], "Action"),
        resources=_texts(found["Resource"], "Resource") if "Resource" in found else (),
        principals=tuple(_principals(found["Principal"])) if "Principal" in found else (),
        conditions=tuple(_conditions(found["Condition"])) if "Condition" in found else (),
    )


def _principals(value: Any) -> Iterable[Principals]:
    if value == "*":
        yield Principals(type="*", identifiers=("*",))
        return
    for kind, identifiers in _object(value, "a `Principal`", {"AWS", "Service", "Federated", "CanonicalUser"}).items():
        yield Principals(type=kind, identifiers=_texts(identifiers, kind))


def _conditions(value: Any) -> Iterable[Condition]:
    if not isinstance(value, dict):
        raise ValueError("a `Condition` is not an object")  # noqa: TRY004 - as above
    for test, variables in value.items():
        if not isinstance(variables, dict):
            raise ValueError(f"the condition `{test}` is not an object")  # noqa: TRY004 - as above
        for variable, values in variables.items():
            yield Condition(test=test, variable=variable, values=_texts(values, variable))


def _texts(value: Any, what: str) -> tuple[str, ...]:
    values = value if isinstance(value, list) else [value]
    if not values or not all(isinstance(one, str) for one in values):
        raise ValueError(f"`{what}` is neither a string nor a list of strings")
    return tuple(values)
