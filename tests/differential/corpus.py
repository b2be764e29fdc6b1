"""Random policies and paths, biased to the corners in which two readers of Vault's rules would part.

Every trial follows from a seed and its number alone.
"""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from generator.audit.acl_constraints import Parameter

MOUNT = "kv"
"""A version 1 key/value engine, in which the keys of `EXISTING` and no others exist."""
EXISTING = tuple(f"{MOUNT}/{key}" for key in ("u", "a/u", "b/u", "ab/u", "a/b/u", "a/a/u", "b/a/u", "a/b/a/u"))
ENTITY_NAME, ENTITY_TEAM, GROUP_NAME, GROUP_TIER = "a", "ab", "b", "aa"

_SEGMENTS = ("a", "b", "ab", "aa", "a-b", "A", "B", "a+", "+b", "a*b", "u")
_PLAIN = ("a", "b", "ab", "aa", "u")
_CAPABILITIES = ("read", "list", "create", "update", "delete", "patch", "sudo", "subscribe", "recover")
_TEMPLATES = (
    "{{identity.entity.name}}",
    "{{ identity.entity.metadata.team }}",
    "{{identity.entity.metadata.missing}}",
    f"{{{{identity.groups.names.{GROUP_NAME}.name}}}}",
    f"{{{{identity.groups.names.{GROUP_NAME}.metadata.tier}}}}",
    "{{identity.groups.names.other.id}}",
)
_SYSTEM = (
    "sys/config/cors",
    "sys/audit",
    "sys/mounts",
    "sys/policies/acl",
    "sys/leases/lookup/a",
    "sys/internal/inspect/router/root",
    "sys/plugins/catalog/secret",
    "auth/token/accessors",
    "auth/token/roles",
)
_VALUES = ("x", "y", "x*", "*y", "*x*", "*", "", "x,y", 1, True, ["x"], ["x", "y"])
_SENT = (
    "x",
    "x",
    "y",
    "xy",
    "yx",
    "x,y",
    "x, y",
    "z",
    "",
    "*",
    1,
    True,
    None,
    ["x"],
    ["x", "y"],
    ["y", "z"],
    {"x": "x"},
)
_NAMES = ("p", "q", "Q")


@dataclass(frozen=True, slots=True)
class RuleText:
    """One rule, as it is to be written.

    Args:
        older: The deprecated ``policy`` instead of capabilities.
        more: Further arguments.
    """

    path: str
    capabilities: tuple[str, ...]
    older: str = ""
    more: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Request:
    """One request by HTTP.

    Args:
        method: The method; ``GET?`` for a list by the query.
        wrap: Seconds; 0 for a response that is not wrapped.
    """

    method: str
    path: str
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    wrap: int = 0

    @property
    def operation(self) -> str:
        """What Vault takes it for."""
        if self.method in {"PUT", "POST"}:
            return "update" if self.path in EXISTING else "create"
        return {"GET": "read", "GET?": "list", "LIST": "list", "DELETE": "delete", "PATCH": "patch"}[self.method]


@dataclass(frozen=True, slots=True)
class Trial:
    """One token's policies, and what is asked of it.

    Args:
        texts: The policies.
        paths: Asked of ``sys/capabilities``.
    """

    number: int
    texts: tuple[str, ...]
    paths: tuple[str, ...]
    requests: tuple[Request, ...]


def trial(seed: int, number: int, *, paths: int = 75, requests: int = 25) -> Trial:
    """Return the trial of a number."""
    rng = random.Random(f"{seed}:{number}")  # noqa: S311 - chance that can be had again, no secret
    rules = _rules(rng) or [RuleText(MOUNT, ("read",))]
    cut = rng.randint(1, 4)
    texts = tuple(_text(rng, rules[start::cut]) for start in range(cut) if rules[start::cut])
    asked = tuple(dict.fromkeys(_asked(rng, rules) for _ in range(paths)))
    return Trial(number, texts, asked, tuple(_request(rng, rules) for _ in range(requests)))


def _rules(rng: random.Random) -> list[RuleText]:
    bases = [_base(rng) for _ in range(rng.randint(1, 3))]
    system = rng.random() < 0.15
    if rng.random() < 0.06:
        return _ties(rng)
    templated = rng.random() < 0.2
    constrained = rng.random() < 0.35
    existing = rng.choice(EXISTING)
    if constrained or rng.random() < 0.2:
        bases.append(tuple(existing.split("/")))
    paths: list[str] = []
    for _ in range(rng.randint(2, 14)):
        if paths and rng.random() < 0.15:
            paths.append(rng.choice(paths))
        elif constrained and rng.random() < 0.4:
            paths.append(rng.choice((existing, f"{existing[:-1]}*", f"{MOUNT}/*")))
        elif system and rng.random() < 0.5:
            paths.append(rng.choice((rng.choice(_SYSTEM), "sys/*", "auth/token/*", "sys/+/*", "sys/+")))
        else:
            paths.append(_rule_path(rng, list(rng.choice(bases)), templated=templated))
    return [_rule(rng, path, constrained=constrained) for path in paths if _is_taken(path)]


