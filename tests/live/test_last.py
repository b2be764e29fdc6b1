"""One look is compared with the one before, which is kept whole or not at all."""

from __future__ import annotations

import json
import stat
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from generator.diagnostics import Diagnostic, Severity, Span
from generator.errors import UsageError
from generator.live import last
from generator.report import since
from generator.report.since import Outcome

if TYPE_CHECKING:
    from pathlib import Path

TREE = "terraform/accounts/111111111111/vault/client-payments.tf"


def finding(message: str, line: int = 3) -> Diagnostic:
    return Diagnostic("CK941", Severity.ERROR, Span(TREE, line, 1, line, 9), message, "help")


def look(*messages: str, **more: object) -> Outcome:
    when = str(more.get("when", "2026-11-23T02:00:00Z"))
    found = since.seen((finding(message) for message in messages), when)
    base = Outcome(of="live: admin", cluster_id="c-1", when=when, objects=9, seen=found, complete=True)
    return replace(base, **more)  # type: ignore[arg-type]  # tests name fields of their types


def texts(several: tuple[since.Seen, ...]) -> list[str]:
    return [each.message for each in several]


class TestSince:
    def test_tells_what_is_new_what_is_still_there_and_what_is_gone(self) -> None:
        compared = since.since(look("a", "b"), look("b", "c"))
        assert (texts(compared.new), texts(compared.still), texts(compared.gone)) == (["c"], ["b"], ["a"])
        assert compared.when == "2026-11-23T02:00:00Z"

    def test_finding_that_has_moved_to_another_line_is_the_same(self) -> None:
        now = look(seen=since.seen([finding("a", line=80)], "2026-11-24T02:00:00Z"))
        assert texts(since.since(look("a"), now).still) == ["a"]

    def test_what_could_not_be_read_is_never_gone(self) -> None:
        now = look("b", complete=False)
        compared = since.since(look("a", "b"), now)
        assert (texts(compared.gone), texts(compared.unsure)) == ([], ["a"])
        kept = since.kept(now, compared)
        assert texts(kept.seen) == ["b", "a"]
        assert texts(since.since(kept, look("a", "b")).new) == []

    def test_since_when_it_is_there_is_told_from_the_first_look_that_found_it(self) -> None:
        monday, tuesday, wednesday = (look("a", when=f"2026-11-2{day}T02:00:00Z") for day in (3, 4, 5))
        kept = since.kept(tuesday, since.since(monday, tuesday))
        compared = since.since(kept, wednesday)
        assert [each.first for each in compared.still] == ["2026-11-23T02:00:00Z"]
        assert list(since.as_object(compared)["first_seen"].values()) == ["2026-11-23T02:00:00Z"]  # type: ignore[attr-defined]  # an object to mypy

    @pytest.mark.parametrize(
        ("other", "says"),
        [
            ({"of": "live: elsewhere"}, "was at something else: live: elsewhere, and this one is at live: admin"),
            ({"cluster_id": "c-2"}, "at another Vault: its cluster was c-2, and this one is c-1"),
        ],
    )
    def test_look_at_something_else_is_not_compared_with_and_all_is_new(self, other: dict[str, str], says: str) -> None:
        compared = since.since(look("a", **other), look("a", "b"))
        assert says in compared.why_not
        assert texts(compared.new) == ["a", "b"]
        assert since.lines(compared).startswith("not compared with the last look: ")

    def test_lines_name_what_is_new_and_what_is_gone(self) -> None:
        said = since.lines(since.since(look("a", "b"), look("b", "c")))
        assert said == (
            "since the last look, 2026-11-23T02:00:00Z: 1 new, 1 still there, 1 gone\n"
            f"  new: error[CK941] {TREE}:3:1: c\n"
            "  still there since 2026-11-23T02:00:00Z: 1 CK941\n"
            f"  gone: error[CK941] {TREE}:3:1: a\n"
        )


class TestFile:
    def test_gives_back_what_was_kept_and_only_its_owner_can_read_it(self, tmp_path: Path) -> None:
        file = last.place(tmp_path, "live", "vault")
        assert file == tmp_path / ".crosskeys/verify/live-vault.json"
        kept = look("a", "\udcff is no UTF-8")
        last.write(file, kept)
        assert last.read(file) == kept
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert [path.name for path in file.parent.iterdir()] == ["live-vault.json"]

    def test_none_yet_is_no_fault(self, tmp_path: Path) -> None:
        assert last.read(tmp_path / "none.json") == "there is none yet"

    @pytest.mark.parametrize(
        "text",
        ["", "{", "[]", "null", '"x"', "{}", '{"format": 1}', '{"format": 2, "seen": 3}', "[" * 100_000, "\x00\xff"],
    )
    def test_file_that_holds_something_else_is_said_to_and_not_compared_with(self, tmp_path: Path, text: str) -> None:
        (tmp_path / "live.json").write_text(text, "utf-8")
        why = last.read(tmp_path / "live.json")
        assert isinstance(why, str)
        assert "live.json" in why

    def test_finding_with_another_field_is_of_another_format(self, tmp_path: Path) -> None:
        last.write(tmp_path / "live.json", look("a"))
        kept = json.loads((tmp_path / "live.json").read_text())
        kept["seen"][0]["more"] = "x"
        (tmp_path / "live.json").write_text(json.dumps(kept))
        assert isinstance(last.read(tmp_path / "live.json"), str)

    def test_file_that_cannot_be_written_leaves_the_one_before(self, tmp_path: Path) -> None:
        (tmp_path / "live.json").mkdir()
        with pytest.raises(UsageError, match="cannot be written"):
            last.write(tmp_path / "live.json", look("a"))
        assert [path.name for path in tmp_path.iterdir()] == ["live.json"]
