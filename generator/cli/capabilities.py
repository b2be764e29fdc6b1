"""The verb capabilities: what a token with these policies could do, without a Vault."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from generator.audit.acl_terms import Operation, Semantics
from generator.cli import paths as paths_of
from generator.cli.context import Context, Format, FormatOption, print_findings
from generator.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from generator.audit.acl import Decision
    from generator.audit.acl_identity import Identity
    from generator.audit.acl_policy import Policy

_LARGEST = 1 << 20


def capabilities(
    context: typer.Context,
    paths: Annotated[list[str], typer.Argument(metavar="PATH...", help="Paths, as below /v1/.")],
    policy: Annotated[
        list[Path], typer.Option(metavar="FILE", help="A policy that the token carries; several may be given.")
    ],
    operation: Annotated[
        Operation | None, typer.Option(help="Ask about requests instead: exit 1 when one is denied.")
    ] = None,
    identity: Annotated[
        Path | None, typer.Option(metavar="FILE", help="JSON with the entity and groups that templated paths are for.")
    ] = None,
    semantics: Annotated[Semantics, typer.Option(help="By which version of Vault it is decided.")] = Semantics.V1_21,
    fmt: FormatOption = None,
) -> None:
    """Say what a token with these policies could do on each path, as Vault's sys/capabilities does."""
    from generator.audit.acl import ACL
    from generator.audit.acl_faults import UnreadablePolicyError
    from generator.audit.acl_identity import Identity

    here: Context = context.obj
    chosen = fmt or Format.FULL
    asked = sorted({(paths_of.requested if operation else paths_of.named)(path) for path in paths})
    known = _identity(here.folder, identity) if identity else Identity()
    try:
        acl = ACL.of(_policies(here.folder, policy), known, semantics)
    except UnreadablePolicyError as error:
        print_findings(here.folder, error.findings, chosen)
        raise typer.Exit(ExitCode.FINDINGS) from None
    if operation is None:
        _show({path: acl.capabilities(path) for path in asked}, chosen)
        return
    decisions = {path: acl.allows(operation, path) for path in asked}
    _show_decisions(operation, decisions, chosen)
    if not all(decision.allowed for decision in decisions.values()):
        raise typer.Exit(ExitCode.FINDINGS)


def _policies(folder: Path, files: list[Path]) -> list[Policy]:
    """Return the policies of the files.

    Raises:
        UnreadablePolicyError: With the findings of all of them.
    """
    from generator.audit.acl_faults import UnreadablePolicyError
    from generator.audit.acl_policy import parse
    from generator.diagnostics import Diagnostic, Span

    found: list[Policy] = []
    findings: list[Diagnostic] = []
    for file in files:
        try:
            found.append(parse(_text(folder, file), Span(file.as_posix(), 1, 1, 1, 2), file.stem))
        except UnreadablePolicyError as error:
            findings += error.findings
    if findings:
        raise UnreadablePolicyError(tuple(findings))
    return found


def _identity(folder: Path, file: Path) -> Identity:
    from generator.audit.acl_identity import Identity

    try:
        document = json.loads(_text(folder, file))
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{file} is not JSON: {error}", help="see docs/policy-semantics.md for an example") from error
    return Identity.of(document)


def _text(folder: Path, file: Path) -> str:
    try:
        with (folder / file).open("rb") as stream:
            content = stream.read(_LARGEST + 1)
        text = content.decode("utf-8")
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}", help="name a file that can be") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{file} is not UTF-8 at byte {error.start}", help="save it as UTF-8") from error
    if len(content) > _LARGEST:
        raise UsageError(f"{file} is larger than {_LARGEST} bytes", help="Vault stores no policy that large")
    return text


def _show(answers: Mapping[str, tuple[str, ...]], fmt: Format) -> None:
    if fmt is Format.JSON:
        typer.echo(json.dumps(answers, indent=2))
        return
    widest = max(map(len, answers))
    for path, found in answers.items():
        typer.echo(f"{path:<{widest}}  {', '.join(found)}")


def _show_decisions(operation: Operation, decisions: Mapping[str, Decision], fmt: Format) -> None:
    if fmt is Format.JSON:
        answers = {path: _object(operation, decision) for path, decision in decisions.items()}
        typer.echo(json.dumps(answers, indent=2, ensure_ascii=False))
        return
    for path, decision in decisions.items():
        typer.echo(f"{'allowed' if decision.allowed else 'denied '}  {operation} {path}: {decision.reason}")
        for rule in decision.rules:
            typer.echo(f'         {rule.span}: path "{rule.path}"')


def _object(operation: Operation, decision: Decision) -> dict[str, Any]:
    rules = [
        {"policy": rule.policy, "path": rule.path, "file": rule.span.path, "line": rule.span.line}
        | {"column": rule.span.column}
        for rule in decision.rules
    ]
    return {"operation": operation, "allowed": decision.allowed, "reason": decision.reason, "rules": rules}
