"""Import blocks: what exists already is taken into Terraform's state instead of being made, or overwritten.

An import file is a function of the objects that its root declares and of which of them are chosen, and of nothing else:
each block imports one object, by the id that follows from its declaration. What imports anything else is not believed.
It stands beside the file that declares the objects: ``import-client-payments.tf`` beside ``client-payments.tf``.
"""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from generator.audit.declared import Import, Reference, Resource
from generator.render import hcl
from generator.render.head import stamped
from generator.render.layout import layout

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from generator.audit.declared import Declaration, Declared
    from generator.manifest.fleet import Fleet

Key = tuple[str, str]
"""An object's root and its address there."""

_PREFIX = "import-"
_INSTEAD = "`crosskeys import` writes this file, `crosskeys prune` removes it"
_INTRODUCTION = """\
# What stands here was there before Terraform knew of it: it is taken over as it is declared in this root. Once it is in
# the state these blocks do nothing, and `crosskeys prune` removes them.
"""

# By the providers' own import functions and documentation: hashicorp/vault 5.9.0, hashicorp/aws 5.100.0.
_IDS = {
    "aws_iam_instance_profile": "{name}",
    "aws_iam_role": "{name}",
    "aws_iam_role_policy": "{role}:{name}",
    "vault_auth_backend": "{path}",
    "vault_aws_auth_backend_client": "auth/{backend}/config/client",
    "vault_aws_auth_backend_config_identity": "auth/{backend}/config/identity",
    "vault_aws_auth_backend_role": "auth/{backend}/role/{role}",
    "vault_aws_auth_backend_sts_role": "auth/{backend}/config/sts/{account_id}",
    "vault_mount": "{path}",
    "vault_policy": "{name}",
}


def import_id(declared: Declared, item: Declaration) -> str | None:
    """Return the id by which Terraform imports an object that exists; None for what it cannot import.

    Args:
        declared: All that the tree declares.
        item: One of its objects.
    """
    pattern = _IDS.get(item.kind) if isinstance(item, Resource) else None
    return pattern and pattern.format_map(_Texts(declared, item))


def import_files(fleet: Fleet, declared: Declared, chosen: Collection[Key]) -> dict[str, str]:
    """Return the files that import the chosen objects, and what the same files import already.

    Args:
        fleet: The fleet whose tree it is; tells which manifest each file is from.
        declared: All that the tree declares, import blocks included.
        chosen: Root and address of each object.

    Returns:
        Their texts by path, relative to the fleet's folder, in the order of the paths.

    Raises:
        KeyError: For an object that the tree does not declare or that Terraform cannot import.
    """
    by_path: dict[str, set[Key]] = {}
    for key in chosen:
        by_path.setdefault(import_path(declared.objects[key]), set()).add(key)
    for block in declared.of(Import):
        if block.span.path in by_path:
            by_path[block.span.path].add((block.root, block.to))
    origins = {page.path: page.origin for root in layout(fleet) for page in root.pages}
    return {
        path: import_text(declared, [declared.objects[key] for key in keys], origins)
        for path, keys in sorted(by_path.items())
    }


def import_path(item: Declaration) -> str:
    """Return the path of the file that imports an object."""
    folder, name = posixpath.split(item.span.path)
    return f"{folder}/{_PREFIX}{name}"


def is_import_path(path: str) -> bool:
    """Tell whether a file of the tree is one for import blocks: nothing else that is rendered has such a name."""
    return posixpath.basename(path).startswith(_PREFIX)


def import_text(declared: Declared, items: Iterable[Declaration], origins: Mapping[str, str]) -> str:
    """Return the text of the file that imports objects of one file.

    Args:
        declared: All that the tree declares.
        items: The objects; at least one.
        origins: The manifest from which each file of the tree is rendered, by the file's path.

    Raises:
        KeyError: For an object that Terraform cannot import.
    """
    ordered = sorted(items, key=lambda item: item.address)
    body = "\n".join([_INTRODUCTION, *(_block(declared, item) for item in ordered)])
    return stamped(body, origins[ordered[0].span.path], _INSTEAD)


def _block(declared: Declared, item: Declaration) -> str:
    name = import_id(declared, item)
    if name is None:
        raise KeyError(item.address)
    return f"import {{\n  to = {item.address}\n  id = {hcl.literal(name)}\n}}\n"


class _Texts(dict[str, str]):
    """The arguments of an object as Terraform will have them, by name."""

    def __init__(self, declared: Declared, item: Declaration) -> None:
        self._declared, self._item = declared, item

    def __missing__(self, name: str) -> str:
        value = getattr(self._item, name)
        text = self._declared.text(self._item.root, value) if isinstance(value, Reference) else value
        return str(text)
