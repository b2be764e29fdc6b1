"""Strict YAML that remembers where each key and value stands.

YAML lets one text mean several things: ``no`` is a boolean or a string, ``012345670123`` a number in base eight, a
repeated key silently wins. A manifest decides who may read certificates, so this reader takes the part of YAML that
all readers understand alike (strings, integers, booleans, null, lists, maps) and refuses the rest by name and place.

It is built on the event stream of libyaml, one event at a time: the composer that comes with it overflows the C stack
on input that nests deeply enough.
"""

from __future__ import annotations

import codecs
import os
import re
import stat
import unicodedata
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol, TypeAlias

import yaml
from yaml.events import (
    AliasEvent,
    CollectionEndEvent,
    CollectionStartEvent,
    DocumentStartEvent,
    MappingStartEvent,
    ScalarEvent,
)

from generator.diagnostics import Diagnostic, Note, Severity, Span

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from yaml.events import Event

SYNTAX: Final = "CK101"
"""The text is not YAML."""
ENCODING: Final = "CK102"
"""The bytes are not UTF-8, or begin with a byte order mark."""
CONTROL_CHARACTER: Final = "CK103"
"""A character that a reviewer cannot see stands in the text or in a string's escapes."""
TOO_LARGE: Final = "CK104"
"""The file is larger than ``MAX_BYTES``."""
TOO_DEEP: Final = "CK105"
"""Lists and maps nest deeper than ``MAX_DEPTH``."""
EMPTY_DOCUMENT: Final = "CK106"
"""The file says nothing."""
SEVERAL_DOCUMENTS: Final = "CK107"
"""A second document follows the first."""
DUPLICATE_KEY: Final = "CK108"
"""A map has the same key twice."""
ANCHOR_OR_ALIAS: Final = "CK109"
"""``&anchor`` or ``*alias``."""
TAG: Final = "CK110"
"""``!tag``, the standard ones such as ``!!str`` included."""
MERGE_KEY: Final = "CK111"
"""``<<``."""
AMBIGUOUS_SCALAR: Final = "CK112"
"""An unquoted value that YAML's versions or readers take for different things."""
KEY_NOT_A_STRING: Final = "CK113"
"""A key that is a number, a boolean, null, a list or a map."""
DIRECTIVE: Final = "CK114"
"""``%YAML`` or ``%TAG``."""
NOT_A_REGULAR_FILE: Final = "CK120"
"""The path is a link, a folder, a pipe or the like, or cannot be read."""

MAX_BYTES: Final = 64 * 1024
MAX_DEPTH: Final = 20

Value: TypeAlias = "str | int | bool | list[Value] | dict[str, Value] | None"
Loc: TypeAlias = "tuple[str | int, ...]"


@dataclass(frozen=True, slots=True)
class Scalar:
    """A string, integer, boolean or null; strings are in Unicode's NFC, as Terraform makes them."""

    span: Span
    value: str | int | bool | None


@dataclass(frozen=True, slots=True)
class Sequence:
    """A list."""

    span: Span
    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Mapping:
    """A map, in the order of the file; ``keys`` tells where each key stands."""

    span: Span
    items: dict[str, Node]
    keys: dict[str, Span]


Node: TypeAlias = Scalar | Sequence | Mapping


@dataclass(frozen=True, slots=True)
class Document:
    """One manifest as it was written.

    Args:
        shown: The file's path relative to the fleet's folder.
        root: The outermost node.
        text: The whole text; spans count its lines and characters.
    """

    shown: str
    root: Node
    text: str

    def value(self) -> Value:
        """Return the content as plain Python values."""
        return _value(self.root)

    def span_of(self, loc: Loc) -> Span:
        """Return where the value at ``loc`` stands, or the innermost value around it that exists.

        Args:
            loc: A path of keys and indices as pydantic reports it; parts that name nothing here (the tags of unions,
                the name of a missing key) are skipped.
        """
        return self._find(loc)[0].span

    def key_span_of(self, loc: Loc) -> Span:
        """Return where the key of the value at ``loc`` stands; for a list's item and the root, the value itself."""
        node, key = self._find(loc)
        return key or node.span

    def _find(self, loc: Loc) -> tuple[Node, Span | None]:
        node, key = self.root, None
        for part in loc:
            if isinstance(node, Mapping) and isinstance(part, str) and part in node.items:
                key, node = node.keys[part], node.items[part]
            elif isinstance(node, Sequence) and isinstance(part, int) and 0 <= part < len(node.items):
                node, key = node.items[part], None
        return node, key


