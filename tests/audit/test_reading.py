from __future__ import annotations

import os
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from generator.audit import kept, moulds, reading
from generator.audit.parseback import verify
from generator.audit.read import read_file
from generator.errors import InternalError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from generator.manifest.fleet import Fleet

CHECKOUT = Path(__file__).parents[2]
VAULT_CLIENT = "terraform/accounts/111111111111/vault/client-payments.tf"


def refusal(fleet: Fleet, texts: Mapping[str, str], cache: Path | None) -> str:
    with pytest.raises(InternalError) as caught:
        verify(fleet, texts, cache)
    return caught.value.message


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


@pytest.fixture
def readings(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The paths that are parsed from now on, in order; those of patterns are outside of the fleet."""
    seen: list[str] = []

    def recording(path: str, text: str) -> object:
        seen.append(path)
        return read_file(path, text)

    monkeypatch.setattr(reading, "read_file", recording)
    return seen


def test_a_shape_is_parsed_once(fleet: Fleet, texts: dict[str, str], tmp_path: Path, readings: list[str]) -> None:
    verify(fleet, texts, tmp_path)
    firsts = [path for path in readings if path in texts]
    assert len(readings) == 2 * len(firsts) < 2 * len(texts) * 3 / 4
    readings.clear()
    verify(fleet, texts, tmp_path)
    assert readings == []
    verify(fleet, texts | {VAULT_CLIENT: texts[VAULT_CLIENT] + "# more\n"}, tmp_path)
    assert len(readings) == 2
    assert VAULT_CLIENT in readings


def test_what_is_remembered_is_compared_with_every_fleet(fleet: Fleet, texts: dict[str, str], tmp_path: Path) -> None:
    verify(fleet, texts, tmp_path)
    account, *others = fleet.accounts
    clients = tuple(replace(client, token_ttl=60) for client in account.clients)
    changed = replace(fleet, accounts=(replace(account, clients=clients), *others))
    assert "token_ttl: expected 60" in refusal(changed, texts, tmp_path)


def test_a_refusal_is_the_same_with_and_without_a_cache(fleet: Fleet, texts: dict[str, str], tmp_path: Path) -> None:
    wrong = texts | {VAULT_CLIENT: texts[VAULT_CLIENT].replace("3600", "60"), f"{VAULT_CLIENT[:-11]}ledger.tf": "x"}
    assert refusal(fleet, wrong, tmp_path) == refusal(fleet, wrong, tmp_path) == refusal(fleet, wrong, None)


def test_what_was_parsed_comes_back_from_the_cache_whole(texts: dict[str, str], tmp_path: Path) -> None:
    fresh = reading.read_each(texts, tmp_path)
    assert repr(reading.read_each(texts, tmp_path)) == repr(fresh)
    assert [item.span for found in fresh.values() if isinstance(found, tuple) for item in found] == [
        item.span for path, text in texts.items() for item in read_file(path, text)
    ]


def test_a_shape_that_is_cast_wrongly_is_not_used(
    texts: dict[str, str], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    right = reading.read_each(texts, None)
    monkeypatch.setattr(moulds.Mould, "cast", lambda *_: ())
    assert reading.read_each(texts, None) == right
    assert "otherwise than its shape says" in caplog.text


@pytest.mark.parametrize("left", [b"", b"\0", b"x" * 4096, None])
def test_a_damaged_cache_is_read_over_and_made_anew(
    fleet: Fleet, texts: dict[str, str], tmp_path: Path, readings: list[str], left: bytes | None
) -> None:
    verify(fleet, texts, tmp_path)
    file = tmp_path / kept.NAME
    good = file.read_bytes()
    file.write_bytes(good[:-1] + bytes([good[-1] ^ 1]) if left is None else left)
    readings.clear()
    verify(fleet, texts, tmp_path)
    assert readings
    assert file.read_bytes() == good


def test_a_cache_of_another_reader_counts_for_nothing(
    fleet: Fleet, texts: dict[str, str], tmp_path: Path, readings: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    verify(fleet, texts, tmp_path)
    readings.clear()
    monkeypatch.setattr(reading, "version", lambda name: f"another {name}")
    verify(fleet, texts, tmp_path)
    assert readings


def test_a_cache_that_cannot_be_written_is_done_without(fleet: Fleet, texts: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    verify(fleet, texts, tmp_path / "file")
    (tmp_path / "folder" / kept.NAME).mkdir(parents=True)
    verify(fleet, texts, tmp_path / "folder")
    assert names(tmp_path / "folder") == [kept.NAME]


def test_the_cache_is_this_users_alone_and_leaves_nothing_aside(
    fleet: Fleet, texts: dict[str, str], tmp_path: Path
) -> None:
    verify(fleet, texts, tmp_path)
    assert names(tmp_path) == [kept.NAME]
    assert (tmp_path / kept.NAME).stat().st_mode & 0o077 == 0


def test_the_cache_keeps_what_other_fleets_know_and_stays_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept, "MOST", 3)
    kept.save(tmp_path, {"one": 1, "two": 2}, {})
    kept.save(tmp_path, {"three": 3}, kept.load(tmp_path))
    assert list(kept.load(tmp_path)) == ["three", "one", "two"]
    kept.save(tmp_path, {"four": 4}, kept.load(tmp_path))
    assert list(kept.load(tmp_path)) == ["four", "three", "one"]


def test_writers_at_the_same_time_leave_a_whole_file(tmp_path: Path) -> None:
    entries = [{f"{writer} {number}": number for number in range(200)} for writer in range(8)]
    threads = [threading.Thread(target=kept.save, args=(tmp_path, mine, {})) for mine in entries]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert kept.load(tmp_path) in entries


def test_a_cache_that_somebody_forged_runs_nothing(texts: dict[str, str], tmp_path: Path) -> None:
    reading.read_each(texts, tmp_path)
    forged = {key: [{"is": "os.system", "command": "true"}] for key in kept.load(tmp_path)}
    kept.save(tmp_path, forged, {})
    with pytest.raises(KeyError):
        kept.decoded(next(iter(forged.values())))
    assert reading.read_each(texts, tmp_path) == reading.read_each(texts, None)


_WARM = """
import sys
from pathlib import Path
from generator.manifest.fleet import resolve
from generator.manifest.load import load
from generator.audit.parseback import verify
from generator.render.layout import layout
from generator.render.render import Renderer
fleet = resolve(load(Path(sys.argv[1]))[0])
pages = [page for root in layout(fleet) for page in root.pages]
verify(fleet, Renderer([Path(sys.argv[1], "templates")]).render(pages), Path(sys.argv[2]))
print(*sorted({"hcl2", "lark", "multiprocessing"} & sys.modules.keys()))
"""


def test_a_warm_cache_needs_neither_parser_nor_processes(fleet: Fleet, texts: dict[str, str], tmp_path: Path) -> None:
    def loaded() -> str:
        command = [sys.executable, "-c", _WARM, str(CHECKOUT), str(tmp_path)]
        # Not measured: coverage itself loads what must not be loaded.
        env = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
        return subprocess.run(command, check=True, capture_output=True, text=True, cwd=CHECKOUT, env=env).stdout.strip()

    verify(fleet, texts, tmp_path)
    assert loaded() == ""
    (tmp_path / kept.NAME).unlink()
    assert loaded() == "hcl2 lark"
