"""An audit: what stands in ``terraform/``, judged beside its manifests and its history. Reads only."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from generator import history, pipeline
from generator.audit import attestation, earlier
from generator.audit import tree as standing
from generator.audit.access import logins
from generator.audit.faults import UnreadableTreeError
from generator.audit.proof import prove
from generator.diagnostics import Severity, has_errors
from generator.errors import UsageError
from generator.manifest.load import CLIENTS, SETTINGS
from generator.render import tree
from generator.render.layout import TREE
from generator.report.compare import compare
from generator.report.review import UNKNOWN, Review, RowChanges
from generator.report.rows import Provenance, rows
from generator.stages import stage

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from generator.audit.attestation import Statement
    from generator.audit.declared import Declared
    from generator.audit.proof import Proof
    from generator.diagnostics import Diagnostic
    from generator.manifest.fleet import Fleet
    from generator.pipeline import Validated
    from generator.report.review import ReviewRow

UNSEEN = (
    "roles, policies and mounts that stand in Vault and not in this tree",
    "other auth methods, and whoever holds a token that they gave",
    "identity: groups, entities, and policies that are attached to those",
    "the live `default` policy, which every token carries and which can be edited in Vault",
    "Sentinel, control groups and MFA, which can only take away",
    "whether Vault and AWS are still as this tree says",
)
"""What no audit of a tree can know."""

_DAY = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")


@dataclass(frozen=True, slots=True)
class Audit:
    """What an audit came to.

    Args:
        review: The review.
        statement: What can be attested; None when nothing was judged.
    """

    review: Review
    statement: Statement | None


def audit(folder: Path, validated: Validated, cache: Path | None, since: str | None = None) -> Audit:
    """Judge the tree below ``folder``.

    Args:
        folder: The fleet's folder.
        validated: The fleet by its manifests.
        cache: A folder that remembers what was parsed; None for none.
        since: A day or a revision of git with which to compare; None compares with nothing.

    Raises:
        InternalError: When a template does not say what the manifests say.
        UsageError: When git knows no such revision, or its tree cannot be read; when a file cannot be.
    """
    if validated.has_errors:
        return _unjudged(validated.findings, "the manifests have errors")
    rendered = pipeline.render(folder, validated.fleet, cache)
    stale = rendered.comparison.findings()
    try:
        # A tree that is as it should be was read already, and proven: from the same bytes.
        current = rendered.comparison.is_current
        found = standing.of(rendered.comparison.found, rendered.declared) if current else standing.load(folder, cache)
    except UnreadableTreeError as error:
        apart = tuple(finding for finding in stale if finding not in error.findings)
        return _unjudged((*validated.findings, *apart, *error.findings), "the rendered tree cannot be read")
    proof = rendered.proof if current else _proved(found.declared, validated.fleet)
    findings = _ordered((*validated.findings, *stale, *proof.findings))
    with stage("reviewed") as counts:
        inputs = _inputs(folder, validated.fleet)
        outputs = {path: text.encode() for path, text in found.texts.items()}
        past = _past(folder, {**inputs, **outputs})
        grants = rows(found.declared, validated.fleet, past.files)
        entries = logins(found.declared)
        review = Review(
            isolated=proof.isolated,
            verdict=_verdict(proof, findings),
            findings=findings,
            rows=grants,
            digest=tree.digest(found.texts),
            revision=past.revision,
            clients=len({entry.client for entry in entries}),
            accounts=len({entry.account_id for entry in entries}),
            files=len(found.texts),
            unseen=(*UNSEEN, *past.unseen),
        )
        if since is not None:
            review = replace(review, changes=_changes(folder, since, grants, cache))
        counts["rows"] = len(grants)
    return Audit(review, _statement(review, inputs, outputs))


def _proved(declared: Declared, fleet: Fleet) -> Proof:
    with stage("proved the tree as it stands"):
        return prove(declared, fleet)


def _unjudged(findings: Iterable[Diagnostic], why: str) -> Audit:
    review = Review(
        isolated=False,
        verdict=f"not judged: {why}",
        findings=_ordered(findings),
        rows=(),
        digest="",
        revision=UNKNOWN,
        clients=0,
        accounts=0,
        files=0,
        unseen=("everything: no grant was read", *UNSEEN),
    )
    return Audit(review, None)


def _ordered(findings: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    return tuple(sorted(dict.fromkeys(findings), key=lambda finding: finding.sort_key))


def _verdict(proof: Proof, findings: tuple[Diagnostic, ...]) -> str:
    if not proof.isolated:
        return proof.verdict
    aside = f"; IAM roles made outside of this tree: {proof.existing}" if proof.existing else ""
    if has_errors(findings):
        aside += "; but there are findings about manifests or files"
    return f"isolated among declared clients: none of {proof.clients} reaches what is another's{aside}"


def _statement(review: Review, inputs: Mapping[str, bytes], outputs: Mapping[str, bytes]) -> Statement:
    severities = [finding.severity for finding in review.findings]
    return attestation.statement(
        inputs=inputs,
        outputs=outputs,
        passed=review.isolated and not has_errors(review.findings),
        verdict=review.verdict,
        counts={
            "accounts": review.accounts,
            "clients": review.clients,
            "errors": severities.count(Severity.ERROR),
            "grants": len(review.rows),
            "warnings": severities.count(Severity.WARNING),
        },
        unseen=UNSEEN,
    )


def _inputs(folder: Path, fleet: Fleet) -> dict[str, bytes]:
    """Return what the tree is rendered from: manifests and settings as they were read, the fleet's own templates."""
    found = {source.path: source.document.text.encode() for source in fleet.sources}
    templates = folder / "templates"
    try:
        for path in templates.rglob("*"):
            if path.is_file():
                found[path.relative_to(folder).as_posix()] = path.read_bytes()
    except OSError as error:
        raise UsageError(
            f"a template cannot be read: {error.strerror}: {error.filename}", help="set its permissions right"
        ) from error
    return found


