"""The verb init: a new fleet's files."""

from __future__ import annotations

import json
import shlex
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from generator.cli.context import Context, Format, FormatOption, say
from generator.cli.questions import ask
from generator.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable


class Ci(StrEnum):
    """Whose CI checks pull requests."""

    GITHUB = "github"
    GITLAB = "gitlab"
    NONE = "none"


def init(
    context: typer.Context,
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="The new fleet's folder.")] = Path(),
    ci: Annotated[Ci | None, typer.Option(help="Whose CI checks pull requests. Default: none.")] = None,
    vault_address: Annotated[
        str | None, typer.Option(metavar="URL", help="The only Vault that live runs may talk to.")
    ] = None,
    namespace: Annotated[str | None, typer.Option(help="Vault's namespace. Default: admin.")] = None,
    auth_mount: Annotated[
        str | None, typer.Option(metavar="PATH", help="Mount of the AWS auth method. Default: aws.")
    ] = None,
    kv_mount: Annotated[
        str | None, typer.Option(metavar="PATH", help="Mount of the KV secrets engine. Default: secret.")
    ] = None,
    fmt: FormatOption = None,
) -> None:
    """Begin a fleet: settings, folders, hooks, CI; what exists is never overwritten."""
    from generator.manifest import scaffold
    from generator.render import tree
    from generator.render.place import place, require_free
    from generator.resources import data

    here: Context = context.obj
    folder = here.folder / directory
    templates = data("scaffold")
    require_free(folder, scaffold.files(templates, None, {}))
    given = {
        "live.vault_address": vault_address,
        "vault.namespace": namespace,
        "vault.auth_mount": auth_mount,
        "vault.kv_mount": kv_mount,
    }
    answers = _answers(given, (templates / "crosskeys.yaml").read_text("utf-8"))
    ci = ci or _asked_for_ci()
    texts = scaffold.files(templates, None if ci is Ci.NONE else ci.value, answers)
    require_free(folder, texts)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"there can be no folder {folder}: {error.strerror}", help="name another one") from error
    with tree.lock(folder):
        place(folder, texts)
    if fmt is Format.JSON:
        typer.echo(json.dumps({"added": sorted(texts)}, indent=2))
        return
    for path in sorted(texts):
        typer.echo(f"+ {(directory / path).as_posix()}")
    where = "" if directory == Path() else f"-C {shlex.quote(str(directory))} "
    say(f"next: `crosskeys {where}new` writes the first client's manifest")
    say(f"      `crosskeys {where}import` writes those of clients that are registered in Vault already")


_QUESTIONS = {
    "live.vault_address": "Address of the live Vault (Enter for later)",
    "vault.namespace": "Vault's namespace",
    "vault.auth_mount": "Mount of the AWS auth method",
    "vault.kv_mount": "Mount of the KV secrets engine",
}


def _answers(given: dict[str, str | None], template: str) -> dict[str, str]:
    """Return the settings that are given or asked for, each of them valid."""
    from generator.manifest.settings import FleetSettings

    defaults = FleetSettings().model_dump()
    answers = {}
    for key, value in given.items():
        check = _valid(key, template)
        section, name = key.split(".")
        if value is None and sys.stdin.isatty():
            value = ask(_QUESTIONS[key], check, default=defaults[section][name] or "")  # noqa: PLW2901 - the answer
        elif value is not None:
            check(value)
        if value:
            answers[key] = value
    return answers


def _valid(key: str, template: str) -> Callable[[str], str]:
    from generator.manifest import scaffold
    from generator.report.text import visible

    def checked(value: str) -> str:
        found = scaffold.faults(scaffold.settings(template, {key: value})) if value else ()
        if found:
            raise UsageError(visible(found[0].message))
        return value

    return checked


def _asked_for_ci() -> Ci:
    if not sys.stdin.isatty():
        return Ci.NONE

    def one_of_them(value: str) -> str:
        if value not in set(Ci):
            raise UsageError("github, gitlab or none")
        return value

    return Ci(ask("CI: github, gitlab or none", one_of_them, default=Ci.NONE.value))
