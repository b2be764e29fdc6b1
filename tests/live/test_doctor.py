"""What the doctor makes of what it observes: the words, the status, and what to do."""

from __future__ import annotations

import json
from io import StringIO
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from generator.errors import ExitCode
from generator.live import doctor_aws, doctor_environment, doctor_machine, doctor_state, doctor_vault
from generator.live.answers import Unknown
from generator.manifest.settings import FleetSettings
from generator.report.checkup import Check, Status, concise, exit_code, print_checks, to_json
from generator.report.states import StateRow

if TYPE_CHECKING:
    from pathlib import Path

NOW = 1_800_000_000.0
HEALTH: dict[str, Any] = {"version": "1.21.2", "initialized": True, "sealed": False, "cluster_id": "c1"}
DENIED = Unknown("x", "permission denied", "let the token read x")
AWAY = Unknown("x", "Vault does not answer at https://v: no route", "check the network")
OK, WARNING, FAILED, UNKNOWN = Status


def settings(**said: object) -> FleetSettings:
    return FleetSettings.model_validate(said)


def terraform(version: str) -> str:
    return json.dumps({"terraform_version": version})


@pytest.mark.parametrize(
    ("answer", "required", "status"),
    [
        (terraform("1.11.4"), ">= 1.11", OK),
        (terraform("1.10.9"), ">= 1.11", FAILED),
        (terraform("1.12.0"), "~> 1.11.0", FAILED),
        (terraform("1.11.9"), "~> 1.11.0", OK),
        (terraform("1.11.4"), "= 1.11.4", OK),
        (terraform("1.11.4"), "1.11.3", FAILED),
        (terraform("1.13.0-rc1"), ">= 1.11, < 2", OK),
        # packaging has no such constraint; Terraform itself will say.
        (terraform("1.11.4"), "~> 1", OK),
        ("no version", ">= 1.11", UNKNOWN),
        (None, ">= 1.11", FAILED),
    ],
)
def test_terraform_is_held_against_the_fleets_constraint(answer: str | None, required: str, status: Status) -> None:
    found = doctor_machine.terraform(answer, required)
    assert found.status is status
    assert (found.help is None) == (status is OK)


@pytest.mark.parametrize(("free", "status"), [(3 << 30, OK), (1 << 30, WARNING), (1 << 20, FAILED)])
def test_a_full_disk_is_said_before_it_ends_a_run(free: int, status: Status) -> None:
    assert doctor_machine.space(free).status is status


def test_a_folder_that_is_not_there_yet_is_judged_by_the_one_above_it(tmp_path: Path) -> None:
    assert doctor_machine.writable("cache", tmp_path / "a/b").status is OK
    (tmp_path / "file").touch()
    assert doctor_machine.writable("cache", tmp_path / "file/b").status is FAILED


@pytest.mark.parametrize(
    ("theirs", "status", "said"),
    [(NOW + 59, OK, "differ by 59 s"), (NOW + 61, FAILED, "61 s behind"), (NOW - 400, FAILED, "400 s ahead of")],
)
def test_a_clock_that_is_off_is_said_with_its_direction(theirs: float, status: Status, said: str) -> None:
    found = doctor_machine.clock("vault", theirs, NOW)
    assert (found.status, said in found.said) == (status, True)


def test_a_server_that_does_not_say_the_time_leaves_the_clock_unknown() -> None:
    assert doctor_machine.clock("vault", None, NOW).status is UNKNOWN


def subjects(**environment: str) -> dict[str, Status]:
    fleet = settings(
        live={"vault_address": "https://v.example.com"}, terraform={"backend": {"type": "s3", "bucket": "b"}}
    )
    base = {"VAULT_ADDR": "https://v.example.com"}
    found = doctor_environment.live(fleet, {name: value for name, value in {**base, **environment}.items() if value})
    return {check.name: check.status for check in found}