def _value(node: Node) -> Value:
    match node:
        case Scalar():
            return node.value
        case Sequence():
            return [_value(item) for item in node.items]
        case Mapping():
            return {key: _value(item) for key, item in node.items.items()}


def read(path: Path, shown: str) -> Document | tuple[Diagnostic, ...]:
    """Read one manifest from disk; never follows a link and never waits on a pipe.

    Args:
        path: The file.
        shown: Its path relative to the fleet's folder, for diagnostics.

    Returns:
        The document, or everything that is wrong with it.
    """
    try:
        mode = path.lstat().st_mode
        if not stat.S_ISREG(mode):
            return (_not_regular(shown, mode),)
        # The path may have been swapped since: these flags hold whatever stands there now.
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            mode = os.fstat(descriptor).st_mode
            if not stat.S_ISREG(mode):
                return (_not_regular(shown, mode),)
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        reason = error.strerror or str(error)
        return (_error(NOT_A_REGULAR_FILE, Span(shown), f"the file cannot be read: {reason}"),)
    return parse(data, shown)


def parse(data: bytes, shown: str) -> Document | tuple[Diagnostic, ...]:
    """Parse one manifest.

    Args:
        data: The file's bytes.
        shown: Its path relative to the fleet's folder, for diagnostics.

    Returns:
        The document, or everything that is wrong with it, in the order of the file.
    """
    text = _decode(data, shown)
    if isinstance(text, tuple):
        return text
    builder = _Builder(shown, text)
    builder.run()
    if builder.findings or builder.root is None:
        return tuple(sorted(builder.findings, key=lambda finding: finding.sort_key))
    return Document(shown, builder.root, text)


def _error(
    rule: str,
    span: Span,
    message: str,
    help: str | None = None,  # noqa: A002 - the diagnostics' word for it
    notes: tuple[Note, ...] = (),
) -> Diagnostic:
    return Diagnostic(rule, Severity.ERROR, span, message, help, notes)


_KINDS = (
    (stat.S_ISLNK, "a symbolic link"),
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
)


def _not_regular(shown: str, mode: int) -> Diagnostic:
    kind = next((name for test, name in _KINDS if test(mode)), "a device")
    return _error(NOT_A_REGULAR_FILE, Span(shown), f"this is {kind}, not a file", "put the manifest itself here")


# --- Bytes to text

# What is not seen, or changes how its neighbours are seen: C0 and C1 controls, soft hyphen, fillers, zero-width and
# bidirectional controls (https://trojansource.codes), line and paragraph separators, tags, noncharacters.
_HIDDEN_CLASS = (
    "\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\x7f-\\x9f\\xad\\u034f\\u061c\\u115f\\u1160\\u17b4\\u17b5\\u180b-\\u180f"
    "\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u206f\\u3164\\ufdd0-\\ufdef\\ufeff\\uffa0\\ufff0-\\ufffb\\ufffe\\uffff"
    "\\U000e0000-\\U000e0fff"
)
_HIDDEN_IN_TEXT = re.compile(f"[{_HIDDEN_CLASS}]|\\r(?!\\n)")
_HIDDEN_IN_VALUE = re.compile(f"[{_HIDDEN_CLASS}\\r]")
_MAX_HIDDEN = 20  # a binary file has thousands, and the first few say it all


def _decode(data: bytes, shown: str) -> str | tuple[Diagnostic, ...]:
    if len(data) > MAX_BYTES:
        message = f"the file is larger than {MAX_BYTES // 1024} KiB"
        return (_error(TOO_LARGE, Span(shown), message, "a manifest describes one client: split it"),)
    if data.startswith(codecs.BOM_UTF8):
        message = "the file begins with a byte order mark (U+FEFF)"
        return (_error(ENCODING, Span(shown, 1, 1, 1, 1), message, "save it as UTF-8 without BOM"),)
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        column = len(data[data.rfind(b"\n", 0, error.start) + 1 : error.start].decode()) + 1
        message = f"byte 0x{data[error.start]:02x} at offset {error.start} is not UTF-8"
        return (_error(ENCODING, Span(shown, line, column, line, column + 1), message, "save the file as UTF-8"),)
    return tuple(_hidden(text, shown)) or text


def _hidden(text: str, shown: str) -> Iterator[Diagnostic]:
    for found in islice(_HIDDEN_IN_TEXT.finditer(text), _MAX_HIDDEN):
        line = text.count("\n", 0, found.start()) + 1
        column = found.start() - text.rfind("\n", 0, found.start())
        yield _hidden_character(found[0], Span(shown, line, column, line, column + 1), "")


