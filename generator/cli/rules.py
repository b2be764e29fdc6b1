"""Verbs about the rules themselves: rules, explain."""

from __future__ import annotations

import difflib
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from generator.cli.context import Context, Format, FormatOption
from generator.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from generator.rules.registry import Rule

_PAGE = re.compile(r"CK[0-9]{3}-[a-z0-9-]+\.md")


def rules(
    context: typer.Context,
    fmt: FormatOption = None,
    write: Annotated[Path | None, typer.Option(metavar="DIR", help="Write a page for each into a folder.")] = None,
) -> None:
    """List the rules by family, or write their pages."""
    from generator.rules.pages import pages
    from generator.rules.registry import catalogue

    here: Context = context.obj
    known = catalogue()
    if write is not None:
        texts = pages(known)
        _write(here.folder / write, texts)
        typer.echo(f"{len(texts)} pages in {write}")
    elif fmt is Format.JSON:
        typer.echo(json.dumps([_object(rule) for rule in known.values()], indent=2))
    else:
        typer.echo("\n".join(_listed(known)))


def explain(rule: Annotated[str, typer.Argument(help="A rule's id or name.")]) -> None:
    """Print the page of a rule: why it is there, what to do, and an example."""
    from generator.rules.pages import page
    from generator.rules.registry import catalogue

    known = catalogue()
    by_name = {found.name: found for found in known.values()}
    found = known.get(rule.upper()) or by_name.get(rule.lower())
    if found is None:
        near = difflib.get_close_matches(rule.lower(), [*by_name, *map(str.lower, known)], n=3)
        close = ", ".join(name.upper() if name.upper() in known else name for name in near)
        raise UsageError(
            f"there is no rule `{rule}`",
            help=f"did you mean {close}?" if close else "`crosskeys rules` lists all of them",
        )
    typer.echo(page(found), nl=False)


def _object(rule: Rule) -> dict[str, str]:
    from generator.rules.registry import FAMILIES

    family = next(title for prefix, title in FAMILIES.items() if rule.id.startswith(prefix))
    return {"id": rule.id, "name": rule.name, "severity": rule.severity, "family": family, "title": rule.title}


def _listed(known: Mapping[str, Rule]) -> Iterator[str]:
    widest = max(len(rule.name) for rule in known.values())
    family = None
    for rule in map(_object, known.values()):
        if rule["family"] != family:
            yield f"{'' if family is None else chr(10)}{rule['family']}"
            family = rule["family"]
        yield f"  {rule['id']}  {rule['severity']:<7}  {rule['name']:<{widest}}  {rule['title']}"


def _write(folder: Path, texts: Mapping[str, str]) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            aside = folder / f".{name}.new"
            aside.write_text(text, "utf-8")
            aside.replace(folder / name)
        for left in folder.iterdir():  # pages of rules that have another name now
            if left.name not in texts and _PAGE.fullmatch(left.name):
                left.unlink()
    except OSError as error:
        raise UsageError(
            f"the pages cannot be written: {error.strerror}: {error.filename}", help="name a folder that can be"
        ) from error