def _ties(rng: random.Random) -> list[RuleText]:
    """Return rules that only their text tells apart: as many `+`, as long, the first at the same place."""
    base = [MOUNT, *(rng.choice("ab") for _ in range(4))]
    rules = []
    for _ in range(rng.randint(3, 7)):
        segments = list(base)
        segments[1] = segments[rng.randint(2, 4)] = "+"
        rules.append(_rule(rng, "/".join(segments), constrained=False))
    return rules


def _is_taken(path: str) -> bool:
    """Tell whether Vault takes a path: one cut in a template, or with `+*`, it does not."""
    whole = path
    for template in _TEMPLATES:
        whole = whole.replace(template, "t")
    return "+*" not in path.removeprefix("/") and "{" not in whole and "}" not in whole


def _base(rng: random.Random) -> tuple[str, ...]:
    mount = MOUNT if rng.random() < 0.93 else rng.choice(("KV", "kv2", "k"))
    pool = _PLAIN if rng.random() < 0.7 else _SEGMENTS
    return (mount, *(rng.choice(pool) for _ in range(rng.randint(1, 4))))


def _rule_path(rng: random.Random, segments: list[str], *, templated: bool) -> str:
    if rng.random() < 0.04:
        return rng.choice(("*", "+", "+/*", "+/+", "", "/", "k*", f"{MOUNT}*", f"{MOUNT}/*", f"{MOUNT}/+/*"))
    if rng.random() < 0.25:
        segments = segments[: rng.randint(1, len(segments))]
    for index in range(len(segments)):
        if rng.random() < (0.08 if index == 0 else 0.28):
            segments[index] = "+"
        elif rng.random() < 0.06:
            segments[index] = rng.choice(_SEGMENTS)
    if templated and rng.random() < 0.5:
        segments[rng.randrange(len(segments))] = rng.choice(_TEMPLATES)
    elif len(segments) > 2 and rng.random() < 0.1:
        segments[1], segments[rng.randrange(2, len(segments))] = "+", "+"
    return _ended(rng, "/".join(segments))


def _ended(rng: random.Random, path: str) -> str:
    if rng.random() < 0.05:
        path = path.replace("/", "//", 1)
    ending = rng.random()
    if ending < 0.25:
        path += "/*"
    elif ending < 0.45:
        # A glob need not end at a slash.
        keep = rng.randint(1, 2)
        path = (path[:-keep] if len(path) > keep + 2 else path) + "*"
    elif ending < 0.55:
        path += "/"
    elif ending < 0.6:
        path += rng.choice(("a*", "-*", "/a*", "b"))
    return f"/{path}" if rng.random() < 0.05 else path


def _rule(rng: random.Random, path: str, *, constrained: bool) -> RuleText:
    chance = rng.random()
    if chance < 0.13:
        also = rng.sample(_CAPABILITIES, rng.randint(0, 2)) if rng.random() < 0.3 else []
        listed = [*also, "deny"]
        rng.shuffle(listed)
        return RuleText(path, tuple(listed))
    if chance < 0.19:
        return RuleText(path, ("patch",) if rng.random() < 0.3 else (), rng.choice(("read", "write", "sudo", "deny")))
    count = rng.choice((0, 1, 2, 2, 3, 3, 5, 9)) if not constrained else 6
    capabilities = tuple(rng.sample(_CAPABILITIES, count))
    return RuleText(path, capabilities, more=_constraints(rng) if constrained and rng.random() < 0.6 else {})


def _constraints(rng: random.Random) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for kind in ("allowed_parameters", "denied_parameters"):
        if rng.random() < 0.45:
            names = rng.sample(("p", "q", "*") if kind[0] == "a" else ("p", "q"), rng.choice((0, 1, 1, 2)))
            if kind[0] == "d" and rng.random() < 0.1:
                names.append("*")
            found[kind] = {name: rng.sample(_VALUES, rng.choice((0, 1, 2, 4))) for name in names}
    if rng.random() < 0.2:
        found["required_parameters"] = rng.sample(_NAMES, rng.randint(0, 2))
    if rng.random() < 0.08:
        found["min_wrapping_ttl"] = rng.choice((0, 30, "60s", "2m", "1h"))
    if rng.random() < 0.08:
        found["max_wrapping_ttl"] = rng.choice((3600, "90m", "1.5h", "7200", "1d"))
    return found


