"""A state on its way to another backend is at no moment lost, whoever interferes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from generator.render.layout import BackendBlock
from generator.render.render import Renderer
from generator.resources import data
from generator.run.keepers import Access, exit_code, migrate_all, read_all
from generator.run.state import Place, Snapshot
from tests.run.states import LINEAGE, OTHER_LINEAGE, SECRET, serving, state

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.report.states import StateRow
    from tests.run.states import StateServer

pytestmark = pytest.mark.toolchain

ROOT = "accounts/111111111111/vault"


@pytest.fixture
def server() -> Iterator[StateServer]:
    with serving() as kept:
        yield kept


@pytest.fixture
def local(tmp_path: Path) -> Place:
    return Place.local(ROOT, tmp_path / "states/old.tfstate")


def written(place: Place, text: bytes) -> Path:
    assert place.file is not None
    place.file.parent.mkdir(exist_ok=True)
    place.file.write_bytes(text)
    return place.file


def http(server: StateServer, path: str = ROOT) -> Place:
    address = f"{server.address}/{path}"
    settings: dict[str, str | int] = {"address": address, "lock_address": address, "unlock_address": address}
    return Place(ROOT, BackendBlock("http", {**settings, "retry_max": 0}, {}))


def environment(folder: Path) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "HOME": str(folder), "NO_PROXY": "127.0.0.1"}


def access(folder: Path) -> Access:
    aside = folder / f"aside-{time.monotonic_ns()}"
    aside.mkdir(mode=0o700)
    return Access(aside, Renderer([data("templates")]), 1, lambda _running: None)


def moved(folder: Path, old: Place, new: Place) -> StateRow:
    settled: list[str] = []
    (row,) = migrate_all([(old, new)], (environment(folder),) * 2, access(folder), settled.append)
    assert settled == ([ROOT] if row.outcome in {"moved", "there", "none"} else [])
    assert SECRET not in str(row)
    return row


def contents(text: bytes) -> str:
    found = Snapshot.of(text)
    assert found is not None
    return found.contents


def test_a_state_goes_to_a_server_and_back_as_it_was(tmp_path: Path, server: StateServer, local: Place) -> None:
    before = state()
    file = written(local, before)
    row = moved(tmp_path, local, http(server))
    assert (row.outcome, row.objects) == ("moved", 2)
    assert file.read_bytes() == before
    assert contents(server.states[f"/{ROOT}"]) == contents(before)
    assert moved(tmp_path, local, http(server)).outcome == "there"
    back = Place.local(ROOT, tmp_path / "states/back.tfstate")
    assert moved(tmp_path, http(server), back).outcome == "moved"
    assert back.file is not None
    assert contents(back.file.read_bytes()) == contents(before)
    assert back.file.stat().st_mode & 0o077 == 0
    assert not server.locks


def test_a_state_goes_from_file_to_file_to_the_last_digit(tmp_path: Path, local: Place) -> None:
    written(local, state())
    row = moved(tmp_path, local, Place.local(ROOT, tmp_path / "states/new/new.tfstate"))
    assert (row.outcome, row.serial, row.lineage, row.objects) == ("moved", 7, LINEAGE, 2)


def test_where_nothing_is_nothing_is_made(tmp_path: Path, server: StateServer, local: Place) -> None:
    assert moved(tmp_path, local, http(server)).outcome == "none"
    assert not server.states
    server.states[f"/{ROOT}"] = state()
    assert moved(tmp_path, local, http(server)).outcome == "there"


@pytest.mark.parametrize(
    "found",
    [
        state(1, lineage=OTHER_LINEAGE, names=("near",)),
        state(99, lineage=OTHER_LINEAGE, names=()),
        state(names=("near", "other")),
    ],
    ids=["another with a lower number", "another with a higher number", "the same number with other contents"],
)
def test_another_state_in_the_new_place_is_not_replaced(
    tmp_path: Path, server: StateServer, local: Place, found: bytes
) -> None:
    written(local, state())
    server.states[f"/{ROOT}"] = found
    row = moved(tmp_path, local, http(server))
    assert (row.outcome, exit_code([row])) == ("refused", 3)
    assert "another state is there" in (row.reason or "")
    assert server.states[f"/{ROOT}"] == found


def test_an_earlier_copy_is_brought_up_and_a_later_one_is_left(
    tmp_path: Path, server: StateServer, local: Place
) -> None:
    written(local, state(7))
    server.states[f"/{ROOT}"] = state(5, names=("near",))
    assert moved(tmp_path, local, http(server)).outcome == "moved"
    assert contents(server.states[f"/{ROOT}"]) == contents(state(7))
    server.states[f"/{ROOT}"] = later = state(9, names=())
    assert moved(tmp_path, local, http(server)).outcome == "there"
    assert server.states[f"/{ROOT}"] == later


@pytest.mark.parametrize("side", ["old", "new"])
def test_a_lock_that_somebody_holds_is_named_and_nothing_is_written(
    tmp_path: Path, server: StateServer, local: Place, side: str
) -> None:
    lock = {"ID": "6a1b2c3d", "Operation": "OperationTypeApply", "Who": "ops@runner", "Created": "2026-01-31T10:00:00Z"}
    server.locks[f"/{ROOT}"] = json.dumps(lock).encode()
    old, new = (http(server), local) if side == "old" else (local, http(server))
    if side == "old":
        server.states[f"/{ROOT}"] = state()
    else:
        written(local, state())
    row = moved(tmp_path, old, new)
    assert row.outcome == "refused"
    assert f"the {side} state is locked by somebody; let that run end" in (row.reason or "")
    assert "force-unlock 6a1b2c3d" in (row.reason or "")
    assert server.locks == {f"/{ROOT}": json.dumps(lock).encode()}
    assert (local.file is not None and local.file.exists()) == (side == "new")
    assert (f"/{ROOT}" in server.states) == (side == "old")


def test_a_state_that_changes_while_it_is_copied_is_said_and_copied_by_the_next_run(
    tmp_path: Path, server: StateServer, local: Place
) -> None:
    before, after = state(7, names=("near",)), state(8)
    server.states[f"/{ROOT}"] = before
    new = http(server, "new")
    server.when_written = lambda: server.states.update({f"/{ROOT}": after})
    row = moved(tmp_path, http(server), new)
    assert (row.outcome, exit_code([row])) == ("failed", 4)
    assert "changed meanwhile" in (row.reason or "")
    assert contents(server.states["/new"]) == contents(before)
    # The copy got a lineage of its own there, so that nothing tells which of the two is right.
    row = moved(tmp_path, http(server), new)
    assert (row.outcome, contents(server.states["/new"])) == ("refused", contents(before))
    # A file keeps the lineage, and the next run goes on.
    written(local, before)
    assert moved(tmp_path, http(server), local).outcome == "moved"
    assert local.file is not None
    assert contents(local.file.read_bytes()) == contents(after)


def test_a_torn_state_in_the_new_place_is_left_and_said(tmp_path: Path, server: StateServer, local: Place) -> None:
    server.states[f"/{ROOT}"] = state()
    torn = state()[:100]
    file = written(local, torn)
    row = moved(tmp_path, http(server), local)
    assert row.outcome == "failed"
    assert "put it away" in (row.reason or "")
    assert file.read_bytes() == torn
    file.unlink()
    assert moved(tmp_path, http(server), local).outcome == "moved"


def test_a_backend_that_does_not_answer_fails(tmp_path: Path, server: StateServer, local: Place) -> None:
    written(local, state())
    gone = Place(ROOT, BackendBlock("http", {"address": "http://127.0.0.1:1/x", "retry_max": 0}, {}))
    for row in (
        moved(tmp_path, local, gone),
        *read_all([gone], environment(tmp_path), access(tmp_path)),
    ):
        assert (row.outcome, exit_code([row])) == ("failed", 4)
        assert "connection refused" in (row.reason or "")
    assert not server.states


def started(folder: Path, old: Path, server: StateServer) -> subprocess.Popen[str]:
    """Start moving a state in a process of its own, and wait until the new one is being written."""
    aside = folder / f"aside-{time.monotonic_ns()}"
    aside.mkdir(mode=0o700)
    server.writing.clear()
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.run.migrator", aside, ROOT, old, f"{server.address}/{ROOT}"],
        cwd=Path(__file__).parents[2],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert server.writing.wait(60)
    return process


def pushing(aside: Path) -> int:
    """Return the process that writes a state from a folder."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        words = path.read_bytes().split(b"\0")
        if b"push" in words and str(aside).encode() in words[1]:
            return int(path.parent.name)
    raise AssertionError("nothing writes")


