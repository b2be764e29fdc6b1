"""An import from beginning to end, but for the writing."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from generator import pipeline
from generator.errors import InternalError, RemoteError, UsageError
from generator.live.adopting.aws_side import Iam
from generator.live.adopting.drafting import drafts
from generator.live.adopting.importing import Adopted, adopted
from generator.live.adopting.names import names_of
from generator.live.adopting.observed import aws_mounts, observe
from generator.live.adopting.reasons import AWS_SIDE
from generator.live.adopting.registrations import registrations
from generator.live.adopting.settings import disagreements, draft
from generator.live.adopting.taken import Taking
from generator.live.answers import Unknown
from generator.manifest.fleet import Fleet
from generator.manifest.load import SETTINGS
from generator.manifest.settings import FleetSettings
from generator.manifest.source import parse
from generator.manifest.validate import Sourced, validate

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from generator.diagnostics import Diagnostic
    from generator.live.adopting.asked import Asked
    from generator.live.adopting.drafting import Drafts
    from generator.live.adopting.observed import Observed
    from generator.live.adopting.settings import Where
    from generator.live.systems import Systems
    from generator.live.vault import Vault
    from generator.report.imported import Left

_NOTHING = Adopted({}, frozenset(), 0, (), (), ())


@dataclass(frozen=True, slots=True)
class Import:
    """All that an import comes to before anything is written.

    Args:
        settings: The text of the fleet settings where there were none.
        drafts: The manifests to write.
        rendered: The fleet with them; None where it has no client.
        adopted: The import files to write.
        disagreements: What the settings would have to say otherwise, a line each.
        unknown: What could not be read.
        faults: Why nothing may be written.
    """

    settings: str | None
    drafts: Drafts
    rendered: pipeline.Rendered | None
    adopted: Adopted
    disagreements: tuple[str, ...]
    unknown: tuple[Unknown, ...]
    faults: tuple[Diagnostic, ...]

    @property
    def manifests(self) -> Mapping[str, str]:
        """What people maintain: settings and manifests, in the order in which they are to be written."""
        return {**({SETTINGS: self.settings} if self.settings else {}), **self.drafts.texts}

    @property
    def left(self) -> tuple[Left, ...]:
        """What is left alone."""
        return (*self.drafts.left, *self.adopted.left)

    @property
    def leaves_clients(self) -> bool:
        """Whether a client is left alone, and not just its IAM role."""
        return any(left.reason is not AWS_SIDE for left in self.left)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a fleet is.

    Args:
        folder: Its folder.
        cache: Remembers what was parsed; None for nothing.
        beginning: Which Vault it is, for a fleet that has no settings yet; None for one that has.
    """

    folder: Path
    cache: Path | None
    beginning: Where | None


def whole(
    place: Place, fleet: Fleet, systems: Systems, asked: Asked, today: dt.date, *, progress: Callable[[str], None]
) -> Import:
    """Return what an import comes to; nothing is written, in the fleet's folder or elsewhere.

    Args:
        place: Where the fleet is.
        fleet: The fleet as it is.
        systems: Vault and the AWS accounts.
        asked: What is asked for.
        today: The day by which permissions to destroy are judged.
        progress: Is told what has been read, now and then.

    Raises:
        UsageError: When something is asked for that is not there, or an owner is missing.
        RemoteError: When there are no settings yet, and which auth methods Vault has cannot be read.
    """
    pattern = fleet.settings.vault.policy
    beginning = place.beginning
    mount = _mount(systems.vault) if beginning else fleet.settings.vault.auth_mount
    # What most have in common cannot be told from a few.
    wanted = (lambda _: True) if beginning else (lambda live: asked.takes(live, pattern))
    observed = observe(systems.vault, mount, wanted, progress)
    text = None
    if beginning:
        found, _ = registrations(observed.roles, observed.policies, observed.roles)
        text = draft(observed, found, beginning, asked.owner or "")
        fleet = _begun(text)
    _require_there(asked, fleet, observed)
    iam = Iam(systems)
    drafted = drafts(fleet, observed, iam, asked, today)
    rendered = None
    taken = _NOTHING
    faults = drafted.faults
    if drafted.fleet.clients and not faults:
        count = len(drafted.clients)
        progress(f"drafted {count} manifest{'' if count == 1 else 's'}; rendering")
        rendered = pipeline.render(place.folder, drafted.fleet, place.cache)
        faults = rendered.comparison.foreign_findings() or (
            () if rendered.proof.isolated else tuple(rendered.proof.findings)
        )
        accounts = {account.id: account for account in drafted.fleet.accounts}
        taking = Taking(rendered.declared, observed, systems, iam, accounts)
        taken = adopted(rendered, drafted, taking, asked)
    unknown = {each.what: each for each in (*observed.unknown, *drafted.unknown, *taken.unknown)}
    return Import(
        text,
        drafted,
        rendered,
        taken,
        () if beginning else tuple(disagreements(observed, fleet.settings)),
        tuple(unknown[what] for what in sorted(unknown)),
        faults,
    )


def _mount(vault: Vault) -> str:
    mounts = aws_mounts(vault)
    if isinstance(mounts, Unknown):
        raise RemoteError(
            f"which auth methods Vault has cannot be told: {mounts.why}",
            help=f"{mounts.help}; or begin the fleet with `crosskeys init --auth-mount PATH`, then import",
        )
    if not mounts:
        return FleetSettings().vault.auth_mount
    if len(mounts) > 1:
        raise UsageError(
            f"Vault has several AWS auth methods: {', '.join(mounts)}",
            help="begin the fleet with `crosskeys init --auth-mount PATH`, then import: a fleet is of one",
        )
    return mounts[0]


def _begun(text: str) -> Fleet:
    document = parse(text.encode(), SETTINGS)
    read = document if isinstance(document, tuple) else validate(document, FleetSettings)
    if isinstance(read, tuple):
        raise InternalError(
            f"the settings that were drafted are none: {read[0].span}: {read[0].message}",
            help="write crosskeys.yaml with `crosskeys init`, then import; nothing was written",
        )
    return Fleet(read.model, (), Sourced(read.model, read.document))


def _require_there(asked: Asked, fleet: Fleet, observed: Observed) -> None:
    platform = fleet.settings.platform
    if asked.platform and not (platform.auth_mount or platform.client_config or platform.kv_mount):
        raise UsageError(
            "crosskeys.yaml leaves the platform to others, so there is nothing of it to import",
            help="say what Terraform is to manage, such as platform: {auth_mount: true}, then run this again",
        )
    names = {name for client in fleet.clients for name in (client.name, client.vault_role, client.vault_policy)}
    known = {name.lower() for name in names}
    known |= {name for live in observed.roles.values() for name in names_of(live, fleet.settings.vault.policy)}
    for name in sorted(asked.clients - known):
        near = difflib.get_close_matches(name, sorted(known), n=3)
        raise UsageError(
            f"neither Vault nor a manifest has `{name}`",
            help=f"did you mean {', '.join(near)}?" if near else "name a Vault role, a policy or a client",
        )
