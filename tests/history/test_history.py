"""What is asked of git, asked of real repositories."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

from generator import history
from generator.errors import UsageError
from tests.history.conftest import Repository

if TYPE_CHECKING:
    from pathlib import Path


def cloned(repository: Repository, *options: str) -> Repository:
    folder = repository.folder.with_name("clone")
    repository.git("clone", "--quiet", *options, f"file://{repository.folder}", str(folder))
    return Repository(folder)


def test_files_are_those_of_the_commit_and_not_of_the_work_tree(repository: Repository) -> None:
    repository.write("terraform/a.tf", "old")
    repository.write("clients/a.yaml", "a")
    repository.write("other/b", "b")
    first = repository.commit()
    repository.write("terraform/a.tf", "new")
    repository.commit()
    repository.write("terraform/a.tf", "newest")
    assert history.files_at(repository.folder, first, "terraform", "clients", "crosskeys.yaml") == {
        "terraform/a.tf": b"old",
        "clients/a.yaml": b"a",
    }
    assert history.files_at(repository.folder, "HEAD", "terraform") == {"terraform/a.tf": b"new"}
    assert history.files_at(repository.folder, "HEAD", "none") == {}


def test_a_fleet_below_the_top_of_its_repository_has_its_own_paths(repository: Repository) -> None:
    repository.write("terraform/a.tf", "another's")
    repository.write("fleets/one/terraform/a.tf", "a")
    repository.write("fleets/one/crosskeys.yaml", "s")
    at = repository.commit()
    fleet = repository.folder / "fleets/one"
    assert history.files_at(fleet, at, "terraform", "crosskeys.yaml") == {
        "terraform/a.tf": b"a",
        "crosskeys.yaml": b"s",
    }
    assert set(history.changes(fleet, "terraform")) == {"terraform/a.tf"}


NAMES = (
    b"with space",
    b"'quote'",
    b'"double"',
    b"back\\slash",
    b"tab\there",
    b"line\nbreak",
    b"\nfirst",
    b"\xff\xfe",
    b"-dash",
    b":(glob)*",
    "grün".encode(),
)


@pytest.mark.parametrize("name", NAMES)
def test_any_name_of_a_file_comes_back_as_it_is(repository: Repository, name: bytes) -> None:
    repository.write(b"terraform/" + name, "content")
    at = repository.commit()
    path = "terraform/" + os.fsdecode(name)
    assert history.files_at(repository.folder, at, "terraform") == {path: b"content"}
    assert history.files_at(repository.folder, at, path) == {path: b"content"}
    assert history.changes(repository.folder, "terraform")[path].first.sha == at


@pytest.mark.parametrize("name", NAMES)
def test_any_name_of_a_folder_around_the_fleet_does(repository: Repository, name: bytes) -> None:
    repository.write(name + b"/terraform/a.tf", "content")
    at = repository.commit()
    fleet = repository.folder / os.fsdecode(name)
    assert history.files_at(fleet, at, "terraform") == {"terraform/a.tf": b"content"}
    assert set(history.changes(fleet, "terraform")) == {"terraform/a.tf"}


def test_links_and_submodules_are_left_out(repository: Repository) -> None:
    repository.write("terraform/a.tf", "a")
    (repository.folder / "terraform/link.tf").symlink_to("a.tf")
    (repository.folder / "clients").symlink_to("terraform")
    first = repository.commit()
    repository.git("update-index", "--add", "--cacheinfo", f"160000,{first},terraform/module")
    repository.git("commit", "--quiet", "--message", "x")
    assert history.files_at(repository.folder, "HEAD", "terraform", "clients") == {"terraform/a.tf": b"a"}


def test_contents_come_whole_whatever_is_in_them(repository: Repository) -> None:
    contents = {"terraform/empty": "", "terraform/lines": "\n\n", "terraform/fake": "0123 blob 5\nabcde\n"}
    for path, text in contents.items():
        repository.write(path, text)
    at = repository.commit()
    found = history.files_at(repository.folder, at, "terraform")
    assert found == {path: text.encode() for path, text in contents.items()}


def test_first_and_last_change_of_each_file(repository: Repository) -> None:
    repository.write("terraform/a.tf", "1")
    first = repository.commit()
    repository.write("terraform/b.tf", "1")
    second = repository.commit()
    repository.write("terraform/a.tf", "2")
    third = repository.commit(date="2026-02-01T00:00:00+02:00")
    found = history.changes(repository.folder, "terraform")
    assert {path: (each.first.sha, each.last.sha) for path, each in found.items()} == {
        "terraform/a.tf": (first, third),
        "terraform/b.tf": (second, second),
    }
    assert found["terraform/a.tf"].last == history.Commit(third, "2026-02-01T00:00:00+02:00", "Ada <ada@example.com>")


def test_a_merge_counts_where_it_made_something_of_its_own(repository: Repository) -> None:
    for path in ("a", "b", "untouched"):
        repository.write(f"fleet/terraform/{path}.tf", "1")
    base = repository.commit()
    repository.git("checkout", "--quiet", "-b", "side")
    repository.write("fleet/terraform/a.tf", "side")
    repository.write("fleet/terraform/b.tf", "side")
    side = repository.commit()
    repository.git("checkout", "--quiet", "main")
    repository.write("fleet/terraform/c.tf", "main")
    main = repository.commit()
    repository.git("merge", "--quiet", "--no-commit", "side")
    repository.write("fleet/terraform/a.tf", "of the merge")
    merge = repository.commit()
    found = history.changes(repository.folder / "fleet", "terraform")
    assert {path.removeprefix("terraform/"): each.last.sha for path, each in found.items()} == {
        "a.tf": merge,
        "b.tf": side,
        "c.tf": main,
        "untouched.tf": base,
    }


def test_a_renamed_file_came_with_its_new_name(repository: Repository) -> None:
    repository.write("terraform/old.tf", "the same\n" * 20)
    first = repository.commit()
    repository.git("mv", "terraform/old.tf", "terraform/new.tf")
    second = repository.commit()
    found = history.changes(repository.folder, "terraform")
    assert found["terraform/new.tf"].first.sha == second
    assert (found["terraform/old.tf"].first.sha, found["terraform/old.tf"].last.sha) == (first, second)


def test_children_come_after_their_parents_whatever_the_clocks_said(repository: Repository) -> None:
    repository.write("terraform/a.tf", "1")
    first = repository.commit(date="2026-06-01T00:00:00+00:00")
    repository.write("terraform/a.tf", "2")
    second = repository.commit(date="2020-01-01T00:00:00+00:00")
    found = history.changes(repository.folder, "terraform")["terraform/a.tf"]
    assert (found.first.sha, found.last.sha) == (first, second)


@pytest.mark.parametrize("name", ["E\x1evil\x1f", "\x1b[31mred", "a\u202eb", "line\u2028end"])
def test_an_authors_name_neither_breaks_the_reading_nor_reaches_a_terminal(repository: Repository, name: str) -> None:
    repository.write("terraform/a.tf", "1")
    repository.git("add", "--all")
    repository.git("-c", "user.useConfigOnly=false", "commit", "--quiet", "--message", "x", "--author", f"{name} <e@x>")
    author = history.changes(repository.folder, "terraform")["terraform/a.tf"].last.author
    assert author.isprintable()
    assert author.endswith(" <e@x>")


def test_what_the_user_has_configured_for_reading_logs_changes_nothing(repository: Repository) -> None:
    repository.write("terraform/a.tf", "1")
    at = repository.commit()
    for setting in (
        "log.showSignature=true", "log.diffMerges=separate", "diff.relative=true", "diff.renames=copies",
        "color.ui=always", "core.quotePath=true", "log.date=relative", "format.pretty=oneline", "log.follow=true",
        "diff.external=/nonexistent", "core.pager=/nonexistent", "core.fsmonitor=/nonexistent",
    ):  # fmt: skip
        repository.git("config", *setting.split("=", 1))
    found = history.changes(repository.folder, "terraform")
    assert {path: each.last.sha for path, each in found.items()} == {"terraform/a.tf": at}


def test_a_revision_is_named_in_any_way_that_git_has(repository: Repository) -> None:
    repository.write("a", "1")
    first = repository.commit()
    repository.git("tag", "--annotate", "--message", "x", "v1")
    repository.write("a", "2")
    repository.commit()
    assert {history.commit(repository.folder, ref) for ref in ("v1", "main~1", "HEAD^", first, first[:10])} == {first}


@pytest.mark.parametrize(
    "ref", ["nope", "-x", "--help", "--all", "-", "--", "", "a..b", "main^{tree}", "main\nmain", " "]
)
def test_an_unknown_revision_is_said_to_be_unknown(repository: Repository, ref: str) -> None:
    repository.write("a", "1")
    repository.commit()
    with pytest.raises(UsageError, match="git knows no commit") as raised:
        history.commit(repository.folder, ref)
    assert "fetch it" in str(raised.value.help)


def test_the_base_is_where_head_left_the_branch(repository: Repository) -> None:
    repository.write("a", "1")
    base = repository.commit()
    repository.git("checkout", "--quiet", "-b", "topic")
    repository.write("b", "1")
    repository.commit()
    repository.git("checkout", "--quiet", "main")
    repository.write("c", "1")
    repository.commit()
    repository.git("checkout", "--quiet", "topic")
    assert history.merge_base(repository.folder, "main") == base
    repository.git("checkout", "--quiet", "--detach", "topic")
    assert history.merge_base(repository.folder, "main") == base


def test_histories_that_have_nothing_in_common_have_no_base(repository: Repository) -> None:
    repository.write("a", "1")
    repository.commit()
    repository.git("checkout", "--quiet", "--orphan", "other")
    repository.write("a", "2")
    repository.commit()
    with pytest.raises(UsageError, match="no common history"):
        history.merge_base(repository.folder, "main")


def test_a_shallow_clone_knows_that_it_is_one_and_what_helps(repository: Repository) -> None:
    repository.write("terraform/a.tf", "1")
    repository.commit()
    repository.git("branch", "side")
    repository.write("terraform/a.tf", "2")
    repository.commit()
    repository.git("checkout", "--quiet", "side")
    repository.write("terraform/b.tf", "2")
    repository.commit()
    shallow = cloned(repository, "--depth", "1", "--no-single-branch")
    assert not history.is_shallow(repository.folder)
    assert history.is_shallow(shallow.folder)
    assert history.files_at(shallow.folder, "HEAD", "terraform")["terraform/a.tf"] == b"1"
    with pytest.raises(UsageError) as raised:
        history.merge_base(shallow.folder, "origin/main")
    assert raised.value.help == "run `git fetch --unshallow`"
    with pytest.raises(UsageError) as raised:
        history.commit(shallow.folder, "main~1")
    assert "shallow" in str(raised.value.help)


def test_a_partial_clone_fetches_nothing(repository: Repository) -> None:
    repository.git("config", "uploadpack.allowFilter", "true")
    repository.write("terraform/a.tf", "1")
    repository.commit()
    repository.write("terraform/a.tf", "2")
    repository.commit()
    partial = cloned(repository, "--filter", "blob:none")
    with pytest.raises(UsageError, match="lacks files of that commit"):
        history.files_at(partial.folder, "HEAD~1", "terraform")
    assert history.files_at(partial.folder, "HEAD", "terraform") == {"terraform/a.tf": b"2"}


def test_a_replaced_commit_is_read_as_it_was_made(repository: Repository) -> None:
    repository.write("terraform/a.tf", "true")
    true = repository.commit()
    repository.write("terraform/a.tf", "false")
    false = repository.commit()
    repository.git("replace", true, false)
    assert history.files_at(repository.folder, true, "terraform") == {"terraform/a.tf": b"true"}


def test_the_repository_is_the_folders_whatever_a_hook_has_set(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository.write("terraform/a.tf", "1")
    at = repository.commit()
    (tmp_path / "other").mkdir()
    other = Repository(tmp_path / "other")
    other.git("init", "--quiet")
    monkeypatch.setenv("GIT_DIR", str(other.folder / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other.folder))
    monkeypatch.setenv("GIT_INDEX_FILE", "/nonexistent")
    monkeypatch.setenv("GIT_PREFIX", "terraform/")
    assert history.commit(repository.folder, "HEAD") == at
    assert history.files_at(repository.folder, at, "terraform") == {"terraform/a.tf": b"1"}


def test_no_program_sees_the_credentials_of_whoever_asks(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository.write("a", "1")
    repository.commit()
    shim(tmp_path, monkeypatch, f"env > {tmp_path}/seen")
    monkeypatch.setenv("VAULT_TOKEN", "ambient")
    history.commit(repository.folder, "HEAD")
    seen = (tmp_path / "seen").read_text()
    assert "PATH=" in seen
    assert "ambient" not in seen


def shim(folder: Path, monkeypatch: pytest.MonkeyPatch, line: str) -> None:
    """Put a line of shell before every run of git."""
    real = shutil.which("git")
    (folder / "bin").mkdir()
    (folder / "bin/git").write_text(f'#!/bin/sh\n{line}\nexec {real} "$@"\n')
    (folder / "bin/git").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}/bin:{os.environ['PATH']}")


def test_a_repository_of_another_user_is_read_once_it_is_trusted(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository.write("a", "1")
    at = repository.commit()
    # git's own tests use this: another user's files can be made by root alone.
    shim(tmp_path, monkeypatch, "export GIT_TEST_ASSUME_DIFFERENT_OWNER=1")
    with pytest.raises(UsageError, match="belongs to another user") as raised:
        history.commit(repository.folder, "HEAD")
    assert "safe.directory" in str(raised.value.help)
    (tmp_path / "home").mkdir()
    (tmp_path / "home/.gitconfig").write_text(f"[safe]\n\tdirectory = {repository.folder}\n")
    assert history.commit(repository.folder, "HEAD") == at


def test_a_folder_in_no_repository_is_said_to_be_in_none(tmp_path: Path) -> None:
    for ask in (
        lambda: history.commit(tmp_path, "main"),
        lambda: history.merge_base(tmp_path, "main"),
        lambda: history.commit_before(tmp_path, "2026-01-01"),
        lambda: history.is_shallow(tmp_path),
        lambda: history.files_at(tmp_path, "HEAD", "terraform"),
        lambda: history.changes(tmp_path, "terraform"),
    ):
        with pytest.raises(UsageError, match="is in no git repository") as raised:
            ask()
        assert "clone" in str(raised.value.help)


def test_a_repository_without_commits_is_said_to_have_none(repository: Repository) -> None:
    for ask in (
        lambda: history.commit(repository.folder, "HEAD"),
        lambda: history.commit_before(repository.folder, "2026-01-01"),
        lambda: history.files_at(repository.folder, "HEAD", "terraform"),
        lambda: history.changes(repository.folder, "terraform"),
    ):
        with pytest.raises(UsageError, match="nothing is committed here yet"):
            ask()


def test_a_machine_without_git_is_told_to_install_it(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(UsageError, match="git cannot be run") as raised:
        history.commit(repository.folder, "HEAD")
    assert raised.value.help == "install git"


def test_a_damaged_repository_is_an_error_with_gits_own_word(repository: Repository) -> None:
    repository.write("terraform/a.tf", "1")
    repository.commit()
    blob = repository.git("rev-parse", "HEAD:terraform")
    (repository.folder / ".git/objects" / blob[:2] / blob[2:]).unlink()
    with pytest.raises(UsageError, match="git ls-tree: "):
        history.files_at(repository.folder, "HEAD", "terraform")


def test_the_state_before_a_date_is_that_of_the_branch_at_that_time(repository: Repository) -> None:
    repository.write("a", "1")
    monday = repository.commit(date="2026-01-05T12:00:00+00:00")
    repository.git("checkout", "--quiet", "-b", "topic")
    repository.write("b", "1")
    repository.commit(date="2026-01-06T12:00:00+00:00")
    repository.git("checkout", "--quiet", "main")
    repository.git("merge", "--quiet", "--no-ff", "--message", "x", "topic", date="2026-01-09T12:00:00+00:00")
    merge = repository.git("rev-parse", "HEAD")
    before = {
        date: history.commit_before(repository.folder, date)
        for date in (
            "1960-01-01", "2026-01-05", "2026-01-05T12:00:00+00:00", "2026-01-05T13:00:01+01:00", "2026-01-06",
            "2026-01-09", "2026-01-10", "2026-01-09T12:00:01",
        )
    }  # fmt: skip
    assert before == {
        "1960-01-01": None,
        "2026-01-05": None,
        "2026-01-05T12:00:00+00:00": None,
        "2026-01-05T13:00:01+01:00": monday,
        "2026-01-06": monday,
        "2026-01-09": monday,
        "2026-01-10": merge,
        "2026-01-09T12:00:01": merge,
    }


@pytest.mark.parametrize("date", ["yesterday", "", "2026-02-30", "--all", "1767225600", "12:00"])
def test_what_git_alone_would_take_for_a_date_is_none(repository: Repository, date: str) -> None:
    with pytest.raises(UsageError, match="is no date"):
        history.commit_before(repository.folder, date)


def test_ten_thousand_files_are_read_in_a_moment(repository: Repository) -> None:
    lines = ["commit refs/heads/main", "committer Ada <ada@example.com> 1767225600 +0000", "data 1", "x"]
    for number in range(10_000):
        lines += [f"M 100644 inline terraform/{number % 100}/{number}.tf", f"data {len(str(number))}", str(number)]
    subprocess.run(
        ["git", "fast-import", "--quiet"], cwd=repository.folder, input="\n".join([*lines, ""]).encode(), check=True
    )
    begin = time.monotonic()
    found = history.files_at(repository.folder, "HEAD", "terraform")
    known = history.changes(repository.folder, "terraform")
    assert time.monotonic() - begin < 5
    assert len(found) == len(known) == 10_000
    assert found["terraform/42/9942.tf"] == b"9942"