def test_killed_in_the_middle_it_ends_by_itself_or_is_made_again(
    tmp_path: Path, server: StateServer, local: Place
) -> None:
    file = written(local, state())
    # The tool is killed: Terraform goes on and ends.
    server.may_write.clear()
    with started(tmp_path, file, server) as process:
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert f"/{ROOT}" not in server.states
        server.may_write.set()
        deadline = time.monotonic() + 30
        while server.locks and time.monotonic() < deadline:
            time.sleep(0.05)
    assert contents(server.states[f"/{ROOT}"]) == contents(state())
    assert moved(tmp_path, local, http(server)).outcome == "there"
    # Terraform itself is killed, before anything was written: its lock stays and is named.
    server.states.clear()
    server.may_write.clear()
    with started(tmp_path, file, server) as process:
        os.kill(pushing(tmp_path), signal.SIGKILL)
        said, _ = process.communicate(timeout=60)
        assert said.startswith("failed ")
        assert process.returncode == 4
    assert file.read_bytes() == state()
    assert "is locked by" in (moved(tmp_path, local, http(server)).reason or "")
    server.locks.clear()
    server.states.clear()
    server.may_write.set()
    assert moved(tmp_path, local, http(server)).outcome in {"moved", "there"}
    assert contents(server.states[f"/{ROOT}"]) == contents(state())


