"""Import blocks: which files there are of them, and by which ids objects are imported."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from generator import pipeline
from generator.audit.imports import import_files, import_id

if TYPE_CHECKING:
    from generator.pipeline import Rendered

GOLDEN = Path(__file__).parents[1] / "golden"
KINDS = "accounts/111111111111"


@pytest.fixture(scope="module")
def kinds() -> Rendered:
    folder = GOLDEN / "kinds"
    return pipeline.render(folder, pipeline.validate(folder).fleet, None)


@pytest.mark.parametrize(
    ("root", "address", "expected"),
    [
        ("vault", "vault_policy.described", "described-policy"),
        ("vault", "vault_aws_auth_backend_role.described", "auth/aws/role/described-app"),
        ("vault", "vault_aws_auth_backend_sts_role.account-111111111111", "auth/aws/config/sts/111111111111"),
        ("aws", "aws_iam_role.described", "described-app"),
        ("aws", "aws_iam_instance_profile.described", "described-app"),
        ("aws", "aws_iam_role_policy.vault_sts", "hcp-vault-lookup:hcp-vault-lookup"),
        ("aws", "data.aws_iam_policy_document.described", None),
    ],
)
def test_the_id_follows_from_what_is_declared(kinds: Rendered, root: str, address: str, expected: str | None) -> None:
    assert import_id(kinds.declared, kinds.declared.objects[f"{KINDS}/{root}", address]) == expected


@pytest.mark.parametrize(
    ("fleet", "expected"),
    [
        (
            "govcloud",
            {
                "vault_auth_backend.aws": "aws",
                "vault_aws_auth_backend_client.aws": "auth/aws/config/client",
                "vault_aws_auth_backend_config_identity.aws": "auth/aws/config/identity",
            },
        ),
        ("s3-backend", {"vault_mount.kv": "kv/certs"}),
    ],
)
def test_the_platforms_objects_have_ids_too(fleet: str, expected: dict[str, str]) -> None:
    folder = GOLDEN / fleet
    declared = pipeline.render(folder, pipeline.validate(folder).fleet, None).declared
    ids = {key: import_id(declared, item) for key, item in declared.objects.items()}
    assert {address: each for (root, address), each in ids.items() if each and root == "platform"} == expected


def test_an_import_stands_beside_the_file_that_declares_its_object(kinds: Rendered) -> None:
    chosen = [(f"{KINDS}/vault", "vault_policy.described"), (f"{KINDS}/aws", "aws_iam_role.vault_sts")]
    files = import_files(kinds.fleet, kinds.declared, chosen)
    assert list(files) == [
        f"terraform/{KINDS}/aws/import-sts.tf",
        f"terraform/{KINDS}/vault/import-client-described.tf",
    ]
    body = 'import {\n  to = vault_policy.described\n  id = "described-policy"\n}\n'
    assert files[f"terraform/{KINDS}/vault/import-client-described.tf"].endswith(f"\n\n{body}")
    assert " from clients/described.yaml: " in files[f"terraform/{KINDS}/vault/import-client-described.tf"]


def test_the_order_of_what_is_chosen_does_not_matter(kinds: Rendered) -> None:
    chosen = [(f"{KINDS}/vault", f"{kind}.described") for kind in ("vault_policy", "vault_aws_auth_backend_role")]
    assert import_files(kinds.fleet, kinds.declared, chosen) == import_files(kinds.fleet, kinds.declared, chosen[::-1])


@pytest.mark.parametrize("address", ["vault_policy.nobody", "data.aws_iam_policy_document.described"])
def test_what_is_not_declared_or_no_object_cannot_be_chosen(kinds: Rendered, address: str) -> None:
    with pytest.raises(KeyError):
        import_files(kinds.fleet, kinds.declared, [(f"{KINDS}/aws", address)])
