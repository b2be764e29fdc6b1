"""The JSON Schemas of the manifests, for editors and other tools: the models, said in JSON Schema's words."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from pydantic.json_schema import GenerateJsonSchema

from generator.manifest.account import AccountManifest
from generator.manifest.client import ClientManifest
from generator.manifest.settings import FleetSettings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.manifest.values import Model

_KINDS: Final[tuple[tuple[str, str, type[Model]], ...]] = (
    ("client", "Client manifest of crosskeys", ClientManifest),
    ("account", "Account manifest of crosskeys", AccountManifest),
    ("fleet", "Fleet settings of crosskeys", FleetSettings),
)


def schemas() -> dict[str, str]:
    """Return the JSON Schema (draft 2020-12) of each kind of file, as text by file name.

    A schema says what holds for one file by itself; rules that compare files are for ``crosskeys validate``.
    """
    return {f"{kind}.schema.json": _text(title, model) for kind, title, model in _KINDS}


def _text(title: str, model: type[Model]) -> str:
    schema = model.model_json_schema(schema_generator=_Generator)
    definitions = schema.pop("$defs")
    used = _reachable(schema, definitions)
    whole = {
        "$schema": GenerateJsonSchema.schema_dialect,
        **schema,
        "title": title,
        "$defs": {name: definitions[name] for name in sorted(used)},
    }
    return json.dumps(_plain(whole), indent=2, ensure_ascii=False) + "\n"


class _Generator(GenerateJsonSchema):
    """Pydantic's generator without titles that only repeat the key."""

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002 - pydantic's signature
        return False


def _plain(node: Any) -> Any:
    """Drop defaults that say no more than that a key can be left out: null, and a model made of its defaults."""
    if isinstance(node, list):
        return [_plain(item) for item in node]
    if not isinstance(node, dict):
        return node
    empty = "default" in node and (node["default"] is None or "$ref" in node)
    return {key: _plain(value) for key, value in node.items() if not (empty and key == "default")}


def _reachable(node: Any, definitions: dict[str, Any]) -> set[str]:
    found: set[str] = set()
    pending = list(_references(node))
    while pending:
        name = pending.pop()
        if name not in found:
            found.add(name)
            pending.extend(_references(definitions[name]))
    return found


def _references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(reference := node.get("$ref"), str):
            yield reference.rpartition("/")[2]
        node = list(node.values())
    if isinstance(node, list):
        for item in node:
            yield from _references(item)
