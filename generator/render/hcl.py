"""The only way in which a value becomes HCL.

A template can print nothing but ``Hcl``: plain strings are refused, so a value that was not made a literal here cannot
reach a rendered file.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping


class Hcl(str):
    """A piece of HCL, already escaped."""

    __slots__ = ()


_PLAIN = re.compile(r"[A-Za-z0-9 _=,.@:/*+-]*", re.ASCII)
"""Text in which HCL would read nothing but itself: most of what there is."""
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*", re.ASCII)
_LINE_BREAKS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_ESCAPES = {
    **{code: f"\\u{code:04x}" for code in (*range(1, 0x20), 0x7F)},
    **str.maketrans({"\n": r"\n", "\r": r"\r", "\t": r"\t", '"': r"\"", "\\": r"\\"}),
}


def literal(value: object, indent: int = 0) -> Hcl:  # noqa: PLR0911 - one for each type
    """Return the HCL literal that Terraform evaluates to ``value``, as ``terraform fmt`` writes it.

    Args:
        value: A string, boolean, integer or None, a list or tuple of these, or a mapping to any of these.
        indent: Indentation, in spaces, of the line on which the value begins; a mapping takes a line for each key.

    Strings follow HCL's template syntax: backslash escapes, then ``${`` and ``%{`` doubled to stay text
    (https://github.com/hashicorp/hcl/blob/main/hclsyntax/spec.md#template-expressions).

    Raises:
        TypeError: For any other type.
        ValueError: For a string that HCL cannot hold: one with a NUL or a lone surrogate.
    """
    match value:
        case Hcl():
            return value
        case str():
            return Hcl(_quoted(value))
        case bool():
            return Hcl("true" if value else "false")
        case int():
            return Hcl(str(value))
        case None:
            return Hcl("null")
        case Mapping():
            return Hcl(_braced({_key(str(key)): _within(item, Mapping) for key, item in value.items()}, indent))
        case list() | tuple():
            return Hcl(f"[{', '.join(_within(item, (Mapping, list, tuple)) for item in value)}]")
        case _:
            raise TypeError(f"no HCL literal for {type(value).__name__}")


def _within(value: object, refused: type | tuple[type, ...]) -> Hcl:
    # No manifest nests deeper, and what is nested deeper is laid out by other rules.
    if isinstance(value, refused):
        raise TypeError(f"no HCL literal for {type(value).__name__} at this depth")
    return literal(value)


def identifier(name: str) -> Hcl:
    """Return ``name`` as a block label's or an attribute's name.

    Raises:
        ValueError: When it is no HCL identifier.
    """
    if _IDENTIFIER.fullmatch(name) is None:
        raise ValueError(f"not an HCL identifier: {name!r}")
    return Hcl(name)


def label(name: str) -> Hcl:
    """Return ``name`` as a quoted block label, such as the name of a resource."""
    return Hcl(f'"{identifier(name)}"')


def comment(text: str) -> Hcl:
    """Return free text as the rest of a comment line, in a file or in a heredoc.

    Line breaks and control characters become spaces. ``${`` and ``%{`` are doubled, for a heredoc would evaluate them.
    """
    return Hcl(_inert(_LINE_BREAKS.sub(" ", text)))


def policy_path(path: str) -> Hcl:
    """Return a path as the quoted label of a rule in a Vault policy that stands in a heredoc.

    A heredoc has no backslash escapes and evaluates ``${`` and ``%{``; the policy inside is HCL again, and Vault reads
    ``{{`` as templating. A path that would need any of these is refused rather than escaped twice.

    Raises:
        ValueError: When a character is other than a letter, digit or one of ``_=,.@/*+-``.
    """
    if re.fullmatch(r"[A-Za-z0-9_=,.@/*+-]+", path, re.ASCII) is None:
        raise ValueError(f"not a plain policy path: {path!r}")
    return Hcl(f'"{path}"')


def _quoted(text: str) -> str:
    if _PLAIN.fullmatch(text):
        return f'"{text}"'
    if "\0" in text:
        raise ValueError("HCL cannot hold a NUL character")
    text.encode()
    return f'"{_inert(text.translate(_ESCAPES))}"'


def _inert(text: str) -> str:
    return text.replace("${", "$${").replace("%{", "%%{")


def _key(text: str) -> str:
    # A map that begins with the bare word `for` is a comprehension, and the others are values.
    plain = _IDENTIFIER.fullmatch(text) and text not in {"for", "null", "true", "false"}
    return text if plain else _quoted(text)


def _braced(pairs: Mapping[str, str], indent: int) -> str:
    if not pairs:
        return "{}"
    # Keys that cannot be aligned stand apart: `terraform fmt` aligns no further than to an empty line.
    aligned = all(map(_is_column_wise, pairs))
    width = max(map(len, pairs)) if aligned else 0
    lines = [f"{' ' * (indent + 2)}{key}{' ' * (width - len(key))} = {item}" for key, item in pairs.items()]
    inner = ("\n" if aligned else "\n\n").join(lines)
    return f"{{\n{inner}\n{' ' * indent}}}"


def _is_column_wise(key: str) -> bool:
    # `terraform fmt` aligns by grapheme clusters, of which Python knows nothing: one character each is sure of these.
    return key.isascii() or all(c.isascii() or unicodedata.category(c) in {"Lu", "Ll", "Nd"} for c in key)
