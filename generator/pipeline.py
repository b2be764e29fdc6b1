"""What every verb begins with: manifests → fleet → rendered files → read back. Reads the disk, writes nothing."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from generator import __version__
from generator.audit import parseback
from generator.audit.proof import Proof, prove
from generator.diagnostics import Diagnostic, Severity, has_errors
from generator.errors import ExitCode
from generator.manifest.fleet import Fleet, resolve
from generator.manifest.load import SETTINGS, load
from generator.render import tree
from generator.render.layout import Root, layout
from generator.render.render import Renderer
from generator.resources import data
from generator.rules.fleet import check

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence
    from pathlib import Path

    from generator.manifest.settings import FleetSettings
    from generator.manifest.validate import Sourced
    from generator.render.tree import Comparison

ANOTHER_VERSION = "CK206"

_log = logging.getLogger(__name__)


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
        proof: Whether it keeps every client to itself.
    """

    fleet: Fleet
    roots: tuple[Root, ...]
    comparison: Comparison
    proof: Proof


def validate(folder: Path, today: dt.date | None = None) -> Validated:
    """Read every manifest below ``folder`` and apply every rule.

    Args:
        folder: The fleet's folder.
        today: The day by which permissions to destroy are judged; None judges none.
    """
    manifests, findings = load(folder)
    fleet = resolve(manifests)
    everything = (*findings, *_version(fleet.source), *check(fleet, today))
    return Validated(fleet, tuple(sorted(everything, key=lambda finding: finding.sort_key)))


def render(folder: Path, fleet: Fleet, cache: Path | None) -> Rendered:
    """Render a fleet without findings, read it back, and prove that what was read isolates.

    Args:
        folder: The fleet's folder; its own ``templates/`` come before the package's.
        fleet: What to render.
        cache: Where verdicts of earlier readings are kept; None reads everything.

    Raises:
        InternalError: When a rendered file does not say what the fleet says.
        UsageError: When a template cannot be rendered.
    """
    begin = time.monotonic()
    roots = layout(fleet)
    texts = Renderer([folder / "templates", data("templates")]).render(page for root in roots for page in root.pages)
    _log.info("rendered", extra={"files": len(texts), "seconds": _since(begin)})
    begin = time.monotonic()
    declared = parseback.verify(fleet, texts, cache=cache)
    _log.info("read what was rendered back", extra={"files": len(texts), "seconds": _since(begin)})
    begin = time.monotonic()
    proof = prove(declared, fleet)
    _log.info("proved", extra={"isolated": proof.isolated, "seconds": _since(begin)})
    return Rendered(fleet, roots, tree.compare(folder, texts), proof)


def code_of(findings: Sequence[Diagnostic]) -> ExitCode:
    """Return the exit code that findings make: 2 for the settings, 1 for manifests and the tree."""
    errors = [finding for finding in findings if finding.severity is Severity.ERROR]
    if any(finding.span.path == SETTINGS for finding in errors):
        return ExitCode.USAGE
    return ExitCode.FINDINGS if errors else ExitCode.CLEAN


def _since(begin: float) -> float:
    return round(time.monotonic() - begin, 3)


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
