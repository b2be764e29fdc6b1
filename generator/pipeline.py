"""What every verb begins with: manifests → fleet → rendered files → read back. Reads the disk, writes nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from generator import __version__
from generator.audit import parseback
from generator.audit.declared import Declared, PolicyDocument, Resource
from generator.audit.leftover import leftover
from generator.audit.pending import pending
from generator.audit.proof import Proof, prove
from generator.diagnostics import Diagnostic, Severity, has_errors
from generator.errors import ExitCode
from generator.manifest.fleet import Fleet, resolve
from generator.manifest.load import SETTINGS, load
from generator.render import tree
from generator.render.layout import TREE, Root, layout
from generator.render.render import Renderer
from generator.resources import data
from generator.rules.fleet import check
from generator.stages import stage

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection, Mapping, Sequence
    from pathlib import Path

    from generator.manifest.settings import FleetSettings
    from generator.manifest.validate import Sourced
    from generator.render.tree import Comparison

ANOTHER_VERSION = "CK206"


@dataclass(frozen=True, slots=True)
class Validated:
    """The fleet that the manifests say, and what is wrong with them.

    Args:
        fleet: What could be read; complete only when no finding is an error.
        findings: In a stable order.
    """

    fleet: Fleet
    findings: tuple[Diagnostic, ...]

    @property
    def has_errors(self) -> bool:
        """Whether the fleet cannot be rendered."""
        return has_errors(self.findings)


@dataclass(frozen=True, slots=True)
class Rendered:
    """The tree as it should be, proven to say what the fleet says, against the one on disk.

    Args:
        roots: Those that the manifests say, and those that are left over.
        proof: Whether it keeps every client to itself.
        declared: What it declares, read back from its text.
        others: When all of this is about a part of a fleet, the folders of the other roots, each with the SHA-256 of
            what is in it: they are as they should be without having been read.
    """

    fleet: Fleet
    roots: tuple[Root, ...]
    comparison: Comparison
    proof: Proof
    declared: Declared
    others: Mapping[str, str] = field(default_factory=dict)

    @property
    def objects(self) -> int:
        """How many objects of Vault and AWS it declares."""
        items = self.declared.objects.values()
        return sum(isinstance(item, Resource) and not isinstance(item, PolicyDocument) for item in items)

    @property
    def digest(self) -> str:
        """SHA-256 of the whole tree, as hex digits."""
        return tree.digest_of({**self.others, **tree.digests(self.comparison.wanted)})

    @property
    def names(self) -> frozenset[str]:
        """The names of all roots of the whole fleet."""
        others = (folder.removeprefix(f"{TREE}/") for folder in self.others)
        return frozenset((*(root.name for root in self.roots), *others))


def validate(folder: Path, today: dt.date | None = None, only: Collection[str] | None = None) -> Validated:
    """Read every manifest below ``folder`` and apply every rule.

    Args:
        folder: The fleet's folder.
        today: The day by which permissions to destroy are judged; None judges none.
        only: Paths of the manifests to read, for all that there are.
    """
    with stage("read the manifests", held=True) as counts:
        manifests, findings = load(folder, only)
        fleet = resolve(manifests)
        counts |= {"clients": len(fleet.clients), "accounts": len(fleet.accounts)}
    with stage("applied the rules", held=True):
        everything = (*findings, *_version(fleet.source), *check(fleet, today))
    return Validated(fleet, tuple(sorted(everything, key=lambda finding: finding.sort_key)))


def render(folder: Path, fleet: Fleet, cache: Path | None, tops: Sequence[str] = tree.TOPS) -> Rendered:
    """Render a fleet without findings, read it back, and prove that what was read isolates.

    Args:
        folder: The fleet's folder; its own ``templates/`` come before the package's.
        fleet: What to render.
        cache: A folder that remembers what was parsed; None for none.
        tops: The folders in which all of the fleet's rendered files are; what else is in them is compared too.

    Raises:
        InternalError: When a rendered file does not say what the fleet says.
        UsageError: When a template cannot be rendered.
    """
    with stage("rendered") as counts:
        roots = layout(fleet)
        pages = [page for root in roots for page in root.pages]
        texts = Renderer([folder / "templates", data("templates")]).render(pages)
        counts["files"] = len(texts)
    with stage("read what was rendered back", files=len(texts)):
        declared = parseback.verify(fleet, texts, cache=cache)
    with stage("compared with the tree") as counts:
        comparison = tree.compare(folder, texts, tops)
        left = leftover(comparison.found, roots, fleet.settings, cache)
        standing = pending(comparison.found, declared, roots, cache)
        comparison = comparison.keeping(left.texts, left.spoilt).keeping(standing.texts, standing.spoilt)
        counts["changes"] = len(comparison.added) + len(comparison.changed) + len(comparison.removed)
    with stage("proved") as counts:
        kept = {(item.root, item.address): item for item in (*left.declared, *standing.declared)}
        declared = Declared({**declared.objects, **kept})
        proof = prove(declared, fleet)
        counts["isolated"] = proof.isolated
    return Rendered(fleet, (*standing.of(roots), *left.roots), comparison, proof, declared)


def code_of(findings: Sequence[Diagnostic]) -> ExitCode:
    """Return the exit code that findings make: 2 for the settings, 1 for manifests and the tree."""
    errors = [finding for finding in findings if finding.severity is Severity.ERROR]
    if any(finding.span.path == SETTINGS for finding in errors):
        return ExitCode.USAGE
    return ExitCode.FINDINGS if errors else ExitCode.CLEAN


def _version(settings: Sourced[FleetSettings] | None) -> tuple[Diagnostic, ...]:
    required = settings.model.requires if settings else None
    if settings is None or required is None:
        return ()
    try:
        fits = SpecifierSet(required).contains(__version__, prereleases=True)
    except InvalidSpecifier:
        message, advice = f"`{required}` is no version constraint", "write something like >=0.1, <1"
    else:
        if fits:
            return ()
        message = f"this fleet requires crosskeys {required}, and this is {__version__}"
        advice = "install a version that fits; another one might render other files"
    return (Diagnostic(ANOTHER_VERSION, Severity.ERROR, settings.span("requires"), message, advice),)
