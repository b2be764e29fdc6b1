"""The scaffold's files, and a fleet's repository made of them."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.scaffold.files import SCAFFOLD, commit

if TYPE_CHECKING:
    from pathlib import Path

CLIENT = """\
name: payments
account_id: "123456789012"
role_name: payments-app
owner: payments-team@example.com
"""
ACCOUNT = """\
name: payments-production
owner: payments-team@example.com
"""


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A fleet's repository with one client, rendered and committed."""
    folder = tmp_path / "base"
    shutil.copytree(SCAFFOLD, folder, ignore=shutil.ignore_patterns("github", "gitlab"))
    shutil.copytree(SCAFFOLD / "github", folder, dirs_exist_ok=True)
    (folder / "clients/payments").mkdir()
    (folder / "clients/payments/payments.yaml").write_text(CLIENT)
    (folder / "clients/accounts/123456789012.yaml").write_text(ACCOUNT)
    (folder / "terraform").mkdir()
    (folder / "terraform/root.tf").write_text("# rendered\n")
    subprocess.run(["git", "init", "--quiet", folder], check=True)
    commit(folder)
    return folder


@pytest.fixture
def proposed(repository: Path, tmp_path: Path) -> Path:
    """A checkout in which a pull request can be made."""
    folder = tmp_path / "proposed"
    subprocess.run(["git", "clone", "--quiet", repository, folder], check=True)
    return folder
