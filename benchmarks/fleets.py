"""Made-up fleets of any size, as varied as real ones: the same for the same seed, on every machine."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

Manifest = dict[str, Any]

SETTINGS: Manifest = {
    "version": 1,
    "vault": {
        "server_id_header": "vault.example.com",
        "principals": ["arn:aws:iam::999999999999:role/hcp-vault"],
    },
    "defaults": {"token_ttl": "1h", "token_max_ttl": "4h"},
    "aws": {
        "region": "us-east-1",
        "tags": {"managed-by": "crosskeys"},
        "permissions_boundary": "arn:aws:iam::{account_id}:policy/workload-boundary",
    },
    "accounts": "any",
    "platform": {"auth_mount": True, "client_config": True, "kv_mount": True},
    "shared_paths": [
        {"path": "shared/ca", "owner": "pki@example.com"},
        {"path": "shared/partners/trust", "owner": "partners@example.com"},
        {"path": "shared/smtp", "owner": "mail@example.com"},
    ],
}
"""The settings of every such fleet."""

_TEAMS = (
    *("billing", "cards", "catalog", "checkout", "claims", "crm", "fraud", "identity", "inventory", "ledger"),
    *("logistics", "loyalty", "media", "messaging", "orders", "payments", "pricing", "reporting", "search", "treasury"),
)
_SYSTEMS = ("api", "archive", "batch", "cache", "export", "gateway", "import", "index", "portal", "scheduler", "worker")
_DESCRIPTIONS = (
    "Settles nightly, restarts on its own",
    "Reads its client certificate at start and every six hours",
    'Talks to partners; see the "onboarding" page',
    "Mutual TLS towards the payment networks",
    "Старый шлюз партнёров, выключается весной",
    "Überträgt die Kontoauszüge an die Buchhaltung",
    "決済ゲートウェイの夜間バッチ",
    "Réconciliation des paiements à l'étranger",
    "Świadectwa dla usług wewnętrznych",
)
_REGIONS = ("eu-central-1", "eu-west-1", "us-east-1", "us-west-2")
_SHARED = tuple(shared["path"] for shared in SETTINGS["shared_paths"])
# Most accounts hold a client or two, a few hold many.
_INSIDE, _WEIGHTS = range(1, 9), (44, 22, 12, 8, 5, 4, 3, 2)


@dataclass(frozen=True, slots=True)
class SyntheticFleet:
    """What the manifests of a fleet say.

    Args:
        accounts: Account manifests by account id; an account without one is left out.
        clients: Client manifests by their path below clients/.
    """

    accounts: Mapping[str, Manifest]
    clients: Mapping[str, Manifest]


def make_fleet(clients: int, seed: int) -> SyntheticFleet:
    """Make up a fleet that no rule complains about.

    Args:
        clients: How many clients.
        seed: Another one gives another fleet.
    """
    chance = random.Random(seed)
    accounts: dict[str, Manifest] = {}
    made: dict[str, Manifest] = {}
    while len(made) < clients:
        account_id = f"{chance.randrange(10**11, 8 * 10**11)}"
        if account_id in accounts:
            continue
        looked_into = chance.random() < 0.1
        if looked_into or chance.random() < 0.6:
            accounts[account_id] = _account(chance, account_id, looked_into=looked_into)
        inside = min(*chance.choices(_INSIDE, _WEIGHTS), clients - len(made))
        for position in range(inside):
            client = _client(chance, len(made), account_id)
            # Vault looks into an account only for the sake of a client in it, and of one that is not retired.
            if looked_into and (position == 0 or chance.random() < 0.3):
                client.setdefault("vault", {}).update(_lookup(chance))
                client.pop("retire", None)
            team = client["name"].partition("-")[0]
            folder = f"{team}/" if chance.random() < 0.7 else ""
            made[f"{folder}{client['name']}.yaml"] = client
    return SyntheticFleet(accounts, made)


def write_fleet(folder: Path, clients: int, seed: int) -> SyntheticFleet:
    """Write a made-up fleet's manifests and settings into a folder, and return what they say."""
    fleet = make_fleet(clients, seed)
    (folder / "clients/accounts").mkdir(parents=True)
    (folder / "crosskeys.yaml").write_text(_text(SETTINGS), "utf-8")
    (folder / ".gitignore").write_text("/.crosskeys/\n", "utf-8")
    for account_id, account in fleet.accounts.items():
        (folder / f"clients/accounts/{account_id}.yaml").write_text(_text(account), "utf-8")
    for team in {path.rpartition("/")[0] for path in fleet.clients}:
        (folder / "clients" / team).mkdir(exist_ok=True)
    for path, client in fleet.clients.items():
        write_client(folder, path, client)
    return fleet


