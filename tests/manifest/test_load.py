"""From a folder to manifests: every file is read, and whatever else lies there is said."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from generator.manifest.faults import (
    AMBIGUOUS_SCALAR,
    ANCHOR_OR_ALIAS,
    DUPLICATE_KEY,
    ENCODING,
    NOT_A_REGULAR_FILE,
)
from generator.manifest.load import NAME_IS_NOT_STEM, NO_CLIENTS, STRAY_FILE, Manifests, load, load_settings
from generator.manifest.validate import INVALID_VALUE, MISSING_FIELD, UNKNOWN_FIELD

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from generator.diagnostics import Diagnostic

    Write = Callable[[str, str], Path]


def client(name: str, account_id: str = "123456789012") -> str:
    return f'name: {name}\naccount_id: "{account_id}"\nrole_name: {name}\nowner: {name}@example.com\n'


ACCOUNT = "name: retail\nowner: retail@example.com\n"


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a file below the fleet's folder; one good client is there already."""

    def put(path: str, text: str) -> Path:
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        return file

    put("clients/pay.yaml", client("pay"))
    return put


def names(manifests: Manifests) -> list[str]:
    return [sourced.model.name for sourced in manifests.clients]


def only(folder: Path, rule: str) -> Diagnostic:
    manifests, (finding,) = load(folder)
    assert finding.rule == rule
    assert finding.help
    assert "pay" in names(manifests)
    return finding


