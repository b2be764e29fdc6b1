"""The arguments of a block, taken one by one; whatever nobody took is unknown and so an error."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NoReturn, TypeVar, overload

from generator.audit.declared import Reference
from generator.audit.faults import NOT_LITERAL, REPEATED, UNKNOWN, WRONG_VALUE, Unreadable
from generator.audit.hcl import Traversal
from generator.audit.refused import because

if TYPE_CHECKING:
    from generator.audit.declared import Declaration, Pairs, Scalar, Setting
    from generator.audit.hcl import Attribute, Block, Body, Value
    from generator.diagnostics import Span

T = TypeVar("T")
D = TypeVar("D")


class _Required:
    """Stands for the default of an argument that has none."""


_REQUIRED = _Required()
_NO_OBJECTS = frozenset({"data", "var", "local", "module", "each", "path", "terraform", "self", "count", "ephemeral"})
_IDS = {
    "aws_iam_instance_profile": "name",
    "aws_iam_role": "name",
    "vault_auth_backend": "path",
    "vault_mount": "path",
    "vault_policy": "name",
}
"""Which argument of a resource is its ``id``, by its type; from the providers' sources."""


class Arguments:
    """What is in one block, less what was taken already.

    Args:
        body: Its arguments and nested blocks.
        span: The block, for errors about what is missing.
        name: What errors call it.
    """

    def __init__(self, body: Body, span: Span, name: str) -> None:
        self.span = span
        self._name = name
        self._attributes = dict(body.attributes)
        self._blocks = list(body.blocks)

    @overload
    def take(self, name: str, kind: Callable[[Value], T]) -> T: ...

    @overload
    def take(self, name: str, kind: Callable[[Value], T], default: D) -> T | D: ...

    def take(self, name: str, kind: Callable[[Value], T], default: D | _Required = _REQUIRED) -> T | D:
        """Return an argument's value.

        Args:
            name: The argument.
            kind: Makes the value what it must be, or raises a ValueError that says what was expected.
            default: What an absent argument stands for; without it, one that is absent is an error.

        Raises:
            Unreadable: When it is absent or of another kind.
        """
        if name not in self._attributes and not isinstance(default, _Required):
            return default
        attribute = self.attribute(name)
        try:
            return kind(attribute.value)
        except ValueError as error:
            rule = NOT_LITERAL if isinstance(attribute.value, Traversal) else WRONG_VALUE
            raise Unreadable(
                rule, attribute.span, f"`{name}` of {self._name} is {shown(attribute.value)}, not {error}"
            ) from None

    def attribute(self, name: str) -> Attribute:
        """Return an argument as it stands.

        Raises:
            Unreadable: When it is absent.
        """
        if name not in self._attributes:
            raise Unreadable(WRONG_VALUE, self.span, f"{self._name} has no `{name}`")
        return self._attributes.pop(name)

    def give_back(self, attribute: Attribute) -> None:
        """Let an argument that was looked at be taken as if it had not been."""
        self._attributes[attribute.name] = attribute

    def rest(self, kind: Callable[[Value], T]) -> tuple[tuple[str, T], ...]:
        """Return every argument that is left, by name."""
        return tuple(sorted((name, self.take(name, kind)) for name in tuple(self._attributes)))

    def many(self, kind: str, read: Callable[[Arguments], T]) -> tuple[T, ...]:
        """Return what ``read`` makes of each nested block of a kind; these have no labels."""
        return tuple(self._read(block, read, 0) for block in self._pop(kind))

    def at_most_one(self, kind: str, read: Callable[[Arguments], T]) -> T | None:
        """Return what ``read`` makes of the nested block of a kind, None where there is none."""
        found = self._only(kind)
        return self._read(found, read, 0) if found else None

    def labelled(self, kind: str, read: Callable[[Arguments, str], T]) -> T | None:
        """Return what ``read`` makes of the nested block of a kind and its one label, None where there is none."""
        found = self._only(kind)
        return self._read(found, lambda inside: read(inside, found.labels[0]), 1) if found else None

    def close(self) -> None:
        """End the reading of the block.

        Raises:
            Unreadable: For what nobody took.
        """
        for attribute in self._attributes.values():
            raise Unreadable(
                UNKNOWN, attribute.span, f"{self._name} has an argument `{attribute.name}`{because(attribute.name)}"
            )
        for block in self._blocks:
            raise Unreadable(UNKNOWN, block.span, f"{self._name} has a block `{block.type}`{because(block.type)}")

    def _only(self, kind: str) -> Block | None:
        found = self._pop(kind)
        if len(found) > 1:
            raise Unreadable(REPEATED, found[1].span, f"{self._name} has two blocks `{kind}`")
        return found[0] if found else None

    def _pop(self, kind: str) -> list[Block]:
        found = [block for block in self._blocks if block.type == kind]
        self._blocks = [block for block in self._blocks if block.type != kind]
        return found

    def _read(self, block: Block, read: Callable[[Arguments], T], labels: int) -> T:
        if len(block.labels) != labels:
            raise Unreadable(UNKNOWN, block.span, f"the block `{block.type}` of {self._name} has other labels")
        inside = Arguments(block.body, block.span, f"`{block.type}` of {self._name}")
        found = read(inside)
        inside.close()
        return found


