"""A small fleet, applied on Vault's side, in which everything can be changed by hand and looked at."""

from __future__ import annotations

import json
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from generator import pipeline
from generator.live.advisories import FLAWED
from generator.live.pace import Pace
from generator.live.reviewed import Reviewed, Scope
from generator.live.systems import Systems
from generator.live.vault import Vault
from generator.live.verify import Look, verify
from generator.sandbox.vault_contents import connect
from tests.e2e.fleets import HEADER, FleetFolder, ended, new_fleet

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    import hvac

    from generator.diagnostics import Diagnostic
    from generator.sandbox.toolchain import Toolchain
    from generator.sandbox.world import World

ONE, TWO = "111111111111", "222222222222"
VAULT_SIDE = Scope(aws=False)
ROLE = "auth/aws/role/"
POLICY = "sys/policies/acl/"
SETTINGS = {
    "accounts": "any",
    "vault": {"server_id_header": HEADER, "principals": ["arn:aws:iam::999999999999:role/hcp-vault"]},
    "defaults": {"token_ttl": "1h", "token_max_ttl": "4h"},
    "platform": {"auth_mount": True, "client_config": True, "kv_mount": True},
    "shared_paths": [{"path": "shared/ca", "owner": "pki@example.com"}],
}
PAYMENTS_FILE = f"terraform/accounts/{ONE}/vault/client-payments.tf"
SCANNER_FILE = f"terraform/accounts/{TWO}/vault/client-scanner.tf"
STS_FILE = f"terraform/accounts/{TWO}/vault/sts.tf"
PLATFORM = "terraform/platform/platform.tf"
CAUGHT: Counter[str] = Counter()
"""How many drifts were caught, by what drifted; shown at the end."""


class Silent:
    """Hears how far a look is."""

    def more(self, number: int) -> None:
        pass

    def done(self) -> None:
        pass


def drifts(look: Look) -> tuple[Diagnostic, ...]:
    """Return what a look has found, but the flaws of the version of Vault that tests run."""
    return tuple(finding for finding in look.verified.findings if finding.rule != FLAWED)


@dataclass(frozen=True)
class Live:
    """A fleet that was applied, and what asks about it."""

    fleet: FleetFolder
    world: World
    vault: hvac.Client
    reviewed: Reviewed

    def look(self, scope: Scope = VAULT_SIDE, token: str = "", address: str = "") -> Look:
        """Look at Vault's side, as its administrator and where it is unless said otherwise."""
        systems = self.world.systems()
        if token or address:
            variables = self.world.variables()
            variables |= {
                "VAULT_TOKEN": token or variables["VAULT_TOKEN"],
                "VAULT_ADDR": address or variables["VAULT_ADDR"],
            }
            systems = Systems(
                lambda: Vault(variables, "admin", Pace(0)), lambda _: None, Pace(0), None, systems.variables
            )
        return verify(self.reviewed, systems, scope, Silent())

    def found(self, scope: Scope = VAULT_SIDE) -> tuple[Diagnostic, ...]:
        """Return the findings of a look that reads everything."""
        look = self.look(scope)
        assert look.verified.unknown == ()
        return drifts(look)

    def line(self, finding: Diagnostic) -> str:
        """Return the line that a finding stands at."""
        return (self.fleet.folder / finding.span.path).read_text("utf-8").split("\n")[finding.span.line - 1]

    @contextmanager
    def changed(self, path: str, data: Mapping[str, Any] | None) -> Iterator[None]:
        """Write to a path, or delete what is there; what was there is put back afterwards."""
        before = self.vault.read(path)
        try:
            if data is None:
                self.vault.delete(path)
            else:
                self.vault.write_data(path, data=dict(data))
            yield
        finally:
            self.put_back(path, before["data"] if before else None)

    def put_back(self, path: str, before: Mapping[str, Any] | None) -> None:
        if before is None or path.startswith(ROLE):
            # A role's binds add up otherwise.
            self.vault.delete(path)
        if before is not None:
            ignored = {"role_id", "bound_iam_principal_id", "role_tag", "allow_instance_migration"}
            ignored |= {"disallow_reauthentication", "name"}
            kept = {name: value for name, value in before.items() if name not in ignored and value not in (None, [])}
            self.vault.write_data(path, data=kept)


@contextmanager
def applied(folder: Path, toolchain: Toolchain) -> Iterator[Live]:
    """Yield the fleet, applied on Vault's side; at the end everything must be as it was."""
    fleet = FleetFolder(folder, toolchain)
    fleet.write(
        f"clients/accounts/{TWO}.yaml",
        {"name": "two", "owner": "two@example.com", "sts": {"role": "lookup", "external_id": "7d1c9d0e-3f0b"}},
    )
    clients = (
        {"name": "payments", "account_id": ONE, "role_name": "payments-app"},
        {
            "name": "ledger",
            "account_id": ONE,
            "role_name": "Ledger.App",
            "vault": {"token_bound_cidrs": ["10.20.0.0/16", "10.30.0.7/32"]},
            "grants": [{"path": "shared/ca", "access": "read"}],
        },
        {
            "name": "scanner",
            "account_id": TWO,
            "role_name": "scanner",
            "vault": {
                "ec2": {
                    "region": "eu-central-1",
                    "ami_ids": ["ami-0123456789abcdef0"],
                    "vpc_ids": ["vpc-0123456789abcdef0"],
                    "subnet_ids": ["subnet-0123456789abcdef0"],
                    "instance_ids": ["i-0123456789abcdef0"],
                }
            },
        },
        {"name": "leaked", "account_id": ONE, "role_name": "leaked", "suspend": {"reason": "key leaked"}},
        {
            "name": "gone",
            "account_id": ONE,
            "role_name": "gone",
            "retire": {"approved_until": "2099-01-31", "reason": "moved"},
        },
    )
    with ended(new_fleet(folder, toolchain, SETTINGS, *clients)):
        fleet.call("apply", "--side", "vault", "--yes")
        world = fleet.world()
        rendered = pipeline.render(folder, world.fleet, None)
        reviewed = Reviewed(rendered.fleet, rendered.declared, rendered.comparison.wanted, world.systems().variables)
        live = Live(fleet, world, connect(world.services), reviewed)
        yield live
        # Each test has put back what it changed.
        assert live.found() == ()
        print(f"\n{CAUGHT.total()} drifts caught: {dict(sorted(CAUGHT.items()))}")  # noqa: T201 - for who counts them


def one(findings: tuple[Diagnostic, ...], rule: str) -> Diagnostic:
    """Return the only finding, which is of a rule."""
    assert [finding.rule for finding in findings] == [rule], findings
    CAUGHT[rule] += 1
    return findings[0]


def allow(path: str, *capabilities: str) -> str:
    """Return a rule of a policy."""
    return f'path "{path}" {{ capabilities = {json.dumps(capabilities)} }}\n'


DIRECTORY = f"certs/{ONE}/payments-app"
LEDGERS = f"certs/{ONE}/Ledger.App"
DATA, METADATA = f"secret/data/{DIRECTORY}/*", f"secret/metadata/{DIRECTORY}/*"
OWN, OWN_METADATA = allow(DATA, "read", "list"), allow(METADATA, "list", "read")
BOTH = OWN + OWN_METADATA


def role(arn: str, *policies: str, **more: object) -> dict[str, object]:
    binds = {"bound_iam_principal_arn": [arn], "resolve_aws_unique_ids": False} if arn else {}
    return {"auth_type": "iam", **binds, "policies": list(policies), **more}
