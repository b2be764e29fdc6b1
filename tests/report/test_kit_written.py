"""Writing a kit: the same bytes each time, all or nothing, and over nothing that is not an earlier kit."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from generator.errors import RefusedError, UsageError
from generator.report.kit import written
from generator.report.kit.contents import SUMS, File, sums
from generator.report.kit.written import write

if TYPE_CHECKING:
    from collections.abc import Callable


def kit(**texts: str) -> dict[str, File]:
    files = {
        path.replace("_", "/"): File(text.encode(), executable=path == "run") for path, text in sorted(texts.items())
    }
    return {SUMS: File(sums(files)), **files}


KIT, NEWER = kit(page="a", run="b", deep_down="c"), kit(page="A", more="d")


def in_folder(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def in_archive(file: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(file) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.fixture(params=["kit", "kit.zip"])
def target(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    return tmp_path / "new" / str(request.param)


def read(target: Path) -> dict[str, bytes]:
    return in_archive(target) if target.suffix else in_folder(target)


def test_has_every_file_and_leaves_nothing_beside(target: Path) -> None:
    assert write(target, KIT)
    assert read(target) == {path: file.data for path, file in KIT.items()}
    assert list(target.parent.iterdir()) == [target]


def test_writes_nothing_where_the_same_kit_is(target: Path) -> None:
    write(target, KIT)
    before = target.stat()
    assert not write(target, KIT)
    assert (target.stat().st_ino, target.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_replaces_an_earlier_kit_as_a_whole(target: Path) -> None:
    write(target, KIT)
    assert write(target, NEWER)
    assert read(target) == {path: file.data for path, file in NEWER.items()}
    assert list(target.parent.iterdir()) == [target]


def test_takes_an_empty_folder(tmp_path: Path) -> None:
    (tmp_path / "kit").mkdir()
    assert write(tmp_path / "kit", KIT)
    assert in_folder(tmp_path / "kit").keys() == KIT.keys()


def test_an_archive_has_the_same_bytes_whenever_and_by_whomever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "one.zip", KIT)
    monkeypatch.setenv("TZ", "Asia/Kolkata")
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    before = os.umask(0o077)
    try:
        write(tmp_path / "two.zip", KIT)
    finally:
        os.umask(before)
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()
    with zipfile.ZipFile(tmp_path / "two.zip") as archive:
        modes = {entry.filename: oct(entry.external_attr >> 16) for entry in archive.infolist()}
    assert modes["run"] == "0o100755"
    assert set(modes.values()) == {"0o100755", "0o100644"}


def test_a_folder_can_be_read_by_whom_it_is_handed_to(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        write(tmp_path / "kit", KIT)
    finally:
        os.umask(before)
    modes = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "kit").rglob("*")}
    assert modes == {SUMS: 0o644, "page": 0o644, "run": 0o755, "deep": 0o755, "down": 0o644}
    assert (tmp_path / "kit").stat().st_mode & 0o777 == 0o755


def changed(target: Path) -> None:
    (target / "page").write_text("mine")


def added(target: Path) -> None:
    (target / "deep/terraform.tfstate").write_text("{}")


def lost(target: Path) -> None:
    (target / "page").unlink()


def linked(target: Path) -> None:
    (target / "link").symlink_to("page")


def unmarked(target: Path) -> None:
    (target / SUMS).unlink()


@pytest.mark.parametrize("spoil", [changed, added, lost, linked, unmarked])
def test_leaves_a_kit_alone_that_is_not_as_it_was_written(tmp_path: Path, spoil: Callable[[Path], None]) -> None:
    target = tmp_path / "kit"
    write(target, KIT)
    spoil(target)
    before = in_folder(target)
    with pytest.raises(RefusedError, match="not a kit as it was written"):
        write(target, NEWER)
    assert in_folder(target) == before
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize("data", [b"", b"text", b"PK\x05\x06" + bytes(18)])
def test_leaves_a_file_alone_that_is_no_kit(target: Path, data: bytes) -> None:
    target.parent.mkdir()
    target.write_bytes(data)
    with pytest.raises(RefusedError):
        write(target, KIT)
    assert target.read_bytes() == data


def test_leaves_alone_an_archive_of_somebody_elses(tmp_path: Path) -> None:
    target = tmp_path / "kit.zip"
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, file in KIT.items():
            archive.writestr(path, file.data)
    with pytest.raises(RefusedError):
        write(target, NEWER)


def test_follows_no_link(target: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / f"elsewhere{target.suffix}"
    write(elsewhere, KIT)
    target.parent.mkdir()
    target.symlink_to(elsewhere)
    with pytest.raises(RefusedError):
        write(target, NEWER)
    assert read(elsewhere) == {path: file.data for path, file in KIT.items()}


@pytest.mark.parametrize("step", ["_write_folder", "_swap"])
def test_a_fault_leaves_the_earlier_kit_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    target = tmp_path / "kit"
    write(target, KIT)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(written, step, full)
    with pytest.raises(UsageError, match="the kit was not written: No space left on device"):
        write(target, NEWER)
    assert in_folder(target) == {path: file.data for path, file in KIT.items()}
    assert list(tmp_path.iterdir()) == [target]


def test_a_fault_between_the_two_renames_puts_the_earlier_kit_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "kit"
    write(target, KIT)
    real = Path.replace

    def replace(self: Path, to: Path) -> Path:
        if self.name == "kit" and to == target:
            raise OSError(5, "Input/output error")
        return real(self, to)

    monkeypatch.setattr(Path, "replace", replace)
    with pytest.raises(UsageError, match="Input/output error"):
        write(target, NEWER)
    assert in_folder(target) == {path: file.data for path, file in KIT.items()}


def test_a_place_that_cannot_be_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="the kit was not written"):
        write(tmp_path / "file" / "kit", KIT)