Reader = Callable[[Arguments, str, str], "Declaration | tuple[Declaration, ...]"]
"""Makes of a block, its label and its root what it declares."""


def shown(value: Value) -> str:
    """Return a value for an error message, as HCL writes it, cut to a readable length."""
    match value:
        case bool() | None:
            text = {True: "true", False: "false", None: "null"}[value]
        case str():
            text = f'"{value}"'
        case tuple():
            text = "a list"
        case Mapping():
            text = "an object"
        case _:
            text = str(value)
    return text if len(text) <= 80 else f"{text[:77]}..."  # noqa: PLR2004 - about a line


def text(value: Value) -> str:
    """Return a string."""
    return value if isinstance(value, str) else _expected("a string")


def number(value: Value) -> int:
    """Return a whole number."""
    return value if isinstance(value, int) and not isinstance(value, bool) else _expected("a whole number")


def boolean(value: Value) -> bool:
    """Return true or false."""
    return value if isinstance(value, bool) else _expected("true or false")


def texts(value: Value) -> tuple[str, ...]:
    """Return a list of strings."""
    return tuple(_each(value, text, "a list of strings"))


def pairs(value: Value) -> Pairs:
    """Return an object of strings, by key."""
    if not isinstance(value, Mapping):
        _expected("an object of strings")
    return tuple(sorted((key, text(item)) for key, item in value.items()))


def setting(value: Value) -> Setting:
    """Return a string, a whole number, true or false, a list of these, or an object of such."""
    if isinstance(value, Mapping):
        return tuple(sorted((key, _simple(item)) for key, item in value.items()))
    return _simple(value)


def _simple(value: Value) -> Scalar | tuple[Scalar, ...]:
    return tuple(map(_scalar, value)) if isinstance(value, tuple) else _scalar(value)


def _scalar(value: Value) -> Scalar:
    return value if isinstance(value, str | bool | int) else _expected("a string, a whole number, true or false")


def reference(value: Value) -> Reference:
    """Return a reference to an attribute of an object of the root."""
    steps = value.steps if isinstance(value, Traversal) else ()
    match steps:
        case ("data", kind, label, attribute):
            return Reference(f"data.{kind}.{label}", attribute)
        case ("var", name):
            return Reference(f"var.{name}")
        case (kind, label, attribute) if kind not in _NO_OBJECTS:
            return Reference(f"{kind}.{label}", _IDS.get(kind, "id") if attribute == "id" else attribute)
        case _:
            return _expected("an attribute of an object of this root")


def text_or_reference(value: Value) -> str | Reference:
    """Return a string, or a reference to one."""
    return value if isinstance(value, str) else reference(value)


def texts_or_references(value: Value) -> tuple[str | Reference, ...]:
    """Return a list of strings and references to strings."""
    return tuple(_each(value, text_or_reference, "a list of strings"))


def boolean_or_reference(value: Value) -> bool | Reference:
    """Return true or false, or a reference to one."""
    return value if isinstance(value, bool) else reference(value)


def _each(value: Value, kind: Callable[[Value], T], expected: str) -> list[T]:
    if not isinstance(value, tuple):
        _expected(expected)
    return [kind(item) for item in value]


def _expected(what: str) -> NoReturn:
    raise ValueError(what)
