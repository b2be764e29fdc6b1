"""From YAML's events to nodes and findings.

Built on the event stream of libyaml, one event at a time and with a stack of its own: the composer that comes with
libyaml overflows the C stack on input that nests deeply enough.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Protocol

import yaml
from yaml.events import (
    AliasEvent,
    CollectionEndEvent,
    CollectionStartEvent,
    DocumentStartEvent,
    MappingStartEvent,
    ScalarEvent,
)

from generator.diagnostics import Diagnostic, Note, Span
from generator.manifest import faults
from generator.manifest.characters import hidden_in_value
from generator.manifest.faults import fault
from generator.manifest.few import MAX_FINDINGS, few
from generator.manifest.nodes import Mapping, Node, Scalar, Sequence
from generator.manifest.scalars import Ambiguous, brief, quote, resolve

if TYPE_CHECKING:
    from yaml.events import Event

MAX_DEPTH: Final = 20
# Far above what any manifest needs, and low enough that nothing that is done to a value or to all of a list can cost
# a second: normalising a run of accents is quadratic, and so is comparing every item with every other.
MAX_KEY: Final = 256
MAX_VALUE: Final = 4096
MAX_ITEMS: Final = 1000


# With these the text still says which keys there are and what they hold, so the rest can be judged as well.
_HARMLESS: Final = frozenset({faults.AMBIGUOUS_SCALAR, faults.DUPLICATE_KEY})


def compose(text: str, shown: str) -> tuple[Node | None, tuple[Diagnostic, ...]]:
    """Return the root of the one document that ``text`` holds, and everything that is wrong with it.

    There is a root beside findings where they leave it beyond doubt what the other keys and values are.

    Args:
        text: YAML without invisible characters.
        shown: Its path relative to the fleet's folder, for spans.
    """
    composer = _Composer(shown, text)
    composer.run()
    findings = few(composer.findings)
    is_whole = len(findings) == len(composer.findings) and all(finding.rule in _HARMLESS for finding in findings)
    return composer.root if is_whole else None, findings


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

_WRITE_OUT = "write the value out where it is used"
_DELETE_LINE = "delete the line"
_WORD = re.compile(r"\S*")


class _Composer:
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
                if not self._take(event) or len(self.findings) > MAX_FINDINGS:
                    break
        except yaml.MarkedYAMLError as error:
            self._syntax_error(error)
        while self.stack:  # what stands open where the reading stopped may have findings of its own
            self._close(None)
        if not self.findings and self._is_empty():
            self._report(
                faults.EMPTY_DOCUMENT, Span(self.shown), "the file is empty", "write a manifest, or delete the file"
            )

    def _take(self, event: Event) -> bool:
        """Take one event; False ends the reading."""
        if isinstance(event, ScalarEvent):
            return self._add(self._scalar(event))
        if isinstance(event, CollectionStartEvent):
            return self._open(event)
        if isinstance(event, CollectionEndEvent):
            return self._close(event)
        if isinstance(event, AliasEvent):
            self._report(faults.ANCHOR_OR_ALIAS, self._span(event), f"alias `*{brief(event.anchor or '')}`", _WRITE_OUT)
            return self._add(Scalar(self._span(event), event.anchor))
        if isinstance(event, DocumentStartEvent):
            return self._document(event)
        return True

    def _document(self, event: DocumentStartEvent) -> bool:
        if self.has_document:
            self._report(
                faults.SEVERAL_DOCUMENTS, self._word(event), "a second document begins here", "one file, one manifest"
            )
            return False
        self.has_document = True
        if event.version or event.tags:
            self._report(faults.DIRECTIVE, self._word(event), "YAML directive", _DELETE_LINE)
        return True

    def _scalar(self, event: ScalarEvent) -> Scalar:
        span = self._block_span(event) if event.style in {"|", ">"} else self._span(event)
        self._properties(event)
        kind, most = ("key", MAX_KEY) if self._awaits_key() else ("value", MAX_VALUE)
        if len(event.value) > most:
            message = f"this {kind} is longer than {most} characters"
            self._report(faults.TOO_LARGE, span, message, f"shorten it: no {kind} of a manifest needs as much")
            return Scalar(span, event.value)
        if not event.style and event.tag is None:
            return Scalar(span, self._plain(event.value, span))
        self.findings.extend(hidden_in_value(event.value, span))
        return Scalar(span, unicodedata.normalize("NFC", event.value))

    def _plain(self, source: str, span: Span) -> str | int | bool | None:
        resolved = resolve(source)
        if isinstance(resolved, str):
            return unicodedata.normalize("NFC", resolved)
        if not isinstance(resolved, Ambiguous):
            return resolved
        is_key = self._awaits_key()
        if is_key and source == "<<":
            self._report(faults.MERGE_KEY, span, "merge key `<<`", _WRITE_OUT)
        else:
            advice = quote(source) if is_key else resolved.help
            self._report(faults.AMBIGUOUS_SCALAR, span, f"`{brief(source)}` may be read as {resolved.kind}", advice)
        return source

    def _awaits_key(self) -> bool:
        return bool(self.stack) and self.stack[-1].is_mapping and len(self.stack[-1].nodes) % 2 == 0

    def _properties(self, event: ScalarEvent | CollectionStartEvent) -> None:
        if event.anchor is not None:
            self._report(faults.ANCHOR_OR_ALIAS, self._word(event), f"anchor `&{brief(event.anchor)}`", _WRITE_OUT)
        tag: str | None = event.tag
        if tag is not None:
            shown = tag.replace("tag:yaml.org,2002:", "!!")
            self._report(
                faults.TAG, self._word(event), f"tag `{brief(shown)}`", "delete it: quotes alone make a string"
            )

    def _open(self, event: CollectionStartEvent) -> bool:
        if len(self.stack) == MAX_DEPTH:
            message = f"lists and maps nest deeper than {MAX_DEPTH} levels"
            self._report(
                faults.TOO_DEEP, self._word(event, 1), message, "no manifest needs this: see `crosskeys schema`"
            )
            return False
        self._properties(event)
        start: Any = event.start_mark
        self.stack.append(_Open(start, isinstance(event, MappingStartEvent), bool(event.flow_style)))
        return True

    def _close(self, event: CollectionEndEvent | None) -> bool:
        opened = self.stack.pop()
        line, column = opened.start.line + 1, opened.start.column + 1
        end_line, end_column = line, column
        if opened.is_flow and event is not None:
            end: Any = event.end_mark
            end_line, end_column = end.line + 1, end.column + 1
        elif opened.nodes:  # the end of a block is where the next thing begins, blank lines and comments later
            end_line, end_column = opened.nodes[-1].span.end_line, opened.nodes[-1].span.end_column
        span = Span(self.shown, line, column, end_line, end_column)
        return self._add(
            self._mapping(span, opened.nodes) if opened.is_mapping else Sequence(span, tuple(opened.nodes))
        )

    def _mapping(self, span: Span, nodes: list[Node]) -> Mapping:
        items: dict[str, Node] = {}
        keys: dict[str, Span] = {}
        for key, value in zip(nodes[::2], nodes[1::2], strict=False):  # a key may await its value where reading stopped
            name = key.value if isinstance(key, Scalar) else None
            if not isinstance(name, str):
                self._key_not_a_string(key)
            elif name in keys:
                notes = (Note(keys[name], "first given here"),)
                message = f"key `{brief(name)}` is given twice"
                self.findings.append(fault(faults.DUPLICATE_KEY, key.span, message, "delete one of them", notes))
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
        self._report(faults.KEY_NOT_A_STRING, key.span, f"this key is {kind}; keys are strings", advice)

    def _add(self, node: Node) -> bool:
        """Add a node to what stands open; False ends the reading."""
        if not self.stack:
            self.root = node
            return True
        within = self.stack[-1]
        within.nodes.append(node)
        kind, each = ("map", 2) if within.is_mapping else ("list", 1)
        if len(within.nodes) <= MAX_ITEMS * each:
            return True
        message = f"this {kind} has more than {MAX_ITEMS} items"
        self._report(faults.TOO_LARGE, node.span, message, f"shorten it: no {kind} of a manifest needs as many")
        return False

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
        span = self._place(mark.index if mark else 0, 1)
        notes: tuple[Note, ...] = ()
        if error.context and error.context_mark:
            here = self._place(error.context_mark.index, 1)
            notes = (Note(here, error.context),) if here != span else ()
        advice = _SYNTAX_HELP.get(problem, "quote the value if it is meant as text")
        if "directive" in problem or problem == "found incompatible YAML document":
            self._report(faults.DIRECTIVE, span, "YAML directive", _DELETE_LINE)
        else:
            self.findings.append(fault(faults.SYNTAX, span, f"this is not YAML: {problem}", advice, notes))

    def _span(self, event: Event) -> Span:
        start: Any = event.start_mark  # the stubs have no marks for events made by hand; parsed ones have both
        end: Any = event.end_mark
        if start.index == len(self.text):
            return self._place(start.index, 0)
        return Span(self.shown, start.line + 1, start.column + 1, end.line + 1, end.column + 1)

    def _place(self, index: int, width: int) -> Span:
        """The span at an index, held within what is written: at a text's end libyaml's marks are a line further."""
        index = min(index, len(self.text.rstrip()))
        line = self.text.count("\n", 0, index) + 1
        column = index - self.text.rfind("\n", 0, index)
        return Span(self.shown, line, column, line, column + width)

    def _word(self, event: Event, most: int | None = None) -> Span:
        """The span of what is written where the event starts, up to the next white space."""
        start: Any = event.start_mark
        word = _WORD.match(self.text, start.index)
        width = len(word[0][:most]) if word else 0
        return Span(self.shown, start.line + 1, start.column + 1, start.line + 1, start.column + 1 + width)

    def _block_span(self, event: ScalarEvent) -> Span:
        """The span of a block scalar without the blank lines that follow it."""
        start: Any = event.start_mark
        end: Any = event.end_mark
        lines = self.text[start.index : end.index].rstrip().split("\n")
        column = start.column + 1 + len(lines[0]) if len(lines) == 1 else len(lines[-1]) + 1
        return Span(self.shown, start.line + 1, start.column + 1, start.line + len(lines), column)

    def _report(self, rule: str, span: Span, message: str, advice: str) -> None:
        self.findings.append(fault(rule, span, message, advice))
