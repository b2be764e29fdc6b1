"""What to do about a run that failed over its state, where Terraform's own words would mislead."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from generator.run import locks

if TYPE_CHECKING:
    from collections.abc import Iterable

    from generator.report.runs import TerraformDiagnostic
    from generator.run.roots import Workspace

# terraform internal/command/meta_backend.go
_MOVED = frozenset({"Backend configuration changed", 'Backend initialization required, please run "terraform init"'})


def about_state(diagnostics: Iterable[TerraformDiagnostic], workspace: Workspace) -> str | None:
    """Return what to do about a failure, None where it is not about the state's lock or backend.

    Args:
        diagnostics: What Terraform complained about.
        workspace: Where it was run.
    """
    for each in diagnostics:
        if lock := locks.lock_in(f"{each.summary}\n{each.detail}"):
            data, root = (shlex.quote(str(path.absolute())) for path in (workspace.data_dir, workspace.directory))
            terraform = f"TF_DATA_DIR={data} terraform -chdir={root}"
            return f"the state is locked by {lock}; {locks.advice(lock, terraform)}"
        if each.summary in _MOVED:
            remembered = shlex.quote(str(workspace.data_dir.absolute() / "terraform.tfstate"))
            return (
                "this machine knows the state at another backend. Move it with `crosskeys state --migrate-from FILE`, "
                f"FILE being the earlier settings; where it was moved already: rm {remembered}"
            )
    return None
