"""The tables of docs/manifests.md, made from the models; `python -m tests.docs.reference` writes them."""

from __future__ import annotations

import json
from pathlib import Path
from types import UnionType
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from annotated_types import Ge, Le
from pydantic import StringConstraints
from pydantic.fields import FieldInfo

from generator.manifest import values
from generator.manifest.account import AccountManifest
from generator.manifest.client import ClientManifest
from generator.manifest.settings import FleetSettings
from generator.manifest.values import Form, Model

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = Path(__file__).parents[2] / "docs/manifests.md"
COMMAND = "python -m tests.docs.reference"

_TABLES: dict[str, type[Model]] = {
    "client": ClientManifest,
    "account": AccountManifest,
    "fleet": FleetSettings,
}
# Types whose form is checked by a function, which has no words of its own.
_IN_WORDS = {
    values.Duration: "a duration such as `30m`, `1h` or `1h30m`, at most `3650d`",
    values.Tags: "a map of tag keys to values, at most 50",
}


def page(text: str) -> str:
    """Return the page with every table made anew."""
    for kind, model in _TABLES.items():
        begin, end = f"<!-- {kind}: made by {COMMAND} -->", f"<!-- end of {kind} -->"
        before, found, rest = text.partition(begin)
        _, closed, after = rest.partition(end)
        if not found or not closed:
            raise ValueError(f"docs/manifests.md lacks the marks of the table `{kind}`")
        text = f"{before}{begin}\n{_table(model)}{end}{after}"
    return text


def _table(model: type[Model]) -> str:
    lines = ["| Key | Form | Default | Meaning |", "|---|---|---|---|"]
    for key, form, default, meaning in _rows(model, ""):
        cells = (f"`{key}`", form, default, " ".join(meaning.split()))
        lines.append(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |")
    return "\n".join(lines) + "\n"


def _rows(model: type[Model], prefix: str) -> Iterator[tuple[str, str, str, str]]:
    hints = get_type_hints(model, include_extras=True)
    for name, field in model.model_fields.items():
        inner, is_list = _model_in(hints[name])
        form = ("a list of maps" if is_list else "a map") if inner else _form(hints[name])
        yield f"{prefix}{name}", form, _default(field, nested=inner is not None), field.description or ""
        if inner:
            yield from _rows(inner, f"{prefix}{name}{'[]' if is_list else ''}.")


def _default(field: FieldInfo, *, nested: bool) -> str:
    if field.is_required():
        return "required"
    if nested or field.default is None:
        return "–"  # noqa: RUF001 - an en dash is what is meant
    default = list(field.default) if isinstance(field.default, tuple) else field.default
    return f"`{json.dumps(default)}`" if not isinstance(default, str) else f"`{default}`"


def _model_in(hint: Any) -> tuple[type[Model] | None, bool]:
    if isinstance(hint, type) and issubclass(hint, Model):
        return hint, False
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in {Annotated, Union, UnionType}:
        return next((found for part in arguments if (found := _model_in(part))[0]), (None, False))
    if origin is tuple and (inner := _model_in(arguments[0])[0]):
        return inner, True
    return None, False


def _form(hint: Any) -> str:
    for known, words in _IN_WORDS.items():
        if hint == known:
            return words
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in {Union, UnionType}:
        return " or ".join(
            "null" if part is type(None) else _form(part) for part in arguments if part is not type(None)
        )
    if origin is Literal:
        return ", ".join(f"`{choice}`" for choice in arguments)
    if origin is tuple:
        inner = _form(arguments[0])
        return f"a list, each {inner}" if inner.startswith(("a ", "an ", "the ")) else f"a list of {inner}"
    if origin is Annotated:
        return _annotated(arguments[0], arguments[1:])
    return {bool: "`true`, `false`", int: "a whole number", str: "text"}[hint]


def _annotated(kind: Any, metadata: tuple[Any, ...]) -> str:
    flat = [part for item in metadata for part in (item.metadata if isinstance(item, FieldInfo) else (item,))]
    for item in flat:
        if isinstance(item, Form):
            return item.expects
    for item in flat:
        if isinstance(item, StringConstraints):
            return f"text of {item.min_length} to {item.max_length} characters"
    bounds = {type(item): item for item in flat}
    form = _form(kind)
    if Ge in bounds:
        form += f", {bounds[Ge].ge} or more" if Le not in bounds else f", {bounds[Ge].ge} to {bounds[Le].le}"
    return form


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text("utf-8")), "utf-8")
