"""Findings for people: in full with their source lines, or a line each for editors and grep."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.color import ColorSystem
from rich.style import Style

from generator.diagnostics import Diagnostic, Severity, Span
from generator.report.counts import summary
from generator.report.text import excerpt, visible

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

_SEVERITY_STYLE = {Severity.ERROR: "bold red", Severity.WARNING: "bold yellow"}
_FRAME_STYLE = "bold blue"
_HELP_STYLE = "bold cyan"


def full(ordered: Sequence[Diagnostic], lines: Callable[[str], list[str]], *, color: bool) -> str:
    """Return each finding with the source lines it is about, and a summary; empty if there are no findings.

    Args:
        ordered: The findings.
        lines: Gives the lines of a file by the path of a span; none where there are none to show.
        color: Whether to use ANSI colours.
    """
    if not ordered:
        return ""
    block = _Block(lines, _Paint(color))
    blocks = ["".join(f"{line}\n" for line in block.of(finding)) for finding in ordered]
    return "\n".join([*blocks, f"{summary(ordered)}\n"])


def concise(ordered: Sequence[Diagnostic], *, color: bool) -> str:
    """Return one line a finding: ``path:line:column: severity rule message``."""
    paint = _Paint(color)
    return "".join(
        f"{visible(str(finding.span))}: {paint(str(finding.severity), _SEVERITY_STYLE[finding.severity])} "
        f"{visible(finding.rule)} {visible(finding.message)}\n"
        for finding in ordered
    )


@dataclass(frozen=True, slots=True)
class _Paint:
    """Wraps text in ANSI colours, or leaves it alone."""

    color: bool

    def __call__(self, text: str, style: str) -> str:
        return Style.parse(style).render(text, color_system=ColorSystem.STANDARD) if self.color and text else text


@dataclass(frozen=True, slots=True)
class _Block:
    """Lays out one finding."""

    lines: Callable[[str], list[str]]
    paint: _Paint

    def of(self, finding: Diagnostic) -> Iterator[str]:
        gutter = max(len(str(span.line)) for span in (finding.span, *(note.span for note in finding.notes)))
        style = _SEVERITY_STYLE[finding.severity]
        head = self.paint(f"{finding.severity}[{visible(finding.rule)}]", style)
        yield head + self.paint(f": {visible(finding.message)}", "bold")
        yield from self._place(finding.span, gutter, "^", style)
        for note in finding.notes:
            yield self.paint("note", _FRAME_STYLE) + f": {visible(note.message)}"
            yield from self._place(note.span, gutter, "-", _FRAME_STYLE)
        if finding.help:
            yield self.paint("help", _HELP_STYLE) + f": {visible(finding.help)}"

    def _place(self, span: Span, gutter: int, mark: str, style: str) -> Iterator[str]:
        yield f"{' ' * gutter}{self.paint('-->', _FRAME_STYLE)} {visible(str(span))}"
        lines = self.lines(span.path)
        if not 1 <= span.line <= len(lines):
            return
        shown, indent, width = excerpt(lines[span.line - 1], span)
        bar = self.paint(f"{' ' * gutter} |", _FRAME_STYLE)
        yield bar
        yield f"{self.paint(f'{span.line:>{gutter}} |', _FRAME_STYLE)} {shown}".rstrip()
        yield f"{bar} {' ' * indent}{self.paint(mark * width, style)}"
        yield bar
