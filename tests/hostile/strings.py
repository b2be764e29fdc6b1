"""Strings that mean something to somebody on the way from a manifest to Vault: each must stay a string."""

from __future__ import annotations

INJECTIONS = (
    # Terraform: templates, quotes, heredocs, comments, blocks
    *("${x}", '${file("crosskeys.yaml")}', "$${x}", "$$${x}", "%{ if true }", "%%{x}", "%{~ for a in b ~}", "${"),
    *('"', '\\"', '"\n}\nresource "null_resource" "x" {\n', "\\", "\\\\", "\\n", "\\u0041", "'", "`"),
    *("EOT", "\nEOT\n", "\n  EOT\n}\n", "<<-EOT", "# x", "// x", "/* x", "*/", "x */ y", "}", "} #", "terraform {}"),
    # Vault: templated policies, wildcards, steps in a path
    *("{{identity.entity.name}}", "{{identity.entity.aliases.x.metadata.y}}", "*", "+", "+/*", "a*", "a/+/b"),
    *(
        "..",
        ".",
        "../x",
        "x/../y",
        "/x",
        "x/",
        "x//y",
        "sys/policies",
        "auth/token/root",
        'x" { capabilities = ["sudo"] }',
    ),
    # AWS: wildcards and policy variables
    *("arn:aws:iam::*:root", "arn:aws:iam::111111111111:root", "${aws:username}", "arn:aws:iam::111111111111:role/*"),
    # templates, shells, databases, pages
    *("{{ 7 * 7 }}", "{% include 'x' %}", "{# x #}", "{name}", "{account_id.__class__}", "{0}", "%s", "%(x)s"),
    *("$(id)", "`id`", "; id", "| id", "&& id", "-x", "--format=json", "~", "$HOME", "x\ty"),
    *(
        "' OR '1'='1",
        "'; DROP TABLE x; --",
        "<script>alert(1)</script>",
        "<b>",
        "&lt;",
        "[x](javascript:y)",
        "::error::x",
    ),
    # YAML, once it is decoded
    *(
        "key: value",
        "- x",
        "? x",
        "!!python/object:os.system",
        "&a",
        "*a",
        "<<",
        "---",
        "...",
        "%YAML 1.1",
        "null",
        "on",
    ),
    # what looks like something else, or is not seen
    *("раyments", "ⅷ", "1️⃣", "١٢٣", "x\u00a0y", "e\u0301", "\u212b", "İ", "ß", "日本語", "😀", "👩‍👩‍👧"),  # noqa: RUF001 - meant
    *(
        "x\u202ey",
        "x\u200by",
        "x\ufeffy",
        "x\u2028y",
        "x\x1b[31my",
        "x\x07",
        "x\x7f",
        "x\x85y",
        "x\ry",
        "\0",
        "\U000e0041",
    ),
    *("", " ", " x", "x ", "\n", "x\n", "x\ny", "a" * 65, "a" * 300, "a" * 1001, "a" * 5000, "\U0010ffff"),
)
"""Each is refused, or comes out of Terraform as it went in."""
