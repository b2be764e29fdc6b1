"""The same fleet as a Terramate project: a stack for each client and each account, equal resources in equal files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from generator.manifest.values import seconds
from generator.sandbox.gobuild import GoModule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.fleets import Manifest, SyntheticFleet

TERRAMATE = GoModule(
    folder="terramate",
    title="Terramate 0.17.2",
    programs=(("terramate", "github.com/terramate-io/terramate/cmd/terramate"),),
    instead="run the benchmarks without it: it is then reported as absent",
)

SETTINGS = "disable_checkpoint = true\ndisable_telemetry = true\n"
"""Terramate's own settings (its TM_CLI_CONFIG_FILE): it calls nobody while it is measured."""

GENERATED = ("vault.tf", "aws.tf", "vault-root.tf", "aws-root.tf", "vault-sts.tf", "aws-sts.tf")
"""Names of the files that it generates, in each stack those that apply."""

_PEERS = Path(__file__).with_name("peers")


def write_project(folder: Path, fleet: SyntheticFleet) -> None:
    """Write a fleet as a Terramate project. The folder must be made a git repository, as Terramate wants it."""
    for kind in ("clients", "accounts"):
        (folder / kind).mkdir(parents=True)
        template = (_PEERS / f"{kind}.tm.hcl").read_text("utf-8")
        (folder / kind / "generate.tm.hcl").write_text(template, "utf-8")
    accounts = {client["account_id"] for client in fleet.clients.values()} | fleet.accounts.keys()
    for account_id in sorted(accounts):
        manifest = fleet.accounts.get(account_id, {})
        _write(folder / "accounts" / account_id / "stack.tm.hcl", account_id, _account(account_id, manifest))
        (folder / "clients" / account_id).mkdir()
        shared = _globals({"account_id": account_id})
        (folder / "clients" / account_id / "account.tm.hcl").write_text(shared, "utf-8")
    for client in fleet.clients.values():
        if "retire" not in client:
            write_client(folder, client)


def write_client(folder: Path, client: Manifest) -> None:
    """Write one client's stack."""
    _write(stack_of(folder, client) / "stack.tm.hcl", client["name"], dict(_client(client)))


def stack_of(folder: Path, client: Manifest) -> Path:
    """Return the folder of a client's stack."""
    return folder.joinpath("clients", client["account_id"], client["name"])


def _write(path: Path, name: str, values: Manifest) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"stack {{\n  name = {json.dumps(name)}\n}}\n\n{_globals(values)}", "utf-8")


def _globals(values: Manifest) -> str:
    # A JSON value is an HCL expression too, as long as no string of it holds a template; these do not.
    lines = (f"  {name} = {json.dumps(value, ensure_ascii=False)}\n" for name, value in values.items())
    return f"globals {{\n{''.join(lines)}}}\n"


def _account(account_id: str, manifest: Manifest) -> Manifest:
    sts = manifest.get("sts", {})
    values = {
        "region": manifest.get("region"),
        "tags": manifest.get("tags"),
        "provisioner": manifest.get("provisioner_role"),
        "sts_role": sts.get("role"),
        "external_id": sts.get("external_id"),
    }
    return {"account_id": account_id} | {name: value for name, value in values.items() if value}


def _client(client: Manifest) -> Iterator[tuple[str, object]]:
    """Yield a client's globals: what differs from the defaults, as in its manifest."""
    yield "name", client["name"]
    yield "owner", client["owner"]
    yield "role_name", client["role_name"]
    for name in ("description", "change_ref"):
        if name in client:
            yield name, client[name]
    vault, aws = client.get("vault", {}), client.get("aws", {})
    if "role" in vault:
        yield "vault_role", vault["role"]
    if login := dict(_login(vault)):
        yield "login", login
    if "grants" in client:
        yield "grants", [grant["path"] for grant in client["grants"]]
    if "suspend" in client:
        yield "suspended", True
    if "tags" in aws:
        yield "aws_tags", {"tags": aws["tags"]}
    renamed = {
        "role": "aws_role",
        "role_path": "aws_path",
        "instance_profile": "profile",
        "trusted_services": "services",
        "permissions_boundary": "boundary",
        "max_session_duration": "max_session",
    }
    yield from ((renamed[name], value) for name, value in aws.items() if name in renamed)


def _login(vault: Manifest) -> Iterator[tuple[str, object]]:
    if "token_ttl" in vault:
        yield "token_ttl", seconds(vault["token_ttl"])
    if "token_bound_cidrs" in vault:
        yield "token_bound_cidrs", vault["token_bound_cidrs"]
    if "resolve_unique_ids" in vault:
        yield "resolve_aws_unique_ids", True
    if "ec2" in vault:
        yield "inferred_entity_type", "ec2_instance"
        yield "inferred_aws_region", vault["ec2"]["region"]
        yield "bound_vpc_ids", vault["ec2"]["vpc_ids"]
