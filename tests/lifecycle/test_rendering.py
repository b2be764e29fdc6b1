"""What suspending, retiring and renaming change in the rendered tree, and that reading back sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from generator.audit import parseback
from generator.audit.declared import Moved, VaultPolicy, VaultRole
from generator.audit.faults import DANGLING, POLICY, REPEATED, UNKNOWN, WRONG_VALUE, Unreadable, UnreadableTreeError
from generator.audit.read import read, read_file
from generator.errors import InternalError
from tests.lifecycle.fleets import AWS, RETIRED, VAULT, client, fleet_of, texts_of

if TYPE_CHECKING:
    from pathlib import Path

    from generator.manifest.fleet import Fleet

A, B = "clients/a.yaml", "clients/b.yaml"
SETTINGS = {"crosskeys.yaml": "shared_paths: [{path: shared/ca, owner: pki}]\n"}
GRANTED = "grants: [{path: shared/ca}]\n"
OWN = "certs/111111111111/a-app"


def rendered(folder: Path, more: str) -> tuple[Fleet, dict[str, str]]:
    """Return a fleet of `a`, with these further lines, and `b`, and what it is rendered to, read back."""
    fleet = fleet_of(folder, {**SETTINGS, A: client("a", more), B: client("b")})
    texts = texts_of(fleet)
    parseback.verify(fleet, texts, cache=None)
    return fleet, texts


def changed(before: dict[str, str], after: dict[str, str]) -> set[str]:
    return {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)}


class TestSuspending:
    def test_changes_the_clients_file_of_the_vault_side_alone(self, tmp_path: Path) -> None:
        _, before = rendered(tmp_path, GRANTED)
        _, after = rendered(tmp_path, f"{GRANTED}suspend: {{reason: key leaked}}\n")
        assert changed(before, after) == {f"{VAULT}/client-a.tf"}
        assert "# Suspended: key leaked\n" in after[f"{VAULT}/client-a.tf"]

    def test_leaves_a_policy_of_denies_on_its_own_paths_under_its_name_and_no_role(self, tmp_path: Path) -> None:
        _, texts = rendered(tmp_path, f"{GRANTED}suspend: {{reason: x}}\n")
        declared = read(texts)
        assert [role.label for role in declared.of(VaultRole)] == ["b"]
        policy = next(each for each in declared.of(VaultPolicy) if each.label == "a")
        assert policy.name == "a-policy"
        assert {rule.capabilities for rule in policy.rules} == {("deny",)}
        areas = ("data", "metadata", "delete", "undelete", "destroy", "subkeys")
        assert {rule.path for rule in policy.rules} == {
            f"secret/metadata/{OWN}",
            *(f"secret/{area}/{OWN}/*" for area in areas),
        }

    def test_taken_out_gives_back_what_was_byte_for_byte(self, tmp_path: Path) -> None:
        _, before = rendered(tmp_path, GRANTED)
        rendered(tmp_path, f"{GRANTED}suspend: {{reason: x}}\n")
        _, after = rendered(tmp_path, GRANTED)
        assert after == before

    @pytest.mark.parametrize("reason", ["${vault_policy.b.name}", "%{ if true }", "EOT", '"}', "ключ утёк", "# */"])
    def test_reason_is_a_comment_whatever_it_says(self, tmp_path: Path, reason: str) -> None:
        quoted = reason.replace('"', '\\"')
        _, texts = rendered(tmp_path, f'suspend: {{reason: "{quoted}"}}\n')
        shown = reason.replace("${", "$${").replace("%{", "%%{")
        assert f"# Suspended: {shown}\n" in texts[f"{VAULT}/client-a.tf"]


class TestRetiring:
    def test_takes_both_files_of_the_client_and_nothing_else(self, tmp_path: Path) -> None:
        _, before = rendered(tmp_path, GRANTED)
        _, after = rendered(tmp_path, GRANTED + RETIRED)
        assert changed(before, after) == {f"{VAULT}/client-a.tf", f"{AWS}/client-a.tf"}
        assert before.keys() - after.keys() == {f"{VAULT}/client-a.tf", f"{AWS}/client-a.tf"}

    def test_day_has_no_part_in_it(self, tmp_path: Path) -> None:
        _, before = rendered(tmp_path, RETIRED)
        _, after = rendered(tmp_path, RETIRED.replace("2027", "1999"))
        assert after == before

    def test_last_client_leaves_roots_that_can_still_destroy(self, tmp_path: Path) -> None:
        fleet = fleet_of(tmp_path, {A: client("a", RETIRED)})
        texts = texts_of(fleet)
        parseback.verify(fleet, texts, cache=None)
        assert texts.keys() == {f"{VAULT}/root.tf", f"{AWS}/root.tf"}


class TestRenaming:
    KEPT = "vault: {policy: old-policy, role: a-app}\n"

    def test_adds_a_move_for_each_object_and_nothing_else(self, tmp_path: Path) -> None:
        _, before = rendered(tmp_path, self.KEPT)
        _, after = rendered(tmp_path, f"{self.KEPT}previously: old\n")
        assert changed(before, after) == {f"{VAULT}/client-a.tf", f"{AWS}/client-a.tf"}
        for path in changed(before, after):
            body = before[path].partition("\n\n")[2]
            assert after[path].partition("\n\n")[2].startswith(body)
        assert [(each.from_, each.to) for each in read(after).of(Moved)] == [
            (f"{type_}.old", f"{type_}.a")
            for type_ in (
                "aws_iam_role",
                "aws_iam_instance_profile",
                "vault_policy",
                "vault_aws_auth_backend_role",
            )
        ]

    @pytest.mark.parametrize(
        ("more", "left_out"),
        [
            ("aws: {instance_profile: none}\n", {"aws_iam_instance_profile"}),
            ("aws: {role: existing}\n", {"aws_iam_role", "aws_iam_instance_profile"}),
            ("suspend: {reason: x}\n", {"vault_aws_auth_backend_role"}),
        ],
    )
    def test_what_the_client_does_not_have_does_not_move(self, tmp_path: Path, more: str, left_out: set[str]) -> None:
        _, whole = rendered(tmp_path, f"{self.KEPT}previously: old\n")
        _, texts = rendered(tmp_path, f"{self.KEPT}previously: old\n{more}")
        moving = {each.to.partition(".")[0] for each in read(whole).of(Moved)}
        assert {each.to.partition(".")[0] for each in read(texts).of(Moved)} == moving - left_out


SUSPENDED = "suspend: {reason: x}\n"
RENAMED = "previously: old\nvault: {policy: old-policy}\n"


class TestReadingBack:
    @pytest.mark.parametrize(
        ("more", "file", "edit", "says"),
        [
            (SUSPENDED, VAULT, (f'    path "secret/data/{OWN}/*" {{ capabilities = ["deny"] }}\n', ""), "rules"),
            (SUSPENDED, VAULT, ('["deny"]', '["read"]'), 'expected "deny", found "read"'),
            (SUSPENDED, VAULT, (f"secret/data/{OWN}/*", "secret/data/certs/111111111111/b-app/*"), "rules"),
            (RENAMED, VAULT, ("vault_policy.old", "vault_policy.older"), "moved vault_policy.old is not declared"),
            (RENAMED, VAULT, ("to   = vault_policy.a", "to   = vault_policy.b"), "to: expected"),
            (RENAMED, AWS, ("moved {\n  from = aws_iam_role.old\n  to   = aws_iam_role.a\n}\n", ""), "not declared"),
        ],
    )
    def test_a_template_that_says_otherwise_is_caught(
        self, tmp_path: Path, more: str, file: str, edit: tuple[str, str], says: str
    ) -> None:
        fleet, texts = rendered(tmp_path, more)
        path, (old, new) = f"{file}/client-a.tf", edit
        assert old in texts[path]
        with pytest.raises(InternalError, match=says):
            parseback.verify(fleet, {**texts, path: texts[path].replace(old, new, 1)}, cache=None)

    def test_a_template_that_does_not_know_of_suspending_is_caught(self, tmp_path: Path) -> None:
        _, before = rendered(tmp_path, "")
        fleet, texts = rendered(tmp_path, SUSPENDED)
        path = f"{VAULT}/client-a.tf"
        with pytest.raises(InternalError, match=r"vault_aws_auth_backend_role\.a is declared and should not be"):
            parseback.verify(fleet, {**texts, path: before[path]}, cache=None)

    def test_a_file_of_a_retired_client_is_caught(self, tmp_path: Path) -> None:
        _, before = rendered(tmp_path, "")
        fleet, texts = rendered(tmp_path, RETIRED)
        with pytest.raises(InternalError, match=r"client-a\.tf: the file should not be there"):
            parseback.verify(fleet, {**before, **texts}, cache=None)


def moved(from_: str, to: str, more: str = "") -> str:
    return f"moved {{\n  from = {from_}\n  to   = {to}\n{more}}}\n"


def policy(label: str) -> str:
    rule = 'path "a" { capabilities = ["deny"] }'
    return f'resource "vault_policy" "{label}" {{\n  name   = "{label}"\n  policy = <<-EOT\n    {rule}\n  EOT\n}}\n'


class TestReadingAMove:
    @pytest.mark.parametrize(
        ("path", "text", "rule"),
        [
            (f"{VAULT}/x.tf", moved('"vault_policy.x"', "vault_policy.y"), WRONG_VALUE),
            (f"{VAULT}/x.tf", moved("vault_policy.x.name", "vault_policy.y"), None),
            (f"{VAULT}/x.tf", moved("module.x", "module.y"), None),
            (f"{VAULT}/x.tf", moved("data.x", "data.y"), None),
            (f"{VAULT}/x.tf", moved("aws_iam_role.x", "aws_iam_role.y"), None),
            (f"{VAULT}/x.tf", moved("vault_aws_auth_backend_sts_role.x", "vault_aws_auth_backend_sts_role.y"), None),
            (f"{AWS}/x.tf", moved("aws_iam_role_policy.x", "aws_iam_role_policy.y"), None),
            (f"{VAULT}/x.tf", moved("vault_policy.x[0]", "vault_policy.y"), None),
            (f"{VAULT}/x.tf", moved("vault_policy.x", "vault_aws_auth_backend_role.x"), WRONG_VALUE),
            (f"{VAULT}/x.tf", moved("vault_policy.x", "vault_policy.y", "  why = true\n"), UNKNOWN),
            (f"{VAULT}/x.tf", "moved {\n  from = vault_policy.x\n}\n", WRONG_VALUE),
            (f"{VAULT}/x.tf", 'moved "x" {\n  from = vault_policy.x\n  to   = vault_policy.y\n}\n', UNKNOWN),
            ("terraform/platform/x.tf", moved("vault_mount.x", "vault_mount.kv"), UNKNOWN),
        ],
    )
    def test_refuses_all_but_one_client_resource_to_another_of_its_type(
        self, path: str, text: str, rule: str | None
    ) -> None:
        with pytest.raises(Unreadable) as caught:
            read_file(path, text)
        assert caught.value.finding.span.path == path
        assert rule is None or caught.value.finding.rule == rule

    @pytest.mark.parametrize(
        ("text", "rule", "says"),
        [
            (policy("y") + moved("vault_policy.x", "vault_policy.z"), DANGLING, "vault_policy.z"),
            (policy("x") + policy("y") + moved("vault_policy.x", "vault_policy.y"), REPEATED, "still declared"),
            (
                policy("y") + moved("vault_policy.x", "vault_policy.y") + moved("vault_policy.z", "vault_policy.y"),
                REPEATED,
                "two objects move to vault_policy.y",
            ),
            (
                policy("y") + moved("vault_policy.x", "vault_policy.y") + moved("vault_policy.x", "vault_policy.z"),
                REPEATED,
                "declared twice",
            ),
        ],
    )
    def test_refuses_what_terraform_would_refuse_or_take_for_a_wish_to_destroy(
        self, text: str, rule: str, says: str
    ) -> None:
        with pytest.raises(UnreadableTreeError) as caught:
            read({f"{VAULT}/x.tf": text})
        assert [(each.rule, says in each.message) for each in caught.value.findings] == [(rule, True)]

    def test_takes_one_from_another_file_of_the_root_for_its_target(self) -> None:
        declared = read({f"{VAULT}/x.tf": moved("vault_policy.x", "vault_policy.y"), f"{VAULT}/y.tf": policy("y")})
        (move,) = declared.of(Moved)
        assert (move.from_, move.to, move.address) == ("vault_policy.x", "vault_policy.y", "moved vault_policy.x")
        with pytest.raises(UnreadableTreeError):
            read({f"{VAULT}/x.tf": moved("vault_policy.x", "vault_policy.y"), f"{AWS}/y.tf": ""})


@pytest.mark.parametrize("others", ['["deny", "read"]', '["list", "deny"]'])
def test_a_deny_that_looks_like_a_permission_is_refused(others: str) -> None:
    with pytest.raises(Unreadable, match="takes away every other capability") as caught:
        read_file(f"{VAULT}/x.tf", policy("x").replace('["deny"]', others))
    assert caught.value.finding.rule == POLICY
