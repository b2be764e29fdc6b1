"""New files are all written or none, and never over anything."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from generator.errors import RefusedError, UsageError
from generator.render import tree
from generator.render.place import place, require_free

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    with tree.lock(tmp_path):
        yield tmp_path


def contents(folder: Path) -> set[str]:
    paths = (path.relative_to(folder).as_posix() for path in folder.rglob("*"))
    return {path for path in paths if not path.startswith(tree.WORK)}


def test_files_are_written_with_their_folders(folder: Path) -> None:
    place(folder, {"a/b/c.yaml": "é\n", "d": ""})
    assert (folder / "a/b/c.yaml").read_bytes() == b"\xc3\xa9\n"
    assert contents(folder) == {"a", "a/b", "a/b/c.yaml", "d"}
    assert [path.name for path in (folder / tree.WORK).iterdir()] == ["lock"]


def test_what_exists_is_named_and_nothing_is_written(folder: Path) -> None:
    (folder / "d").write_text("mine")
    (folder / "e").symlink_to("nowhere")
    with pytest.raises(RefusedError, match=r"there already: d, e$"):
        place(folder, {"a/b": "x", "d": "y", "e": "z"})
    assert contents(folder) == {"d", "e"}
    assert (folder / "d").read_text() == "mine"


def test_a_link_or_a_file_in_place_of_a_folder_is_refused(
    folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (folder / "clients").symlink_to(elsewhere)
    (folder / "file").write_text("")
    for path, hindrance in (("clients/a.yaml", "clients"), ("file/x/y", "file")):
        with pytest.raises(RefusedError, match=rf": {hindrance}$"):
            require_free(folder, [path])
    assert list(elsewhere.iterdir()) == []


@pytest.mark.parametrize("failing", [1, 2, 3])
def test_a_fault_half_way_leaves_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch, failing: int) -> None:
    (folder / "kept").mkdir()
    replace, calls = Path.replace, 0

    def full(path: Path, target: Path) -> Path:
        nonlocal calls
        calls += 1
        if calls == failing:
            raise OSError(28, "No space left on device", str(path))
        return replace(path, target)

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(UsageError, match="No space left on device"):
        place(folder, {"kept/a": "1", "new/b": "2", "new/deep/c": "3"})
    assert contents(folder) == {"kept"}


def test_an_interrupt_half_way_leaves_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(_path: Path, _target: Path) -> Path:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", interrupt)
    with pytest.raises(KeyboardInterrupt):
        place(folder, {"new/b": "2"})
    assert contents(folder) == set()
