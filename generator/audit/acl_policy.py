"""The text of a Vault policy to its rules, with all that Vault's policy language has.

Source: parseACLPolicyWithTemplating and parsePaths in vault/policy.go of v1.21.2, over hcl v1. The text is read by the
reader for HCL's newer syntax, which has its blocks, lists, strings and comments in common with the older; what only the
older has (``path "x" = {``, quoted keys of a block, other escapes) is refused as undecided, as is what both take and
read differently.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from generator.audit import acl_json, faults, hcl
from generator.audit.acl_constraints import Constraints, duration, lowered
from generator.audit.acl_faults import REFUSED, UNDECIDED, Fault, UnreadablePolicyError
from generator.audit.acl_identity import UnbalancedError, is_templated, selectors

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.audit.acl_constraints import Literal
    from generator.audit.hcl import Attribute, Block, Body, Value
    from generator.diagnostics import Diagnostic, Span

CAPABILITIES = frozenset(
    {"create", "read", "update", "patch", "delete", "list", "sudo", "deny", "subscribe", "recover"}
)
_READ = ("read", "list")
_WRITE = ("create", "read", "update", "delete", "list")
_DEPRECATED = {"deny": ("deny",), "read": _READ, "write": _WRITE, "sudo": (*_WRITE, "sudo")}
_KEYS = frozenset(
    {"comment", "policy", "capabilities", "allowed_parameters", "denied_parameters", "required_parameters"}
    | {"min_wrapping_ttl", "max_wrapping_ttl", "mfa_methods", "control_group", "subscribe_event_types"}
)
_ENTERPRISE = {"mfa_methods": "an MFA method", "control_group": "a control group"}
# What is left of a text without its strings and comments has no colon in the older syntax, and no key `true`.
_QUOTED = re.compile(r'"(?:[^"\\\n]|\\.)*"|#[^\n]*|//[^\n]*|/\*.*?\*/', re.DOTALL)
_NEWER = re.compile(r":|\b(?:true|false|null)\s*=")
_SENTINEL = re.compile(r"\brule\s*\{")
_UNREADABLE = {faults.REPEATED: REFUSED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule of one policy.

    Args:
        path: Its path as written, templates and all.
        capabilities: ``deny`` alone where it is one of them; may be empty.
        constraints: What it asks of a request's parameters and of the wrapping of its response.
        policy: The policy's name.
        span: Where the rule stands.
    """

    path: str
    capabilities: frozenset[str]
    constraints: Constraints
    policy: str
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """A policy.

    Args:
        name: The name by which a token carries it; the text's own `name`, which Vault ignores too, is not it.
        rules: In the order of the text.
    """

    name: str
    rules: tuple[Rule, ...]


def parse(text: str, at: Span, name: str) -> Policy:
    """Return the policy that a text is, in HCL or JSON.

    Args:
        text: The text.
        at: The file, and the line and column at which the text begins.
        name: The policy's name.

    Raises:
        UnreadablePolicyError: With everything that Vault would refuse (CK820) or that cannot be decided here (CK821).
    """
    try:
        body = _body(text.replace("\r\n", "\n"), at)
        _top(body)
    except Fault as fault:
        raise UnreadablePolicyError((fault.finding,)) from None
    rules: list[Rule] = []
    findings: list[Diagnostic] = []
    for block in body.blocks:
        try:
            rules.append(_rule(block, name))
        except Fault as fault:
            findings.append(fault.finding)
    if findings:
        raise UnreadablePolicyError(tuple(findings))
    return Policy(name=name, rules=tuple(rules))


