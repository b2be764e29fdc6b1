"""Identity templating: the parts of a policy's path that Vault fills in from the entity behind a token.

Source: sdk/helper/identitytpl/templating.go of vault v1.21.2, in its mode for ACLs.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from generator.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

_FILE_HELP = (
    'write {"entity": {"id": …, "name": …, "metadata": {…}, "aliases": [{"mount_accessor": …, "id": …, "name": …, '
    '"metadata": {…}, "custom_metadata": {…}}]}, "groups": [{"id": …, "name": …, "metadata": {…}}]}'
)


class UnbalancedError(ValueError):
    """A path with ``{{`` or ``}}`` that has no other half."""


@dataclass(frozen=True, slots=True)
class Alias:
    """An entity's alias at one auth mount."""

    mount_accessor: str
    id: str = ""
    name: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)
    custom_metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Entity:
    """The entity behind a token."""

    id: str = ""
    name: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)
    aliases: tuple[Alias, ...] = ()


@dataclass(frozen=True, slots=True)
class Group:
    """A group that the entity is a member of, directly or not."""

    id: str = ""
    name: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a token is for.

    Args:
        entity: None for a token without one.
        groups: The entity's groups.
    """

    entity: Entity | None = None
    groups: tuple[Group, ...] = ()

    @classmethod
    def of(cls, document: object) -> Identity:
        """Return the identity that a JSON document describes, with the names that Vault's API has.

        Raises:
            UsageError: When it is not such a document.
        """
        try:
            fields = _known(document, {"entity", "groups"})
            entity = fields.get("entity")
            return cls(
                None if entity is None else _entity(entity),
                tuple(Group(**_texts(group, {"id", "name"})) for group in _list(fields.get("groups", []))),
            )
        except (TypeError, ValueError) as error:
            raise UsageError(f"the identity cannot be read: {error}", help=_FILE_HELP) from error


def is_templated(path: str) -> bool:
    """Tell whether a path has a template.

    Raises:
        UnbalancedError: When ``{{`` and ``}}`` do not alternate.
    """
    first, *others = path.split("{{")
    if "}}" in first or any(part.count("}}") != 1 for part in others):
        raise UnbalancedError("unbalanced templating characters")
    return bool(others)


def selectors(path: str) -> tuple[str, ...]:
    """Return what stands between each ``{{`` and ``}}`` of a path."""
    return tuple(part.partition("}}")[0].strip() for part in path.split("{{")[1:])


def filled(path: str, identity: Identity) -> str | None:
    """Return a path with its templates filled in; None where a value is missing: Vault then leaves the rule out.

    Args:
        path: The path, whose templates are balanced and none of them about time.
        identity: Who the token is for.
    """
    first, *others = path.split("{{")
    text = first
    for part in others:
        selector, _, literal = part.partition("}}")
        value = _value(selector.strip(), identity)
        if value is None:
            return None
        text += value + literal
    return text


def _value(selector: str, identity: Identity) -> str | None:
    if selector.startswith("identity.entity.") and identity.entity is not None:
        return _of_entity(selector.removeprefix("identity.entity."), identity.entity)
    if selector.startswith("identity.groups."):
        return _of_group(selector.removeprefix("identity.groups."), identity.groups)
    return None


def _of_entity(selector: str, entity: Entity) -> str | None:
    if selector.startswith("aliases."):
        accessor, _, rest = selector.removeprefix("aliases.").partition(".")
        alias = next((alias for alias in entity.aliases if alias.mount_accessor == accessor), None)
        if alias is None:
            return None
        if rest.startswith("custom_metadata."):
            return alias.custom_metadata.get(rest.removeprefix("custom_metadata."))
        return _of_fields(rest, alias)
    return _of_fields(selector, entity)


def _of_fields(selector: str, fields: Entity | Alias) -> str | None:
    match selector:
        case "id":
            return fields.id or None
        case "name":
            return fields.name or None
    if selector.startswith("metadata."):
        return fields.metadata.get(selector.removeprefix("metadata."))
    return None


def _of_group(selector: str, groups: tuple[Group, ...]) -> str | None:
    kind, _, rest = selector.partition(".")
    wanted, _, attribute = rest.partition(".")
    if kind not in {"ids", "names"} or not attribute:
        return None
    group = next((group for group in groups if wanted == (group.id if kind == "ids" else group.name)), None)
    if group is None:
        return None
    match attribute:
        case "id":
            return group.id
        case "name":
            return group.name or None
    if attribute.startswith("metadata."):
        return group.metadata.get(attribute.removeprefix("metadata."))
    return None


def _entity(document: object) -> Entity:
    fields = _known(document, {"id", "name", "metadata", "aliases"})
    aliases = _list(fields.pop("aliases", []))
    return Entity(
        **_texts(fields, {"id", "name"}),
        aliases=tuple(Alias(**_texts(alias, {"mount_accessor", "id", "name"}, "custom_metadata")) for alias in aliases),
    )


def _texts(document: object, names: set[str], *maps: str) -> dict[str, Any]:
    fields = _known(document, names | {"metadata", *maps})
    for name, value in fields.items():
        values = [value] if name in names else list(value.values()) if isinstance(value, dict) else [None]
        if not all(isinstance(text, str) for text in values):
            raise TypeError(f"`{name}` is not {'text' if name in names else 'an object of texts'}")
    return fields


def _known(document: object, names: set[str]) -> dict[str, Any]:
    if not isinstance(document, dict):
        raise TypeError("an object is expected")
    if unknown := sorted(document.keys() - names):
        raise ValueError(f"`{unknown[0]}` is not one of {', '.join(sorted(names))}")
    return dict(document)


def _list(value: object) -> list[object]:
    if not isinstance(value, list):
        raise TypeError("a list is expected")
    return value
