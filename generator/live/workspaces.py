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
# What the state backends take their credentials from; those of `http` and `remote` begin with TF_.
_BACKENDS: Mapping[str, tuple[str, ...]] = {
    "azurerm": ("ARM_",),
    "consul": ("CONSUL_",),
    "cos": ("TENCENTCLOUD_",),
    "gcs": ("GOOGLE_",),
    "kubernetes": ("KUBE_",),
    "oss": ("ALICLOUD_", "ALIBABA_CLOUD_", "OSS_"),
    "pg": ("PG",),
    "s3": ("AWS_",),
}


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
    state = _BACKENDS.get(settings.terraform.backend.type, ())
    return tuple(
        Workspace(
            root,
            folder / TREE / root.name,
            folder / WORK / "live" / root.name,
            allowed(_taken(environment, (*_TERRAFORM, *state, *(_AWS if root.kind is RootKind.AWS else _VAULT)))),
        )
        for root in roots
    )


def of_state(settings: FleetSettings, environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment in which Terraform reaches the state of a fleet's roots, and nothing else.

    Args:
        settings: The fleet's.
        environment: Where the credentials come from.
    """
    return allowed(_taken(environment, (*_TERRAFORM, *_BACKENDS.get(settings.terraform.backend.type, ()))))


def forget_backend(folder: Path, root: str) -> None:
    """Let the next run of a root take up its backend anew: the one that its working folder remembers is not its own.

    Args:
        folder: The fleet's folder.
        root: The root's name.
    """
    (folder / WORK / "live" / root / "terraform.tfstate").unlink(missing_ok=True)


def _taken(environment: Mapping[str, str], prefixes: tuple[str, ...]) -> dict[str, str]:
    taken = {name: value for name, value in environment.items() if name.startswith(prefixes)}
    # Terraform warns at every call when the file that this names is missing.
    if not Path(taken.get("TF_CLI_CONFIG_FILE", __file__)).is_file():
        del taken["TF_CLI_CONFIG_FILE"]
    return taken
