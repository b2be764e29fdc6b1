"""What to do about a run that failed over its state or an import, where Terraform's own words do not say it."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

from generator.render.layout import TREE
from generator.run import locks

if TYPE_CHECKING:
    from collections.abc import Iterable

    from generator.render.layout import Root
    from generator.report.runs import TerraformDiagnostic
    from generator.run.roots import Workspace

# terraform internal/command/meta_backend.go
_MOVED = frozenset({"Backend configuration changed", 'Backend initialization required, please run "terraform init"'})


_GONE = "Cannot import non-existent remote object"  # terraform internal/terraform/node_resource_plan_instance.go
_TO = re.compile(r'existing object to "(?P<address>[^"]+)"')


def about_imports(diagnostics: Iterable[TerraformDiagnostic], root: Root) -> str | None:
    """Return what to do about an object that is to be imported and is not there; None where there is none.

    Args:
        diagnostics: What Terraform complained about.
        root: Where.
    """
    for each in diagnostics:
        if each.summary == _GONE and (found := _TO.search(" ".join(each.detail.split()))):
            client = f"{TREE}/{root.name}/import-client-{found['address'].rpartition('.')[2]}.tf"
            files = (client,) if client in root.imports else root.imports
            return (
                f"{found['address']} is to be imported and is not there: delete {' or '.join(files)} and plan again, "
                "which would make it; `crosskeys import` writes the file again for what is there"
            )
    return None


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
