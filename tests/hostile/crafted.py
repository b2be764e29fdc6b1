"""Files made to cost as much as a file of the largest size can: time, memory, or pages of findings."""

from __future__ import annotations

from tests.hostile.cases import HEAD

_ROOM = 64 * 1024


def _filled(unit: str, head: str = "", tail: str = "") -> str:
    """As many of a unit as a file holds."""
    return head + unit * ((_ROOM - len((head + tail).encode())) // len(unit.encode())) + tail


def _listed(form: str, head: str = "", separator: str = ",", tail: str = "") -> str:
    """As many numbered items as a file holds."""
    item, room = "", _ROOM - len(head) - len(tail)
    parts: list[str] = []
    while room > len(item) + 20:
        item = form.format(len(parts)) + separator
        parts.append(item)
        room -= len(item)
    return head + "".join(parts) + tail


_SHARED = "shared_paths: [{path: shared/ca, owner: x}]\n"
CRAFTED: dict[str, tuple[str, str]] = {
    # what is nested
    **{
        f"client {unit!r} nested": ("client", _filled(unit))
        for unit in ("[", "{", "- ", "? ", "{a: ", "[{", "!a [", "&a [")
    },
    "client brackets closed": ("client", "[" * 32_000 + "]" * 32_000),
    "client nested block": ("client", "".join(" " * depth + "a:\n" for depth in range(350))),
    # what is long
    **{
        f"client {unit!r} repeated": ("client", _filled(unit))
        for unit in ("#", "\n", "\r\n", " ", "\0", "\x07\n", "-", "a", "\t", '"', "'")
    },
    "client long value": ("client", _filled("a", f"{HEAD}description: ")),
    "client long key": ("client", _filled("k", "? ", "\n: 1\n")),
    "client long comment line": ("client", _filled("é", f"{HEAD}# ")),
    "client folded lines": ("client", _filled("  a\n", f"{HEAD}description: >\n")),
    "client quoted lines": ("client", _filled("\n", f'{HEAD}description: "')),
    "client escapes": ("client", _filled("\\u0041", f'{HEAD}description: "', '"')),
    "client digits": ("client", _filled("0", f"{HEAD}description: 1")),
    "client accents in disorder": ("client", _filled("\u0323\u0301", f"{HEAD}description: a")),
    "client accents in keys": ("client", _filled("? a\u0323\u0301\u0323\u0301\u0323\u0301\u0323\u0301\n", HEAD)),
    "client long path of a grant": ("client", _filled("a/", f"{HEAD}grants: [{{path: ", "a}]")),
    "account long path of an ARN": (
        "account",
        _filled("a/", "name: x\nowner: x\nprovisioner_role: arn:aws:iam::222222222222:role/"),
    ),
    "settings digits of a version": ("settings", _filled("9", 'requires: ">=', '"\n')),
    "settings long constraint": ("settings", _filled(">=1,", 'requires: "', '>=0"\n')),
    "settings long directory": (
        "settings",
        _filled("{name}/", _SHARED + "vault: {directory: '", "{account_id}{role_name}'}\n"),
    ),
    "settings long key of the backend": (
        "settings",
        _listed(
            "    a{}: 1",
            _SHARED + f"terraform:\n  backend:\n    type: s3\n    ? {'k' * 20_000}\n    : '{{root}}'\n",
            "\n",
        ),
    ),
    "settings backend": (
        "settings",
        _listed("    a{}: 1", _SHARED + "terraform:\n  backend:\n    type: s3\n    key: '{root}'\n", "\n"),
    ),
    # what has many findings
    **{
        f"client list of {unit!r}": ("client", _filled(unit, "[", "]"))
        for unit in ("!a,", "*a,", "&a b,", "y,", "1,", ",", '"\\0",', "{a: 1, a: 1},", "a: b,", "0x1,", "[],", "<<,")
    },
    "client doubles": ("client", _filled("a: 1,", "{", "}")),
    "client unknown keys": ("client", _listed("k{}: 1", HEAD, "\n")),
    "client unknown keys like known ones": ("client", _listed("nam{}e: 1", HEAD, "\n")),
    "client keys that are lists": ("client", _filled("? [a]\n: 1\n")),
    "client keys that are numbers": ("client", _listed("{}: 1", "", "\n")),
    "client empty keys": ("client", _filled("?\n")),
    "client grants that are numbers": ("client", _filled("1,", f"{HEAD}grants: [", "]")),
    "client grants": ("client", _listed("{{path: a{}}}", f"{HEAD}grants: [", ",", "]")),
    "client grants alike": ("client", _filled("{path: a},", f"{HEAD}grants: [", "]")),
    "client addresses": ("client", _listed('"::{:x}"', f"{HEAD}vault: {{token_bound_cidrs: [", ",", "]}")),
    "client services": ("client", _listed("{}.amazonaws.com", f"{HEAD}aws: {{trusted_services: [", ",", "]}")),
    "client tags": ("client", _listed("a{}: b", f"{HEAD}aws: {{tags: {{", ", ", "}}")),
    "settings words": ("settings", _filled("a,", "vault: {iam_metadata: [", "]}")),
    "settings words alike": ("settings", _filled("auth_type,", "vault: {iam_metadata: [", "]}")),
    "settings shared paths": ("settings", _listed("- {{path: a{}, owner: a}}", "shared_paths:\n", "\n")),
    "settings principals": (
        "settings",
        _listed('"arn:aws:iam::123456789012:role/r{}"', "vault: {principals: [", ",", "]}"),
    ),
}
"""What costs most, for the kind of file it is made for: each as large as a file may be."""