def test_interrupted_it_says_so_and_the_next_run_goes_on(tmp_path: Path, server: StateServer, local: Place) -> None:
    file = written(local, state())
    server.may_write.clear()
    with started(tmp_path, file, server) as process:
        process.send_signal(signal.SIGINT)
        time.sleep(0.3)
        server.may_write.set()
        said, _ = process.communicate(timeout=60)
    assert said.startswith(("interrupted ", "moved "))
    assert file.read_bytes() == state()
    assert not server.locks
    assert moved(tmp_path, local, http(server)).outcome in {"there", "moved"}


def test_reading_says_how_much_is_there_and_who_has_it_locked(
    tmp_path: Path, server: StateServer, local: Place
) -> None:
    server.states[f"/{ROOT}"] = state()
    (row,) = read_all([http(server)], environment(tmp_path), access(tmp_path))
    assert (row.outcome, row.serial, row.objects, row.locked_by, row.modified) == ("read", 7, 2, None, None)
    server.locks[f"/{ROOT}"] = json.dumps({"ID": "6a1b2c3d", "Who": "ops@runner"}).encode()
    (row,) = read_all([http(server)], environment(tmp_path), access(tmp_path))
    assert (row.outcome, row.lock_id) == ("read", "6a1b2c3d")
    assert row.locked_by == "somebody"  # Terraform does not say, and names the one who asks
    (row,) = read_all([local], environment(tmp_path), access(tmp_path))
    assert row.outcome == "none"
    written(local, state(3, names=()))
    (row,) = read_all([local], environment(tmp_path), access(tmp_path))
    assert (row.outcome, row.serial, row.objects) == ("read", 3, 0)
    assert row.modified is not None
    assert SECRET not in str(row)
