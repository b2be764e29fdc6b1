from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from generator.errors import ExitCode, RefusedError, UsageError
from generator.render.layout import Root, RootKind
from generator.run import journal, processes, runs
from generator.run.results import ApplyOutcome, ApplyResult, PlanOutcome, PlanResult

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ONE, TWO = (
    Root(f"accounts/{digit * 12}/vault", RootKind.VAULT, digit * 12, ("payments",), handover=False) for digit in "12"
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "runs"


def begun(folder: Path, *roots: Root, verb: str = "apply", target: str = "sandbox") -> journal.Journal:
    kept = runs.begin(folder)
    kept.began(verb, target, tree="tree-1", roots=roots, resumes=None)
    return kept


def names(folder: Path) -> list[tuple[str, ...]]:
    return [each.roots for each in runs.unsettled(runs.earlier(folder, "sandbox"))]


def test_a_journal_says_how_far_a_run_came(folder: Path) -> None:
    with begun(folder, ONE, TWO) as kept:
        kept.planned([PlanResult(ONE, PlanOutcome.CLEAN), PlanResult(TWO, PlanOutcome.CHANGES, digest="ab")])
        kept.applying(TWO.name, "ab")
        kept.child(TWO.name, os.getpid())
    run = journal.read(kept.folder)
    assert (run.verb, run.target, run.roots) == ("apply", "sandbox", (ONE.name, TWO.name))
    assert (set(run.touched), set(run.done)) == ({TWO.name}, {ONE.name})
    assert run.unfinished == (TWO.name,)
    assert run.left_alone == {TWO.name: processes.Process(os.getpid(), processes.started(os.getpid()) or "")}


def test_only_its_owner_can_look_into_a_run(folder: Path) -> None:
    kept = begun(folder, ONE)
    assert [path.stat().st_mode & 0o777 for path in (folder, kept.folder, kept.work)] == [0o700] * 3
    assert (kept.folder / journal.FILE).stat().st_mode & 0o777 == 0o600


def test_what_a_later_run_has_done_is_not_left(folder: Path) -> None:
    begun(folder, ONE, TWO)
    assert names(folder) == [(ONE.name, TWO.name)]
    with begun(folder, ONE) as kept:
        kept.result(ApplyResult(ONE, ApplyOutcome.APPLIED))
    assert names(folder) == [(TWO.name,)]
    with begun(folder, TWO) as kept:
        kept.result(ApplyResult(TWO, ApplyOutcome.FAILED))
    assert names(folder) == [(TWO.name,), (TWO.name,)]
    with begun(folder, TWO, verb="plan") as kept:
        kept.planned([PlanResult(TWO, PlanOutcome.CLEAN)])
    assert names(folder) == []


def test_a_run_of_another_target_says_nothing_of_this_one(folder: Path) -> None:
    begun(folder, ONE)
    with begun(folder, ONE, target="live") as kept:
        kept.result(ApplyResult(ONE, ApplyOutcome.APPLIED))
    assert names(folder) == [(ONE.name,)]


def made(folder: Path) -> set[tuple[str, str]]:
    return set(runs.made(runs.unsettled(runs.earlier(folder, "sandbox"))))


def test_a_run_that_was_killed_may_have_made_all_that_it_was_about_to(folder: Path) -> None:
    kept = begun(folder, ONE, TWO)
    kept.applying(ONE.name, "ab", ["a.a", "a.b"])
    assert made(folder) == {(ONE.name, "a.a"), (ONE.name, "a.b")}


def test_a_run_whose_terraform_ended_has_made_what_that_began(folder: Path) -> None:
    kept = begun(folder, ONE, TWO)
    for makes, begun_by_terraform in ((["a.a", "a.b", "a.c"], ["a.a"]), (["a.b", "a.c"], ["a.b"])):
        kept.applying(ONE.name, "ab", makes)
        kept.made(ONE.name, begun_by_terraform)
    assert made(folder) == {(ONE.name, "a.a"), (ONE.name, "a.b")}


def test_what_a_finished_run_has_made_is_in_the_state_or_was_taken_out_of_it(folder: Path) -> None:
    kept = begun(folder, ONE, TWO)
    kept.applying(ONE.name, "ab", ["a.a"])
    kept.applying(TWO.name, "cd", ["a.b"])
    kept.result(ApplyResult(ONE, ApplyOutcome.APPLIED))
    assert made(folder) == {(TWO.name, "a.b")}


def test_a_run_that_was_refused_before_it_began_leaves_nothing(folder: Path) -> None:
    with pytest.raises(RefusedError), begun(folder, ONE):
        raise RefusedError("no")
    assert names(folder) == []
    kept = begun(folder, ONE)
    kept.applying(ONE.name, "ab")
    with pytest.raises(RefusedError), kept:
        raise RefusedError("no")
    assert names(folder) == [(ONE.name,)]


def test_an_interrupted_run_is_left_whatever_it_had_begun(folder: Path) -> None:
    with pytest.raises(KeyboardInterrupt), begun(folder, ONE):
        raise KeyboardInterrupt
    assert names(folder) == [(ONE.name,)]


@pytest.mark.parametrize("rest", [b'{"event": "applied", "root": "acc', b"\xff\xfe\n", b"[]\n", b'"x"\n', b"\0" * 40])
def test_a_line_that_was_cut_off_is_no_line(folder: Path, rest: bytes) -> None:
    kept = begun(folder, ONE)
    with (kept.folder / journal.FILE).open("ab") as file:
        file.write(rest)
    assert journal.read(kept.folder).unfinished == (ONE.name,)


def test_a_folder_that_somebody_emptied_says_nothing(folder: Path) -> None:
    kept = begun(folder, ONE)
    (kept.folder / journal.FILE).unlink()
    assert journal.read(kept.folder).unfinished == ()
    assert runs.earlier(folder, "sandbox") == ()
    runs.sweep(folder)


@contextmanager
def no_room(path: Path, room: int = 20) -> Iterator[None]:
    """Let no file of this process grow beyond what this one has, as a full disk or a quota does."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + room, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_what_cannot_be_written_down_is_not_begun_and_spoils_nothing(folder: Path) -> None:
    kept = begun(folder, ONE)
    file = kept.folder / journal.FILE
    before = file.read_bytes()
    with no_room(file), pytest.raises(UsageError, match="journal of the run cannot be written") as caught:
        kept.applying(ONE.name, "ab")
    assert "nothing is applied" in (caught.value.help or "")
    assert file.read_bytes() == before
    kept.applying(ONE.name, "ab")
    assert journal.read(kept.folder).touched == {ONE.name}


def test_what_was_done_and_cannot_be_written_down_is_no_failure(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    kept = begun(folder, ONE)
    with no_room(kept.folder / journal.FILE):
        kept.result(ApplyResult(ONE, ApplyOutcome.APPLIED))
        kept.ended(ExitCode.CLEAN)
    assert "cannot be written" in caplog.text
    assert names(folder) == [(ONE.name,)]


def test_a_folder_that_cannot_be_made_is_a_usage_error(tmp_path: Path) -> None:
    (tmp_path / "runs").touch()
    with pytest.raises(UsageError, match="cannot be kept") as caught:
        runs.begin(tmp_path / "runs")
    assert "CROSSKEYS_RUNS" in (caught.value.help or "")


def test_the_newest_settled_runs_are_remembered_and_all_that_are_not(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "KEPT", 2)
    first = begun(folder, TWO)
    settled = []
    for _ in range(4):
        with begun(folder, ONE) as kept:
            kept.plans.mkdir()
            kept.result(ApplyResult(ONE, ApplyOutcome.APPLIED))
        settled.append(kept.run)
    first.plans.mkdir()
    runs.sweep(folder)
    assert sorted(path.name for path in folder.iterdir()) == [first.run, *settled[2:]]
    assert [path.parent.name for path in folder.glob("*/plans")] == [first.run]
    assert not list(folder.glob("*/work"))


def test_the_run_to_go_on_with_is_the_newest_that_is_left_or_the_named_one(folder: Path) -> None:
    old, new = begun(folder, ONE), begun(folder, TWO)
    earlier = runs.earlier(folder, "sandbox")
    for name, found in ((None, new), (new.run, new), (old.run, old)):
        unsettled = runs.to_resume(earlier, name)
        assert unsettled is not None
        assert unsettled.run.id == found.run
    with pytest.raises(UsageError, match="no run of this target is called x") as caught:
        runs.to_resume(earlier, "x")
    assert old.run in (caught.value.help or "")
    assert runs.to_resume((), None) is None


@pytest.fixture
def at_work(folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process that a killed run has left alone."""
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(30)"])
    with begun(folder, ONE) as kept:
        kept.applying(ONE.name, "ab")
        kept.child(ONE.name, process.pid)
    yield process
    process.kill()
    process.wait()


def test_terraform_that_was_left_alone_keeps_others_away(folder: Path, at_work: subprocess.Popen[bytes]) -> None:
    earlier = runs.earlier(folder, "sandbox")
    with pytest.raises(RefusedError, match=f"at work in {ONE.name}: process {at_work.pid}") as caught:
        runs.require_none_left_alone(earlier)
    assert "--resume" in (caught.value.help or "")
    with pytest.raises(RefusedError, match="still at work"):
        runs.wait_for_left_alone(earlier, 0.3, lambda _line: None)
    at_work.kill()
    at_work.wait()
    runs.require_none_left_alone(earlier)


def test_terraform_that_was_left_alone_is_waited_for(folder: Path, at_work: subprocess.Popen[bytes]) -> None:
    said: list[str] = []

    def say(line: str) -> None:
        said.append(line)
        at_work.kill()

    begin = time.monotonic()
    runs.wait_for_left_alone(runs.earlier(folder, "sandbox"), 20, say)
    assert time.monotonic() - begin < 10
    assert said == [f"waiting up to 20 s for Terraform, which is still at work: {ONE.name} (process {at_work.pid})"]


def test_another_process_with_the_same_number_is_not_taken_for_it() -> None:
    here = processes.started(os.getpid())
    assert here is not None
    assert processes.Process(os.getpid(), here).alive
    boot, _, tick = here.partition("/")
    assert not processes.Process(os.getpid(), f"{boot}/{int(tick) + 1}").alive
    assert not processes.Process(os.getpid(), f"another-boot/{tick}").alive
    assert not processes.Process(os.getpid(), "").alive
