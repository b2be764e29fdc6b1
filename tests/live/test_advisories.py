"""What is known of Vault's versions: right by release line, and said as it matters to the fleet."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from packaging.version import Version

from generator import pipeline
from generator.diagnostics import Severity
from generator.live.advisories import (
    FLAWED,
    FLAWS,
    LOGIN_AS_ANYBODY,
    LOGIN_OF_ANOTHER_ACCOUNT,
    OPEN,
    Flaw,
    advisories,
    has,
)

if TYPE_CHECKING:
    from generator.manifest.fleet import Fleet

CLIENT = 'name: {name}\naccount_id: "{account}"\nrole_name: {role}\nowner: team@example.com\nvault: {{role: {name}}}\n'


def fleet_of(folder: Path, *clients: tuple[str, str, str]) -> Fleet:
    (folder / "clients").mkdir()
    (folder / "crosskeys.yaml").write_text("version: 1\nlive: {vault_address: 'https://vault.example.com:8200'}\n")
    for name, account, role in clients:
        (folder / f"clients/{name}.yaml").write_text(CLIENT.format(name=name, account=account, role=role))
    return pipeline.validate(folder).fleet


@pytest.fixture
def apart(tmp_path: Path) -> Fleet:
    return fleet_of(tmp_path, ("payments", "111111111111", "payments-app"), ("ledger", "222222222222", "ledger-app"))


@pytest.fixture
def of_one_name(tmp_path: Path) -> Fleet:
    return fleet_of(tmp_path, ("payments", "111111111111", "app"), ("ledger", "222222222222", "app"))


def flaws_of(version: str) -> set[str]:
    return {flaw.id for flaw in FLAWS if has(Version(version), flaw)}


@pytest.mark.parametrize(
    ("version", "is_there"),
    [
        ("0.5.3", False),
        ("0.6.0", True),
        ("1.20.4", True),
        ("1.20.5", True),  # fixed in Enterprise alone
        ("1.21.0-rc1", True),
        ("1.21.0", False),
        ("1.21.2", False),
        ("2.0.0", False),
        ("1.16.26+ent", True),
        ("1.16.27+ent", False),
        ("1.16.28+ent.hsm", False),
        ("1.17.20+ent", True),
        ("1.18.15+ent.fips1402", True),
        ("1.19.10+ent.hsm.fips1402", True),
        ("1.19.11+ent", False),
        ("1.20.4+ent.hsm", True),
        ("1.20.5+ent.hsm", False),
        ("1.21.0+ent", False),
        ("1.21.0-rc1+ent", True),
    ],
)
def test_fix_of_a_release_line_is_no_fix_of_another(version: str, is_there: bool) -> None:
    assert (LOGIN_OF_ANOTHER_ACCOUNT in flaws_of(version)) is is_there


def test_what_needs_namespaces_is_enterprises_alone() -> None:
    assert flaws_of("1.21.11+ent") - flaws_of("1.21.11") == {"CVE-2026-105820"}


def test_newest_versions_have_no_known_flaw() -> None:
    for version in ("2.2.2", "2.2.2+ent", "1.21.14+ent", "1.19.25+ent.hsm", "3.0.0"):
        assert flaws_of(version) == set()


def test_only_what_opens_a_client_to_others_is_an_error(apart: Fleet) -> None:
    found = advisories("1.20.4", apart).findings
    assert {(finding.rule, finding.severity) for finding in found} == {(FLAWED, Severity.WARNING)}
    assert any(LOGIN_OF_ANOTHER_ACCOUNT in finding.message for finding in found)


def test_shared_role_name_is_open_on_a_flawed_version_and_named(of_one_name: Fleet) -> None:
    (open_,) = [finding for finding in advisories("1.20.4+ent.hsm", of_one_name).findings if finding.rule == OPEN]
    assert open_.severity is Severity.ERROR
    assert "`ledger` and `payments` share `app`" in open_.message
    assert open_.help is not None
    assert open_.help.startswith("update Vault to 1.21.0 or 1.20.5 or 1.19.11 or 1.16.27, or later")
    assert (open_.span.path, open_.span.line) == ("crosskeys.yaml", 2)
    assert not [finding for finding in advisories("1.20.5+ent.hsm", of_one_name).findings if finding.rule == OPEN]


def test_forged_logins_are_an_error_for_every_fleet(apart: Fleet) -> None:
    (open_,) = [finding for finding in advisories("1.4.3", apart).findings if finding.rule == OPEN]
    assert LOGIN_AS_ANYBODY in open_.message


@pytest.mark.parametrize("version", [None, "", "latest", "1.2.x"])
def test_version_that_is_not_said_is_unknown_and_not_well(apart: Fleet, version: str | None) -> None:
    said = advisories(version, apart)
    assert said.findings == ()
    assert len(said.unknown) == 1


@pytest.mark.parametrize("flaw", FLAWS, ids=lambda flaw: flaw.id)
def test_each_flaw_has_a_source_and_versions_in_order(flaw: Flaw) -> None:
    assert re.fullmatch(r"CVE-20\d\d-\d{4,}", flaw.id)
    assert flaw.source.startswith("https://")
    assert flaw.why.endswith(".")
    for fixes in (flaw.community, flaw.enterprise):
        assert list(fixes) == sorted(fixes, key=Version)
        assert len({Version(each).release[:2] for each in fixes}) == len(fixes)


def row(flaw: Flaw) -> str:
    fixed = (", ".join(fixes) or "not affected" for fixes in (flaw.community, flaw.enterprise))
    return f"| [{flaw.id}]({flaw.source}) | {flaw.since} | {' | '.join(fixed)} | {flaw.what} | {flaw.why} |"


def test_page_has_the_flaws_that_the_data_has() -> None:
    page = (Path(__file__).parents[2] / "docs/vault-versions.md").read_text("utf-8")
    assert [line for line in page.splitlines() if line.startswith("| [CVE")] == [row(flaw) for flaw in FLAWS]
