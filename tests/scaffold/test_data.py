"""Of a pull request's tree only the data arrives, whatever its author tries."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.scaffold.files import WORKFLOWS, commit, load

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CHECK = load(next(path for path in WORKFLOWS if path.stem == "check"))["jobs"]["check"]
STEP = next(step["run"] for step in CHECK["steps"] if step.get("id") == "judged")


def judged(repository: Path, proposed: Path, tmp_path: Path) -> tuple[subprocess.CompletedProcess[str], str]:
    """Run the check's own step as GitHub does, and return how it ended and its outputs."""
    workspace, output = tmp_path / "workspace", tmp_path / "output"
    workspace.mkdir()
    repository.rename(workspace / "fleet")
    proposed.rename(workspace / "proposed")
    output.touch()
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", STEP],
        cwd=workspace,
        env={"PATH": os.environ["PATH"], "GITHUB_OUTPUT": str(output)},
        capture_output=True,
        text=True,
        check=False,
    )
    return done, output.read_text()


def take(repository: Path, proposed: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", repository / "ci/take-data", proposed, repository], capture_output=True, text=True, check=False
    )


def tree(folder: Path) -> dict[str, str]:
    """Return every path below a folder that is no folder: its text, or what else it is."""
    return {
        path.relative_to(folder).as_posix(): path.read_text() if path.is_file() and not path.is_symlink() else "special"
        for path in sorted(folder.rglob("*"))
        if ".git" not in path.relative_to(folder).parts and (path.is_symlink() or not path.is_dir())
    }


def test_changed_added_and_removed_data_arrives(repository: Path, proposed: Path, tmp_path: Path) -> None:
    (proposed / "clients/payments/payments.yaml").write_text("changed\n")
    (proposed / "clients/search.yaml").write_text("added\n")
    (proposed / "terraform/root.tf").unlink()
    commit(proposed)
    done, outputs = judged(repository, proposed, tmp_path)
    assert (done.returncode, outputs) == (0, "fleet=fleet\n"), done.stderr
    fleet = tmp_path / "workspace/fleet"
    assert (fleet / "clients/payments/payments.yaml").read_text() == "changed\n"
    assert (fleet / "clients/search.yaml").read_text() == "added\n"
    assert list((fleet / "terraform").iterdir()) == []


def test_a_hostile_tree_leaves_everything_but_data_behind(repository: Path, proposed: Path) -> None:
    secret = repository.parent / "secret.yaml"
    secret.write_text("secret\n")
    before = {path: text for path, text in tree(repository).items() if not path.startswith(("clients/", "terraform/"))}
    for name in ("crosskeys.yaml", "requirements.txt", "ci/take-data", ".github/workflows/check.yml", "Makefile"):
        (proposed / name).write_text("hostile\n")
    for name in ("generator/cli.py", "templates/vault/client.tf.j2"):
        (proposed / name).parent.mkdir(parents=True)
        (proposed / name).write_text("hostile\n")
    (proposed / "clients/good.yaml").write_text("good\n")
    (proposed / "clients/link.yaml").symlink_to(secret)
    (proposed / "clients/dangling.yaml").symlink_to("/nowhere/at/all")
    (proposed / "clients/out").symlink_to(repository.parent, target_is_directory=True)
    (proposed / "terraform/templates").symlink_to("../templates", target_is_directory=True)
    (proposed / "terraform/::error::broken\nline").symlink_to(secret)
    os.mkfifo(proposed / "clients/pipe.yaml")

    done = take(repository, proposed)

    assert done.returncode == 1
    after = tree(repository)
    assert {path: text for path, text in after.items() if not path.startswith(("clients/", "terraform/"))} == before
    data = {path: text for path, text in after.items() if path.startswith(("clients/", "terraform/"))}
    assert data.keys() == {
        "clients/.gitkeep",
        "clients/accounts/.gitkeep",
        "clients/accounts/123456789012.yaml",
        "clients/good.yaml",
        "clients/payments/payments.yaml",
        "terraform/root.tf",
    }
    assert "special" not in data.values()
    assert "secret\n" not in data.values()
    named = done.stderr.splitlines()
    assert len(named) == 6
    assert all(line.startswith("neither file nor folder: ") for line in named)
    assert secret.read_text() == "secret\n"


@pytest.mark.parametrize("folder", ["clients", "terraform"])
def test_a_folder_that_is_a_link_is_not_followed(repository: Path, proposed: Path, folder: str) -> None:
    (repository.parent / "elsewhere").mkdir()
    (repository.parent / "elsewhere/evil.yaml").write_text("evil\n")
    subprocess.run(["rm", "-r", proposed / folder], check=True)
    (proposed / folder).symlink_to(repository.parent / "elsewhere", target_is_directory=True)
    done = take(repository, proposed)
    assert done.returncode == 1
    assert folder in done.stderr
    assert not (repository / folder).exists()
    assert (repository.parent / "elsewhere/evil.yaml").read_text() == "evil\n"


def test_a_folder_that_is_gone_is_empty_and_not_the_base_branchs(repository: Path, proposed: Path) -> None:
    subprocess.run(["rm", "-r", proposed / "clients"], check=True)
    assert take(repository, proposed).returncode == 0
    assert list((repository / "clients").iterdir()) == []


def change_settings(folder: Path) -> str:
    (folder / "crosskeys.yaml").write_text("version: 1\n")
    return "crosskeys.yaml"


def change_a_template(folder: Path) -> str:
    (folder / "templates").mkdir()
    (folder / "templates/own.tf.j2").write_text("x\n")
    return "templates"


def change_the_tool(folder: Path) -> str:
    (folder / "requirements.txt").write_text("other==1\n")
    return "requirements.txt"


def change_a_workflow(folder: Path) -> str:
    (folder / ".github/workflows/check.yml").unlink()
    return ".github"


def change_a_mode(folder: Path) -> str:
    (folder / "CODEOWNERS").chmod(0o755)
    return "CODEOWNERS"


def replace_a_file_by_a_link(folder: Path) -> str:
    (folder / "requirements.txt").unlink()
    (folder / "requirements.txt").symlink_to("clients/requirements.yaml")
    return "requirements.txt"


def add_a_name_with_a_line_break(folder: Path) -> str:
    (folder / "x\n::set-output name=fleet::evil").write_text("x\n")
    return r"x\n"


@pytest.mark.parametrize(
    "change",
    [
        change_settings,
        change_a_template,
        change_the_tool,
        change_a_workflow,
        change_a_mode,
        replace_a_file_by_a_link,
        add_a_name_with_a_line_break,
    ],
)
def test_what_is_not_only_data_is_said_and_judged_as_proposed(
    repository: Path, proposed: Path, tmp_path: Path, change: Callable[[Path], str]
) -> None:
    named = change(proposed)
    commit(proposed)
    done, outputs = judged(repository, proposed, tmp_path)
    assert (done.returncode, outputs) == (0, "fleet=proposed\n"), done.stderr
    (line,) = done.stdout.splitlines()
    assert line.startswith("::warning title=Not only data::")
    assert named in line


def test_a_tree_that_cannot_be_read_is_not_taken_for_unchanged(repository: Path, proposed: Path) -> None:
    for arguments in ((repository, proposed / "clients/none"), (repository.parent / "none", proposed)):
        done = subprocess.run(["bash", repository / "ci/other-changes", *arguments], capture_output=True, check=False)
        assert done.returncode != 0
