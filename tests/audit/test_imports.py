"""Import blocks: which files there are of them, and by which ids objects are imported."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from generator import pipeline
from generator.audit import tree
from generator.audit.declared import Import
from generator.audit.faults import UnreadableTreeError
from generator.audit.imports import import_files, import_id
from generator.audit.pending import SPOILT_IMPORTS, settled
from generator.errors import RefusedError
from generator.render.tree import STALE_FILE, write

if TYPE_CHECKING:
    from collections.abc import Mapping

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


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The fleet of the golden folder, all of whose objects are imported."""
    made = tmp_path / "fleet"
    shutil.copytree(GOLDEN / "kinds", made)
    rendered = render(made)
    chosen = [key for key, item in rendered.declared.objects.items() if import_id(rendered.declared, item)]
    place(made, import_files(rendered.fleet, rendered.declared, chosen))
    return made


def render(folder: Path) -> Rendered:
    validated = pipeline.validate(folder)
    assert not validated.has_errors, validated.findings
    return pipeline.render(folder, validated.fleet, folder.parent.parent / "cache")


def place(folder: Path, texts: Mapping[str, str]) -> None:
    for path, text in texts.items():
        (folder / path).write_text(text, "utf-8")


def imported(rendered: Rendered) -> set[str]:
    return {f"{item.root} {item.to}" for item in rendered.declared.of(Import)}


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")


def stamp(path: Path) -> None:
    """Make the head fit the body, as whoever forges a file can."""
    head, _, body = path.read_text("utf-8").partition("\n\n")
    first, _, _ = head.partition("\n")
    digest = hashlib.sha256(body.encode()).hexdigest()
    path.write_text(f"{first}\n# Digest of what follows: sha256:{digest}\n\n{body}", "utf-8")


def test_import_files_are_part_of_the_tree_and_of_its_roots(folder: Path) -> None:
    rendered = render(folder)
    assert rendered.comparison.is_current
    assert rendered.proof.isolated
    assert len(imported(rendered)) == 32
    files = {path for root in rendered.roots for path in root.files}
    assert files == set(rendered.comparison.wanted) == set(rendered.comparison.found)
    assert f"terraform/{KINDS}/vault/import-sts.tf" in files
    assert set(tree.load(folder).declared.of(Import)) == set(rendered.declared.of(Import))


def test_choosing_more_keeps_what_the_file_imports_already(folder: Path) -> None:
    path = f"terraform/{KINDS}/vault/import-client-described.tf"
    whole = (folder / path).read_text("utf-8")
    (folder / path).unlink()
    for kind in ("vault_policy", "vault_aws_auth_backend_role"):
        rendered = render(folder)
        place(folder, import_files(rendered.fleet, rendered.declared, [(f"{KINDS}/vault", f"{kind}.described")]))
    assert (folder / path).read_text("utf-8") == whole


@pytest.mark.parametrize(
    ("more", "gone"),
    [
        ("suspend: {reason: key leaked}\n", {"vault vault_aws_auth_backend_role"}),
        (
            'retire: {approved_until: "2027-01-31", reason: moved}\n',
            {
                "aws aws_iam_instance_profile",
                "aws aws_iam_role",
                "vault vault_aws_auth_backend_role",
                "vault vault_policy",
            },
        ),
    ],
)
def test_what_is_declared_no_longer_is_imported_no_longer(folder: Path, more: str, gone: set[str]) -> None:
    before = imported(render(folder))
    manifest = folder / "clients/unique.yaml"
    manifest.write_text(manifest.read_text("utf-8") + more, "utf-8")
    rendered = render(folder)
    write(folder, rendered.comparison)
    assert before - imported(rendered) == {f"{KINDS}/{each}.unique" for each in gone}
    assert render(folder).comparison.is_current
    assert set(tree.load(folder).declared.of(Import)) == set(rendered.declared.of(Import))


def test_a_client_under_another_name_is_imported_only_when_that_is_asked_for(folder: Path) -> None:
    before = imported(render(folder))
    edit(folder / "clients/unique.yaml", "name: unique\n", "name: other\npreviously: unique\n")
    edit(folder / "clients/unique.yaml", "{resolve_unique_ids", "{policy: unique-policy, resolve_unique_ids")
    (folder / "clients/unique.yaml").rename(folder / "clients/other.yaml")
    rendered = render(folder)
    write(folder, rendered.comparison)
    assert {each for each in before - imported(rendered) if not each.endswith(".unique")} == set()
    assert not list(folder.rglob("import-client-unique.tf"))


def test_an_object_of_another_name_is_another_object(folder: Path) -> None:
    edit(folder / "clients/unique.yaml", "role_name: unique-app", "role_name: other-app")
    rendered = render(folder)
    left = {each for each in imported(rendered) if each.endswith(".unique")}
    assert left == {f"{KINDS}/vault vault_policy.unique"}


