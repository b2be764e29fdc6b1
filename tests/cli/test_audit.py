"""The verb audit: what it judges, what it hands over, what it compares with, and what can be filed."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator
from sarif_kit import validation_errors

from generator.errors import ExitCode
from tests.cli.conftest import CHECKOUT, PROGRAM, edit

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Run

PAYMENTS = "clients/payments.yaml"
RENDERED = "terraform/accounts/111111111111/vault/client-payments.tf"
ISOLATED = "isolated among declared clients: none of 9 reaches what is another's"
AUTHOR = {"GIT_AUTHOR_NAME": "Ann", "GIT_AUTHOR_EMAIL": "ann@example.com"}


def git(folder: Path, *arguments: str, day: str = "2026-01-15") -> str:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")} | {
        **AUTHOR,
        "GIT_COMMITTER_NAME": "Bot",
        "GIT_COMMITTER_EMAIL": "bot@example.com",
        "GIT_AUTHOR_DATE": f"{day}T12:00:00Z",
        "GIT_COMMITTER_DATE": f"{day}T12:00:00Z",
        "GIT_CONFIG_GLOBAL": os.devnull,
    }
    done = subprocess.run(
        ["git", "-C", folder, *arguments], env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def commit(folder: Path, day: str = "2026-01-15") -> str:
    if not (folder / ".git").exists():
        git(folder, "init", "-q", "-b", "main")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "change", day=day)
    return git(folder, "rev-parse", "HEAD")


def rows(run: Run, *arguments: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(run("audit", "--report", "json", *arguments).out)["rows"]
    return found


class TestVerdict:
    def test_of_the_example_is_isolated_and_says_what_it_did_not_see(self, run: Run) -> None:
        ended = run("audit")
        assert (ended.code, ended.err) == (ExitCode.CLEAN, "")
        lines = ended.out.splitlines()
        assert lines[0] == "9 clients in 4 accounts can log in; 20 grants in 29 files"
        assert lines[-1].startswith(ISOLATED)
        for word in ("in Vault", "auth methods", "groups", "entities", "Sentinel", "`default`"):
            assert any(word in line for line in lines if line.startswith("  - ")), word

    def test_is_one_line_when_concise(self, run: Run) -> None:
        (line,) = run("audit", "--format", "concise").out.splitlines()
        assert line.startswith(ISOLATED)

    def test_of_a_path_that_reaches_another_clients_directory_is_not_isolated(self, run: Run, fleet: Path) -> None:
        edit(fleet / RENDERED, "secret/data/certs/111111111111/payments-app/*", "secret/data/certs/111111111111/*")
        ended = run("audit", "--format", "concise")
        assert ended.code == ExitCode.FINDINGS
        assert any(f"{RENDERED}:11" in line and "CK830" in line for line in ended.out.splitlines())
        assert any("CK703" in line for line in ended.out.splitlines())
        assert ended.out.splitlines()[-1].startswith("not proven to be isolated")
        assert json.loads(run("audit", "--report", "json").out)["isolated"] is False

    def test_of_a_stale_tree_is_about_what_stands_with_a_finding(self, run: Run, fleet: Path) -> None:
        edit(fleet / PAYMENTS, "owner: payments-team@example.com", "owner: others@example.com\nvault: {token_ttl: 30m}")
        ended = run("audit", "--format", "concise")
        assert ended.code == ExitCode.FINDINGS
        assert "CK701" in ended.out
        (first, _) = [row for row in rows(run) if row["client"] == "payments"]
        assert (first["token_ttl"], first["owner"]) == (3600, "others@example.com")

    @pytest.mark.parametrize("report", ["csv", "json", "sarif", "markdown"])
    @pytest.mark.parametrize("state", ["manifest", "settings", "foreign", "unreadable"])
    def test_is_not_given_where_something_cannot_be_read_and_reports_say_so(
        self, run: Run, fleet: Path, state: str, report: str
    ) -> None:
        match state:
            case "manifest":
                edit(fleet / PAYMENTS, "owner:", "owned_by:")
            case "settings":
                edit(fleet / "crosskeys.yaml", "version: 1", "version: one")
            case "foreign":
                (fleet / RENDERED).with_name("more.tf").write_text("# mine\n")
            case _:
                edit(fleet / RENDERED, 'role                     = "payments-app"', "role = upper(1)")
        ended = run("audit", "--report", report, "--attest", "filed.json", "--check-attestation", "filed.json")
        assert ended.code == (ExitCode.USAGE if state == "settings" else ExitCode.FINDINGS)
        assert "not judged" in ended.err
        assert "filed.json is not written" in ended.err
        assert not (fleet / "filed.json").exists()
        match report:
            case "csv":
                assert ended.out.count("\r\n") == 1
            case "json":
                found = json.loads(ended.out)
                assert (found["isolated"], found["rows"]) == (False, [])
                assert found["findings"]
            case "sarif":
                assert json.loads(ended.out)["runs"][0]["results"]
            case _:
                assert ended.out.startswith("### crosskeys audit: not judged")


class TestReports:
    def test_csv_json_sarif_and_markdown_go_to_stdout_and_the_verdict_to_stderr(self, run: Run) -> None:
        ended = run("audit", "--report", "csv")
        assert len(list(csv.DictReader(io.StringIO(ended.out, newline=""), strict=True))) == 20
        assert ISOLATED in ended.err
        schema = json.loads((CHECKOUT / "schemas/review.schema.json").read_text("utf-8"))
        Draft202012Validator(schema).validate(json.loads(run("audit", "--report", "json").out))
        assert validation_errors(json.loads(run("audit", "--report", "sarif").out)) == []
        assert "| `reports-us` |" in run("audit", "--report", "markdown").out

    def test_with_out_a_report_is_a_file_below_the_fleets_folder_and_replaces_an_older_one(
        self, run: Run, fleet: Path
    ) -> None:
        (fleet / "review.csv").write_text("older")
        ended = run("audit", "--report", "csv", "--out", "review.csv")
        assert ended.code == ExitCode.CLEAN
        assert ISOLATED in ended.out
        text = (fleet / "review.csv").read_bytes().decode()
        assert text == run("audit", "--report", "csv").out
        assert not [path for path in fleet.iterdir() if path.name.endswith(".new")]

    def test_the_schema_of_the_json_report_is_printed(self, run: Run) -> None:
        assert run("schema", "review").out == (CHECKOUT / "schemas/review.schema.json").read_text("utf-8")

    def test_an_html_report_is_a_page_of_its_own(self, run: Run, fleet: Path) -> None:
        ended = run("audit", "--report", "html", "--out", "review.html")
        assert ended.code == ExitCode.CLEAN, ended.err
        page = (fleet / "review.html").read_text("utf-8")
        assert page.lower().startswith("<!doctype html>")
        assert "payments" in page

    @pytest.mark.parametrize(
        "arguments",
        [("--report", "html"), ("--out", "x"), ("--report", "pdf"), ("--check-attestation", "x", "--format", "sarif")],
    )
    def test_options_that_make_no_sense_are_refused(self, run: Run, fleet: Path, arguments: tuple[str, ...]) -> None:
        ended = run("audit", *arguments)
        assert (ended.code, ended.out) == (ExitCode.USAGE, "")
        assert not (fleet / "x").exists()

    @pytest.mark.parametrize("target", ["missing/review.csv", "clients", "link", "pipe"])
    @pytest.mark.parametrize("option", ["--out", "--attest"])
    def test_where_none_can_be_written_it_ends_with_2_and_leaves_everything_as_it_was(
        self, run: Run, fleet: Path, target: str, option: str
    ) -> None:
        (fleet / "old.csv").write_text("old")
        (fleet / "link").symlink_to("old.csv")
        os.mkfifo(fleet / "pipe")
        before = sorted(path.name for path in fleet.rglob("*"))
        report = ("--report", "csv") if option == "--out" else ()
        ended = run("audit", *report, option, target)
        assert ended.code == ExitCode.USAGE
        assert "help: " in ended.err
        assert sorted(path.name for path in fleet.rglob("*")) == before
        assert (fleet / "link").read_text() == "old"

    def test_a_full_disk_leaves_the_older_report_whole(self, fleet: Path) -> None:
        (fleet / "review.json").write_text("older")
        # A file may have no more than this many blocks of 1 KiB: the write fails half-way.
        command = f"ulimit -f 4; trap '' XFSZ; exec {PROGRAM} -C {fleet} audit --report json --out review.json"
        done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
        assert done.returncode == ExitCode.USAGE, done.stderr
        assert "cannot be written: File too large" in done.stderr
        assert (fleet / "review.json").read_text() == "older"
        assert not [path for path in fleet.iterdir() if path.name.endswith(".new")]

    def test_a_report_is_utf_8_whatever_the_terminal_is(self, fleet: Path) -> None:
        edit(fleet / PAYMENTS, "payments-team@example.com", "größe Ж")
        environment = {**os.environ, "LC_ALL": "C", "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
        done = subprocess.run(
            [PROGRAM, "-C", fleet, "audit", "--report", "csv"], env=environment, capture_output=True, check=False
        )
        assert "größe Ж" in done.stdout.decode()


class TestHistory:
    def test_since_and_last_change_are_those_of_the_clients_file(self, run: Run, fleet: Path) -> None:
        first = commit(fleet, "2026-01-15")
        edit(fleet / "clients/ledger.yaml", "15m", "20m")
        run("render")
        second = commit(fleet, "2026-02-20")
        by_client = {row["client"]: row for row in rows(run)}
        ledger, payments = by_client["ledger"], by_client["payments"]
        assert (ledger["since"], ledger["since_date"]) == (first[:12], "2026-01-15")
        assert (ledger["changed"], ledger["changed_date"]) == (second[:12], "2026-02-20")
        assert ledger["changed_by"] == "Ann <ann@example.com>"
        assert payments["changed"] == payments["since"] == first[:12]
        assert json.loads(run("audit", "--report", "json").out)["revision"] == second

    def test_a_client_that_was_removed_and_came_again_has_come_with_the_latter(self, run: Run, fleet: Path) -> None:
        first = commit(fleet, "2026-01-15")
        text = (fleet / PAYMENTS).read_text("utf-8")
        (fleet / PAYMENTS).unlink()
        run("render")
        commit(fleet, "2026-02-15")
        (fleet / PAYMENTS).write_text(text, "utf-8")
        run("render")
        again = commit(fleet, "2026-03-15")
        by_client = {row["client"]: row for row in rows(run)}
        assert (by_client["payments"]["since"], by_client["payments"]["since_date"]) == (again[:12], "2026-03-15")
        assert by_client["ledger"]["since"] == first[:12]

    def test_what_is_not_committed_has_no_last_change(self, run: Run, fleet: Path) -> None:
        head = commit(fleet)
        edit(fleet / "clients/ledger.yaml", "15m", "20m")
        (fleet / "clients/new.yaml").write_text(
            (fleet / PAYMENTS).read_text().replace("payments", "new"), encoding="utf-8"
        )
        run("render")
        by_client = {row["client"]: row for row in rows(run)}
        assert (by_client["ledger"]["since"], by_client["ledger"]["changed"]) == (head[:12], "unknown")
        assert (by_client["new"]["since"], by_client["new"]["changed_by"]) == ("unknown", "unknown")
        assert by_client["payments"]["changed"] == head[:12]
        assert json.loads(run("audit", "--report", "json").out)["revision"] == f"{head}+"

    @pytest.mark.parametrize("removed", [PAYMENTS, RENDERED])
    def test_a_removed_file_is_a_difference_from_the_commit(self, run: Run, fleet: Path, removed: str) -> None:
        head = commit(fleet)
        (fleet / removed).unlink()
        assert json.loads(run("audit", "--report", "json").out)["revision"] == f"{head}+"

    def test_a_shallow_clone_and_a_folder_without_history_say_that_they_do_not_know(
        self, run: Run, fleet: Path, tmp_path: Path
    ) -> None:
        found = json.loads(run("audit", "--report", "json").out)
        assert found["revision"] == "unknown"
        assert str(tmp_path) not in json.dumps(found)
        assert found["unseen"][-1].startswith("when each grant was given")
        commit(fleet)
        edit(fleet / "crosskeys.yaml", "version: 1", "version: 1 # same")
        head = commit(fleet, "2026-03-01")
        git(tmp_path, "clone", "-q", "--depth", "1", f"file://{fleet}", "shallow")
        found = json.loads(run("-C", str(tmp_path / "shallow"), "audit", "--report", "json").out)
        assert found["revision"] == head
        assert {row["since"] for row in found["rows"]} == {"unknown"}
        assert "a part of the history" in found["unseen"][-1]


class TestSince:
    def test_names_what_was_added_removed_and_changed_since_a_revision(self, run: Run, fleet: Path) -> None:
        commit(fleet)
        edit(fleet / "clients/ledger.yaml", "15m", "20m")
        (fleet / "clients/search.yaml").unlink()
        with (fleet / PAYMENTS).open("a") as file:
            file.write("grants: [{path: shared/ca}]\n")
        run("render")
        ended = run("audit", "--since", "HEAD")
        assert ended.code == ExitCode.CLEAN
        assert "): 2 added, 2 removed, 2 changed" in ended.out
        assert "  + payments  list, read  secret/data/shared/ca/*" in ended.out
        assert "  - search  list, read  secret/data/certs/333333333333/search-indexer/*" in ended.out
        assert "  ~ ledger  list, read  secret/data/certs/111111111111/ledger-app/*: token_ttl" in ended.out
        changes = json.loads(run("audit", "--since", "HEAD", "--report", "json").out)["changes"]
        assert {row["client"] for row in changes["added"]} == {"payments"}
        assert "**Changes: grants since HEAD" in run("audit", "--since", "HEAD", "--report", "markdown").out

    def test_a_day_is_how_the_branch_stood_when_it_began(self, run: Run, fleet: Path) -> None:
        first = commit(fleet, "2026-01-15")
        with (fleet / PAYMENTS).open("a") as file:
            file.write("grants: [{path: shared/ca}]\n")
        run("render")
        commit(fleet, "2026-02-20")
        changes = {
            day: json.loads(run("audit", "--since", day, "--report", "json").out)["changes"]
            for day in ("2026-01-15", "2026-02-20", "2026-02-21")
        }
        assert {day: len(found["added"]) for day, found in changes.items()} == {
            "2026-01-15": 22,
            "2026-02-20": 2,
            "2026-02-21": 0,
        }
        assert (changes["2026-01-15"]["revision"], changes["2026-02-20"]["revision"]) == ("unknown", first)

    def test_reads_the_tree_at_that_commit_and_not_the_one_that_stands(self, run: Run, fleet: Path) -> None:
        edit(fleet / RENDERED, "secret/data/certs/111111111111/payments-app/*", "secret/data/certs/111111111111/*")
        commit(fleet)
        run("render")
        changes = json.loads(run("audit", "--since", "HEAD", "--report", "json").out)["changes"]
        assert [row["path"] for row in changes["removed"]] == ["secret/data/certs/111111111111/*"]
        assert [row["path"] for row in changes["added"]] == ["secret/data/certs/111111111111/payments-app/*"]

    @pytest.mark.parametrize("since", ["nosuch", "2026-13-01", "--all", "-1", ""])
    def test_what_git_does_not_know_is_refused(self, run: Run, fleet: Path, since: str) -> None:
        commit(fleet)
        ended = run("audit", f"--since={since}")
        assert (ended.code, ended.out) == (ExitCode.USAGE, "")
        assert "error: " in ended.err

    def test_without_history_and_in_a_shallow_clone_it_is_refused(self, run: Run, fleet: Path, tmp_path: Path) -> None:
        assert run("audit", "--since", "2026-01-01").code == ExitCode.USAGE
        commit(fleet)
        git(fleet, "commit", "-q", "--allow-empty", "-m", "more", day="2026-03-01")
        git(tmp_path, "clone", "-q", "--depth", "1", f"file://{fleet}", "shallow")
        ended = run("-C", str(tmp_path / "shallow"), "audit", "--since", "2026-02-01")
        assert ended.code == ExitCode.USAGE
        assert "begins after 2026-02-01" in ended.err

    def test_a_tree_that_cannot_be_read_there_is_named(self, run: Run, fleet: Path) -> None:
        edit(fleet / RENDERED, 'role                     = "payments-app"', "role = upper(1)")
        commit(fleet)
        run("render")
        ended = run("audit", "--since", "HEAD")
        assert ended.code == ExitCode.USAGE
        assert f"the fleet at `HEAD` cannot be read: {RENDERED}:" in ended.err

    def test_manifests_that_cannot_be_read_there_are_not_taken_for_none(self, run: Run, fleet: Path) -> None:
        edit(fleet / PAYMENTS, "owner:", "owned_by:")
        commit(fleet)
        edit(fleet / PAYMENTS, "owned_by:", "owner:")
        ended = run("audit", "--since", "HEAD")
        assert ended.code == ExitCode.USAGE
        assert "the fleet at `HEAD` cannot be read: its manifests have errors" in ended.err

    def test_a_commit_before_the_fleet_began_has_nothing(self, run: Run, fleet: Path) -> None:
        git(fleet, "init", "-q", "-b", "main")
        git(fleet, "commit", "-q", "--allow-empty", "-m", "begin")
        begin = git(fleet, "rev-parse", "HEAD")
        commit(fleet, "2026-02-01")
        assert "): 20 added, 0 removed, 0 changed" in run("audit", "--since", begin).out


class TestAttestation:
    def test_is_the_same_bytes_elsewhere_with_another_locale_clock_and_hash_seed(
        self, fleet: Path, tmp_path: Path
    ) -> None:
        commit(fleet)
        git(tmp_path, "clone", "-q", str(fleet), "some where/else ü")
        other = tmp_path / "some where/else ü"
        (other / "crosskeys.yaml").touch()
        here = {**os.environ, "PYTHONHASHSEED": "1", "LC_ALL": "C", "TZ": "Pacific/Kiritimati", "PYTHONUTF8": "0"}
        there = {**os.environ, "LC_ALL": "tr_TR.UTF-8", "TZ": "America/Los_Angeles"}
        for folder, environment, python in ((fleet, here, [sys.executable]), (other, there, [sys.executable, "-I"])):
            done = subprocess.run(
                [*python, PROGRAM, "-C", folder, "audit", "--attest", "filed.json"],
                env=environment,
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == ExitCode.CLEAN, done.stderr
        filed = (fleet / "filed.json").read_bytes()
        assert filed == (other / "filed.json").read_bytes()
        assert str(tmp_path).encode() not in filed
        assert not [line for line in filed.splitlines() if b"2026" in line and b"sha256" not in line]

    def test_has_a_digest_of_each_file_that_went_in_and_came_out(self, run: Run, fleet: Path) -> None:
        (fleet / "templates/vault").mkdir(parents=True)
        shutil.copy(CHECKOUT / "templates/vault/client.tf.j2", fleet / "templates/vault/client.tf.j2")
        run("audit", "--attest", "filed.json")
        filed = json.loads((fleet / "filed.json").read_text())
        inputs = {each["name"] for each in filed["predicate"]["inputs"]}
        assert inputs == {
            "crosskeys.yaml",
            "templates/vault/client.tf.j2",
            *(path.relative_to(fleet).as_posix() for path in (fleet / "clients").rglob("*.yaml")),
        }
        outputs = {each["name"]: each["digest"]["sha256"] for each in filed["subject"]}
        done = subprocess.run(["sha256sum", *outputs], cwd=fleet, capture_output=True, text=True, check=True)
        assert {line[66:]: line[:64] for line in done.stdout.splitlines()} == outputs
        assert len(outputs) == 29
        assert filed["predicate"]["counts"] == {"accounts": 4, "clients": 9, "errors": 0, "grants": 20, "warnings": 0}

    def test_that_is_still_true_is_said_to_be(self, run: Run) -> None:
        run("audit", "--attest", "filed.json")
        ended = run("audit", "--check-attestation", "filed.json")
        assert (ended.code, ended.out) == (ExitCode.CLEAN, "all is as filed.json says\n")

    def test_names_each_file_that_has_changed_since(self, run: Run, fleet: Path) -> None:
        run("audit", "--attest", "filed.json")
        edit(fleet / "clients/ledger.yaml", "15m", "20m")
        run("render")
        ended = run("audit", "--check-attestation", "filed.json")
        assert ended.code == ExitCode.FINDINGS
        assert [line.partition(": ")[0] for line in ended.out.splitlines()[:-1]] == [
            "input clients/ledger.yaml",
            "output terraform/accounts/111111111111/vault/client-ledger.tf",
        ]
        found = json.loads(run("audit", "--check-attestation", "filed.json", "--format", "json").out)
        assert [each["part"] for each in found] == ["input", "output"]
        assert found[0]["filed"] != found[0]["now"]

    def test_of_an_audit_that_found_something_says_that_it_failed(self, run: Run, fleet: Path) -> None:
        edit(fleet / RENDERED, "secret/data/certs/111111111111/payments-app/*", "secret/data/certs/111111111111/*")
        assert run("audit", "--attest", "filed.json").code == ExitCode.FINDINGS
        filed = json.loads((fleet / "filed.json").read_text())
        assert filed["predicate"]["verificationResult"] == "FAILED"
        assert run("audit", "--check-attestation", "filed.json").code == ExitCode.FINDINGS

    def test_does_not_depend_on_the_day(self, run: Run, fleet: Path) -> None:
        with (fleet / PAYMENTS).open("a") as file:
            file.write('retire: {approved_until: "2020-01-31", reason: over}\n')
        run("render")
        assert "CK901" in run("validate").out
        run("audit", "--attest", "filed.json")
        assert json.loads((fleet / "filed.json").read_text())["predicate"]["counts"]["warnings"] == 0

    @pytest.mark.parametrize("content", [None, "{}", "\xff"])
    def test_one_that_is_none_is_refused(self, run: Run, fleet: Path, content: str | None) -> None:
        if content is not None:
            (fleet / "filed.json").write_text(content, "latin-1")
        ended = run("audit", "--check-attestation", "filed.json")
        assert (ended.code, ended.out) == (ExitCode.USAGE, "")
        assert "attestation" in ended.err
