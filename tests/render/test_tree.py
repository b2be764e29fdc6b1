"""The tree on disk: compared file by file, written whole or not at all, and nothing in it that was not rendered."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from generator.diagnostics import Severity
from generator.errors import RefusedError, UsageError
from generator.render import tree
from generator.render.head import stamped
from generator.render.tree import FOREIGN_FILE, HAND_EDITED_FILE, STALE_FILE, UNIQUE_IDS_TURNED_OFF, Comparison

if TYPE_CHECKING:
    from pathlib import Path

    from tests.render.conftest import FleetFolder

ROOT = "terraform/accounts/111111111111/vault"
PAY = f"{ROOT}/client-pay.tf"


def said(comparison: Comparison) -> list[tuple[str, str]]:
    return [(finding.rule, finding.span.path) for finding in comparison.findings()]


def marks(folder: Path) -> dict[str, tuple[int, int]]:
    files = [path for path in (folder / "terraform").rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): (path.stat().st_ino, path.stat().st_mtime_ns) for path in files}


class TestRendering:
    def test_a_first_one_writes_every_file(self, fleet: FleetFolder) -> None:
        comparison = fleet.render()
        assert fleet.texts() == comparison.wanted == fleet.wanted()
        assert comparison.added == tuple(sorted(comparison.wanted))
        assert fleet.compare().is_current
        assert list((fleet.folder / tree.WORK).iterdir()) == []

    def test_a_second_one_touches_nothing(self, fleet: FleetFolder) -> None:
        fleet.render()
        before = marks(fleet.folder)
        comparison = fleet.render()
        assert comparison.is_current
        assert marks(fleet.folder) == before

    def test_only_changed_files_are_written(self, fleet: FleetFolder) -> None:
        fleet.render()
        before = marks(fleet.folder)
        fleet.add("pay", more="vault: {token_ttl: 1h}\n")
        assert fleet.render().changed == (PAY,)
        after = marks(fleet.folder)
        assert {path for path in before if before[path] != after[path]} == {PAY}

    def test_files_of_a_removed_client_go(self, fleet: FleetFolder) -> None:
        fleet.render()
        fleet.remove("pay")
        assert PAY in fleet.render().removed
        assert fleet.texts() == fleet.wanted()

    def test_folders_of_a_removed_account_go(self, fleet: FleetFolder) -> None:
        fleet.render()
        fleet.remove("search")
        fleet.render()
        assert not (fleet.folder / "terraform" / "accounts" / "222222222222").exists()
        assert (fleet.folder / ROOT).exists()

    def test_files_are_readable_by_everybody(self, fleet: FleetFolder) -> None:
        old = os.umask(0o022)
        try:
            fleet.render()
        finally:
            os.umask(old)
        assert (fleet.folder / PAY).stat().st_mode & 0o777 == 0o644


class TestFindings:
    def test_missing_changed_and_superfluous_files_are_stale(self, fleet: FleetFolder) -> None:
        fleet.render()
        (fleet.folder / PAY).unlink()
        fleet.add("ledger", more="description: books\n")
        fleet.remove("search")
        fleet.add("search", "111111111111")
        found = said(fleet.compare())
        assert {rule for rule, _ in found} == {STALE_FILE}
        assert {path for _, path in found} >= {
            PAY,
            f"{ROOT}/client-ledger.tf",
            f"{ROOT}/client-search.tf",
            "terraform/accounts/222222222222/vault/client-search.tf",
        }

    def test_a_hand_edited_file_is_told_from_a_stale_one(self, fleet: FleetFolder) -> None:
        fleet.render()
        path = fleet.folder / PAY
        path.write_text(path.read_text().replace('["read", "list"]', '["read", "list", "update"]'))
        comparison = fleet.compare()
        assert said(comparison) == [(HAND_EDITED_FILE, PAY)]
        assert (
            '+    path "secret/data/certs/111111111111/pay/*" { capabilities = ["read", "list"] }' in comparison.diff()
        )
        fleet.render()
        assert fleet.compare().is_current

    def test_a_body_and_digest_edited_together_are_still_out_of_date(self, fleet: FleetFolder) -> None:
        fleet.render()
        (fleet.folder / PAY).write_text(stamped("# nothing\n", "clients/pay.yaml"))
        assert said(fleet.compare()) == [(STALE_FILE, PAY)]

    def test_what_terraform_leaves_in_a_root_is_tolerated(self, fleet: FleetFolder) -> None:
        fleet.render()
        (fleet.folder / ROOT / ".terraform.lock.hcl").write_text("# locks\n")
        (fleet.folder / ROOT / ".terraform" / "providers").mkdir(parents=True)
        (fleet.folder / ROOT / ".terraform" / "providers" / "x.tf").write_text("")
        assert fleet.compare().is_current
        fleet.render()
        assert (fleet.folder / ROOT / ".terraform.lock.hcl").exists()

    def test_the_diff_can_be_applied(self, fleet: FleetFolder, tmp_path: Path) -> None:
        fleet.render()
        fleet.remove("search")
        fleet.add("new")
        fleet.add("pay", more="description: Card payments\n")
        comparison = fleet.compare()
        patch = tmp_path / "change.patch"
        patch.write_text(comparison.diff())
        subprocess.run(["git", "apply", str(patch)], cwd=fleet.folder, check=True, env={"PATH": os.environ["PATH"]})
        assert fleet.texts() == comparison.wanted


FOREIGN = [
    "extra.tf",
    "extra.tf.json",
    "override.tf",
    "client-pay_override.tf",
    "terraform.tfvars",
    "x.auto.tfvars",
    "README.md",
    ".hidden.tf",
    "module/main.tf",
    "terraform.tfstate",
]


class TestForeignFiles:
    @pytest.mark.parametrize("name", FOREIGN)
    def test_one_is_named_and_neither_touched_nor_written_beside(self, fleet: FleetFolder, name: str) -> None:
        fleet.render()
        path = fleet.folder / ROOT / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("mine\n")
        fleet.add("new")
        comparison = fleet.compare()
        assert (FOREIGN_FILE, f"{ROOT}/{name}") in said(comparison)
        assert not comparison.is_current
        before = marks(fleet.folder)
        with pytest.raises(RefusedError, match="was not rendered") as caught:
            tree.write(fleet.folder, comparison)
        assert f"{ROOT}/{name}" in caught.value.message
        assert path.read_text() == "mine\n"
        assert marks(fleet.folder) == before

    def test_one_in_the_place_of_a_rendered_file_is_not_overwritten(self, fleet: FleetFolder) -> None:
        (fleet.folder / ROOT).mkdir(parents=True)
        (fleet.folder / PAY).write_text("mine\n")
        with pytest.raises(RefusedError):
            fleet.render()
        assert fleet.texts() == {PAY: "mine\n"}

    @pytest.mark.parametrize("target", ["same text", "nothing", "folder"])
    def test_a_link_is_foreign_whatever_it_leads_to(self, fleet: FleetFolder, tmp_path: Path, target: str) -> None:
        fleet.render()
        outside = tmp_path / "outside"
        if target == "same text":
            outside.write_text((fleet.folder / PAY).read_text())
        elif target == "folder":
            outside.mkdir()
            (outside / "x.tf").write_text("mine\n")
        (fleet.folder / PAY).unlink()
        (fleet.folder / PAY).symlink_to(outside)
        comparison = fleet.compare()
        assert (FOREIGN_FILE, PAY) in said(comparison)
        assert not [path for path in (*comparison.found, *comparison.foreign) if "x.tf" in path]
        with pytest.raises(RefusedError):
            tree.write(fleet.folder, comparison)
        assert (fleet.folder / PAY).is_symlink()

    def test_a_tree_that_is_itself_a_link_is_foreign(self, fleet: FleetFolder) -> None:
        fleet.render()
        (fleet.folder / "terraform").rename(fleet.folder / "elsewhere")
        (fleet.folder / "terraform").symlink_to("elsewhere", target_is_directory=True)
        assert fleet.compare().foreign == ("terraform",)
        with pytest.raises(RefusedError, match="terraform was not rendered"):
            fleet.render()

    def test_a_linked_folder_is_not_written_through(self, fleet: FleetFolder, tmp_path: Path) -> None:
        (tmp_path / "outside").mkdir()
        (fleet.folder / "terraform").mkdir()
        (fleet.folder / "terraform" / "accounts").symlink_to(tmp_path / "outside", target_is_directory=True)
        with pytest.raises(RefusedError, match="terraform/accounts"):
            fleet.render()
        assert list((tmp_path / "outside").iterdir()) == []

    def test_a_pipe_is_foreign_and_not_waited_on(self, fleet: FleetFolder) -> None:
        fleet.render()
        os.mkfifo(fleet.folder / ROOT / "pipe.tf")
        assert said(fleet.compare()) == [(FOREIGN_FILE, f"{ROOT}/pipe.tf")]

    def test_what_is_not_utf_8_is_foreign(self, fleet: FleetFolder) -> None:
        fleet.render()
        (fleet.folder / ROOT / "latin.tf").write_bytes(b"# caf\xe9\n")
        assert said(fleet.compare()) == [(FOREIGN_FILE, f"{ROOT}/latin.tf")]

    def test_roots_of_nobody_are_foreign_too(self, fleet: FleetFolder) -> None:
        fleet.render()
        stray = fleet.folder / "terraform" / "accounts" / "999999999999" / "vault" / "main.tf"
        stray.parent.mkdir(parents=True)
        stray.write_text("mine\n")
        assert said(fleet.compare()) == [(FOREIGN_FILE, "terraform/accounts/999999999999/vault/main.tf")]


LIMITED = """
import resource, sys
from pathlib import Path
from generator.errors import UsageError
from generator.render import tree
from generator.render.head import stamped
folder = Path(sys.argv[1])
wanted = {f"terraform/accounts/1/{n}.tf": stamped("x" * int(sys.argv[2]) + "\\n", "o") for n in ("a", "b")}
unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, unlimited[1]))
try:
    tree.write(folder, tree.compare(folder, wanted))
