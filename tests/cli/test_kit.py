"""The verb kit: what it writes where, and what it refuses."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.cli.conftest import edit

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Run

GATEWAY = "partner-gateway"


def test_a_clients_kit_is_its_part_of_the_tree_and_what_goes_with_it(run: Run, fleet: Path) -> None:
    done = run("kit", GATEWAY)
    assert done.code == 0
    folder = fleet / f"kit-{GATEWAY}"
    assert done.out.splitlines() == [
        f"+ kit-{GATEWAY}/{path.relative_to(folder)}"
        for path in sorted(folder.rglob("*"), key=lambda path: (path.name != "SHA256SUMS", str(path)))
        if path.is_file()
    ]
    root = fleet / "terraform/accounts/444444444444/aws"
    for name in ("root.tf", f"client-{GATEWAY}.tf"):
        assert (folder / "terraform" / name).read_bytes() == (root / name).read_bytes()
    again = run("kit", GATEWAY)
    assert (again.code, again.out) == (0, done.out.replace("+ ", "= "))


def test_an_accounts_kit_is_an_archive_where_one_is_named(run: Run, fleet: Path) -> None:
    done = run("kit", "--account", "444444444444", "--out", "made/edge.zip", "--format", "json")
    shown = json.loads(done.out)
    assert (done.code, shown["path"], shown["written"]) == (0, "made/edge.zip", True)
    assert f"clients/{GATEWAY}/README.md" in shown["files"]
    assert (fleet / "made/edge.zip").read_bytes().startswith(b"PK\x03\x04")


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        ((), 2, "say NAME, or --account ID"),
        ((GATEWAY, "--account", "444444444444"), 2, "for one client or for one account"),
        (("partner",), 2, f"did you mean {GATEWAY}?"),
        (("--account", "444444444443"), 2, "did you mean 444444444444?"),
        ((GATEWAY, "--out", "terraform/accounts/x"), 3, "no part of terraform/"),
        ((GATEWAY, "--out", "clients/../clients"), 3, "no part of clients/"),
        ((GATEWAY, "--out", "."), 3, "not a kit as it was written"),
        ((GATEWAY, "--out", "crosskeys.yaml"), 3, "not a kit as it was written"),
        ((GATEWAY, "--format", "sarif"), 2, "is a format for findings"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_written(
    run: Run, fleet: Path, arguments: tuple[str, ...], code: int, says: str
) -> None:
    before = sorted(fleet.rglob("*"))
    done = run("kit", *arguments)
    assert (done.code, done.out) == (code, "")
    assert says in done.err
    assert [path for path in sorted(fleet.rglob("*")) if ".crosskeys" not in path.parts] == before


@pytest.mark.parametrize(
    ("stage", "says"),
    [
        ("suspend: {reason: key leaked}", "it is suspended (key leaked)"),
        ('retire: {approved_until: "2099-01-31", reason: moved away}', "it is retired (moved away)"),
    ],
)
def test_who_cannot_log_in_has_no_kit_and_the_reason_is_said(run: Run, fleet: Path, stage: str, says: str) -> None:
    manifest = fleet / f"clients/{GATEWAY}.yaml"
    manifest.write_text(f"{manifest.read_text('utf-8')}{stage}\n", "utf-8")
    assert run("render").code == 0
    for arguments in ((GATEWAY,), ("--account", "444444444444")):
        done = run("kit", *arguments)
        assert (done.code, done.out) == (3, "")
        assert says in done.err


def test_an_account_says_which_of_its_clients_it_leaves_out(run: Run, fleet: Path) -> None:
    manifest = fleet / "clients/ledger.yaml"
    manifest.write_text(f"{manifest.read_text('utf-8')}suspend: {{reason: key leaked}}\n", "utf-8")
    assert run("render").code == 0
    done = run("kit", "--account", "111111111111")
    assert done.code == 0
    assert "without ledger: it is suspended (key leaked)" in done.err
    assert "without an AWS side: the account 111111111111 is managed" in done.err
    assert not (fleet / "kit-111111111111/clients/ledger").exists()


def test_a_tree_that_is_not_what_the_manifests_say_is_not_handed_over(run: Run, fleet: Path) -> None:
    edit(fleet / f"terraform/accounts/444444444444/aws/client-{GATEWAY}.tf", "ec2.amazonaws.com", "s3.amazonaws.com")
    done = run("kit", GATEWAY)
    assert done.code == 1
    assert "CK703" in done.out
    assert not (fleet / f"kit-{GATEWAY}").exists()


def test_a_fleet_that_does_not_say_where_its_vault_is_has_no_kits(run: Run, fleet: Path) -> None:
    edit(fleet / "crosskeys.yaml", 'live: {vault_address: "https://vault.example.com:8200"}', "")
    done = run("kit", GATEWAY)
    assert done.code == 2
    assert "set live.vault_address" in done.err


def test_a_login_without_a_server_id_is_said(run: Run, fleet: Path) -> None:
    edit(fleet / "crosskeys.yaml", "  server_id_header: vault.example.com\n", "")
    assert run("render").code == 0
    done = run("kit", GATEWAY)
    assert done.code == 0
    assert "warning: logins carry no server id" in done.err
    folder = fleet / f"kit-{GATEWAY}"
    assert "header" not in (folder / "workload/agent/login.hcl").read_text("utf-8")
    assert "carry no server id" in (folder / "README.md").read_text("utf-8")
