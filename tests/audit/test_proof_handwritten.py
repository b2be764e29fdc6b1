"""The proof on trees that people wrote: it holds, or says why it does not."""

from __future__ import annotations

from pathlib import Path

from generator.audit.folder import texts
from generator.audit.proof import prove
from generator.audit.read import read
from tests.audit.test_proof import fleet

TREES = Path(__file__).parents[1] / "handwritten"
VAULT = "terraform/accounts/345678901234/vault"

PARTNER = {"name": "partner", "account_id": "345678901234", "role_name": "partner", "aws": {"role": "existing"}}
OTHER = {"name": "other", "account_id": "345678901234", "role_name": "other", "aws": {"role": "existing"}}
CHECKOUT = {"name": "checkout", "account_id": "210987654321", "vault": {"role": "Checkout", "policy": "Checkout-Certs"}}
NIGHTLY = {"name": "checkout-nightly", "account_id": "210987654321", "vault": {"policy": "checkout-nightly"}}

PROVIDER = """
terraform {
  required_version = ">= 1.11"
  required_providers {
    vault = { source = "hashicorp/vault", version = "~> 5.9" }
  }
}
provider "vault" {
  namespace = "admin"
}
"""


def partner() -> dict[str, str]:
    return {**texts(TREES / "partner"), f"{VAULT}/provider.tf": PROVIDER}


def test_a_registration_typed_into_one_file_is_proven_as_a_rendered_one_is() -> None:
    proof = prove(read(partner()), fleet(PARTNER, vault={"namespace": "admin"}))
    assert proof.isolated, proof.findings
    assert (proof.clients, proof.logins, proof.existing) == (1, 1, 1)


def test_a_root_that_leaves_its_provider_to_the_environment_is_not_proven() -> None:
    proof = prove(read(texts(TREES / "partner")), fleet(PARTNER))
    assert [(finding.rule, finding.span.path) for finding in proof.findings] == [("CK841", f"{VAULT}/root.tf")]


def test_a_typed_policy_that_is_too_wide_reaches_the_next_client() -> None:
    typed = partner()
    typed[f"{VAULT}/vault.tf"] = typed[f"{VAULT}/vault.tf"].replace("/partner/*", "/*")
    proof = prove(read(typed), fleet(PARTNER, OTHER, vault={"namespace": "admin"}))
    reached = [finding for finding in proof.findings if finding.rule == "CK830"]
    assert [finding.span.line for finding in reached] == [4, 5]
    assert all("`partner`" in finding.message and "`other`" in finding.message for finding in reached)
    assert "secret/data/certs/345678901234/other/example" in reached[0].message


def test_a_policy_that_two_hand_made_roles_share_is_found_at_its_rules() -> None:
    proof = prove(read(texts(TREES / "retail")), fleet(CHECKOUT, NIGHTLY, vault={"namespace": "admin"}))
    reached = [(str(finding.span), finding.message) for finding in proof.findings if finding.rule == "CK830"]
    assert [place.rpartition("/")[2] for place, _ in reached] == [
        "clients.checkout.tf:42:1",
        "clients.checkout.tf:46:1",
    ]
    assert all("`checkout-nightly`" in message and "directory of `checkout`" in message for _, message in reached)
    # A role of nobody's, a way in that no manifest gives, tokens that no manifest describes.
    assert {"CK836", "CK838", "CK840"} <= {finding.rule for finding in proof.findings}
