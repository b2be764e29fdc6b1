"""The catalogue as Markdown: a page for each rule, and an index of them."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from generator.rules.registry import FAMILIES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from generator.rules.registry import Example, Rule

INDEX = "README.md"
_PROSE = 100  # characters of a line of prose
_WIDEST = 100  # characters of a line that are shown
_LONGEST = 30  # lines of a file that are shown


def pages(rules: Mapping[str, Rule]) -> dict[str, str]:
    """Return the text of every page and of the index, by file name."""
    return {INDEX: _index(rules), **{file_name(rule): page(rule) for rule in rules.values()}}


def file_name(rule: Rule) -> str:
    """Return the name of a rule's page."""
    return f"{rule.id}-{rule.name}.md"


def page(rule: Rule) -> str:
    """Return a rule's page."""
    source = f"<{rule.source}>" if rule.source.startswith("https://") else rule.source
    parts = [
        f"# {rule.id}: {rule.name}",
        _prose(f"{rule.title}. Findings of this rule are {rule.severity}s."),
        f"## Why\n\n{_prose(rule.why)}\n\nSource: {source}",
        f"## What to do\n\n{_prose(rule.fix)}",
        "## A finding",
        *_shown(rule.bad, rule.bad.files),
    ]
    if rule.bad.also:
        parts.append(f"It cannot but be a finding of {' and '.join(rule.bad.also)} too.")
    changed = {path: text for path, text in rule.good.files.items() if rule.bad.files.get(path) != text}
    parts += ["## No finding", *(_shown(rule.good, changed) if changed else ["The same fleet as it was rendered."])]
    return "\n\n".join(parts) + "\n"


def _index(rules: Mapping[str, Rule]) -> str:
    intro = (
        "Every finding names its rule. Errors make the exit code 1, or 2 where the fleet's settings are at fault; "
        "warnings never change it. `crosskeys explain RULE` prints a rule's page."
    )
    parts = ["# Rules", "<!-- made by crosskeys rules --write docs/rules -->", _prose(intro)]
    for family, title in FAMILIES.items():
        rows = [
            f"| [{rule.id}]({file_name(rule)}) | {rule.name} | {rule.severity} | {rule.title} |"
            for rule in rules.values()
            if rule.id.startswith(family)
        ]
        parts += [
            f"## {title}",
            "\n".join(["| Rule | Name | Severity | What it forbids |", "|---|---|---|---|", *rows]),
        ]
    return "\n\n".join(parts) + "\n"


def _prose(text: str) -> str:
    return textwrap.fill(text, _PROSE, break_long_words=False, break_on_hyphens=False)


def _shown(example: Example, files: Mapping[str, str | bytes]) -> Iterator[str]:
    for path, content in files.items():
        yield f"**{path}**:"
        yield _fenced("yml" if path.endswith(".yaml") else "text", content)
    for path, target in example.links.items():
        yield f"**{path}** is a symbolic link to {target}."
    for path, edit in example.edits.items():
        yield f"After `crosskeys render` somebody edits **{path}**:"
        gone = [f"-{line}" for line in edit.old.splitlines()]
        come = [f"+{line}" for line in edit.new.splitlines()]
        yield _fenced("diff", "\n".join([*gone, *come]))
    if example.live:
        yield "After `crosskeys apply` somebody runs:"
        yield _fenced("sh", example.live)


def _fenced(language: str, content: str | bytes) -> str:
    text = content.decode("utf-8", "backslashreplace") if isinstance(content, bytes) else content
    lines = [_cut("".join(_visible(character) for character in line)) for line in text.rstrip("\n").split("\n")]
    if len(lines) > _LONGEST:
        lines[_LONGEST:] = ["…"]
    return "\n".join([f"```{language}", *lines, "```"])


def _visible(character: str) -> str:
    return character if character.isprintable() else character.encode("unicode_escape").decode()


def _cut(line: str) -> str:
    return line if len(line) <= _WIDEST else f"{line[:_WIDEST]}…"