@dataclass(frozen=True, slots=True)
class _Past:
    """What git knows of the fleet: the commit that is checked out, each file's commits, and what it does not know."""

    revision: str
    files: Mapping[str, Provenance]
    unseen: tuple[str, ...] = ()


def _past(folder: Path, present: Mapping[str, bytes]) -> _Past:
    missing = "when each grant was given and last changed, and by whom"
    try:
        head = history.commit(folder, "HEAD")
    except UsageError as error:
        return _Past(UNKNOWN, {}, (f"{missing}: {error.message.replace(str(folder), 'the fleet')}",))
    committed = history.ids_at(folder, head, TREE, CLIENTS, SETTINGS, "templates")
    gone = (path for path in committed if path.endswith((".tf", ".yaml", ".j2")) and path not in present)
    as_committed = {path for path, blob in committed.items() if path in present and history.has_id(present[path], blob)}
    revision = head if len(as_committed) == len(present) and not any(gone) else f"{head}+"
    if history.is_shallow(folder):
        return _Past(revision, {}, (f"{missing}: this clone has only a part of the history",))
    files = {}
    for path, change in history.changes(folder, TREE).items():
        # What is not committed was changed by nobody that git knows.
        unchanged = path in as_committed
        files[path] = Provenance(change.first if path in committed else None, change.last if unchanged else None)
    return _Past(revision, files)


def _changes(folder: Path, since: str, now: tuple[ReviewRow, ...], cache: Path | None) -> RowChanges:
    revision = _revision(folder, since)
    if revision is None:
        return compare((), now, since=since, revision=UNKNOWN)
    return compare(_rows_at(folder, revision, since, cache), now, since=since, revision=revision)


def _revision(folder: Path, since: str) -> str | None:
    """Return the commit that a day began with or a revision names; None before the first commit."""
    if _DAY.match(since) is None:
        return history.commit(folder, since)
    found = history.commit_before(folder, since)
    if found is None and history.is_shallow(folder):
        raise UsageError(f"this clone's history begins after {since}", help="fetch the whole history")
    return found


def _rows_at(folder: Path, revision: str, since: str, cache: Path | None) -> tuple[ReviewRow, ...]:
    then = earlier.at(folder, revision, cache)
    if then.tree is None or not then.is_whole:
        first = f"{then.findings[0].span}: {then.findings[0].message}" if then.findings else "its manifests have errors"
        raise UsageError(
            f"the fleet at `{since}` cannot be read: {first}",
            help="name a later revision, or read that one with the version of crosskeys that it was made with",
        )
    return rows(then.tree.declared, then.fleet, {})
