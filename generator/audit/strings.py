"""HCL's two ways to write a string, decoded as Terraform does: quoted, and heredocs."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

_ESCAPE = re.compile(r"\\(u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8}|[nrt\"\\])|\\")
_SIMPLE = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\"}
_PRIVATE_USE = range(0xE000, 0xF900)


@dataclass(frozen=True, slots=True)
class Masked:
    """A text in which the escapes of ``${`` and ``%{`` are stood in for by characters that it does not use.

    python-hcl2 takes such an escape to reach to the next brace, through quotes and lines; HCL ends it at the brace that
    it begins with. Each stand-in is as long as what it stands for, so positions hold.
    """

    text: str
    dollar: str
    percent: str

    def unmasked(self, part: str) -> str:
        """Return part of the text with what the escapes stand for."""
        return part.replace(self.dollar, "${").replace(self.percent, "%{")


def masked(text: str) -> Masked:
    """Return the text with its escapes of ``${`` and ``%{`` masked.

    Raises:
        ValueError: For a text that uses all of Unicode's first private use area.
    """
    unused = (chr(code) * 3 for code in _PRIVATE_USE if chr(code) not in text)
    dollar, percent = next(unused, None), next(unused, None)
    if dollar is None or percent is None:
        raise ValueError("a text that leaves no private use character unused")
    return Masked(text.replace("$${", dollar).replace("%%{", percent), dollar, percent)


def unescaped(raw: str) -> str:
    """Return what stands between the quotes of a string, its backslash escapes decoded.

    Raises:
        ValueError: For a line break, an escape that HCL does not know, or one of no character.
    """
    if "\n" in raw:
        raise ValueError("a line break in a quoted string")
    return _ESCAPE.sub(_character, raw) if "\\" in raw else raw


def _character(escape: re.Match[str]) -> str:
    found = escape[1]
    if found is None:
        raise ValueError("an escape that HCL does not know")
    if found in _SIMPLE:
        return _SIMPLE[found]
    code = int(found[1:], 16)
    if not 0 < code <= 0x10FFFF or 0xD800 <= code <= 0xDFFF:  # noqa: PLR2004 - Unicode's own bounds
        raise ValueError(f"the escape \\{found} is no character")
    return chr(code)


def _may_extend(first: str) -> bool:
    """Tell whether a character may be part of the one before it; of the stand-ins for escapes it is known."""
    return not first.isascii() and unicodedata.category(first) != "Co"


def heredoc(token: str) -> tuple[str, int]:
    """Return the text of a heredoc, and how many characters of indentation were taken off its lines.

    ``<<-`` takes off the least indentation of any line; lines of blanks alone neither count nor change
    (flushHeredocTemplateParts in hclsyntax/parser_template.go).

    Args:
        token: All of it, from ``<<`` to the line that ends it.

    Raises:
        ValueError: For an interpolation, a directive, an odd marker, when Terraform would see another end, or when it
            is not sure how much of the indentation Terraform takes off.
    """
    opening = re.match(r"<<(-?)([A-Za-z][A-Za-z0-9_-]*)\n", token, re.ASCII)
    if opening is None:
        raise ValueError("a heredoc whose marker is not a plain name")
    flush, marker = opening.groups()
    *lines, end = token[opening.end() :].removesuffix("\n").split("\n")
    # Terraform ends a heredoc at the first line that is the marker but for white space, on either side.
    if end.strip(" \t") != marker or any(line.strip() == marker for line in lines):
        raise ValueError(f"a heredoc in which {marker} stands on a line before its end")
    text = "".join(f"{line}\n" for line in lines)
    if "${" in text or "%{" in text:
        raise ValueError("a heredoc with an interpolation or a directive")
    if not flush:
        return text, 0
    # Terraform counts what a reader takes for one character: a mark that follows a blank is part of that blank.
    if any(_may_extend(line.lstrip()[:1]) for line in lines):
        raise ValueError("an indented heredoc with a line that begins with a character beyond ASCII")
    indents = [len(line) - len(line.lstrip()) for line in lines if line.strip()]
    indent = min(indents, default=0)
    return "".join(f"{line[indent:] if line.strip() else line}\n" for line in lines), indent