@pytest.mark.parametrize(
    ("environment", "subject", "status"),
    [
        ({}, "world", OK),
        ({"VAULT_ADDR": ""}, "VAULT_ADDR", FAILED),
        ({"VAULT_ADDR": "https://other.example.com"}, "VAULT_ADDR", FAILED),
        ({"VAULT_NAMESPACE": "other"}, "VAULT_NAMESPACE", FAILED),
        ({"AWS_ENDPOINT_URL_S3": "http://127.0.0.1:1"}, "AWS_ENDPOINT_URL", FAILED),
        ({"TF_WORKSPACE": "w"}, "TF_WORKSPACE", FAILED),
        ({"TF_CLI_ARGS_plan": "-target=x"}, "terraform", WARNING),
        ({"TF_VAR_sts_endpoint": "x"}, "terraform", WARNING),
        ({"TF_CLI_CONFIG_FILE": "nowhere.tfrc"}, "TF_CLI_CONFIG_FILE", WARNING),
        ({"VAULT_SKIP_VERIFY": "true"}, "VAULT_SKIP_VERIFY", WARNING),
        ({"AWS_PROFILE": "p", "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "s"}, "AWS_PROFILE", WARNING),
        ({"AWS_ACCESS_KEY_ID": "a"}, "AWS_ACCESS_KEY_ID", WARNING),
        ({"AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "eu-west-1"}, "AWS_REGION", WARNING),
        ({"HTTPS_PROXY": "http://user:hunter2@proxy"}, "proxy", WARNING),
    ],
)
def test_what_of_the_environment_stops_or_surprises_a_live_run_is_named(
    environment: dict[str, str], subject: str, status: Status
) -> None:
    found = subjects(**environment)
    assert found[subject] is status
    assert len(found) == (1 if status is not WARNING else 2), "one cause, one line"


def test_no_value_of_a_variable_that_may_hold_a_secret_is_shown() -> None:
    environment = {"HTTPS_PROXY": "http://user:hunter2@proxy", "TF_VAR_x": "hunter2", "AWS_ACCESS_KEY_ID": "hunter2"}
    said = to_json(tuple(doctor_environment.live(settings(), environment)))
    assert "HTTPS_PROXY" in said
    assert "hunter2" not in said


def test_every_reason_against_a_live_run_is_said_at_once() -> None:
    found = tuple(doctor_environment.live(settings(), {"TF_WORKSPACE": "w", "AWS_ENDPOINT_URL": "x"}))
    assert {check.name for check in found} == {"AWS_ENDPOINT_URL", "TF_WORKSPACE", "terraform.backend", "VAULT_ADDR"}


@pytest.mark.parametrize(
    ("change", "statuses"),
    [
        ({}, {"server": OK, "cluster": OK, "clock": OK}),
        ({"sealed": True}, {"server": FAILED, "cluster": OK, "clock": OK}),
        ({"initialized": False}, {"server": FAILED, "cluster": OK, "clock": OK}),
        ({"cluster_id": "c2"}, {"server": OK, "cluster": FAILED, "clock": OK}),
        ({"server_time_utc": None}, {"server": OK, "cluster": OK, "clock": UNKNOWN}),
    ],
)
def test_vaults_health_is_judged(change: dict[str, Any], statuses: dict[str, Status]) -> None:
    found = doctor_vault.health({**HEALTH, "server_time_utc": NOW, **change}, settings(live={"cluster_id": "c1"}), NOW)
    assert {check.name: check.status for check in found} == statuses


def test_a_vault_that_does_not_answer_is_unknown_and_not_down() -> None:
    (found,) = doctor_vault.health(AWAY, settings(), NOW)
    assert (found.status, found.help) == (UNKNOWN, "check the network")


@pytest.mark.parametrize(
    ("answer", "status", "said"),
    [
        ({"policies": ["default", "runner"], "ttl": 3600, "renewable": True}, OK, "1 h 0 min left, renewable"),
        ({"policies": ["default"], "ttl": 120}, WARNING, "2 min left, not renewable"),
        ({"policies": ["root"], "ttl": 0, "display_name": "root"}, WARNING, "may do anything"),
        (None, FAILED, "no namespace admin"),
        (DENIED, FAILED, "does not take the token"),
        (AWAY, UNKNOWN, "does not take the token"),
    ],
)
def test_a_token_is_judged_by_what_vault_says_of_it(answer: Any, status: Status, said: str) -> None:
    found = doctor_vault.token(answer, settings().vault)
    assert found.status is status
    assert said in found.said


def test_neither_a_token_nor_its_accessor_is_said() -> None:
    found = doctor_vault.token(
        {"id": "hvs.secret", "accessor": "acc3ssor", "policies": ["p"], "ttl": 9999}, settings().vault
    )
    assert "secret" not in found.said
    assert "acc3ssor" not in found.said


NEEDED = {f"auth/aws/role/r{number}": ("create", "read", "update", "delete") for number in range(5)}


@pytest.mark.parametrize(
    ("may", "status", "said"),
    [
        (("create", "read", "update", "delete", "list"), OK, "at each of 5 paths"),
        (("root",), OK, "at each of 5 paths"),
        (("read", "list"), WARNING, "it can verify, and neither plan nor apply"),
        (("create", "read", "update"), FAILED, "auth/aws/role/r2 lacks delete; and 2 more"),
        (("deny",), FAILED, "auth/aws/role/r0 lacks create, read, update, delete"),
    ],
)
def test_permissions_are_said_path_by_path(may: tuple[str, ...], status: Status, said: str) -> None:
    found = doctor_vault.permissions("clients", dict.fromkeys(NEEDED, may), NEEDED)
    assert (found.status, said in found.said) == (status, True), found


def test_permissions_that_cannot_be_asked_for_are_unknown() -> None:
    assert doctor_vault.permissions("clients", DENIED, NEEDED).status is UNKNOWN


def test_a_token_that_cannot_apply_the_platform_is_as_it_should_be() -> None:
    needed = {"sys/auth": ("read",), "sys/auth/aws": ("sudo",)}
    check = doctor_vault.permissions("platform", {}, needed)
    assert check.status is FAILED
    assert doctor_vault.for_platform(check).status is OK
    assert "sys/auth/aws lacks sudo" in doctor_vault.for_platform(check).said


@pytest.mark.parametrize(
    ("kind", "answer", "status"),
    [
        ("aws", {"type": "aws", "options": None}, OK),
        ("aws", {"type": "approle"}, FAILED),
        ("kv", {"type": "kv", "options": {"version": "2"}}, OK),
        ("kv", {"type": "kv", "options": {"version": "1"}}, FAILED),
        ("kv", {"type": "kv", "options": None}, FAILED),
        ("kv", None, FAILED),
        ("kv", DENIED, UNKNOWN),
    ],
)
def test_a_mount_must_be_of_its_type_and_version(kind: str, answer: Any, status: Status) -> None:
    assert doctor_vault.mount("mount", "m", answer, kind, managed=False).status is status


@pytest.mark.parametrize(("managed", "way"), [(True, "crosskeys apply --side platform makes it"), (False, "enable it")])
def test_a_mount_that_is_not_there_is_made_by_whoever_manages_it(*, managed: bool, way: str) -> None:
    check = doctor_vault.mount("mount", "m", None, "kv", managed=managed)
    assert check.status is FAILED
    assert (check.help or "").startswith(way)


@pytest.mark.parametrize(
    ("wanted", "answer", "status"),
    [
        ("v.example.com", {"iam_server_id_header_value": "v.example.com"}, OK),
        ("v.example.com", {"iam_server_id_header_value": ""}, FAILED),
        ("v.example.com", None, FAILED),
        (None, {"iam_server_id_header_value": "v.example.com"}, FAILED),
        (None, None, WARNING),
        ("v.example.com", DENIED, UNKNOWN),
    ],
)
def test_the_server_id_must_be_the_settings(wanted: str | None, answer: Any, status: Status) -> None:
    check = doctor_vault.client_config(answer, settings(vault={"server_id_header": wanted}))
    assert check.status is status
    assert "None" not in check.said


ACCOUNT: Any = SimpleNamespace(id="111111111111", provisioner_role="arn:aws:iam::111111111111:role/p")


def test_accounts_that_deny_must_be_mended_and_those_that_do_not_answer_are_unknown() -> None:
    denied = Unknown("p in account 111111111111", "access denied: not authorized", "…")
    away = Unknown("p in account 111111111111", "AWS does not answer: timeout", "…")
    assert [check.status for check in doctor_aws.verdict([(ACCOUNT, None)])] == [OK]
    assert [check.status for check in doctor_aws.verdict([(ACCOUNT, None), (ACCOUNT, denied)])] == [FAILED, FAILED]
    found = list(doctor_aws.verdict([(ACCOUNT, away), (ACCOUNT, denied)]))
    assert [check.status for check in found] == [UNKNOWN, UNKNOWN, FAILED]
    assert "arn:aws:iam::111111111111:role/p: AWS does not answer" in found[1].said
    many = list(doctor_aws.verdict([(ACCOUNT, away)] * 9))
    assert "4 accounts more" in many[-1].said
    assert {check.status for check in many} == {UNKNOWN}


def test_an_accounts_root_user_is_warned_of() -> None:
    assert doctor_aws.identity("arn:aws:iam::1:root").status is WARNING
    assert doctor_aws.identity("arn:aws:sts::1:assumed-role/r/s").status is OK


@pytest.mark.parametrize(
    ("row", "status"),
    [
        (StateRow("platform", "s3", "s3://b/k", "read", objects=3), OK),
        (StateRow("platform", "s3", "s3://b/k", "none"), OK),
        (StateRow("platform", "s3", "s3://b/k", "read", objects=3, locked_by="somebody"), WARNING),
        (StateRow("platform", "s3", "s3://b/k", "failed", reason="no bucket"), UNKNOWN),
    ],
)
def test_a_state_that_was_read_tells_that_the_backend_answers(row: StateRow, status: Status) -> None:
    assert doctor_state.judged(row).status is status


def test_the_exit_code_is_the_worst_and_warnings_are_clean() -> None:
    def code(*statuses: Status) -> ExitCode:
        return exit_code([Check("a", "n", status, "s") for status in statuses])

    assert code(OK, WARNING) is ExitCode.CLEAN
    assert code(OK, FAILED) is ExitCode.FINDINGS
    assert code(UNKNOWN, FAILED) is ExitCode.REMOTE


def test_every_form_has_the_check_and_what_to_do_and_no_control_characters() -> None:
    checks = (Check("vault", "token", FAILED, "odd \x1b[31m", "log in"), Check("aws", "fine", OK, "well"))
    out = StringIO()
    print_checks(checks, out)
    assert "odd \\x1b[31m" in out.getvalue()
    assert "help: log in" in out.getvalue()
    assert "1 ok, 0 warning, 1 failed, 0 unknown" in out.getvalue()
    assert concise(checks).splitlines()[0] == "failed: vault: token: odd \\x1b[31m"
    assert "fine" not in concise(checks)
    assert json.loads(to_json(checks))["checks"][0] == {
        "area": "vault",
        "name": "token",
        "status": "failed",
        "said": "odd \x1b[31m",
        "help": "log in",
    }