def test_an_edited_import_file_is_refused_and_left_as_it_is(folder: Path) -> None:
    path = f"terraform/{KINDS}/vault/import-client-unique.tf"
    edit(folder / path, '"unique-policy"', '"described-policy"')
    edited = (folder / path).read_text("utf-8")
    rendered = render(folder)
    (finding,) = rendered.comparison.findings()
    assert (finding.rule, finding.span.path) == (SPOILT_IMPORTS, path)
    assert f"{KINDS}/vault vault_policy.unique" not in imported(rendered)
    with pytest.raises(RefusedError):
        write(folder, rendered.comparison)
    assert (folder / path).read_text("utf-8") == edited


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"unique-policy"', '"described-policy"'),
        ('"unique-policy"', '"Unique-policy"'),
        ("vault_policy.unique", "vault_policy.described"),
        ("vault_policy.unique", "vault_policy.nobody"),
    ],
)
def test_a_forged_block_is_not_kept(folder: Path, old: str, new: str) -> None:
    path = f"terraform/{KINDS}/vault/import-client-unique.tf"
    edit(folder / path, old, new)
    stamp(folder / path)
    rendered = render(folder)
    assert [(finding.rule, finding.span.path) for finding in rendered.comparison.findings()] == [(STALE_FILE, path)]
    assert "policy" not in rendered.comparison.wanted[path].partition("\n\n")[2].replace("`crosskeys prune`", "")
    with pytest.raises(UnreadableTreeError):
        tree.load(folder)


def test_a_block_in_the_file_of_another_client_is_not_kept(folder: Path) -> None:
    path = f"terraform/{KINDS}/vault/import-client-unique.tf"
    other = folder / f"terraform/{KINDS}/vault/import-client-described.tf"
    blocks = other.read_text("utf-8").partition("\nimport")
    other.unlink()
    (folder / path).write_text((folder / path).read_text("utf-8") + blocks[1] + blocks[2], "utf-8")
    stamp(folder / path)
    rendered = render(folder)
    assert [(finding.rule, finding.span.path) for finding in rendered.comparison.findings()] == [(STALE_FILE, path)]
    assert not [each for each in imported(rendered) if f"{KINDS}/vault" in each and each.endswith(".described")]


def test_a_file_has_done_its_work_when_all_that_it_imports_is_in_its_own_roots_state(folder: Path) -> None:
    declared = render(folder).declared
    policy, role = "vault_policy.unique", "vault_aws_auth_backend_role.unique"
    path = f"terraform/{KINDS}/vault/import-client-unique.tf"
    for known, left in (
        ({f"{KINDS}/vault": {policy, role, "vault_policy.more"}}, None),
        ({f"{KINDS}/vault": {policy}}, (role,)),
        ({f"{KINDS}/aws": {policy, role}}, (role, policy)),
        ({}, (role, policy)),
    ):
        done, waiting = settled(declared, known)
        assert (path in done, waiting.get(path)) == (left is None, left)


@pytest.mark.parametrize(
    "added",
    [
        'resource "vault_policy" "x" {\n  name   = "x"\n  policy = "path \\"*\\" {}"\n}\n',
        'import {\n  for_each = ["x"]\n  to       = vault_policy.unique\n  id       = "x"\n}\n',
        'provider "vault" {\n  namespace = "other"\n}\n',
        "moved {\n  from = vault_policy.x\n  to   = vault_policy.unique\n}\n",
        "}\n",
    ],
)
def test_a_forged_file_that_holds_more_is_refused(folder: Path, added: str) -> None:
    path = f"terraform/{KINDS}/vault/import-client-unique.tf"
    (folder / path).write_text((folder / path).read_text("utf-8") + added, "utf-8")
    stamp(folder / path)
    assert [finding.rule for finding in render(folder).comparison.findings()] == [SPOILT_IMPORTS]


def test_a_client_that_is_called_as_another_file_has_its_own(folder: Path) -> None:
    (folder / "clients/sts.yaml").write_text(
        'name: sts\naccount_id: "111111111111"\nrole_name: sts-app\nowner: x@example.com\n', "utf-8"
    )
    rendered = render(folder)
    write(folder, rendered.comparison)
    chosen = [(f"{KINDS}/vault", "vault_policy.sts")]
    place(folder, import_files(rendered.fleet, rendered.declared, chosen))
    assert imported(render(folder)) == {*imported(rendered), f"{KINDS}/vault vault_policy.sts"}


def test_the_imports_of_a_root_that_no_manifest_says_go(folder: Path) -> None:
    for path in (folder / "clients").rglob("*.yaml"):
        if '"111111111111"' in path.read_text("utf-8") or path.name == "111111111111.yaml":
            path.unlink()
    rendered = render(folder)
    write(folder, rendered.comparison)
    assert not [each for each in imported(render(folder)) if each.startswith(KINDS)]
    assert not list((folder / "terraform" / KINDS).rglob("import-*"))