def _text(rng: random.Random, rules: list[RuleText]) -> str:
    if rng.random() < 0.15 and not any(_is_odd_in_json(rule) for rule in rules):
        return json.dumps({"path": {rule.path: _body(rule) for rule in rules}})
    lines = ['name = "any"'] if rng.random() < 0.1 else []
    for rule in rules:
        body = [f"  {key} = {json.dumps(value).replace(': ', ' = ')}" for key, value in _body(rule).items()]
        lines += [f'path "{rule.path}" {{', *body, "}"]
    return "\n".join(["# a policy", *lines, ""])


def _is_odd_in_json(rule: RuleText) -> bool:
    """Tell whether Vault's reader of JSON takes a rule for something else than it says."""
    lists = [
        values for kind in ("allowed_parameters", "denied_parameters") for values in rule.more.get(kind, {}).values()
    ]
    return any(isinstance(value, bool | list) for values in lists for value in values)


def _body(rule: RuleText) -> dict[str, Any]:
    own: dict[str, Any] = {"policy": rule.older} if rule.older else {}
    if rule.capabilities or not rule.older:
        own["capabilities"] = list(rule.capabilities)
    return own | dict(rule.more)


def _asked(rng: random.Random, rules: list[RuleText]) -> str:
    """Return a path near a rule: filled in, run on, and then changed a little, or not."""
    path = rng.choice(rules).path if rules and rng.random() < 0.96 else "/".join(_base(rng))
    path = _filled(rng, path)
    chance = rng.random()
    if chance < 0.12:
        path = path.removesuffix("/") if path.endswith("/") else f"{path}/"
    elif chance < 0.18:
        path += rng.choice(("a", "/a", "/a/b", "-"))
    elif chance < 0.22:
        path = path[:-1]
    elif chance < 0.27:
        path = path.swapcase() if rng.random() < 0.2 else path[:3] + path[3:].swapcase()
    elif chance < 0.30:
        path = path.replace("/", "//", rng.randint(1, 2))
    elif chance < 0.33:
        segments = path.split("/")
        segments[rng.randrange(len(segments))] = rng.choice(_SEGMENTS)
        path = "/".join(segments)
    elif chance < 0.36:
        path = path.rpartition("/")[0]
    elif chance < 0.38:
        path = f"/{path}"
    return path or "a"


def _filled(rng: random.Random, path: str) -> str:
    for template in _TEMPLATES:
        path = path.replace(template, rng.choice(_PLAIN))
    if rng.random() < 0.95:
        path = "/".join(rng.choice(_PLAIN) if segment == "+" else segment for segment in path.split("/"))
    if path.endswith("*"):
        path = path[:-1] + rng.choice(("", "", "a", "b", "ab", "u", "a/", "a/b", "a/b/", "/", "/a"))
    return path


_METHODS = ("GET", "GET", "GET", "LIST", "LIST", "LIST", "GET?", "DELETE", "PUT", "PUT", "POST", "PATCH")


def _request(rng: random.Random, rules: list[RuleText]) -> Request:
    constrained = any(rule.more for rule in rules)
    system = any(rule.path.startswith("sys/") for rule in rules) and rng.random() < 0.25
    existing = rng.random() < (0.5 if constrained else 0.12)
    path = rng.choice(_SYSTEM) if system else rng.choice(EXISTING) if existing else _asked(rng, rules)
    # The server redirects a path with `//` or dots for segments, and no other segment here has dots.
    while "//" in path or path.startswith("/"):
        path = path.replace("//", "/").lstrip("/")
    path = MOUNT if path in {"", "sys"} else path  # the server redirects `sys` too
    method = rng.choice(_METHODS)
    inside = path.startswith(f"{MOUNT}/") and len(path) > len(MOUNT) + 1
    if method in {"PUT", "POST"} and not inside:
        method = "GET"  # nobody but an engine knows whether it would create or update
    if not path.startswith((f"{MOUNT}/", "sys/", "auth/")) and method in {"PATCH", "DELETE"}:
        method = "LIST"
    if path.startswith(("sys/", "auth/")) and method not in {"GET", "LIST"}:
        method = "GET"
    if method == "DELETE" and path in EXISTING:
        method = "GET"
    parameters: dict[str, Any] = {}
    may_send = method == "PATCH" or (method in {"PUT", "POST"} and path in EXISTING) or (method == "GET" and inside)
    if may_send and rng.random() < (0.85 if constrained else 0.3):
        for name in rng.sample(_NAMES, rng.randint(1, 2)):
            value: Any = rng.choice(_SENT)
            # What a query has is text, or several texts.
            parameters[name] = value if method != "GET" or isinstance(value, str) else rng.choice((["x", "y"], "x"))
    wrap = rng.choice((10, 60, 100, 3600, 6000, 86400)) if rng.random() < 0.12 else 0
    return Request(method, path, parameters, wrap)