def _hidden_character(character: str, span: Span, where: str) -> Diagnostic:
    name = unicodedata.name(character, "control character")
    message = f"invisible character U+{ord(character):04X} ({name}){where}"
    return _error(CONTROL_CHARACTER, span, message, "delete it: it cannot be seen in a review")


# --- Plain scalars

_INTEGER = re.compile(r"0|-?[1-9][0-9]*", re.ASCII)
_MAX_INTEGER_DIGITS = 18  # what 64 bits hold; other readers turn more into a float
_CONSTANTS: dict[str, bool | None] = {"true": True, "false": False, "null": None, "~": None, "": None}
_INSTEAD = {"yes": "true", "on": "true", "y": "true", "no": "false", "off": "false", "n": "false"}
# YAML 1.1 knows each word in three cases: https://yaml.org/type/bool.html, https://yaml.org/type/null.html
_WORDS = {
    form: _INSTEAD.get(word, word)
    for word in (*_INSTEAD, "true", "false", "null")
    for form in (word, word.capitalize(), word.upper())
    if form not in _CONSTANTS
}
# The union of what YAML 1.1 (https://yaml.org/type/), YAML 1.2's core schema, PyYAML and go-yaml resolve.
_AMBIGUOUS = (
    (re.compile(r"[-+]?0+[0-9_]+", re.ASCII), "a number in base eight or ten"),
    (re.compile(r"[-+]?0[xob][0-9a-f_]+", re.ASCII | re.IGNORECASE), "a number in another base"),
    (re.compile(r"[-+]?[0-9][0-9_]*", re.ASCII), "a number"),
    (re.compile(r"[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?", re.ASCII), "a number in base sixty"),
    (
        re.compile(
            r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}"
            r"(([Tt]|[ \t]+)[0-9]{1,2}:[0-9]{2}:[0-9]{2}(\.[0-9]*)?([ \t]*(Z|[-+][0-9]{1,2}(:?[0-9]{2})?))?)?",
            re.ASCII,
        ),
        "a date",
    ),
    (
        re.compile(r"[-+]?([0-9][0-9_]*(\.[0-9_]*)?|\.[0-9_]+)(e[-+]?[0-9]+)?", re.ASCII | re.IGNORECASE),
        "a floating-point number",
    ),
    (re.compile(r"[-+]?\.(inf|nan)", re.ASCII | re.IGNORECASE), "a floating-point number"),
    (re.compile(r"="), "YAML's default key"),
    (re.compile(r"<<"), "YAML's merge key"),
)
_AMBIGUOUS_STARTS = frozenset("0123456789+-.=<")
_ACCOUNT_ID = re.compile(r"[0-9]{12}", re.ASCII)


class _Ambiguous(NamedTuple):
    """What an unquoted scalar may be taken for, and what to write instead."""

    kind: str
    help: str


def _resolve(source: str) -> str | int | bool | _Ambiguous | None:
    """Return the value of an unquoted scalar, or why it has none."""
    if source in _CONSTANTS:
        return _CONSTANTS[source]
    if source in _WORDS:
        instead = _WORDS[source]
        return _Ambiguous("null" if instead == "null" else "a boolean", f"write {instead}, or {_quote(source)}")
    if source[0] not in _AMBIGUOUS_STARTS:
        return source
    if _INTEGER.fullmatch(source) and len(source.lstrip("-")) <= _MAX_INTEGER_DIGITS:
        return int(source)
    for pattern, kind in _AMBIGUOUS:
        if pattern.fullmatch(source):
            return _Ambiguous(kind, _quote(source))
    return source


def _quote(source: str) -> str:
    advice = "account ids are quoted" if _ACCOUNT_ID.fullmatch(source) else "quote it"
    return f'{advice}: "{_brief(source)}"'


_BRIEF = 60


def _brief(text: str) -> str:
    return text if len(text) <= _BRIEF else text[: _BRIEF - 1] + "…"


# --- Events to nodes


class _Mark(Protocol):
    """A place in the text as libyaml counts it: lines and characters, from 0."""

    index: int
    line: int
    column: int


@dataclass(slots=True)
class _Open:
    """A list or map that is not closed yet; a map's keys and values alternate in ``nodes``."""

    start: _Mark
    is_mapping: bool
    is_flow: bool
    nodes: list[Node] = field(default_factory=list)


