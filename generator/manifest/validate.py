"""From a parsed document to a model, or to findings at the places that do not fit it."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from pydantic import BaseModel, ValidationError

from generator.diagnostics import Diagnostic, Severity, Span
from generator.manifest.explain import explain, lost_zero
from generator.manifest.few import MAX_FINDINGS, few

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

    from generator.manifest.source import Document

UNKNOWN_FIELD = "CK201"
MISSING_FIELD = "CK202"
WRONG_TYPE = "CK203"
INVALID_VALUE = "CK204"

M = TypeVar("M", bound=BaseModel)
Location = tuple[str | int, ...]

_KEY: Location = ("[key]",)  # what pydantic appends where a map's key is meant, not its value


@dataclass(frozen=True, slots=True)
class Sourced(Generic[M]):
    """A model and the document that it was read from."""

    model: M
    document: Document

    @property
    def path(self) -> str:
        """The file, relative to the fleet's folder."""
        return self.document.shown

    def span(self, *location: str | int) -> Span:
        """Return where the value at ``location`` stands, or the nearest enclosing value that is written."""
        return self.document.span_of(location)

    def key_span(self, *location: str | int) -> Span:
        """Return where the key at ``location`` stands, or the nearest enclosing value that is written."""
        return self.document.key_span_of(location)


def validate(document: Document, model: type[M]) -> Sourced[M] | tuple[Diagnostic, ...]:
    """Return the document as ``model``, or a finding for each place where it does not fit.

    Args:
        document: What was read.
        model: The model of this kind of file.
    """
    try:
        return Sourced(model.model_validate(document.content), document)
    except ValidationError as error:
        details = error.errors(include_url=False)
        return few([_finding(document, model, detail) for detail in details[: MAX_FINDINGS + 1]])


_TYPES = {
    "string_type": "a string",
    "int_type": "a whole number",
    "bool_type": "true or false",
    "tuple_type": "a list",
    "dict_type": "a map of keys to values",
    "model_type": "a map of keys to values",
    "model_attributes_type": "a map of keys to values",
}


def _finding(document: Document, model: type[BaseModel], detail: ErrorDetails) -> Diagnostic:
    kind, location, context = detail["type"], detail["loc"], detail.get("ctx", {})
    field = _name(location)
    if kind == "extra_forbidden":
        known = _fields(model, location[:-1])
        close = difflib.get_close_matches(field, known, n=1)
        return Diagnostic(
            UNKNOWN_FIELD,
            Severity.ERROR,
            document.key_span_of(location),
            f"unknown key `{field}`",
            help=f"did you mean `{close[0]}`?" if close else f"known here: {', '.join(known)}" if known else None,
        )
    if kind == "missing":
        return Diagnostic(
            MISSING_FIELD,
            Severity.ERROR,
            document.span_of(location[:-1]).start,
            f"`{field}` is missing",
            _meaning(model, location),
        )
    span = document.key_span_of(location[:-1]) if location[-1:] == _KEY else document.span_of(location)
    if kind in _TYPES:
        text = document.text.split("\n")[span.line - 1][span.column - 1 : span.end_column - 1]
        is_number = kind == "string_type" and isinstance(detail["input"], (int, bool))
        return Diagnostic(
            WRONG_TYPE,
            Severity.ERROR,
            span,
            f"`{field}` must be {_TYPES[kind]}" if location else f"the file must be {_TYPES[kind]}",
            help=_as_text(field, text) if is_number else _meaning(model, location),
        )
    if kind == "form" and "expects" in context and "tags" not in location:
        key = next((part for part in reversed(location) if isinstance(part, str)), "")
        if reason := explain(key, detail["input"]):
            return Diagnostic(reason.rule, Severity.ERROR, span, f"`{field}`: {reason.message}", reason.help)
    if kind == "literal_error":
        choices = re.findall("'([^']*)'", context["expected"])
        close = difflib.get_close_matches(str(detail["input"]), choices, n=1)
        return Diagnostic(
            INVALID_VALUE,
            Severity.ERROR,
            span,
            f"`{field}` must be {context['expected']}",
            help=f"did you mean `{close[0]}`?" if close else _meaning(model, location),
        )
    message = detail["msg"]
    return Diagnostic(
        INVALID_VALUE, Severity.ERROR, span, f"`{field}`: {message[:1].lower()}{message[1:]}", _meaning(model, location)
    )


def _as_text(field: str, source: str) -> str:
    """Return the advice for a number or boolean where text belongs."""
    if source.isdecimal() and field == "account_id":
        return lost_zero(source)
    if source.isdecimal() and field.endswith("_ttl"):
        return f"write a duration, such as {source}s"
    return f'quote it: "{source}"'


def _name(location: Location) -> str:
    """The key, with the numbers of list items: ``grants[0]``."""
    keys = [part for part in location if (part,) != _KEY]
    start = next((index for index in reversed(range(len(keys))) if isinstance(keys[index], str)), 0)
    return "".join(part if isinstance(part, str) else f"[{part}]" for part in keys[start:])


def _fields(model: type[BaseModel], location: Location) -> list[str]:
    inner = _model_at(model, location)
    return list(inner.model_fields) if inner else []


def _meaning(model: type[BaseModel], location: Location) -> str | None:
    while location and isinstance(location[-1], int):
        location = location[:-1]
    inner = _model_at(model, location[:-1])
    field = inner.model_fields.get(str(location[-1])) if inner and location else None
    return field.description if field else None


def _model_at(model: type[BaseModel], location: Location) -> type[BaseModel] | None:
    current: type[BaseModel] | None = model
    for part in location:
        if isinstance(part, int):
            continue
        field = current.model_fields.get(part) if current else None
        current = _model_in(field.annotation) if field else None
    return current


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for arg in getattr(annotation, "__args__", ()) if (found := _model_in(arg))), None)
