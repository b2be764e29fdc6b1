"""Roots that no manifest says any more: kept as they are, believed as far as they can do no harm."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from generator import pipeline
from generator.audit import tree as read_tree
from generator.audit.leftover import EDITED_LEFTOVER, leftover
from generator.audit.proof import prove
from generator.errors import RefusedError
from generator.render import tree
from generator.render.head import stamped
from tests.lifecycle.fleets import client, write

if TYPE_CHECKING:
    from pathlib import Path

    from generator.pipeline import Rendered

HERE, GONE = "111111111111", "222222222222"
VAULT, AWS = (f"terraform/accounts/{GONE}/{side}/root.tf" for side in ("vault", "aws"))
MANAGED = (
    f"name: gone\nowner: x@example.com\nprovisioning: managed\nprovisioner_role: arn:aws:iam::{GONE}:role/provisioner\n"
)


@pytest.fixture
def fleet(tmp_path: Path) -> Path:
    """A rendered fleet of two accounts, of which one has lost its manifests since."""
    account = f"clients/accounts/{GONE}.yaml"
    write(
        tmp_path,
        {"clients/stays.yaml": client("stays"), "clients/goes.yaml": client("goes", account_id=GONE), account: MANAGED},
    )
    tree.write(tmp_path, rendered(tmp_path).comparison)
    for path in ("clients/goes.yaml", account):
        (tmp_path / path).unlink()
    return tmp_path


def rendered(folder: Path) -> Rendered:
    validated = pipeline.validate(folder)
    assert validated.findings == ()
    return pipeline.render(folder, validated.fleet, None)


def settled(folder: Path) -> Rendered:
    tree.write(folder, rendered(folder).comparison)
    return rendered(folder)


def test_what_is_kept_is_each_roots_own_file_byte_for_byte_and_nothing_else(fleet: Path) -> None:
    before = {path: (fleet / path).read_bytes() for path in (VAULT, AWS)}
    comparison = rendered(fleet).comparison
    assert comparison.removed == tuple(f"terraform/accounts/{GONE}/{side}/client-goes.tf" for side in ("aws", "vault"))
    after = settled(fleet).comparison
    assert after.is_current
    assert after.findings() == ()
    assert {path: (fleet / path).read_bytes() for path in before} == before
    assert {path for path in after.found if GONE in path} == {VAULT, AWS}


def test_both_roots_take_part_in_runs_and_nothing_of_them_is_declared(fleet: Path) -> None:
    found = settled(fleet)
    left = [root for root in found.roots if root.leftover]
    assert [(root.name, root.account_id, root.clients, root.handover, root.files) for root in left] == [
        (f"accounts/{GONE}/aws", GONE, (), False, (AWS,)),
        (f"accounts/{GONE}/vault", GONE, (), False, (VAULT,)),
    ]
    assert found.objects == 4
    assert found.proof.isolated


def test_the_audit_reads_a_tree_with_leftover_roots_as_isolated(fleet: Path) -> None:
    settled(fleet)
    fleet_said = pipeline.validate(fleet).fleet
    assert prove(read_tree.load(fleet).declared, fleet_said).isolated


def test_a_root_that_declares_something_for_no_manifest_is_a_finding_of_the_proof(fleet: Path) -> None:
    # As it stands before it is rendered: the client's files are still there.
    proof = prove(read_tree.load(fleet).declared, pipeline.validate(fleet).fleet)
    assert any(f"no manifest tells of the account of accounts/{GONE}" in each.message for each in proof.findings)


def test_a_root_without_a_backend_is_its_owners(fleet: Path) -> None:
    text = (fleet / AWS).read_text("utf-8")
    begin, end = text.index('\n  backend "local"'), text.index("}\n\nprovider")
    body = f"{text[:begin]}{text[end:]}".partition("\n\n")[2]
    found = leftover({AWS: stamped(body, "crosskeys.yaml")}, (), pipeline.validate(fleet).fleet.settings, None)
    assert [(root.name, root.handover) for root in found.roots] == [(f"accounts/{GONE}/aws", True)]


def test_an_account_that_comes_back_has_its_roots_rendered_again(fleet: Path) -> None:
    settled(fleet)
    write(fleet, {"clients/goes.yaml": client("goes", account_id=GONE)})
    assert not any(root.leftover for root in settled(fleet).roots)
    assert rendered(fleet).comparison.is_current


def test_the_platforms_root_is_left_over_too(tmp_path: Path) -> None:
    write(tmp_path, {"clients/stays.yaml": client("stays"), "crosskeys.yaml": "platform: {kv_mount: true}\n"})
    tree.write(tmp_path, rendered(tmp_path).comparison)
    write(tmp_path, {"crosskeys.yaml": "version: 1\n"})
    assert [root.name for root in settled(tmp_path).roots if root.leftover] == ["platform"]


MORE = {
    "an object": 'resource "vault_policy" "x" {\n  name   = "x"\n  policy = ""\n}\n',
    "a second provider": 'provider "vault" {\n  namespace = "other"\n}\n',
    "a variable": 'variable "x" {\n  type    = string\n  default = null\n}\n',
    "no HCL": "{\n",
}


def require_refused(folder: Path, spoilt: str) -> None:
    """Check that a file of a leftover root is named, that its root takes no part, and that nothing touches it."""
    (folder / VAULT).write_text(spoilt, "utf-8")
    found = rendered(folder)
    assert not found.comparison.is_current
    (finding,) = found.comparison.findings()
    assert (finding.rule, finding.span.path) == (EDITED_LEFTOVER, VAULT)
    assert "git restore" in (finding.help or "")
    assert f"accounts/{GONE}/vault" not in {root.name for root in found.roots}
    with pytest.raises(RefusedError):
        tree.write(folder, found.comparison)
    assert (folder / VAULT).read_text("utf-8") == spoilt


def test_a_file_that_was_edited_is_refused_and_stays(fleet: Path) -> None:
    settled(fleet)
    require_refused(fleet, (fleet / VAULT).read_text("utf-8").replace('"admin"', '"other"'))


@pytest.mark.parametrize("what", MORE)
def test_a_file_that_declares_more_than_a_backend_and_a_provider_is_refused_whatever_its_digest(
    fleet: Path, what: str
) -> None:
    settled(fleet)
    body = (fleet / VAULT).read_text("utf-8").partition("\n\n")[2]
    require_refused(fleet, stamped(f"{body}\n{MORE[what]}", "crosskeys.yaml"))


@pytest.mark.parametrize(
    ("old", "new"),
    [(f'allowed_account_ids = ["{GONE}"]', f'allowed_account_ids = ["{HERE}"]'), (f"iam::{GONE}", f"iam::{HERE}")],
    ids=["allowed account", "assumed role"],
)
def test_a_provider_of_another_account_is_refused(fleet: Path, old: str, new: str) -> None:
    text = (fleet / AWS).read_text("utf-8")
    assert old in text
    edited = stamped(text.partition("\n\n")[2].replace(old, new), "crosskeys.yaml")
    found = leftover({AWS: edited}, (), pipeline.validate(fleet).fleet.settings, None)
    assert tuple(found.spoilt) == (AWS,)
    assert found.roots == ()


def test_a_backend_that_keeps_another_roots_state_is_refused_whatever_the_digest(fleet: Path) -> None:
    settled(fleet)
    text = (fleet / VAULT).read_text("utf-8")
    assert text.count(f"accounts/{GONE}/vault.tfstate") == 1
    body = text.partition("\n\n")[2].replace(f"accounts/{GONE}/vault.tfstate", f"accounts/{HERE}/vault.tfstate")
    require_refused(fleet, stamped(body, "crosskeys.yaml"))


def test_other_files_than_a_roots_own_are_not_kept(fleet: Path) -> None:
    text = (fleet / VAULT).read_text("utf-8")
    others = (
        f"terraform/accounts/{GONE}/vault/sts.tf",
        f"terraform/accounts/{GONE}/other/root.tf",
        "terraform/accounts/22222222222/vault/root.tf",
        f"terraform/{GONE}/vault/root.tf",
    )
    found = leftover(dict.fromkeys(others, text), (), pipeline.validate(fleet).fleet.settings, None)
    assert (found.roots, found.spoilt) == ((), {})
