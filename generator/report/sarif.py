"""Findings as SARIF 2.1.0, which code scanning services read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from generator import __version__
from generator.diagnostics import Severity
from generator.report.counts import numbered
from generator.report.machine import to_json
from generator.report.text import visible

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from generator.diagnostics import Diagnostic, Note, Span
    from generator.rules.registry import Rule

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_ROOT = "%SRCROOT%"


def render(ordered: Sequence[Diagnostic], rules: Mapping[str, Rule], within: str) -> str:
    """Return the findings as a SARIF log of one run.

    Args:
        ordered: The findings.
        rules: The catalogue, by id; a finding's rule may be missing.
        within: The fleet's folder within its repository, empty or ending in a slash.
    """
    ids = sorted({finding.rule for finding in ordered})
    run = {
        "tool": {
            "driver": {
                "name": "crosskeys",
                "semanticVersion": __version__,
                "rules": [_rule(rule_id, rules.get(rule_id)) for rule_id in ids],
            }
        },
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {_ROOT: {"description": _message("The top folder of the repository")}},
        "results": [
            _result(finding, ids.index(finding.rule), fingerprint, within) for finding, fingerprint in numbered(ordered)
        ],
    }
    return to_json({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]})


def _rule(rule_id: str, rule: Rule | None) -> dict[str, Any]:
    if rule is None:
        return {"id": rule_id}
    source = f"Source: {rule.source}"
    return {
        "id": rule.id,
        # SARIF wants an identifier here (section 3.49.7), which a name in kebab-case is not.
        "name": "".join(word.capitalize() for word in rule.name.split("-")),
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": rule.why, "markdown": rule.why},
        "help": {"text": f"{rule.fix}\n\n{source}", "markdown": f"{rule.why}\n\n{rule.fix}\n\n{source}"},
        "defaultConfiguration": {"level": _level(rule.severity)},
    }


def _result(finding: Diagnostic, index: int, fingerprint: str, within: str) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ruleId": finding.rule,
        "ruleIndex": index,
        "level": _level(finding.severity),
        "message": _message(finding.message, finding.help),
        "locations": [_location(finding.span, within)],
        # The name under which GitHub looks for what tells findings apart. Ours does not change when lines move.
        "partialFingerprints": {"primaryLocationLineHash": fingerprint},
    }
    if finding.notes:
        result["relatedLocations"] = [_related(number, note, within) for number, note in enumerate(finding.notes, 1)]
    return result


def _related(number: int, note: Note, within: str) -> dict[str, Any]:
    return {"id": number, **_location(note.span, within), "message": _message(note.message)}


def _location(span: Span, within: str) -> dict[str, Any]:
    place: dict[str, Any] = {
        "artifactLocation": {"uri": quote(within + span.path, errors="surrogatepass"), "uriBaseId": _ROOT}
    }
    if span.line:
        place["region"] = {
            "startLine": span.line,
            "startColumn": span.column,
            "endLine": max(span.line, span.end_line),
            "endColumn": span.end_column if span.end_line > span.line else max(span.column, span.end_column),
        }
    return {"physicalLocation": place}


def _message(text: str, advice: str | None = None) -> dict[str, str]:
    """Return plain text as a message in which no placeholder or link begins (sections 3.11.5 and 3.11.6)."""
    whole = f"{visible(text)}\n\nhelp: {visible(advice)}" if advice else visible(text)
    whole = whole.replace("{", "{{").replace("}", "}}")
    return {"text": whole.replace("[", "\\[") if "](" in whole else whole}


def _level(severity: Severity) -> str:
    return {Severity.ERROR: "error", Severity.WARNING: "warning"}[severity]
