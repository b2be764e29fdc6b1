"""Copies of the rendered roots, in which the sandbox runs Terraform with local state of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from generator.render.hcl import literal

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_OVERRIDE = "sandbox_override.tf"


def copy_root(files: Mapping[str, str], directory: Path, state: Path) -> None:
    """Make ``directory`` hold exactly these files, and an override that keeps state in the file ``state``.

    Args:
        files: Text of each rendered file, by name.
        directory: The copy; what Terraform keeps beside the files (its lock file) stays.
        state: Where the copy's state is kept.
    """
    directory.mkdir(parents=True, exist_ok=True)
    state.parent.mkdir(parents=True, exist_ok=True)
    backend = f'terraform {{\n  backend "local" {{\n    path = {literal(str(state))}\n  }}\n}}\n'
    wanted = {**files, _OVERRIDE: backend}
    for name, text in wanted.items():
        path = directory / name
        if not path.is_file() or path.read_text("utf-8") != text:
            path.write_text(text, "utf-8")
    for path in directory.glob("*.tf"):
        if path.name not in wanted:
            path.unlink()
