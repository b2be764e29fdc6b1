"""Policies as texts: what Vault takes, what it refuses and where, and what this tool leaves undecided."""

from __future__ import annotations

_READ = '  capabilities = ["read"]\n'


def _rule(body: str = _READ, path: str = "a") -> str:
    return f'path "{path}" {{\n{body}}}\n'


TAKEN = (
    _rule(),
    _rule(""),
    'path "a" { capabilities = ["read"] }',
    "# only a comment\n",
    f'name = "x"\n{_rule()}{_rule()}',
    f"/* one */ // two\n{_rule()}",
    _rule().replace("\n", "\r\n"),
    _rule('  comment = "what for"\n' + _READ),
    _rule('  policy = ""\n'),
    _rule('  policy = "write"\n  capabilities = ["patch"]\n'),
    _rule('  capabilities = ["deny", "nonsense"]\n'),
    _rule('  capabilities = ["deny"]\n  max_wrapping_ttl = "nonsense"\n'),
    _rule('  capabilities = [\n    "read", # why\n    "list",\n  ]\n'),
    _rule(_READ + '  allowed_parameters = {\n    "a" = []\n    b = ["x", 1, true, ["y"]]\n  }\n'),
    _rule(_READ + "  denied_parameters {\n    a = []\n  }\n"),
    _rule(_READ + '  required_parameters = ["a"]\n  min_wrapping_ttl = "1s"\n  max_wrapping_ttl = 90\n'),
    _rule('  capabilities = ["subscribe"]\n  subscribe_event_types = ["*"]\n'),
    _rule(path="{{identity.entity.id}}/{{ identity.nonsense }}"),
    _rule(path="a*b/+c/\\u00e9"),
    _rule(path=""),
    '{"path": {"a": {"capabilities": ["read"]}, "b": {"policy": "read"}}}',
    '{"name": "x", "path": [{"a": {"capabilities": ["read"]}}, {"b": {"capabilities": ["list"]}}]}',
    '{"path": {"a": {}}}',
    "{}",
)

REFUSED = (
    ("", "1:1", "is empty"),
    (_rule('  capabilities = ["raed"]\n'), "2:3", "no capability `raed`"),
    (_rule('  capabilities = ["Read"]\n'), "2:3", "no capability `Read`"),
    (_rule('  capabilities = ["nonsense", "deny"]\n'), "2:3", "no capability `nonsense`"),
    (_rule('  capabilities = "read"\n'), "2:3", "`capabilities` is not a list"),
    (_rule('  policy = "admin"\n'), "2:3", "no policy `admin`"),
    (_rule(_READ + '  parameters = ["x"]\n'), "3:3", "a rule has no `parameters`"),
    (_rule(_READ + "  allowed { a = [] }\n"), "3:3", "a rule has no `allowed`"),
    (_rule(_READ + _READ), "3:3", "given twice"),
    (_rule(path="a/+*"), "1:1", "`+*` is forbidden"),
    (_rule(path="a/{{identity.entity.id"), "1:1", "unbalanced"),
    (_rule(path="a/}}b{{"), "1:1", "unbalanced"),
    ('paths = "a"\n', "1:1", "no argument `paths`"),
    (_rule().replace("path", "paths"), "1:1", "no block `paths`"),
    (_rule(_READ + '  allowed_parameters = { "a" = "x" }\n'), "3:3", "is not a list"),
    (_rule(_READ + "  allowed_parameters = []\n").replace("[]", '["x"]'), "3:3", "not a map of lists"),
    (_rule(_READ + "  allowed_parameters = { a: [] }\n"), "3:27", "in strings alone"),
    (_rule(_READ + "  allowed_parameters = { true = [] }\n"), "3:26", "in strings alone"),
    (_rule(_READ + '  max_wrapping_ttl = "soon"\n'), "3:3", "no duration"),
    (_rule(_READ + "  max_wrapping_ttl = true\n"), "3:3", "no duration"),
    (_rule(_READ + '  min_wrapping_ttl = "2h"\n  max_wrapping_ttl = "1h"\n'), "1:1", "less than"),
    (_rule("  capabilities = null\n"), "2:3", "no value of a policy"),
    (_rule("  capabilities = [read]\n"), "2:3", "no value of a policy"),
    ('{"path": {"a": {"capabilities": ["raed"]}}}', "1:17", "no capability `raed`"),
    ('{"path": {"a": "read"}}', "1:16", "an object is expected"),
    ('{"path": {"a": {"allowed_parameters": {"b": []}}}}', "1:11", "takes for rules"),
    ('{"path": {"a": [{"capabilities": ["read"]}]}}', "1:16", "an object is expected"),
    ('{"paths": {}}', "1:2", "no argument `paths`"),
)

UNDECIDED = (
    (_rule(_READ + '  mfa_methods = ["duo"]\n'), "an MFA method"),
    (_rule(_READ + "  control_group = {}\n"), "a control group"),
    (_rule(path="{{time.now}}"), "another path at another time"),
    ('main = rule {\n  request.operation in ["read"]\n}\n', "Sentinel"),
    ('path "a" = {\n  capabilities = ["read"]\n}\n', "this is not HCL"),
    (_rule(_READ + '  allowed_parameters {\n    "a" = []\n  }\n'), "this is not HCL"),
    (_rule(_READ + "  allowed_parameters = { a = [{}] }\n"), "an object for a value"),
    (_rule(_READ + '  allowed_parameters = { a = ["x"], A = ["y"] }\n'), "twice but for its case"),
    (_rule(_READ + "  allowed_parameters { a = [] }\n  allowed_parameters { b = [] }\n"), "written as blocks"),
    (_rule(path="$${a}"), "read differently"),
    (_rule(path="e\u0301"), "composed form"),
    (_rule(_READ + "  comment = <<EOT\nx\nEOT\n"), "a heredoc"),
    (_rule("  capabilities = [1]\n"), "not a list of texts"),
    ('path "a" "b" {\n}\n', "one path"),
    ("name = 5\n", "not a text in quotes"),
    ('{"path": {"a": {"capabilities": ["read"]}}', "is expected here"),
    ('{"path": {}}', 'the path "path"'),
    ('{"path": {"a": {"capabilities": ["read"], "allowed_parameters": {"a": [true]}}}}', "inside a list"),
    ('{"path": {"a": {"capabilities": ["read"], "capabilities": ["list"]}}}', "given twice"),
    ('{"path": {"a\\/b": {"capabilities": ["read"]}}}', "an escape"),
    ('{"path": {"a": {"max_wrapping_ttl": 1.5}}}', "plain whole number"),
)
