"""The verb verify: live against rendered, without Terraform."""

from __future__ import annotations

import datetime as dt
import os
import stat
import sys
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from generator.cli.context import Context, FindingsFormatOption, Format, no_results, print_findings, within_repository
from generator.cli.selection import AccountOption, ClientOption, Side, SideOption, Target, TargetOption
from generator.cli.systems import RateOption, systems_for
from generator.errors import ExitCode, UsageError, worst

if TYPE_CHECKING:
    from generator.live.reviewed import Scope
    from generator.live.verify import Look
    from generator.manifest.fleet import Fleet
    from generator.pipeline import Rendered
    from generator.report.verification import Verification

_FORMS = (".json", ".md", ".sarif")


def verify(
    context: typer.Context,
    target: TargetOption = Target.SANDBOX,
    account: AccountOption = None,
    client: ClientOption = None,
    side: SideOption = None,
    rate: RateOption = None,
    report: Annotated[
        list[Path] | None,
        typer.Option(
            "--report", metavar="FILE", help="Write what was found, as FILE.json, .md or .sarif; may be repeated."
        ),
    ] = None,
    since_last: Annotated[
        bool, typer.Option("--since-last", help="Say what is new, still there or gone since the last look.")
    ] = False,
    last: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Keep the last look here, as a job in CI must. Default: in .crosskeys/verify/."
        ),
    ] = None,
    login: Annotated[
        str | None,
        typer.Option("--login", metavar="NAME", help="Log in as this client instead, and say how each step goes."),
    ] = None,
    assume: Annotated[
        bool,
        typer.Option("--assume", help="With --login: assume the client's IAM role, elsewhere than on its instance."),
    ] = False,
    fmt: FindingsFormatOption = None,
) -> None:
    """Compare what is live in Vault and AWS with what was reviewed; nothing is changed."""
    here: Context = context.obj
    if login is not None:
        from generator.cli.verify_login import verify_login

        if account or client or side or report or since_last:
            raise UsageError("--login is about one client's login and nothing else", help="give --target with it alone")
        raise typer.Exit(verify_login(here, target, login, no_results(fmt), assume=assume))
    if assume:
        raise UsageError("--assume is about a login", help="say with --login NAME whose")
    files = [here.folder / each for each in report or ()]
    for file in files:
        _require_writable(file)
    if since_last and (account or client):
        raise UsageError("a look at a part is kept by nobody", help="leave out --account and --client, or --since-last")
    rendered, chosen = here.gated(fmt)
    scope = _scope(rendered, account, client, side)
    systems = systems_for(here, target, rendered.fleet, rate)
    started, begin = dt.datetime.now(dt.UTC), time.monotonic()
    from generator.live.last import place
    from generator.live.reviewed import Reviewed
    from generator.live.verify import verify as look_at
    from generator.report.looking import looking

    reviewed = Reviewed(rendered.fleet, rendered.declared, rendered.comparison.wanted, systems.variables)
    with looking(sys.stderr) as progress:
        look = look_at(reviewed, systems, scope, progress)
    verification = _verification(rendered, scope, look, target, started, time.monotonic() - begin)
    if scope.is_everyone:
        file = here.folder / last if last else place(here.folder, target.value, side and side.value)
        verification = _beside_the_last(verification, rendered.fleet, side, file, shown=since_last)
    for file in files:
        _write(file, _content(here.folder, file, verification))
    _print(here.folder, verification, chosen)
    raise typer.Exit(_code(verification))


def _scope(rendered: Rendered, accounts: list[str] | None, clients: list[str] | None, side: Side | None) -> Scope:
    """Return what the options mean.

    Raises:
        UsageError: When an account or client is in no root.
    """
    from generator.live.reviewed import Scope
    from generator.run.roots import select

    named, names = frozenset(accounts or ()), frozenset(clients or ())
    select(rendered.roots, named, names)
    everyone = not named and not names
    return Scope(
        named,
        names,
        vault=side in {None, Side.VAULT},
        aws=side in {None, Side.AWS},
        platform=everyone and side in {None, Side.VAULT, Side.PLATFORM},
    )


