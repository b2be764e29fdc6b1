"""The access review as one HTML page: a file to pass on, that opens without a network.

What manifests and HCL say is data of a JSON element or escaped text, never markup. The page's Content-Security-Policy
lets nothing but its own script and style run, by their digests, and lets them ask no other place for anything.
"""

from __future__ import annotations

import hashlib
import json
import re
from base64 import b64encode
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from generator.report.columns import cell, packed
from generator.report.counts import counts
from generator.report.text import visible

if TYPE_CHECKING:
    from generator.report.review import Review

MOST_FINDINGS = 500
"""Findings that the page shows; JSON and SARIF have all."""
MOST_CHANGES = 200
"""Added, removed and changed grants that the page shows, of each."""
MOST_WITHOUT_SCRIPT = 200
"""Grants that a reader sees whose browser runs no scripts."""
MOST_PRINTED = 2_000
"""Grants that are printed, of those that the filters leave."""

_FOLDER = Path(__file__).parent / "page"
# In the order in which they build upon each other.
_SCRIPTS = (
    "data.js",
    "query.js",
    "state.js",
    "elements.js",
    "table.js",
    "client.js",
    "diagram.js",
    "picture.js",
    "main.js",
)


def page(review: Review) -> str:
    """Return the review as HTML, to be written as UTF-8.

    The same review gives the same bytes. With 20,000 grants of 10,000 clients they are some 4 MB.
    """
    style = (_FOLDER / "page.css").read_text("utf-8")
    script = "".join((_FOLDER / name).read_text("utf-8") for name in _SCRIPTS)
    script = f"(() => {{\n'use strict';\n{script}}})();\n"
    environment = Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"visible": visible, "grouped": _grouped, "cell": cell, "parts": _parts}
    return environment.get_template("page.html.j2").render(
        review=review,
        totals=_totals(review),
        found=counts(review.findings),
        most_findings=MOST_FINDINGS,
        most_changes=MOST_CHANGES,
        most_without_script=MOST_WITHOUT_SCRIPT,
        policy=_policy(style, script),
        style=Markup(style),  # noqa: S704 - the package's own
        script=Markup(script),  # noqa: S704 - the package's own
        data=_json({**packed(review.rows), "printed": MOST_PRINTED}),
    )


def _totals(review: Review) -> dict[str, int]:
    sharing = Counter("denied" if "deny" in row.capabilities else row.sharing for row in review.rows)
    suspended = len({row.client for row in review.rows if row.status == "suspended"})
    return {kind: sharing[kind] for kind in ("own", "shared", "other", "denied")} | {"suspended": suspended}


def _policy(style: str, script: str) -> str:
    """Return the Content-Security-Policy: this style and this script, and no way to make code or markup of a string."""
    return (
        f"default-src 'none'; script-src {_source(script)}; style-src {_source(style)}; base-uri 'none'; "
        "form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
    )


def _source(text: str) -> str:
    return f"'sha256-{b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _json(value: Any) -> Markup:
    """Return the value as JSON in plain ASCII without a character that means something to an HTML parser."""
    text = json.dumps(value, separators=(",", ":"))
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)  # noqa: S704 - nothing is left in it that markup is made of


def _parts(text: str) -> list[str]:
    """Return prose and code spans by turns, the first of them prose; a backtick without its other is prose."""
    return re.split(r"`([^`]+)`", visible(text))


def _grouped(number: int) -> str:
    return f"{number:,}"
