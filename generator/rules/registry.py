"""What a rule is, and the catalogue of all of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING

from generator.diagnostics import Severity
from generator.errors import InternalError

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Edit:
    """A change by hand, made after the fleet was rendered.

    Args:
        old: What is replaced, at its first place in the file; empty to append, or to make a file that is not there.
        new: What stands there then.
    """

    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Example:
    """A small fleet that shows a rule, whole: it can be written to a folder and checked. Paths are relative to that.

    Args:
        files: Text of each file, or its bytes where it has no text.
        links: Target of each symbolic link.
        edits: What is changed after the fleet was rendered, by file.
        also: Ids of other rules that cannot but be broken with this one.
        live: Commands that somebody runs on the live systems after the fleet was applied. What a rule finds there no
            folder shows, so such an example is for reading only.
    """

    files: Mapping[str, str | bytes]
    links: Mapping[str, str] = field(default_factory=dict)
    edits: Mapping[str, Edit] = field(default_factory=dict)
    also: tuple[str, ...] = ()
    live: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A rule of the catalogue.

    Args:
        id: Its number: ``CK`` and three digits, the first of which is the family.
        name: What it forbids, in words joined by hyphens.
        title: What it forbids, as a sentence.
        severity: How bad a finding of it is.
        why: What would happen otherwise, in Markdown.
        source: Where that is said: documentation or source code, with its address.
        fix: What to do about a finding, in Markdown.
        bad: A fleet with a finding of this rule.
        good: The same fleet, put right.
    """

    id: str
    name: str
    title: str
    severity: Severity = Severity.ERROR
    why: str
    source: str
    fix: str
    bad: Example
    good: Example


FAMILIES: Mapping[str, str] = {
    "CK1": "YAML",
    "CK2": "Fields",
    "CK3": "Files and names",
    "CK4": "Accounts",
    "CK5": "Vault",
    "CK6": "AWS",
    "CK7": "The rendered tree",
    "CK8": "What the rendered tree declares",
    "CK9": "Life cycle and live systems",
}
"""Titles of the families, by the beginning of their rules' ids."""


@cache
def catalogue() -> Mapping[str, Rule]:
    """Return every rule by id, in order.

    Raises:
        InternalError: When two rules have one id or one name.
    """
    from generator.rules import catalogue as package  # noqa: PLC0415 - its modules import this one

    rules = [
        rule
        for module in iter_modules(package.__path__, f"{package.__name__}.")
        for rule in import_module(module.name).RULES
    ]
    ordered = {rule.id: rule for rule in sorted(rules, key=lambda rule: rule.id)}
    if len(ordered) < len(rules) or len({rule.name for rule in rules}) < len(rules):
        raise InternalError("two rules of the catalogue have one id or one name")
    return ordered
