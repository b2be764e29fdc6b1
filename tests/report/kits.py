"""Kits of fleets that are made up, nothing of which is on disk."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from generator.audit.declared import Declared
from generator.audit.expected import expected
from generator.manifest.account import AccountManifest
from generator.manifest.client import ClientManifest
from generator.manifest.fleet import Fleet, resolve
from generator.manifest.load import Manifests
from generator.manifest.settings import FleetSettings
from generator.manifest.source import parse
from generator.manifest.validate import Sourced, validate
from generator.render.layout import layout
from generator.render.render import Renderer
from generator.report.kit.contents import File, contents
from generator.report.kit.scope import Scope, of_account, of_client
from generator.resources import data

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

ACCOUNT_ID = "444444444444"
ADDRESS = "https://vault.example.com:8200"
SETTINGS: dict[str, Any] = {"live": {"vault_address": ADDRESS}, "vault": {"server_id_header": "vault.example.com"}}
CLIENT: dict[str, Any] = {
    "name": "gateway",
    "account_id": ACCOUNT_ID,
    "role_name": "gateway-app",
    "owner": "gateway@example.com",
}
STS = {"name": "edge", "owner": "x", "sts": {"role": "vault-lookup", "external_id": "id-1"}}

_TEMPLATES = [data("templates")]
_RENDERER = Renderer(_TEMPLATES)


def fleet_of(
    *clients: Mapping[str, Any], settings: Mapping[str, Any] = SETTINGS, account: Mapping[str, Any] | None = None
) -> Fleet:
    """Return the fleet that manifests make."""
    accounts = {}
    if account is not None:
        accounts[ACCOUNT_ID] = _read(f"clients/accounts/{ACCOUNT_ID}.yaml", account, AccountManifest)
    return resolve(
        Manifests(
            FleetSettings.model_validate({"version": 1, **settings}),
            None,
            accounts,
            tuple(_read(f"clients/{client['name']}.yaml", client, ClientManifest) for client in clients),
        )
    )


def declared_by(fleet: Fleet) -> Declared:
    """Return what the fleet's tree declares: what reading it back is compared with."""
    items = [item for declarations in dict(expected(fleet)).values() for item in declarations]
    return Declared({(item.root, item.address): item for item in items})


def texts_of(fleet: Fleet) -> dict[str, str]:
    """Return the text of every file of the fleet's tree."""
    return _RENDERER.render(page for root in layout(fleet) for page in root.pages)


def kit_of(scope: Scope, folders: Sequence[Path] = ()) -> dict[str, File]:
    """Return the files of a kit."""
    return contents(scope, declared_by(scope.fleet), texts_of(scope.fleet), [*folders, *_TEMPLATES])


def kit(name: str, *clients: Mapping[str, Any], **fleet: Any) -> dict[str, str]:
    """Return the texts of a client's kit, or of its account's where the name is an account's."""
    made = fleet_of(*clients, **fleet)
    scope = of_account(made, name) if name.isdigit() else of_client(made, name)
    return {path: file.data.decode() for path, file in kit_of(scope).items()}


def _read(path: str, manifest: Mapping[str, Any], model: Any) -> Any:
    document = parse(json.dumps(manifest, ensure_ascii=False).encode(), path)
    assert not isinstance(document, tuple), document
    found = validate(document, model)
    assert isinstance(found, Sourced), found
    return found
