"""Where and how each root is run against the live systems: in the rendered tree, with that side's credentials only."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from generator.render.layout import TREE, RootKind
from generator.render.tree import WORK
from generator.run.environment import allowed
from generator.run.roots import Workspace

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from generator.manifest.settings import FleetSettings
    from generator.render.layout import Root

_VAULT = ("VAULT_",)
_AWS = ("AWS_",)
_TERRAFORM = ("TF_",)
# What the state backends other than local take their credentials from.
_BACKENDS = ("AWS_", "ARM_", "GOOGLE_", "CONSUL_", "PG", "OS_", "KUBE_")


def of(
    folder: Path, settings: FleetSettings, roots: Sequence[Root], environment: Mapping[str, str]
) -> tuple[Workspace, ...]:
    """Return the workspaces of roots.

    Args:
        folder: The fleet's folder.
        settings: The fleet's.
        roots: The roots to run.
        environment: Where the credentials come from: a Vault root gets no AWS_ variables and an AWS root no VAULT_
            ones, unless the state backend needs them.
    """
    state = () if settings.terraform.backend.type == "local" else _BACKENDS
    return tuple(
        Workspace(
            root,
            folder / TREE / root.name,
            folder / WORK / "live" / root.name,
            allowed(_taken(environment, (*_TERRAFORM, *state, *(_AWS if root.kind is RootKind.AWS else _VAULT)))),
        )
        for root in roots
    )


def _taken(environment: Mapping[str, str], prefixes: tuple[str, ...]) -> dict[str, str]:
    taken = {name: value for name, value in environment.items() if name.startswith(prefixes)}
    # Terraform warns at every call when the file that this names is missing.
    if not Path(taken.get("TF_CLI_CONFIG_FILE", __file__)).is_file():
        del taken["TF_CLI_CONFIG_FILE"]
    return taken
