"""From the texts of a rendered tree to what it declares. Nothing is taken from manifests; pure."""

from __future__ import annotations

import re
from dataclasses import fields
from functools import cache
from typing import TYPE_CHECKING, Any

from generator.audit import effects, identity, imports
from generator.audit.blocks import declarations
from generator.audit.declared import Declaration, Declared, Import, Moved, PolicyDocument, Reference, Resource, Variable
from generator.audit.faults import DANGLING, OTHER_OBJECT, REPEATED, UNKNOWN, Unreadable, UnreadableTreeError
from generator.audit.hcl import parse
from generator.diagnostics import Diagnostic, Span
from generator.render.layout import TREE, RootKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

# Terraform merges files of these names into the others instead of taking them as they are.
_PATH = re.compile(
    rf"{TREE}/(?P<root>platform|accounts/[0-9]{{12}}/(?:aws|vault))/(?!(?:[^/]*_)?override\.tf)"
    r"[A-Za-z0-9_-][A-Za-z0-9._-]*\.tf"
)
_DOCUMENTS = frozenset({"assume_role_policy", "policy"})
_PLAIN = frozenset({"name", "path"})  # as attributes these are what was given as arguments


def read(texts: Mapping[str, str]) -> Declared:
    """Return all that a tree declares.

    Args:
        texts: Every file of the tree by its path, relative to the fleet's folder.

    Raises:
        UnreadableTreeError: With a finding for everything in it that cannot be taken literally, at most one a file,
            and for addresses that a root has twice and references to nothing; where there is none of these, for all
            that does not take effect as it reads, is applied elsewhere, or overwrites one another.
    """
    findings: list[Diagnostic] = []
    found: list[Declaration] = []
    for path, text in texts.items():
        try:
            found += read_file(path, text)
        except Unreadable as fault:
            findings.append(fault.finding)
    return together(found, findings)


def together(found: Iterable[Declaration], unreadable: Iterable[Diagnostic]) -> Declared:
    """Return all that a tree declares, from what each of its files does.

    Args:
        found: The declarations of all files.
        unreadable: A finding for each file that cannot be read.

    Raises:
        UnreadableTreeError: As ``read`` does.
    """
    problems = list(unreadable)
    objects = _by_address(found, problems)
    declared = Declared(objects)
    if not problems:
        problems += _dangling(objects)
        problems += _misplaced(objects)
    if not problems:
        problems += _of_others(declared)
        problems += effects.misread(objects.values())
        problems += effects.misled(objects.values())
        problems += identity.collisions(declared)
    if problems:
        raise UnreadableTreeError(tuple(sorted(problems, key=lambda problem: problem.sort_key)))
    return declared


def read_file(path: str, text: str) -> tuple[Declaration, ...]:
    """Return what one file of the tree declares, in its order; references are not followed.

    Raises:
        Unreadable: For the first thing in it that cannot be taken literally.
    """
    root = root_of(path)
    body = parse(text, Span(path, 1, 1, 1, 1))
    for attribute in body.attributes.values():
        raise Unreadable(UNKNOWN, attribute.span, f"an argument `{attribute.name}` outside of any block")
    kind = RootKind(root.rpartition("/")[2])
    return tuple(item for block in body.blocks for item in declarations(block, root, kind))


def root_of(path: str) -> str:
    """Return the root of a rendered file, as its path below the tree.

    Raises:
        Unreadable: When no rendered root has such a file.
    """
    match = _PATH.fullmatch(path)
    if match is None:
        raise Unreadable(UNKNOWN, Span(path), "no rendered root has a file of this name")
    return match["root"]


def _by_address(found: Iterable[Declaration], findings: list[Diagnostic]) -> dict[tuple[str, str], Declaration]:
    objects: dict[tuple[str, str], Declaration] = {}
    for item in found:
        first = objects.setdefault((item.root, item.address), item)
        if first is not item:
            message = f"{item.address} is declared twice in this root, first at {first.span.start}"
            findings.append(Unreadable(REPEATED, item.span, message).finding)
    return objects


def _dangling(objects: Mapping[tuple[str, str], Declaration]) -> Iterator[Diagnostic]:
    for item in objects.values():
        for argument, reference in references(item):
            if not _stands(argument, reference, objects.get((item.root, reference.address))):
                message = f"`{argument}` of {item.address} is {reference}, which this root does not declare"
                yield Unreadable(DANGLING, item.span, message).finding


def _misplaced(objects: Mapping[tuple[str, str], Declaration]) -> Iterator[Diagnostic]:
    """Yield a finding for each move that Terraform would refuse, or would take for a wish to destroy."""
    targets: set[tuple[str, str]] = set()
    for item in objects.values():
        if not isinstance(item, Moved):
            continue
        if not isinstance(objects.get((item.root, item.to)), Resource):
            message = f"{item.from_} moves to {item.to}, which this root does not declare"
            yield Unreadable(DANGLING, item.span, message).finding
        if (item.root, item.from_) in objects:
            yield Unreadable(REPEATED, item.span, f"{item.from_} moves away and is still declared in this root").finding
        if (item.root, item.to) in targets:
            yield Unreadable(REPEATED, item.span, f"two objects move to {item.to}").finding
        targets.add((item.root, item.to))


def _of_others(declared: Declared) -> Iterator[Diagnostic]:
    """Yield a finding for each import that would take over something else than what its resource declares."""
    for item in declared.of(Import):
        target = declared.objects.get((item.root, item.to))
        if target is None:
            message = f"{item.to} is imported, and this root does not declare it"
            yield Unreadable(DANGLING, item.span, message).finding
        elif item.id != (its := imports.import_id(declared, target)):
            message = f"{item.to} is imported by the id `{item.id}`, and what it declares has the id `{its}`"
            yield Unreadable(OTHER_OBJECT, item.span, message).finding


def references(item: Declaration) -> Iterator[tuple[str, Reference]]:
    """Yield every reference in a declaration, after the argument that it stands in."""
    kind: Any = type(item)  # mypy takes a class for unhashable when its objects are
    for name in _arguments(kind):
        value = getattr(item, name)
        if isinstance(value, Reference):
            yield name, value
        elif isinstance(value, tuple):
            for one in value:
                if isinstance(one, Reference):
                    yield name, one


@cache
def _arguments(kind: type[Any]) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind))


def _stands(argument: str, reference: Reference, target: Declaration | None) -> bool:
    if argument in _DOCUMENTS:
        return isinstance(target, PolicyDocument) and reference.attribute == "json"
    if isinstance(target, Variable):
        return not reference.attribute
    return reference.attribute in _PLAIN and isinstance(getattr(target, reference.attribute, None), str)
