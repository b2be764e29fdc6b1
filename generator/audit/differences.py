"""How what a file declares differs from what it must declare, field by field."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING

from generator.audit.declared import Reference

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from generator.audit.declared import Declaration


def differences(path: str, wanted: Sequence[Declaration], found: Sequence[Declaration]) -> Iterator[str]:
    """Yield a line for each difference: file, object, field, what was expected and what was found."""
    left = {item.address: item for item in wanted}
    for item in found:
        where = f"{path}:{item.span.line}: {item.address}"
        twin = left.pop(item.address, None)
        if twin is None:
            twice = any(item.address == other.address for other in wanted)
            yield f"{where} is {'declared twice' if twice else 'declared and should not be'}"
        else:
            for field, expected, actual in _fields(twin, item, ""):
                yield f"{where}: {field}: expected {_shown(expected)}, found {_shown(actual)}"
    for address in left:
        yield f"{path}: {address} is not declared"


def _fields(wanted: object, found: object, name: str) -> Iterator[tuple[str, object, object]]:
    if type(wanted) is not type(found):
        yield name, wanted, found
    elif is_dataclass(wanted) and not isinstance(wanted, Reference):
        for field in fields(wanted):
            if field.compare:
                inner = f"{name}.{field.name}" if name else field.name
                yield from _fields(getattr(wanted, field.name), getattr(found, field.name), inner)
    elif isinstance(wanted, tuple) and isinstance(found, tuple) and len(wanted) == len(found):
        for index, (one, other) in enumerate(zip(wanted, found, strict=True)):
            yield from _fields(one, other, f"{name}[{index}]")
    elif wanted != found:
        yield name, wanted, found


def _shown(value: object) -> str:
    match value:
        case None | bool():
            return {None: "nothing", True: "true", False: "false"}[value]
        case str():
            return f'"{value}"'
        case tuple():
            return f"[{', '.join(map(_shown, value))}]"
        case _ if is_dataclass(value) and not isinstance(value, Reference):
            inside = ", ".join(f"{field.name} {_shown(getattr(value, field.name))}" for field in fields(value))
            return f"{{{inside}}}"
        case _:
            return str(value)