class TestWhatIsRead:
    def test_clients_accounts_and_settings(self, write: Write, tmp_path: Path) -> None:
        write("crosskeys.yaml", "vault: {auth_mount: aws-clients}\n")
        write("clients/accounts/123456789012.yaml", ACCOUNT)
        write("clients/team/nested/ledger.yaml", client("ledger"))
        manifests, findings = load(tmp_path)
        assert findings == ()
        assert names(manifests) == ["pay", "ledger"]
        assert [sourced.path for sourced in manifests.clients] == [
            "clients/pay.yaml",
            "clients/team/nested/ledger.yaml",
        ]
        assert manifests.accounts["123456789012"].path == "clients/accounts/123456789012.yaml"
        assert manifests.settings.vault.auth_mount == "aws-clients"
        assert manifests.settings_source is not None

    @pytest.mark.usefixtures("write")
    def test_a_fleet_without_settings_has_the_defaults(self, tmp_path: Path) -> None:
        manifests, findings = load(tmp_path)
        assert findings == ()
        assert manifests.settings_source is None
        assert manifests.settings.vault.auth_mount == "aws"
        assert load_settings(tmp_path) is None

    def test_the_order_is_that_of_the_names_whatever_the_disk_says(
        self, write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name in ("zeta", "alpha", "mid"):
            write(f"clients/{name}.yaml", client(name))
            write(f"clients/{name}-team/{name}-x.yaml", client(f"{name}-x"))
        expected = names(load(tmp_path)[0])
        scandir = os.scandir

        class Backwards:
            def __init__(self, path: Any) -> None:
                with scandir(path) as entries:
                    self.entries = list(entries)
                self.entries.sort(key=lambda entry: entry.name, reverse=True)

            def __enter__(self) -> Iterator[os.DirEntry[str]]:
                return iter(self.entries)

            def __exit__(self, *_: object) -> None: ...

        monkeypatch.setattr(os, "scandir", Backwards)
        assert names(load(tmp_path)[0]) == expected

    def test_gitkeep_is_no_stray_file(self, write: Write, tmp_path: Path) -> None:
        write("clients/accounts/.gitkeep", "")
        assert load(tmp_path)[1] == ()


class TestNoClients:
    @pytest.mark.parametrize("there", [True, False])
    def test_an_empty_or_missing_folder_is_never_read_as_a_wish(self, tmp_path: Path, *, there: bool) -> None:
        if there:
            (tmp_path / "clients").mkdir()
        _, (finding,) = load(tmp_path)
        assert (finding.rule, str(finding.span)) == (NO_CLIENTS, "clients")

    def test_account_manifests_alone_are_no_fleet(self, tmp_path: Path) -> None:
        (tmp_path / "clients" / "accounts").mkdir(parents=True)
        (tmp_path / "clients" / "accounts" / "123456789012.yaml").write_text(ACCOUNT)
        assert [finding.rule for finding in load(tmp_path)[1]] == [NO_CLIENTS]

    def test_a_fleet_whose_only_manifest_is_broken_has_a_client(self, tmp_path: Path) -> None:
        (tmp_path / "clients").mkdir()
        (tmp_path / "clients" / "pay.yaml").write_text("name: [\n")
        assert NO_CLIENTS not in {finding.rule for finding in load(tmp_path)[1]}


class TestStrayFiles:
    @pytest.mark.parametrize(
        ("name", "advice"),
        [
            ("notes.txt", "move it elsewhere"),
            ("ledger.yml", "rename it to end in .yaml"),
            ("ledger.YAML", "rename it to end in .yaml"),
            ("ledger.yaml~", "move it elsewhere"),
            (".ledger.yaml.swp", "move it elsewhere"),
            (".DS_Store", "move it elsewhere"),
            (".yaml", "move it elsewhere"),
            ("team/README", "move it elsewhere"),
            ("accounts/123456789012.yml", "rename it to end in .yaml"),
        ],
    )
    def test_a_file_that_is_no_manifest_is_named(self, write: Write, tmp_path: Path, name: str, advice: str) -> None:
        write(f"clients/{name}", client("ledger"))
        finding = only(tmp_path, STRAY_FILE)
        assert (str(finding.span), finding.help) == (f"clients/{name}", advice)

    @pytest.mark.parametrize(
        ("name", "shown"),
        [
            (b"caf\xe9.yaml", "clients/caf\\udce9.yaml"),
            (b"two\nlines.yaml", "clients/two\\nlines.yaml"),
            (b"t\xe9am/ledger.yaml", "clients/t\\udce9am/ledger.yaml"),
            (b"\xe2\x80\xaeledger.yaml", "clients/\\u202eledger.yaml"),
        ],
    )
    @pytest.mark.usefixtures("write")
    def test_a_path_that_cannot_be_shown_is_refused_and_shown_in_escapes(
        self, tmp_path: Path, name: bytes, shown: str
    ) -> None:
        path = tmp_path / "clients" / os.fsdecode(name)
        path.parent.mkdir(exist_ok=True)
        path.write_text(client("ledger"))
        finding = only(tmp_path, STRAY_FILE)
        assert str(finding.span) == shown
        assert finding.fingerprint


class TestNotFiles:
    def test_a_symlinked_manifest_is_refused(self, write: Write, tmp_path: Path) -> None:
        outside = write("elsewhere/ledger.yaml", client("ledger"))
        (tmp_path / "clients" / "ledger.yaml").symlink_to(outside)
        finding = only(tmp_path, NOT_A_REGULAR_FILE)
        assert str(finding.span) == "clients/ledger.yaml"
        assert "symbolic link" in finding.message

    def test_a_symlinked_folder_is_not_entered(self, write: Write, tmp_path: Path) -> None:
        write("elsewhere/ledger.yaml", client("ledger"))
        (tmp_path / "clients" / "team").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
        manifests, (finding,) = load(tmp_path)
        assert (finding.rule, str(finding.span)) == (STRAY_FILE, "clients/team")
        assert names(manifests) == ["pay"]

    @pytest.mark.usefixtures("write")
    def test_a_folder_that_links_to_itself_ends_the_search(self, tmp_path: Path) -> None:
        (tmp_path / "clients" / "loop.yaml").symlink_to(tmp_path / "clients", target_is_directory=True)
        assert str(only(tmp_path, NOT_A_REGULAR_FILE).span) == "clients/loop.yaml"

    @pytest.mark.usefixtures("write")
    def test_a_pipe_is_refused_without_waiting_on_it(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "clients" / "ledger.yaml")
        assert "a pipe" in only(tmp_path, NOT_A_REGULAR_FILE).message

    def test_symlinked_settings_are_refused(self, write: Write, tmp_path: Path) -> None:
        (tmp_path / "crosskeys.yaml").symlink_to(write("elsewhere/settings.yaml", "version: 1\n"))
        _, (finding,) = load(tmp_path)
        assert (finding.rule, str(finding.span)) == (NOT_A_REGULAR_FILE, "crosskeys.yaml")

    @pytest.mark.usefixtures("write")
    def test_settings_that_link_to_nothing_are_not_taken_for_none(self, tmp_path: Path) -> None:
        (tmp_path / "crosskeys.yaml").symlink_to(tmp_path / "gone")
        assert [finding.rule for finding in load(tmp_path)[1]] == [NOT_A_REGULAR_FILE]

    def test_clients_that_is_a_file_is_said(self, tmp_path: Path) -> None:
        (tmp_path / "clients").write_text("")
        found = load(tmp_path)[1]
        assert [(finding.rule, str(finding.span)) for finding in found] == [
            (NOT_A_REGULAR_FILE, "clients"),
            (NO_CLIENTS, "clients"),
        ]

    def test_a_folder_that_cannot_be_read_is_said_and_the_others_are_read(
        self, write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        write("clients/locked/ledger.yaml", client("ledger"))
        write("clients/open/search.yaml", client("search"))
        scandir = os.scandir

        def refuse(path: Path) -> Any:
            if path.name == "locked":
                raise PermissionError(13, "Permission denied", str(path))
            return scandir(path)

        monkeypatch.setattr(os, "scandir", refuse)
        manifests, (finding,) = load(tmp_path)
        assert (finding.rule, str(finding.span)) == (NOT_A_REGULAR_FILE, "clients/locked")
        assert "Permission denied" in finding.message
        assert names(manifests) == ["pay", "search"]

    def test_a_file_that_cannot_be_read_is_said(
        self, write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        write("clients/ledger.yaml", client("ledger"))
        real = os.open

        def refuse(path: str, *rest: int) -> int:
            if path.endswith("/ledger.yaml"):
                raise PermissionError(13, "Permission denied", str(path))
            return real(path, *rest)

        monkeypatch.setattr(os, "open", refuse)
        finding = only(tmp_path, NOT_A_REGULAR_FILE)
        assert "Permission denied" in finding.message


class TestNames:
    def test_a_client_is_named_as_its_file(self, write: Write, tmp_path: Path) -> None:
        write("clients/team/ledger.yaml", client("books"))
        finding = only(tmp_path, NAME_IS_NOT_STEM)
        assert (str(finding.span), finding.span.end_column) == ("clients/team/ledger.yaml:1:7", 12)
        assert finding.message == "the client is named `books` and its file `ledger.yaml`"
        assert finding.help == "name the file books.yaml, or the client ledger"

    def test_a_hidden_manifest_is_no_way_around_it(self, write: Write, tmp_path: Path) -> None:
        write("clients/.ledger.yaml", client("ledger"))
        assert str(only(tmp_path, NAME_IS_NOT_STEM).span) == "clients/.ledger.yaml:1:7"

    @pytest.mark.parametrize("stem", ["retail", "12345678901", "1234567890123", "12345678901\u0662"])
    def test_an_account_manifest_is_named_after_its_account(self, write: Write, tmp_path: Path, stem: str) -> None:
        write(f"clients/accounts/{stem}.yaml", ACCOUNT)
        finding = only(tmp_path, NAME_IS_NOT_STEM)
        assert str(finding.span) == f"clients/accounts/{stem}.yaml"
        assert "twelve digits" in finding.message

    def test_a_file_below_a_folder_of_accounts_is_a_clients(self, write: Write, tmp_path: Path) -> None:
        write("clients/accounts/old/123456789012.yaml", ACCOUNT)
        assert {finding.rule for finding in load(tmp_path)[1]} == {MISSING_FIELD}


class TestFindings:
    def test_those_of_all_files_come_in_one_run(self, write: Write, tmp_path: Path) -> None:
        write("crosskeys.yaml", "limit: {}\n")
        write("clients/accounts/123456789012.yaml", f"{ACCOUNT}sts: {{}}\n")
        write("clients/latin.yaml", "").write_bytes(b"name: caf\xe9\n")
        write("clients/ledger.yaml", f"{client('ledger')}vualt: {{}}\n")
        write("clients/search.yaml", client("Search"))
        write("clients/notes.txt", "")
        assert {(finding.rule, finding.span.path) for finding in load(tmp_path)[1]} == {
            (UNKNOWN_FIELD, "crosskeys.yaml"),
            (MISSING_FIELD, "clients/accounts/123456789012.yaml"),
            (ENCODING, "clients/latin.yaml"),
            (UNKNOWN_FIELD, "clients/ledger.yaml"),
            (INVALID_VALUE, "clients/search.yaml"),
            (STRAY_FILE, "clients/notes.txt"),
        }

    def test_clients_of_an_account_with_findings_are_left_out_with_it(self, write: Write, tmp_path: Path) -> None:
        # A rule would say that the account is not registered, or has not turned on what they need.
        write("clients/accounts/222222222222.yaml", f"{ACCOUNT}region: nowhere\n")
        write("clients/ledger.yaml", client("ledger", "222222222222"))
        manifests, (finding,) = load(tmp_path)
        assert finding.rule == INVALID_VALUE
        assert names(manifests) == ["pay"]

    def test_nothing_is_judged_by_settings_that_could_not_be_read(self, write: Write, tmp_path: Path) -> None:
        write("crosskeys.yaml", "aws: {partition: aws-gov}\n")
        manifests, (finding,) = load(tmp_path)
        assert finding.span.path == "crosskeys.yaml"
        assert manifests.clients == ()
        assert manifests.settings_source is None


class TestAFileWithFaultsOfSeveralKinds:
    def test_its_fields_are_judged_beside_its_ambiguous_values_and_doubled_keys(
        self, write: Write, tmp_path: Path
    ) -> None:
        text = "name: ledger\naccount_id: 012345670123\nrol_name: ledger\nowner: on\nname: ledger\n"
        write("clients/ledger.yaml", text)
        _, findings = load(tmp_path)
        assert [(finding.rule, finding.span.line) for finding in findings] == [
            (MISSING_FIELD, 1),
            (AMBIGUOUS_SCALAR, 2),
            (UNKNOWN_FIELD, 3),
            (AMBIGUOUS_SCALAR, 4),
            (DUPLICATE_KEY, 5),
        ]

    def test_nothing_is_said_of_fields_where_the_text_leaves_them_in_doubt(self, write: Write, tmp_path: Path) -> None:
        write("clients/ledger.yaml", "name: &n ledger\nrol_name: *n\n")
        _, findings = load(tmp_path)
        assert {finding.rule for finding in findings} == {ANCHOR_OR_ALIAS}
