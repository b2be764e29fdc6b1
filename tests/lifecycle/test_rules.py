"""What the rules say of clients that are suspended, retired or renamed."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from generator import pipeline
from generator.audit.leftover import EDITED_LEFTOVER
from generator.diagnostics import Severity
from generator.rules import lifecycle, names
from generator.rules.accounts import NO_WAY_INTO_THE_ACCOUNT, STS_ROLE_IS_A_CLIENT, UNREGISTERED_ACCOUNT
from generator.rules.catalogue.lifecycle import RULES
from generator.rules.lifecycle import (
    DIRECTORY_FOLLOWS_RENAME,
    FORMER_NAME_IN_USE,
    LAPSED_RETIREMENT,
    RENAMED_AND_RETIRED,
    RENAMED_IN_A_CIRCLE,
    REUSED_POLICY_NAME,
    SHARED_FORMER_NAME,
    SUSPENDED_AND_RETIRED,
    VAULT_NAME_FOLLOWS_RENAME,
)
from generator.rules.paths import GRANT_OUTSIDE_SHARED_PATHS
from tests.lifecycle.fleets import RETIRED, client, judged

if TYPE_CHECKING:
    from generator.rules.registry import Example, Rule

A, B, C = (f"clients/{name}.yaml" for name in "abc")
SETTINGS = "crosskeys.yaml"
ACCOUNT = "clients/accounts/111111111111.yaml"
BY_ROLE = "vault: {policy: '{role_name}-policy'}\n"


class TestRetiring:
    @pytest.mark.parametrize(
        ("today", "lapsed"), [("2027-01-30", False), ("2027-01-31", False), ("2027-02-01", True), ("2031-01-01", True)]
    )
    def test_permission_holds_through_its_day_and_then_a_warning_says_that_it_is_over(
        self, tmp_path: Path, today: str, lapsed: bool
    ) -> None:
        found = judged(tmp_path, {A: client("a", RETIRED), B: client("b")}, dt.date.fromisoformat(today))
        assert [(each.rule, each.severity, str(each.span)) for each in found] == (
            [(LAPSED_RETIREMENT, Severity.WARNING, "clients/a.yaml:5:26")] if lapsed else []
        )

    def test_nobody_says_what_day_it_is_and_no_permission_is_judged(self, tmp_path: Path) -> None:
        assert judged(tmp_path, {A: client("a", RETIRED.replace("2027", "1999"))}) == ()

    def test_suspending_as_well_is_refused_for_retiring_ends_all_access(self, tmp_path: Path) -> None:
        (finding,) = judged(tmp_path, {A: client("a", f"suspend: {{reason: x}}\n{RETIRED}")})
        assert (finding.rule, str(finding.span)) == (SUSPENDED_AND_RETIRED, "clients/a.yaml:5:1")
        assert "retiring ends all access" in (finding.help or "")

    def test_renaming_as_well_is_refused_and_nothing_else_is_asked_of_it(self, tmp_path: Path) -> None:
        (finding,) = judged(tmp_path, {A: client("a", f"previously: b\n{RETIRED}"), B: client("b")})
        assert (finding.rule, str(finding.span)) == (RENAMED_AND_RETIRED, "clients/a.yaml:5:1")

    @pytest.mark.parametrize(
        ("rule", "newcomer"),
        [
            (names.TWO_MANIFESTS_FOR_ONE_NAME, {"clients/team/a.yaml": client("a", "vault: {policy: p}\n", role="x")}),
            (names.SHARED_VAULT_ROLE, {B: client("b", "vault: {role: A-app}\n")}),
            (names.SHARED_POLICY, {B: client("b", "vault: {policy: A-policy}\n")}),
            (
                names.SHARED_PRINCIPAL,
                {B: client("b", "vault: {role: b}\naws: {instance_profile: b}\n", role="a-app")},
            ),
            (names.SHARED_IAM_ROLE, {B: client("b", "vault: {role: b}\naws: {instance_profile: b}\n", role="A-app")}),
            (names.SHARED_INSTANCE_PROFILE, {B: client("b", "aws: {instance_profile: a-app}\n")}),
        ],
    )
    def test_every_name_of_a_retired_client_stays_its_own(
        self, tmp_path: Path, rule: str, newcomer: dict[str, str]
    ) -> None:
        found = judged(tmp_path, {A: client("a", RETIRED), **newcomer})
        assert rule in {each.rule for each in found if each.severity is Severity.ERROR}

    def test_the_directory_of_a_retired_client_stays_its_own(self, tmp_path: Path) -> None:
        settings = "vault: {directory: 'certs/{account_id}'}\n"
        found = judged(tmp_path, {SETTINGS: settings, A: client("a", RETIRED), B: client("b")})
        assert [each.rule for each in found] == [names.SHARED_DIRECTORY]

    def test_the_role_of_a_retired_client_is_not_taken_for_vaults_own(self, tmp_path: Path) -> None:
        found = judged(
            tmp_path,
            {
                SETTINGS: "vault: {principals: ['arn:aws:iam::999999999999:role/hcp-vault']}\n",
                ACCOUNT: "name: x\nowner: x\nsts: {role: a-app, external_id: 7d1c9d0e-3f0b-4a52}\n",
                A: client("a", RETIRED),
            },
        )
        assert STS_ROLE_IS_A_CLIENT in {each.rule for each in found}

    def test_what_only_an_object_needs_is_not_asked_of_a_retired_client(self, tmp_path: Path) -> None:
        needy = "vault: {resolve_unique_ids: true}\ngrants: [{path: shared/gone}]\n"
        found = judged(tmp_path, {A: client("a", needy)})
        assert {each.rule for each in found} == {NO_WAY_INTO_THE_ACCOUNT, GRANT_OUTSIDE_SHARED_PATHS}
        assert judged(tmp_path, {A: client("a", needy + RETIRED)}) == ()

    def test_its_account_stays_registered_for_that_says_who_may_destroy_in_it(self, tmp_path: Path) -> None:
        found = judged(tmp_path, {SETTINGS: "accounts: registered\n", A: client("a", RETIRED)})
        assert [each.rule for each in found] == [UNREGISTERED_ACCOUNT]


class TestRenaming:
    @pytest.mark.parametrize(
        ("more", "adds"),
        [
            ("", "add `vault: {policy: old-policy}`"),
            ("vault: {token_ttl: 1h}\n", "add `policy: old-policy` below `vault:`"),
        ],
    )
    def test_policy_named_by_the_fleet_is_asked_to_stay_with_the_line_to_add(
        self, tmp_path: Path, more: str, adds: str
    ) -> None:
        (finding,) = judged(tmp_path, {A: client("a", f"previously: old\n{more}")})
        assert (finding.rule, str(finding.span)) == (VAULT_NAME_FOLLOWS_RENAME, "clients/a.yaml:5:13")
        assert "from `old-policy` to `a-policy`" in finding.message
        assert adds in (finding.help or "")

    def test_policy_that_is_written_down_or_has_no_client_name_in_it_is_fine(self, tmp_path: Path) -> None:
        assert judged(tmp_path, {A: client("a", "previously: old\nvault: {policy: old-policy}\n")}) == ()
        assert judged(tmp_path, {SETTINGS: BY_ROLE, A: client("a", "previously: old\n")}) == ()

    def test_vault_role_named_by_the_fleet_after_the_client_is_asked_to_stay_as_well(self, tmp_path: Path) -> None:
        settings = "vault: {role: 'crosskeys-{name}'}\n"
        found = judged(tmp_path, {SETTINGS: settings, A: client("a", "previously: old\n")})
        assert [each.rule for each in found] == [VAULT_NAME_FOLLOWS_RENAME] * 2
        assert {each.help and each.help.partition(",")[0] for each in found} == {
            "add `vault: {policy: old-policy}`",
            "add `vault: {role: crosskeys-old}`",
        }
        kept = "previously: old\nvault: {policy: old-policy, role: crosskeys-old}\n"
        assert judged(tmp_path, {A: client("a", kept)}) == ()

    def test_directory_that_follows_the_name_is_a_warning(self, tmp_path: Path) -> None:
        settings = "vault: {directory: 'certs/{name}', policy: '{role_name}'}\n"
        (finding,) = judged(tmp_path, {SETTINGS: settings, A: client("a", "previously: old\n")})
        assert (finding.rule, finding.severity) == (DIRECTORY_FOLLOWS_RENAME, Severity.WARNING)
        assert "from `certs/old` to `certs/a`" in finding.message

    @pytest.mark.parametrize(
        ("state", "says"), [("", "still has a manifest"), (RETIRED, "is retired, and its manifest keeps the name")]
    )
    def test_former_name_that_has_a_manifest_is_refused(self, tmp_path: Path, state: str, says: str) -> None:
        (finding,) = judged(tmp_path, {SETTINGS: BY_ROLE, A: client("a", "previously: b\n"), B: client("b", state)})
        assert (finding.rule, str(finding.span)) == (FORMER_NAME_IN_USE, "clients/a.yaml:5:13")
        assert says in finding.message
        assert [str(note.span) for note in finding.notes] == ["clients/b.yaml:1:7"]

    @pytest.mark.parametrize("circle", ["a", "ab", "abc"])
    def test_circle_of_any_length_is_refused_at_each_of_its_clients(self, tmp_path: Path, circle: str) -> None:
        following = dict(zip(circle, circle[1:] + circle[0], strict=True))
        files = {f"clients/{name}.yaml": client(name, f"previously: {old}\n") for name, old in following.items()}
        found = judged(tmp_path, {SETTINGS: BY_ROLE, **files})
        assert [(each.rule, each.span.path) for each in found] == [(RENAMED_IN_A_CIRCLE, path) for path in files]
        assert " from ".join(f"`{name}`" for name in circle + circle[0]) in found[0].message

    def test_client_renamed_from_one_in_a_circle_is_not_in_it(self, tmp_path: Path) -> None:
        files = {
            A: client("a", "previously: b\n"),
            B: client("b", "previously: c\n"),
            C: client("c", "previously: b\n"),
        }
        found = judged(tmp_path, {SETTINGS: BY_ROLE, **files})
        assert {(each.rule, each.span.path) for each in found} == {
            (FORMER_NAME_IN_USE, A),
            (SHARED_FORMER_NAME, C),
            (RENAMED_IN_A_CIRCLE, B),
            (RENAMED_IN_A_CIRCLE, C),
        }

    def test_one_former_name_is_one_clients(self, tmp_path: Path) -> None:
        files = {path: client(path[8], "previously: old\n") for path in (A, B)}
        (finding,) = judged(tmp_path, {SETTINGS: BY_ROLE, **files})
        assert (finding.rule, str(finding.span)) == (SHARED_FORMER_NAME, "clients/b.yaml:5:13")
        assert [str(note.span) for note in finding.notes] == ["clients/a.yaml:5:13"]

    def test_renamed_client_can_be_suspended_at_the_same_time(self, tmp_path: Path) -> None:
        both = "previously: old\nvault: {policy: old-policy}\nsuspend: {reason: x}\n"
        assert judged(tmp_path, {A: client("a", both)}) == ()


class TestPolicyNamesThatOthersHad:
    def test_default_name_of_a_client_that_has_another_policy_now(self, tmp_path: Path) -> None:
        files = {A: client("a", "vault: {policy: B-policy}\n"), B: client("b", "vault: {policy: other}\n")}
        (finding,) = judged(tmp_path, files)
        assert (finding.rule, finding.severity) == (REUSED_POLICY_NAME, Severity.WARNING)
        assert str(finding.span) == "clients/a.yaml:5:17"
        assert "tokens from then that still live" in finding.message

    def test_default_name_from_before_a_rename(self, tmp_path: Path) -> None:
        renamed = client("b", "previously: old\nvault: {policy: own}\n")
        (finding,) = judged(tmp_path, {A: client("a", "vault: {policy: old-policy}\n"), B: renamed})
        assert (finding.rule, finding.notes[0].span.path) == (REUSED_POLICY_NAME, B)

    def test_name_of_a_retired_clients_policy_is_refused_and_the_warning_says_what_would_come_of_it(
        self, tmp_path: Path
    ) -> None:
        retired = client("b", f"vault: {{policy: special}}\n{RETIRED}")
        found = judged(tmp_path, {A: client("a", "vault: {policy: special}\n"), B: retired})
        assert {(each.rule, each.severity) for each in found} == {
            (names.SHARED_POLICY, Severity.ERROR),
            (REUSED_POLICY_NAME, Severity.WARNING),
        }

    def test_policy_that_a_renamed_client_keeps_is_its_own(self, tmp_path: Path) -> None:
        files = {A: client("a", "previously: old\nvault: {policy: old-policy}\n"), B: client("b")}
        assert judged(tmp_path, files) == ()
        assert judged(tmp_path, {A: client("a", "vault: {policy: old-policy}\n")}) == ()


def texts(example: Example) -> dict[str, str]:
    return {path: text for path, text in example.files.items() if isinstance(text, str)}


# What is judged by the tree that stands, not by the manifests: tests/rules plays its examples.
OF_THE_TREE = {EDITED_LEFTOVER}


class TestTheCatalogue:
    def test_has_every_rule(self) -> None:
        emitted = {value for name, value in vars(lifecycle).items() if name.isupper() and str(value).startswith("CK")}
        assert emitted | OF_THE_TREE == {rule.id for rule in RULES}

    @pytest.mark.parametrize("rule", [rule for rule in RULES if rule.id not in OF_THE_TREE], ids=lambda rule: rule.id)
    def test_bad_example_breaks_this_rule_alone_and_the_good_one_none(self, tmp_path: Path, rule: Rule) -> None:
        bad = judged(tmp_path / "bad", texts(rule.bad), dt.date(2026, 11, 24))
        assert {(each.rule, each.severity) for each in bad} == {(rule.id, rule.severity)}
        assert judged(tmp_path / "good", texts(rule.good), dt.date(2026, 11, 24)) == ()


def test_the_example_fleet_has_nothing_to_be_warned_of() -> None:
    assert pipeline.validate(Path(__file__).parents[2], dt.date(2026, 11, 24)).findings == ()
