"""The rows of a review: what each says comes from the tree, its manifests and its history, and from nowhere else."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from generator.audit.read import read
from generator.history import Commit
from generator.manifest.fleet import Fleet, resolve
from generator.manifest.load import load
from generator.report.review import UNKNOWN
from generator.report.rows import Provenance, rows

if TYPE_CHECKING:
    from generator.audit.declared import Declared
    from generator.report.review import ReviewRow

ROOT = Path(__file__).parents[2]
LEDGER = "terraform/accounts/111111111111/vault/client-ledger.tf"
FIRST = Commit("0123456789abcdef" * 2 + "01234567", "2025-01-31T23:59:59+02:00", "A <a@example.com>")
LAST = Commit("fedcba9876543210" * 2 + "fedcba98", "2026-01-01T00:00:00Z", "B <b@example.com>")


def fleet_at(folder: Path) -> tuple[Fleet, dict[str, str]]:
    manifests, findings = load(folder)
    assert not findings
    texts = {
        path.relative_to(folder).as_posix(): path.read_text("utf-8")
        for path in sorted((folder / "terraform").rglob("*.tf"))
        if ".terraform" not in path.parts
    }
    return resolve(manifests), texts


@pytest.fixture(scope="module")
def example() -> tuple[Declared, Fleet]:
    fleet, texts = fleet_at(ROOT)
    return read(texts), fleet


def edited(path: str, before: str, after: str) -> tuple[ReviewRow, ...]:
    fleet, texts = fleet_at(ROOT)
    root = {other: text for other, text in texts.items() if other.startswith(path.rpartition("/")[0])}
    assert before in texts[path]
    return rows(read({**root, path: texts[path].replace(before, after)}), fleet, {})


def test_a_row_says_who_reaches_what_by_what_with_which_token(example: tuple[Declared, Fleet]) -> None:
    row = next(row for row in rows(*example, {}) if row.client == "ledger" and "/data/" in row.path)
    assert (row.owner, row.account_id, row.account_name) == (
        "ledger-team@example.com",
        "111111111111",
        "retail-production",
    )
    assert row.principal_arn == "arn:aws:iam::111111111111:role/ledger-app"
    assert (row.vault_role, row.auth_mount, row.policy) == ("ledger-app", "aws", "ledger-policy")
    assert (row.path, row.capabilities) == ("secret/data/certs/111111111111/ledger-app/*", ("list", "read"))
    assert (row.token_ttl, row.token_max_ttl) == (900, 3600)
    assert row.token_bound_cidrs == ("10.20.0.0/16", "127.0.0.0/8")
    assert (row.status, row.sharing, row.change_ref) == ("active", "own", "CHG-1042")
    line = (ROOT / row.file).read_text("utf-8").splitlines()[row.line - 1]
    assert row.path in line


def test_rows_come_by_account_client_and_path(example: tuple[Declared, Fleet]) -> None:
    found = rows(*example, {})
    assert len(found) == 20
    keys = [(row.account_id, row.client, row.path) for row in found]
    assert keys == sorted(keys)


def test_a_shared_path_has_its_owner(example: tuple[Declared, Fleet]) -> None:
    shared = [(row.client, row.path, row.shared_owner) for row in rows(*example, {}) if row.sharing == "shared"]
    assert shared == [
        ("reports-us", "secret/data/shared/ca/*", "pki@example.com"),
        ("reports-us", "secret/metadata/shared/ca/*", "pki@example.com"),
    ]


@pytest.mark.parametrize(
    ("place", "sharing"),
    [
        ("secret/data/certs/111111111111/ledger-app/*", "own"),
        ("secret/destroy/certs/111111111111/ledger-app/tls", "own"),
        ("secret/metadata/certs/111111111111/ledger-app", "own"),
        ("secret/data/certs/111111111111/ledger-app*", "other"),
        ("secret/data/certs/111111111111/ledger-app2/*", "other"),
        ("secret/data/certs/111111111111/*", "other"),
        ("secret/data/certs/+/ledger-app/*", "other"),
        ("secret/data/certs/111111111111/payments-app/*", "other"),
        ("secret/data/shared/ca/roots/*", "shared"),
        ("secret/data/shared/ca2/*", "other"),
        ("secret/data/shared/*", "other"),
        ("secret/certs/111111111111/ledger-app/*", "other"),
        ("other/data/certs/111111111111/ledger-app/*", "other"),
        ("sys/policies/acl/*", "other"),
    ],
)
def test_whose_a_path_is_goes_by_whole_segments_of_the_fleets_own_mount(place: str, sharing: str) -> None:
    found = edited(LEDGER, "secret/data/certs/111111111111/ledger-app/*", place)
    assert [row.sharing for row in found if row.path == place and row.client == "ledger"] == [sharing]


def test_what_the_tree_says_counts_even_where_no_manifest_says_it() -> None:
    found = edited(LEDGER, "arn:aws:iam::111111111111:role/ledger-app", "arn:aws:iam::999999999999:role/odd")
    odd = [row for row in found if row.account_id == "999999999999"]
    assert [(row.client, row.account_name, row.principal_arn) for row in odd] == [
        ("ledger", "", "arn:aws:iam::999999999999:role/odd")
    ] * 2
    fleet, texts = fleet_at(ROOT)
    text = re.sub("(?<!certs/111111111111/)ledger", "odd", texts[LEDGER])
    stranger = {LEDGER.replace("ledger", "odd"): text}
    (first, _) = [row for row in rows(read({**texts, **stranger}), fleet, {}) if row.client == "odd"]
    assert (first.owner, first.sharing, first.change_ref) == ("", "other", "")


def test_a_suspended_client_is_shown_by_its_denials() -> None:
    fleet, texts = fleet_at(ROOT / "tests/golden/lifecycle")
    cut_off = [row for row in rows(read(texts), fleet, {}) if row.client == "suspended"]
    assert len(cut_off) == 7
    assert {row.status for row in cut_off} == {"suspended"}
    assert {row.capabilities for row in cut_off} == {("deny",)}
    assert {row.vault_role for row in cut_off} == {""}
    assert {row.principal_arn for row in cut_off} == {"arn:aws:iam::111111111111:role/suspended-app"}
    assert {row.sharing for row in cut_off} == {"own"}


def test_history_is_that_of_the_rules_file(example: tuple[Declared, Fleet]) -> None:
    found = rows(*example, {LEDGER: Provenance(FIRST, LAST)})
    (row, _) = [row for row in found if row.client == "ledger"]
    assert (row.since, row.since_date) == ("0123456789ab", "2025-01-31")
    assert (row.changed, row.changed_date, row.changed_by) == ("fedcba987654", "2026-01-01", "B <b@example.com>")
    other = next(row for row in found if row.client == "payments")
    assert {other.since, other.since_date, other.changed, other.changed_date, other.changed_by} == {UNKNOWN}


def test_a_role_with_two_principals_and_two_policies_is_a_row_for_each(example: tuple[Declared, Fleet]) -> None:
    declared, fleet = example
    role = declared.objects["accounts/111111111111/vault", "vault_aws_auth_backend_role.ledger"]
    wide = replace(
        role,
        bound_iam_principal_arns=("arn:aws:iam::111111111111:role/a", "arn:aws:iam::111111111111:role/b"),  # type: ignore[call-arg] # a VaultRole
        token_policies=("ledger-policy", "payments-policy"),
    )
    tree = replace(declared, objects={**declared.objects, (role.root, role.address): wide})
    found = [row for row in rows(tree, fleet, {}) if row.client == "ledger"]
    assert {(row.principal_arn[-1], row.policy) for row in found} == {
        (principal, policy) for principal in "ab" for policy in ("ledger-policy", "payments-policy")
    }
    assert len(found) == 8