_SYNTAX_HELP = {
    "mapping values are not allowed in this context": 'quote a value that holds ": ", and check the indentation',
    "found character that cannot start any token": "quote the value; indent with spaces, never with tabs",
    "could not find expected ':'": "write `key: value`, with the colon on the key's line",
    "did not find expected key": "check the indentation: the keys of one map stand in one column",
    "found unexpected end of stream": "close the quote",
    "found a tab character that violates indentation": "indent with spaces, never with tabs",
    "found a tab character where an indentation space is expected": "indent with spaces, never with tabs",
    "did not find expected ',' or ']'": "close the list",
    "did not find expected ',' or '}'": "close the map",
}


class _Builder:
    """Turns the events of one text into nodes and findings, with a stack of its own."""

    def __init__(self, shown: str, text: str) -> None:
        self.shown = shown
        self.text = text
        self.root: Node | None = None
        self.findings: list[Diagnostic] = []
        self.stack: list[_Open] = []
        self.has_document = False

    def run(self) -> None:
        try:
            for event in yaml.parse(self.text, Loader=yaml.CSafeLoader):
                if not self._take(event):
                    break
        except yaml.MarkedYAMLError as error:
            self._syntax_error(error)
        while self.stack:  # what stands open where the reading stopped may have findings of its own
            self._close(None)
        if not self.findings and self._is_empty():
            self._report(EMPTY_DOCUMENT, Span(self.shown), "the file is empty", "write a manifest, or delete the file")

    def _take(self, event: Event) -> bool:
        """Take one event; False ends the reading."""
        if isinstance(event, ScalarEvent):
            self._add(self._scalar(event))
        elif isinstance(event, CollectionStartEvent):
            return self._open(event)
        elif isinstance(event, CollectionEndEvent):
            self._close(event)
        elif isinstance(event, AliasEvent):
            self._report(ANCHOR_OR_ALIAS, self._span(event), f"alias `*{_brief(event.anchor or '')}`", _WRITE_OUT)
            self._add(Scalar(self._span(event), event.anchor))
        elif isinstance(event, DocumentStartEvent):
            return self._document(event)
        return True

    def _document(self, event: DocumentStartEvent) -> bool:
        if self.has_document:
            self._report(
                SEVERAL_DOCUMENTS, self._word(event), "a second document begins here", "one file, one manifest"
            )
            return False
        self.has_document = True
        if event.version or event.tags:
            self._report(DIRECTIVE, self._word(event), "YAML directive", _DELETE_LINE)
        return True

    def _scalar(self, event: ScalarEvent) -> Scalar:
        span = self._span(event)
        self._properties(event)
        if not event.style and event.tag is None:
            return Scalar(span, self._plain(event.value, span))
        if event.style in {"|", ">"}:
            span = self._block_span(event)
        hidden = _HIDDEN_IN_VALUE.search(event.value)
        if hidden:
            self.findings.append(_hidden_character(hidden[0], span, " in the escapes of this string"))
        return Scalar(span, unicodedata.normalize("NFC", event.value))

    def _plain(self, source: str, span: Span) -> str | int | bool | None:
        resolved = _resolve(source)
        if isinstance(resolved, str):
            return unicodedata.normalize("NFC", resolved)
        if not isinstance(resolved, _Ambiguous):
            return resolved
        is_key = bool(self.stack) and self.stack[-1].is_mapping and len(self.stack[-1].nodes) % 2 == 0
        if is_key and source == "<<":
            self._report(MERGE_KEY, span, "merge key `<<`", _WRITE_OUT)
        else:
            advice = _quote(source) if is_key else resolved.help
            self._report(AMBIGUOUS_SCALAR, span, f"`{_brief(source)}` may be read as {resolved.kind}", advice)
        return source

    def _properties(self, event: ScalarEvent | CollectionStartEvent) -> None:
        if event.anchor is not None:
            self._report(ANCHOR_OR_ALIAS, self._word(event), f"anchor `&{_brief(event.anchor)}`", _WRITE_OUT)
        tag: str | None = event.tag
        if tag is not None:
            shown = tag.replace("tag:yaml.org,2002:", "!!")
            self._report(TAG, self._word(event), f"tag `{_brief(shown)}`", "delete it: quotes alone make a string")

    def _open(self, event: CollectionStartEvent) -> bool:
        if len(self.stack) == MAX_DEPTH:
            message = f"lists and maps nest deeper than {MAX_DEPTH} levels"
            self._report(TOO_DEEP, self._word(event, 1), message, "no manifest needs this: see `crosskeys schema`")
            return False
        self._properties(event)
        start: Any = event.start_mark
        self.stack.append(_Open(start, isinstance(event, MappingStartEvent), bool(event.flow_style)))
        return True

    def _close(self, event: CollectionEndEvent | None) -> None:
        opened = self.stack.pop()
        line, column = opened.start.line + 1, opened.start.column + 1
        end_line, end_column = line, column
        if opened.is_flow and event is not None:
            end: Any = event.end_mark
            end_line, end_column = end.line + 1, end.column + 1
        elif opened.nodes:  # the end of a block is where the next thing begins, blank lines and comments later
            end_line, end_column = opened.nodes[-1].span.end_line, opened.nodes[-1].span.end_column
        span = Span(self.shown, line, column, end_line, end_column)
        self._add(self._mapping(span, opened.nodes) if opened.is_mapping else Sequence(span, tuple(opened.nodes)))

    def _mapping(self, span: Span, nodes: list[Node]) -> Mapping:
        items: dict[str, Node] = {}
        keys: dict[str, Span] = {}
        for key, value in zip(nodes[::2], nodes[1::2], strict=False):  # a key may await its value where reading stopped
            name = key.value if isinstance(key, Scalar) else None
            if not isinstance(name, str):
                self._key_not_a_string(key)
            elif name in keys:
                notes = (Note(keys[name], "first given here"),)
                message = f"key `{_brief(name)}` is given twice"
                self.findings.append(_error(DUPLICATE_KEY, key.span, message, "delete one of them", notes))
            else:
                items[name], keys[name] = value, key.span
        return Mapping(span, items, keys)

    def _key_not_a_string(self, key: Node) -> None:
        match key:
            case Scalar(value=None):
                kind, advice = "null", "name the key"
            case Scalar(value=bool()):
                kind, advice = "a boolean", f'quote it: "{str(key.value).lower()}"'
            case Scalar():
                kind, advice = "an integer", f'quote it: "{key.value}"'
            case _:
                kind, advice = "a list or a map", "write a string"
        self._report(KEY_NOT_A_STRING, key.span, f"this key is {kind}; keys are strings", advice)

    def _add(self, node: Node) -> None:
        if self.stack:
            self.stack[-1].nodes.append(node)
        else:
            self.root = node

    def _is_empty(self) -> bool:
        match self.root:
            case None:
                return True
            case Scalar(value=None, span=span):
                return (span.line, span.column) == (span.end_line, span.end_column)
            case _:
                return False

    def _syntax_error(self, error: yaml.MarkedYAMLError) -> None:
        problem = error.problem or "unreadable"
        mark = error.problem_mark or error.context_mark
        # At the end of the text libyaml points at a line that is not there.
        index = len(self.text.rstrip()) if mark is None else min(mark.index, len(self.text.rstrip()))
        line = self.text.count("\n", 0, index) + 1
        column = index - self.text.rfind("\n", 0, index)
        span = Span(self.shown, line, column, line, column + 1)
        notes: tuple[Note, ...] = ()
        if error.context and error.context_mark:
            start = error.context_mark
            here = Span(self.shown, start.line + 1, start.column + 1, start.line + 1, start.column + 2)
            notes = (Note(here, error.context),) if here != span else ()
        advice = _SYNTAX_HELP.get(problem, "quote the value if it is meant as text")
        if "directive" in problem or problem == "found incompatible YAML document":
            self._report(DIRECTIVE, span, "YAML directive", _DELETE_LINE)
        else:
            self.findings.append(_error(SYNTAX, span, f"this is not YAML: {problem}", advice, notes))

    def _span(self, event: Event) -> Span:
        start: Any = event.start_mark  # the stubs have no marks for events made by hand; parsed ones have both
        end: Any = event.end_mark
        return Span(self.shown, start.line + 1, start.column + 1, end.line + 1, end.column + 1)

    def _word(self, event: Event, most: int = MAX_BYTES) -> Span:
        """The span of what is written where the event starts, up to the next white space."""
        start: Any = event.start_mark
        word = _WORD.match(self.text, start.index)
        width = min(len(word[0]), most) if word else 0
        return Span(self.shown, start.line + 1, start.column + 1, start.line + 1, start.column + 1 + width)

    def _block_span(self, event: ScalarEvent) -> Span:
        """The span of a block scalar without the blank lines that follow it."""
        start: Any = event.start_mark
        end: Any = event.end_mark
        lines = self.text[start.index : end.index].rstrip().split("\n")
        column = start.column + 1 + len(lines[0]) if len(lines) == 1 else len(lines[-1]) + 1
        return Span(self.shown, start.line + 1, start.column + 1, start.line + len(lines), column)

    def _report(self, rule: str, span: Span, message: str, advice: str) -> None:
        self.findings.append(_error(rule, span, message, advice))


_WRITE_OUT = "write the value out where it is used"
_DELETE_LINE = "delete the line"
_WORD = re.compile(r"\S*")