def write_client(folder: Path, path: str, client: Manifest) -> None:
    """Write one client's manifest; the path is the one below clients/."""
    (folder / "clients" / path).write_text(_text(client), "utf-8")


def _text(manifest: Manifest) -> str:
    return yaml.dump(manifest, Dumper=yaml.CSafeDumper, sort_keys=False, allow_unicode=True, width=120)


def _account(chance: random.Random, account_id: str, *, looked_into: bool) -> Manifest:
    team = chance.choice(_TEAMS)
    account: Manifest = {"name": f"{team}-production", "owner": f"{team}-platform@example.com"}
    if chance.random() < 0.6:
        account["provisioning"] = "managed"
        account["provisioner_role"] = f"arn:aws:iam::{account_id}:role/crosskeys-provisioner"
    if looked_into:
        account["sts"] = {"role": "hcp-vault-lookup", "external_id": f"crosskeys-{account_id}"}
    if chance.random() < 0.4:
        account["tags"] = {"environment": "production", "cost-center": f"{chance.randrange(1000, 9999)}"}
    if chance.random() < 0.3:
        account["region"] = chance.choice(_REGIONS)
    return account


def _client(chance: random.Random, number: int, account_id: str) -> Manifest:
    team, system = chance.choice(_TEAMS), chance.choice(_SYSTEMS)
    name = f"{team}-{system}-{number:05}"
    role_name = chance.choice((f"{name}-app", name, f"{team.title()}{system.title()}.{number}", f"app_{team}_{number}"))
    client: Manifest = {
        "name": name,
        "account_id": account_id,
        "role_name": role_name,
        "owner": f"{team}-team@example.com",
    }
    if chance.random() < 0.6:
        client["description"] = chance.choice(_DESCRIPTIONS)
    if chance.random() < 0.5:
        client["change_ref"] = f"CHG-{chance.randrange(1000, 99999)}"
    if vault := _vault(chance, name):
        client["vault"] = vault
    if aws := _aws(chance, account_id):
        client["aws"] = aws
    if chance.random() < 0.2:
        client["grants"] = [{"path": path, "access": "read"} for path in chance.sample(_SHARED, chance.choice((1, 2)))]
    end = chance.random()
    if end < 0.005:
        client["suspend"] = {"reason": "the key was found in a build log"}
    elif end < 0.01:
        client["retire"] = {"approved_until": "2099-12-31", "reason": "moved to another platform"}
    return client


def _vault(chance: random.Random, name: str) -> Manifest:
    vault: Manifest = {}
    if chance.random() < 0.05:
        vault["role"] = name
    if chance.random() < 0.2:
        vault["token_ttl"] = chance.choice(("15m", "20m", "30m"))
    if chance.random() < 0.15:
        count = chance.choice((1, 1, 2, 3))
        vault["token_bound_cidrs"] = [f"10.{second}.0.0/16" for second in chance.sample(range(256), count)]
    return vault


def _aws(chance: random.Random, account_id: str) -> Manifest:
    if chance.random() < 0.08:
        return {"role": "existing"}
    aws: Manifest = {}
    if chance.random() < 0.1:
        aws["role_path"] = chance.choice(("/apps/", "/apps/batch/", "/workloads/"))
    if chance.random() < 0.04:
        aws |= {"instance_profile": "none", "trusted_services": ["ecs-tasks.amazonaws.com"]}
    if chance.random() < 0.05:
        aws["permissions_boundary"] = f"arn:aws:iam::{account_id}:policy/own-boundary"
    if chance.random() < 0.05:
        aws["max_session_duration"] = chance.choice((7200, 14400, 43200))
    if chance.random() < 0.3:
        aws["tags"] = {"cost-center": f"{chance.randrange(1000, 9999)}", "tier": chance.choice(("gold", "silver"))}
    return aws


def _lookup(chance: random.Random) -> Manifest:
    if chance.random() < 0.5:
        return {"resolve_unique_ids": True}
    return {"ec2": {"region": chance.choice(_REGIONS), "vpc_ids": [f"vpc-{chance.randrange(16**8):08x}"]}}