except UsageError as error:
    print(error.message)
    sys.exit(2)
finally:
    resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)  # whatever measures this process writes files at its end
"""


class TestFaults:
    @pytest.mark.parametrize("fails_at", range(1, 5))
    def test_an_interrupted_write_leaves_every_file_old_or_new_and_is_completed_by_the_next(
        self, fleet: FleetFolder, monkeypatch: pytest.MonkeyPatch, fails_at: int
    ) -> None:
        fleet.render()
        old = fleet.texts()
        for name in ("pay", "ledger"):
            fleet.add(name, more="description: new\n")
        new = fleet.wanted()
        replace, calls = os.replace, 0

        def failing(source: Any, target: Any) -> None:
            nonlocal calls
            calls += 1
            if calls == fails_at:
                raise OSError(28, "No space left on device", str(target))
            replace(source, target)

        with monkeypatch.context() as patch:
            patch.setattr(os, "replace", failing)
            with pytest.raises(UsageError, match="No space left on device") as caught:
                fleet.render()
        assert caught.value.help is not None
        assert "no file is half written" in caught.value.help
        found = fleet.texts()
        assert all(found[path] in {old[path], new[path]} for path in old)
        assert sum(found[path] != old[path] for path in old) == fails_at - 1
        assert list((fleet.folder / tree.WORK).iterdir()) == []
        fleet.render()
        assert fleet.texts() == new

    def test_a_full_disk_replaces_nothing(self, fleet: FleetFolder) -> None:
        def run(size: int) -> subprocess.CompletedProcess[str]:
            arguments = [sys.executable, "-c", LIMITED, str(fleet.folder), str(size)]
            return subprocess.run(arguments, capture_output=True, text=True, check=False)

        assert run(100).returncode == 0
        old = fleet.texts()
        full = run(10_000)
        assert (full.returncode, full.stderr) == (2, "")
        assert "File too large" in full.stdout
        assert "None" not in full.stdout
        assert fleet.texts() == old
        assert list((fleet.folder / tree.WORK).iterdir()) == []

    @pytest.mark.parametrize("place", ["terraform", ".crosskeys"])
    def test_a_file_where_a_folder_is_needed_is_named(self, fleet: FleetFolder, place: str) -> None:
        (fleet.folder / place).write_text("mine\n")
        with pytest.raises(UsageError, match="could not be written") as caught:
            fleet.render()
        assert place in caught.value.message
        assert (fleet.folder / place).read_text() == "mine\n"

    def test_a_file_where_a_root_is_needed_is_foreign(self, fleet: FleetFolder) -> None:
        (fleet.folder / "terraform" / "accounts").mkdir(parents=True)
        (fleet.folder / "terraform" / "accounts" / "111111111111").write_text("mine\n")
        with pytest.raises(RefusedError, match="terraform/accounts/111111111111"):
            fleet.render()

    def test_a_folder_where_a_file_is_needed_is_named(self, fleet: FleetFolder) -> None:
        (fleet.folder / PAY).mkdir(parents=True)
        with pytest.raises(UsageError, match=r"client-pay\.tf"):
            fleet.render()
        (fleet.folder / PAY).rmdir()
        fleet.render()
        assert fleet.compare().is_current

    def test_a_tree_that_cannot_be_read_is_said(self, fleet: FleetFolder, monkeypatch: pytest.MonkeyPatch) -> None:
        fleet.render()
        wanted = fleet.wanted()

        def refuse(path: Path) -> None:
            raise PermissionError(13, "Permission denied", str(path))

        monkeypatch.setattr(os, "scandir", refuse)
        with pytest.raises(UsageError, match="cannot be read: Permission denied"):
            tree.compare(fleet.folder, wanted)

    def test_what_a_killed_write_left_aside_is_cleared(self, fleet: FleetFolder) -> None:
        left = fleet.folder / tree.WORK / "render-killed" / "terraform"
        left.mkdir(parents=True)
        tree.clear(fleet.folder)
        assert list((fleet.folder / tree.WORK).iterdir()) == []


HOLD = """
import sys
from pathlib import Path
from generator.render import tree
with tree.lock(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


class TestLock:
    def test_a_second_writer_is_refused_until_the_first_has_ended(self, fleet: FleetFolder) -> None:
        arguments = [sys.executable, "-c", HOLD, str(fleet.folder)]
        with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
            assert other.stdout is not None
            assert other.stdout.readline() == "held\n"
            with pytest.raises(RefusedError, match="another crosskeys is writing"), tree.lock(fleet.folder):
                pytest.fail("two writers at once")
            other.kill()
        with tree.lock(fleet.folder):
            pass

    def test_a_file_in_its_place_is_named(self, fleet: FleetFolder) -> None:
        (fleet.folder / tree.WORK).write_text("")
        with pytest.raises(UsageError, match="cannot be locked"), tree.lock(fleet.folder):
            pass


def test_the_digest_of_a_tree_tells_names_from_texts() -> None:
    trees = [{"a": "bc"}, {"ab": "c"}, {"a": "b", "c": ""}, {"a": "", "b": "c"}, {}]
    assert len({tree.digest(each) for each in trees}) == len(trees)
    assert tree.digest({"a": "1", "b": "2"}) == tree.digest({"b": "2", "a": "1"})


def test_a_render_that_would_replace_a_vault_role_says_so_and_no_other_does() -> None:
    on, off = "  resolve_aws_unique_ids   = true\n", "  resolve_aws_unique_ids   = false\n"
    turned_off = Comparison({"a.tf": off, "b.tf": on, "c.tf": on}, {"a.tf": on, "b.tf": off, "c.tf": on}, ())
    (finding,) = turned_off.replacements()
    assert (finding.rule, finding.severity, finding.span.path) == (UNIQUE_IDS_TURNED_OFF, Severity.WARNING, "a.tf")
    assert finding in turned_off.findings()
