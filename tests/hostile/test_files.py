"""Whatever lies in `clients/` or in the place of the settings, the promise holds."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import socket
import stat
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.hostile.promise import ACCOUNT, CLIENT, SETTINGS, TARGETS, Outcome, broken, digest, run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def checked(fleet: Path, *, within: float | None = None) -> Outcome:
    """Check the fleet, hold it to the promise, and return how it ended."""
    before = digest(fleet)
    outcome = run(fleet, "check")
    problems = [problem for problem in broken(outcome) if within is None or not problem.endswith(" s")]
    assert not problems, outcome
    assert within is None or outcome.seconds < within, outcome.seconds
    assert digest(fleet) == before
    return outcome


def _a_device(path: Path) -> None:
    try:
        os.mknod(path, 0o600 | stat.S_IFCHR, os.makedev(1, 5))
    except PermissionError:
        pytest.skip("only root makes devices")


def _a_gigabyte(path: Path) -> None:
    path.touch()
    os.truncate(path, 1 << 30)


IN_PLACE: dict[str, Callable[[Path], object]] = {
    "a link to a device that never ends": lambda path: path.symlink_to("/dev/zero"),
    "a link to itself": lambda path: path.symlink_to(path.name),
    "a link to a file outside": lambda path: path.symlink_to("/etc/passwd"),
    "a link to nothing": lambda path: path.symlink_to("nowhere"),
    "a link to the folder above": lambda path: path.symlink_to(".."),
    "a pipe": os.mkfifo,
    "a device": _a_device,
    "a folder": lambda path: path.mkdir(),
    "a file of a gigabyte": _a_gigabyte,
}


@pytest.mark.parametrize("kind", IN_PLACE)
@pytest.mark.parametrize("path", TARGETS)
def test_what_is_no_file_in_a_files_place_is_refused_at_once(path: str, kind: str, fleet: Path) -> None:
    (fleet / path).unlink()
    IN_PLACE[kind](fleet / path)
    before = sorted(fleet.rglob("*"))
    outcome = run(fleet, "check")
    assert not list(broken(outcome)), outcome
    assert outcome.code == (2 if path == SETTINGS else 1)
    assert "root:" not in outcome.out
    assert sorted(fleet.rglob("*")) == before


def test_a_pipe_is_never_opened_to_show_where_a_finding_stands(fleet: Path) -> None:
    os.mkfifo(fleet / "clients/pipe.yaml")
    ended = threading.Event()
    outcomes: list[Outcome] = []

    def check() -> None:
        outcomes.append(run(fleet, "validate"))
        ended.set()

    threading.Thread(target=check, daemon=True).start()
    assert ended.wait(20), "it waits for somebody to write"
    assert "this is a pipe" in outcomes[0].out


def test_a_socket_is_refused(fleet: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(fleet / "clients")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket.yaml")
        outcome = run(fleet, "check")
    assert outcome.code == 1
    assert "this is a socket" in outcome.out


@pytest.mark.parametrize("target", ["/", "/etc", ".", "accounts", "nowhere"])
def test_a_link_in_place_of_the_folder_of_clients_is_not_followed(target: str, fleet: Path) -> None:
    (fleet / "clients").rename(fleet / "others")
    (fleet / "clients").symlink_to(target)
    outcome = run(fleet, "check")
    assert not list(broken(outcome)), outcome
    assert outcome.code == 1
    assert "this is a symbolic link, not a folder" in outcome.out
    assert "passwd" not in outcome.out


def test_a_file_in_place_of_the_folder_of_clients_is_refused(fleet: Path) -> None:
    (fleet / "clients").rename(fleet / "others")
    (fleet / "clients").write_text("name: x\n")
    assert checked(fleet).code == 1


NAMES = (
    *(b"\xff.yaml", b"a\xffb.yaml", b"\xed\xa0\x80.yaml", b"a\nb.yaml", b"\x1b[31mred.yaml", b"\x1b]0;title\x07.yaml"),
    *(b"a\rb.yaml", b"a\x7f.yaml", "a\u202eb.yaml".encode(), "a\u2028b.yaml".encode(), "\ufeff.yaml".encode()),
    *(
        b" .yaml",
        b".yaml",
        b"..yaml",
        b"-C.yaml",
        b"--help.yaml",
        b"a b.yaml",
        b"$(id).yaml",
        b"${x}.yaml",
        b"a'b\".yaml",
    ),
    *(b"*.yaml", b"CON.yaml", b"a" * 250 + b".yaml", b"a.YAML", b"a.yml", b"a.yaml ", b"a.yaml~", b"a.tf", b".hidden"),
    *(
        b"%s.yaml",
        b"{{x}}.yaml",
        b"<b>.yaml",
        "é.yaml".encode(),
        "e\u0301.yaml".encode(),
        b"a\\b.yaml",
        b"::error::x.yaml",
    ),
)


@pytest.mark.parametrize("folder", [b"clients", b"clients/accounts", b"clients/team"])
def test_names_of_files_reach_the_terminal_as_text_alone(folder: bytes, fleet: Path) -> None:
    os.makedirs(os.path.join(os.fsencode(fleet), folder), exist_ok=True)  # noqa: PTH103, PTH118 - bytes
    for name in NAMES:
        with open(os.path.join(os.fsencode(fleet), folder, name), "wb") as file:  # noqa: PTH118, PTH123 - bytes
            file.write(b"name: x\n")
    for fmt in ("full", "concise", "json", "sarif", "github", "markdown"):
        outcome = run(fleet, "validate", "--format", fmt)
        assert not list(broken(outcome)), outcome
        assert outcome.code == 1


def test_names_that_differ_by_case_or_composition_are_two_files(fleet: Path) -> None:
    text = (fleet / CLIENT).read_text()
    for name in ("Scanner", "SCANNER", "scannér", "scanne\u0301r"):
        (fleet / f"clients/{name}.yaml").write_text(text)
    outcome = checked(fleet)
    assert outcome.code == 1
    assert outcome.out.count("CK303") == 4


def test_two_hundred_folders_deep_is_read(fleet: Path) -> None:
    deep = fleet / "clients" / "/".join(["a"] * 200)
    deep.mkdir(parents=True)
    (fleet / CLIENT).rename(deep / "scanner.yaml")
    outcome = checked(fleet)
    assert outcome.code == 1
    assert set(re.findall("CK[0-9]+", outcome.out)) == {"CK701"}  # the rendered files name where the manifest lies


@pytest.mark.parametrize("name", [b"d" * 250, b"\xff" * 250, b"\x1b" * 250])
@pytest.mark.parametrize("fmt", ["full", "json", "sarif"])
def test_folders_deeper_than_a_path_can_say_are_refused(name: bytes, fmt: str, fleet: Path) -> None:
    at = os.open(fleet / "clients", os.O_RDONLY)
    for _ in range(20):
        os.mkdir(name, dir_fd=at)
        at, above = os.open(name, os.O_RDONLY, dir_fd=at), at
        os.close(above)
    os.close(at)
    outcome = run(fleet, "validate", "--format", fmt)
    assert not list(broken(outcome)), outcome
    assert outcome.code == 1
    assert "cannot be read: File name too long" in outcome.out


def test_ten_thousand_stray_files_are_all_named(fleet: Path) -> None:
    for number in range(10_000):
        (fleet / f"clients/{number}.txt").touch()
    outcome = checked(fleet, within=10)
    assert outcome.code == 1
    assert outcome.out.count("CK302") == 10_000


@contextlib.contextmanager
def as_nobody(folder: Path) -> Iterator[None]:
    """Give a folder to a user who may not read everything, and be that user; root is not kept out by any mode."""
    if os.geteuid():
        yield
        return
    for path in (folder, *folder.rglob("*")):
        os.chown(path, 65534, 65534)
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.parametrize("path", [*TARGETS, "clients", "clients/accounts"])
def test_what_may_not_be_read_is_refused(path: str, fleet: Path) -> None:
    with tempfile.TemporaryDirectory() as open_to_all:  # the folders above a test's own are closed to others
        shutil.copytree(fleet, open_to_all, dirs_exist_ok=True)
        closed = Path(open_to_all, path)
        mode = closed.stat().st_mode
        with as_nobody(Path(open_to_all)):
            closed.chmod(0)
            outcome = run(Path(open_to_all), "validate")
            closed.chmod(mode)
    assert not list(broken(outcome)), outcome
    assert outcome.code == (2 if path == SETTINGS else 1)
    assert "cannot be read: Permission denied" in outcome.out


def test_files_that_change_while_they_are_read_end_well(fleet: Path) -> None:
    texts = [(fleet / CLIENT).read_bytes(), b"", b"a: [", b"#" * 70_000]
    stop = threading.Event()

    def change() -> None:
        while not stop.is_set():
            for text in texts:
                (fleet / CLIENT).write_bytes(text)
                (fleet / ACCOUNT).unlink(missing_ok=True)
                (fleet / ACCOUNT).write_bytes(text)

    changing = threading.Thread(target=change)
    changing.start()
    try:
        for _ in range(50):
            outcome = run(fleet, "validate")
            assert not [problem for problem in broken(outcome) if not problem.endswith(" s")], outcome
    finally:
        stop.set()
        changing.join()
