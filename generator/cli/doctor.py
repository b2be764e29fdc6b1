"""The verb doctor: whether everything that a run needs is there and well."""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING

import typer

from generator.cli.context import Context, Format, FormatOption
from generator.cli.selection import Target, TargetOption
from generator.cli.systems import RateOption  # noqa: TC001 - typer reads signatures when it runs
from generator.errors import CrosskeysError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.live.systems import Systems
    from generator.manifest.fleet import Fleet
    from generator.pipeline import Validated
    from generator.render.layout import Root
    from generator.report.checkup import Check


def doctor(
    context: typer.Context,
    target: TargetOption = Target.SANDBOX,
    rate: RateOption = None,
    fmt: FormatOption = None,
) -> None:
    """Look at all that a run needs, change nothing, and say what to do about what is not well."""
    from generator.report import checkup

    here: Context = context.obj
    validated, chosen = here.read(fmt)
    found = tuple(_checks(here, validated, target, rate))
    match chosen:
        case Format.JSON:
            typer.echo(checkup.to_json(found), nl=False)
        case Format.CONCISE:
            typer.echo(checkup.concise(found), nl=False)
        case _:
            checkup.print_checks(found, sys.stdout)
    raise typer.Exit(checkup.exit_code(found))


def _checks(here: Context, validated: Validated, target: Target, rate: float | None) -> Iterator[Check]:
    from generator.live import doctor_environment, doctor_machine

    fleet = validated.fleet
    yield from doctor_machine.checks(here.folder, here.cache, fleet.settings.terraform.required_version)
    yield doctor_environment.fleet(validated.findings, len(fleet.clients), len(fleet.accounts))
    if target is Target.LIVE:
        yield from _live(here, fleet, rate)
    else:
        yield doctor_environment.sandboxed(os.environ)
        yield from _sandbox(here, fleet, rate)


def _live(here: Context, fleet: Fleet, rate: float | None) -> Iterator[Check]:
    from generator.live import doctor_environment, gate, systems
    from generator.render.layout import layout

    settings = fleet.settings
    roots = [root for root in layout(fleet) if not root.handover]
    yield doctor_environment.cluster(settings)
    yield doctor_environment.locks(here.folder, [root.name for root in roots])
    yield from doctor_environment.live(settings, os.environ)
    refused = gate.complaints(settings, os.environ)
    asked = systems.named(settings, os.environ, systems.RATE if rate is None else rate)
    # Another Vault than the fleet's is not shown a token, and another AWS no signature.
    if elsewhere := refused.get("VAULT_ADDR"):
        yield doctor_environment.not_asked("vault", elsewhere.message, elsewhere.help)
    else:
        yield from _vault(asked, fleet)
    if elsewhere := refused.get("AWS_ENDPOINT_URL"):
        yield doctor_environment.not_asked("aws", elsewhere.message, elsewhere.help)
        yield doctor_environment.not_asked("state", elsewhere.message, elsewhere.help)
    else:
        yield from _aws(asked, fleet)
        yield from _state(here, fleet, roots)


def _sandbox(here: Context, fleet: Fleet, rate: float | None) -> Iterator[Check]:
    from generator import cache
    from generator.cli.context import say
    from generator.live import doctor_aws, doctor_environment
    from generator.sandbox import services, toolchain, world

    folder = here.folder / world.FOLDER
    status = services.status(folder)
    if not status.is_up:
        said = f"Vault is {status.vault.state} and AWS {status.aws.state}"
        yield doctor_environment.not_asked("sandbox", said, "crosskeys sandbox up")
        return
    try:
        tools = toolchain.ensure(cache.folder(), say)
        systems = world.World(folder, fleet, services.up(folder, tools, say), tools).systems(rate or 0)
    except CrosskeysError as error:
        yield doctor_environment.not_asked("sandbox", error.message, error.help)
        return
    # Its only token is its administrator's, which would be a warning elsewhere.
    yield from (check for check in _vault(systems, fleet) if check.name != "token")
    yield from doctor_aws.accounts(systems, fleet)


def _vault(systems: Systems, fleet: Fleet) -> Iterator[Check]:
    from generator.live import doctor_environment, doctor_vault

    try:
        yield from doctor_vault.checks(systems.vault, fleet, time.time())
    except CrosskeysError as error:
        yield doctor_environment.not_asked("vault", error.message, error.help)


def _aws(systems: Systems, fleet: Fleet) -> Iterator[Check]:
    from generator.live import doctor_aws
    from generator.report.checkup import Status

    if any(account.provisioner_role for account in fleet.accounts):
        callers = tuple(doctor_aws.caller(fleet.settings.aws.region, os.environ))
        yield from callers
        if callers[0].status is Status.UNKNOWN:
            return
    yield from doctor_aws.accounts(systems, fleet)


def _state(here: Context, fleet: Fleet, roots: list[Root]) -> Iterator[Check]:
    from generator.live import doctor_state, workspaces

    if roots:
        environment = workspaces.of_state(fleet.settings, os.environ)
        yield doctor_state.state(here.folder, fleet.settings, roots[0].name, environment)
