"""Leftover roots: those that no manifest says any more, and that can still destroy what they made.

Their ``root.tf`` is kept as it stands, for nothing else knows where their state is and through which provider they act.
It is believed only as far as it can do no harm: untouched, and with nothing in it but a provider and the backend where
the settings keep its state: with another root's state it would destroy what that root has.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from generator.audit.declared import AwsProvider, Terraform, VaultProvider
from generator.audit.expected import backend
from generator.audit.faults import Unreadable
from generator.audit.reading import read_each
from generator.diagnostics import Diagnostic, Severity, Span
from generator.render.head import is_untouched
from generator.render.layout import TREE, Root, RootKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from generator.audit.declared import Declaration
    from generator.manifest.settings import FleetSettings

EDITED_LEFTOVER = "CK910"

_ROOT_FILE = re.compile(rf"{TREE}/(?P<name>platform|accounts/(?P<account>[0-9]{{12}})/(?:aws|vault))/root\.tf")


@dataclass(frozen=True, slots=True)
class Leftover:
    """What is left over in a tree.

    Args:
        roots: The roots, by name.
        texts: Their files by path, to be kept.
        declared: What these declare.
        spoilt: A finding for each file of a leftover root that cannot be believed, by path.
    """

    roots: tuple[Root, ...]
    texts: Mapping[str, str]
    declared: tuple[Declaration, ...]
    spoilt: Mapping[str, Diagnostic]


def leftover(found: Mapping[str, str], roots: Iterable[Root], settings: FleetSettings, cache: Path | None) -> Leftover:
    """Return what is left over.

    Args:
        found: Text of every file of the tree that rendering made, by its path.
        roots: The roots that the manifests say.
        settings: The fleet's.
        cache: A folder that remembers what was parsed; None for none. The outcome is the same.
    """
    said = {root.name for root in roots}
    matches = {path: match for path in sorted(found) if (match := _ROOT_FILE.fullmatch(path))}
    matches = {path: match for path, match in matches.items() if match["name"] not in said}
    untouched = {path: found[path] for path in matches if is_untouched(found[path])}
    declared = {
        path: declarations
        for path, declarations in read_each(untouched, cache).items()
        if not isinstance(declarations, Unreadable)
        and _is_bare(declarations, matches[path]["account"])
        and _keeps_its_own_state(declarations, matches[path]["name"], settings)
    }
    return Leftover(
        tuple(_root(matches[path]["name"], matches[path]["account"], each) for path, each in declared.items()),
        {path: found[path] for path in declared},
        tuple(item for declarations in declared.values() for item in declarations),
        {path: _spoilt(path) for path in matches if path not in declared},
    )


def _spoilt(path: str) -> Diagnostic:
    return Diagnostic(
        EDITED_LEFTOVER,
        Severity.ERROR,
        Span(path),
        "no manifest says this root any more, and its file is not as it was rendered",
        f"restore it (`git restore --source COMMIT {path}`): it alone knows where the state of what the root made is",
    )


def _is_bare(declarations: tuple[Declaration, ...], account_id: str | None) -> bool:
    """Tell whether a root has a provider of its own account and nothing else that acts."""
    by_kind = {type(item): item for item in declarations}
    if len(by_kind) != len(declarations) or Terraform not in by_kind:
        return False
    aws = by_kind.get(AwsProvider)
    if isinstance(aws, AwsProvider):
        assumes = {aws.assume_role.role_arn.split(":")[4]} if aws.assume_role else set()
        allowed = {*aws.allowed_account_ids, *assumes} == {account_id}
        return allowed and by_kind.keys() == {Terraform, AwsProvider}
    return by_kind.keys() == {Terraform, VaultProvider}


def _keeps_its_own_state(declarations: tuple[Declaration, ...], name: str, settings: FleetSettings) -> bool:
    # Who is handed a root keeps its state too: the rendered one has no backend then.
    return all(item.backend in {None, backend(settings, name)} for item in declarations if isinstance(item, Terraform))


def _root(name: str, account_id: str | None, declarations: tuple[Declaration, ...]) -> Root:
    kind = RootKind(name.rpartition("/")[2])
    handover = any(isinstance(item, Terraform) and item.backend is None for item in declarations)
    return Root(name, kind, account_id, (), handover, leftover=True)