def _verification(
    rendered: Rendered, scope: Scope, look: Look, target: Target, started: dt.datetime, seconds: float
) -> Verification:
    from generator.live.drift_findings import not_read
    from generator.render import tree
    from generator.report.verification import Verification

    found = look.verified
    return Verification(
        target=target.value,
        whole=scope.is_everyone and scope.vault,
        clients=sum(_is_meant(scope, each.account_id, each.name) for each in rendered.fleet.declared),
        findings=found.findings,
        unread=not_read(found.unknown),
        unread_count=len(found.unknown),
        checked=found.checked,
        undeclared=look.undeclared,
        handed_over=look.handed_over,
        vault_version=look.version,
        cluster_id=look.cluster_id,
        tree=tree.digest(rendered.comparison.found),
        started=started.isoformat(timespec="seconds").replace("+00:00", "Z"),
        seconds=seconds,
        requests=look.requests,
    )


def _beside_the_last(
    verification: Verification, fleet: Fleet, side: Side | None, file: Path, *, shown: bool
) -> Verification:
    """Keep a look in a file, and return it with what has changed since the one that was kept there, if that is asked.

    Raises:
        UsageError: When the file cannot be written.
    """
    from generator.live import last
    from generator.report import since

    settings = fleet.settings
    world = settings.live.vault_address if verification.target == Target.LIVE else "the sandbox"
    of = f"{world}, namespace {settings.vault.namespace}, {f'side {side}' if side else 'both sides'}"
    now = since.Outcome(
        of=of,
        cluster_id=verification.cluster_id,
        when=verification.started,
        objects=verification.objects,
        seen=since.seen(verification.findings, verification.started),
        complete=not verification.unread,
    )
    compared = since.since(last.read(file), now)
    last.write(file, since.kept(now, compared))
    return replace(verification, since=compared) if shown else verification


def _is_meant(scope: Scope, account_id: str, name: str) -> bool:
    return scope.is_everyone or account_id in scope.accounts or name in scope.clients


def _code(verification: Verification) -> ExitCode:
    from generator.diagnostics import has_errors

    drift = ExitCode.FINDINGS if has_errors(verification.findings) else ExitCode.CLEAN
    return worst((drift, ExitCode.REMOTE if verification.unread else ExitCode.CLEAN))


def _print(folder: Path, verification: Verification, chosen: Format) -> None:
    from generator.report.verification import lines

    findings = (*verification.findings, *verification.unread)
    if chosen in {Format.FULL, Format.CONCISE}:
        print_findings(folder, findings, chosen)
        sys.stdout.write(lines(verification))
    else:
        print_findings(folder, findings, chosen, verdict=verification.verdict)


def _content(folder: Path, file: Path, verification: Verification) -> str:
    from generator.report import sarif
    from generator.report import verification as report
    from generator.rules.registry import catalogue

    if file.suffix == ".json":
        return report.as_json(verification)
    if file.suffix == ".md":
        return report.as_markdown(verification)
    ordered = sorted((*verification.findings, *verification.unread), key=lambda finding: finding.sort_key)
    return sarif.render(ordered, catalogue(), within_repository(folder.resolve()))


def _require_writable(file: Path) -> None:
    if file.suffix not in _FORMS:
        raise UsageError(
            f"{file.name} is no report that can be written", help=f"let its name end in {', '.join(_FORMS)}"
        )
    if os.path.lexists(file) and not stat.S_ISREG(file.lstat().st_mode):
        raise UsageError(f"{file} is there already and is no regular file", help="name another file")
    if not os.access(file.parent, os.W_OK | os.X_OK):
        raise UsageError(f"{file} cannot be written", help="name a file in a folder that can be written to")


def _write(file: Path, text: str) -> None:
    """Write a file aside and rename it into place; for its owner only, as it says where a fleet is weak."""
    aside = file.with_name(f".{file.name}.{os.getpid()}.new")
    try:
        with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as onto:
            onto.write(text)
        aside.replace(file)
    except OSError as error:
        raise UsageError(f"{file} cannot be written: {error.strerror}", help="make room, then look again") from error
    finally:
        with suppress(OSError):
            aside.unlink(missing_ok=True)