def _body(text: str, at: Span) -> Body:
    if not text:
        raise Fault(REFUSED, at, "the policy is empty")
    if not unicodedata.is_normalized("NFC", text):
        raise Fault(UNDECIDED, at, "the policy has characters that are not in Unicode's composed form (NFC)")
    if acl_json.is_json(text):
        return acl_json.parse(text, at)
    try:
        body = hcl.parse(text, at)
    except faults.Unreadable as error:
        found = error.finding
        sentinel = found.rule == faults.SYNTAX and _SENTINEL.search(text)
        message = "this is Sentinel, and no ACL policy" if sentinel else found.message
        raise Fault(_UNREADABLE.get(found.rule, UNDECIDED), found.span, message) from None
    bare = _QUOTED.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), text)
    if newer := _NEWER.search(bare):
        line = at.line + bare.count("\n", 0, newer.start())
        column = newer.start() - bare.rfind("\n", 0, newer.start())
        span = type(at)(at.path, line, column, line, column + 1)
        raise Fault(REFUSED, span, "the syntax of policies has this in strings alone")
    return body


def _top(body: Body) -> None:
    for attribute in body.attributes.values():
        if attribute.name != "name":
            raise Fault(REFUSED, attribute.span, f"a policy has no argument `{attribute.name}`")
        if not isinstance(attribute.value, str) or attribute.heredoc:
            raise Fault(UNDECIDED, attribute.span, "`name` is not a text in quotes")
    for block in body.blocks:
        if block.type != "path":
            raise Fault(REFUSED, block.span, f"a policy has no block `{block.type}`")
        if len(block.labels) != 1:
            raise Fault(UNDECIDED, block.span, "a rule has one path")


def _rule(block: Block, policy: str) -> Rule:
    path = block.labels[0]
    _check_path(path, block.span)
    arguments = dict(_arguments(block))
    capabilities = _capabilities(arguments)
    # Vault reads no further in a rule that denies.
    constraints = Constraints() if "deny" in capabilities else _constraints(arguments, block.span)
    return Rule(path=path, capabilities=capabilities, constraints=constraints, policy=policy, span=block.span.start)


def _check_path(path: str, span: Span) -> None:
    _check_text(path, span)
    try:
        is_templated(path)
    except UnbalancedError as error:
        raise Fault(REFUSED, span, f'path "{path}": {error}') from None
    for selector in selectors(path):
        if selector.startswith("time."):
            raise Fault(UNDECIDED, span, f"`{{{{{selector}}}}}` is another path at another time")
    if "+*" in path.removeprefix("/"):
        raise Fault(REFUSED, span, f'path "{path}": `+*` is forbidden')


def _arguments(block: Block) -> Iterator[tuple[str, Attribute]]:
    """Yield the arguments of a rule; a map may be written as a block without labels, as the older syntax has it."""
    for attribute in block.body.attributes.values():
        _check_key(attribute.name, attribute.span)
        if attribute.heredoc:
            raise Fault(UNDECIDED, attribute.span, f"`{attribute.name}` is a heredoc")
        _check_value(attribute.value, attribute.span)
        yield attribute.name, attribute
    seen: set[str] = set()
    for inner in block.body.blocks:
        _check_key(inner.type, inner.span)
        if inner.type in seen or inner.labels or inner.body.blocks or not inner.type.endswith("ed_parameters"):
            raise Fault(UNDECIDED, inner.span, f"`{inner.type}` is written as blocks")
        seen.add(inner.type)
        value = {attribute.name: attribute.value for attribute in inner.body.attributes.values()}
        _check_value(value, inner.span)
        yield inner.type, hcl.Attribute(inner.type, value, inner.span)


def _check_key(key: str, span: Span) -> None:
    if key not in _KEYS:
        raise Fault(REFUSED, span, f"a rule has no `{key}`")
    if key in _ENTERPRISE:
        raise Fault(UNDECIDED, span, f"whether {_ENTERPRISE[key]} is satisfied (`{key}`) is not known before a request")


def _check_value(value: Value, span: Span) -> None:
    match value:
        case str():
            _check_text(value, span)
        case tuple():
            for item in value:
                _check_value(item, span)
        case Mapping():
            for key, item in value.items():
                _check_text(key, span)
                _check_value(item, span)
        case None | hcl.Traversal():
            raise Fault(REFUSED, span, f"`{'null' if value is None else value}` is no value of a policy")
        case _:
            return


def _check_text(text: str, span: Span) -> None:
    if "${" in text or "%{" in text:
        raise Fault(UNDECIDED, span, "`${` and `%{` in a string, which HCL's versions read differently")


def _capabilities(arguments: Mapping[str, Attribute]) -> frozenset[str]:
    given = _texts(arguments["capabilities"]) if "capabilities" in arguments else ()
    if "policy" in arguments:
        attribute = arguments["policy"]
        if not isinstance(attribute.value, str):
            raise Fault(UNDECIDED, attribute.span, "`policy` is not a text")
        if attribute.value and attribute.value not in _DEPRECATED:
            raise Fault(REFUSED, attribute.span, f"Vault has no policy `{attribute.value}`")
        older = _DEPRECATED.get(attribute.value, ())
        given = older if older == ("deny",) else (*given, *older)
    for capability in given:
        if capability not in CAPABILITIES:
            raise Fault(REFUSED, arguments["capabilities"].span, f"Vault has no capability `{capability}`")
        if capability == "deny":
            # The rest of the list is not even read.
            return frozenset({"deny"})
    return frozenset(given)


def _constraints(arguments: Mapping[str, Attribute], span: Span) -> Constraints:
    shortest, longest = (_duration(arguments.get(f"{end}_wrapping_ttl")) for end in ("min", "max"))
    if shortest and longest and longest < shortest:
        raise Fault(REFUSED, span, "`max_wrapping_ttl` is less than `min_wrapping_ttl`")
    if "subscribe_event_types" in arguments:
        # Which events a subscription may ask for says nothing about any path or operation.
        _texts(arguments["subscribe_event_types"])
    return Constraints(
        allowed=_choices(arguments.get("allowed_parameters")),
        denied=_choices(arguments.get("denied_parameters")),
        required=_texts(arguments["required_parameters"]) if "required_parameters" in arguments else (),
        min_wrapping=shortest,
        max_wrapping=longest,
    )


def _duration(attribute: Attribute | None) -> int:
    if attribute is None:
        return 0
    if isinstance(attribute.value, bool) or not isinstance(attribute.value, str | int):
        raise Fault(REFUSED, attribute.span, f"`{attribute.name}` is no duration")
    try:
        return duration(attribute.value)
    except ValueError as error:
        raise Fault(REFUSED, attribute.span, f"`{attribute.name}`: {error}") from None


def _choices(attribute: Attribute | None) -> Mapping[str, tuple[Literal, ...]]:
    if attribute is None:
        return {}
    if not isinstance(attribute.value, Mapping):
        raise Fault(REFUSED, attribute.span, f"`{attribute.name}` is not a map of lists")
    found: dict[str, tuple[Literal, ...]] = {}
    for key, values in attribute.value.items():
        if not isinstance(values, tuple):
            raise Fault(REFUSED, attribute.span, f"`{key}` in `{attribute.name}` is not a list")
        if not key.isascii():
            raise Fault(UNDECIDED, attribute.span, f"`{key}` in `{attribute.name}` is not a name in ASCII")
        if lowered(key) in found:
            raise Fault(UNDECIDED, attribute.span, f"`{key}` in `{attribute.name}` is given twice but for its case")
        found[lowered(key)] = tuple(_literal(value, attribute) for value in values)
    return found


def _literal(value: Value, attribute: Attribute) -> Literal:
    if isinstance(value, tuple):
        return tuple(_literal(item, attribute) for item in value)
    if not isinstance(value, str | int):
        raise Fault(UNDECIDED, attribute.span, f"`{attribute.name}` has an object for a value")
    return value


def _texts(attribute: Attribute) -> tuple[str, ...]:
    if not isinstance(attribute.value, tuple):
        raise Fault(REFUSED, attribute.span, f"`{attribute.name}` is not a list")
    found = tuple(item for item in attribute.value if isinstance(item, str))
    if len(found) < len(attribute.value):
        raise Fault(UNDECIDED, attribute.span, f"`{attribute.name}` is not a list of texts")
    return found
