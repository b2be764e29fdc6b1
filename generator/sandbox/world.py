"""The sandbox as a place in which a fleet can be applied: servers up, accounts and Vault prepared."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from generator.live.pace import Pace
from generator.render.layout import RootKind
from generator.render.tree import WORK
from generator.run.environment import allowed
from generator.run.roots import Workspace
from generator.sandbox import prepared, vault_contents
from generator.sandbox import services as servers
from generator.sandbox.aws_server import ACCESS_KEY_ID, SECRET_ACCESS_KEY
from generator.sandbox.copies import copy_root

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import boto3

    from generator.live.systems import Systems
    from generator.manifest.fleet import Account, Fleet
    from generator.render.layout import Root
    from generator.sandbox.aws_accounts import AwsAccounts
    from generator.sandbox.services import Services
    from generator.sandbox.toolchain import Toolchain

FOLDER = f"{WORK}/sandbox"


@dataclass(frozen=True, slots=True)
class World:
    """A sandbox that is up and prepared for one fleet.

    Args:
        folder: Where it keeps its things.
    """

    folder: Path
    fleet: Fleet
    services: Services
    toolchain: Toolchain

    @property
    def accounts(self) -> AwsAccounts:
        """The AWS accounts."""
        from generator.sandbox.aws_accounts import AwsAccounts  # noqa: PLC0415 - boto3: 0.2 s, and rarely needed

        aws = self.fleet.settings.aws
        return AwsAccounts(self.services.aws_endpoint, aws.partition, aws.region)

    @property
    def state(self) -> Path:
        """Path of the roots' local state files, in which ``{root}`` stands for a root's name."""
        return self.folder / "state" / "{root}.tfstate"

    def variables(self) -> dict[str, str]:
        """Return the environment in which a person's own tools talk to the sandbox."""
        return {
            "VAULT_ADDR": self.services.vault_address,
            "VAULT_TOKEN": self.services.vault_token,
            "TF_CLI_CONFIG_FILE": str(self.toolchain.terraform_config),
            **_aws(self.services.aws_endpoint, self.fleet.settings.aws.region),
        }

    def workspaces(self, roots: Sequence[Root], texts: Mapping[str, str]) -> tuple[Workspace, ...]:
        """Copy roots into the sandbox and return where and how each is run.

        Args:
            roots: The roots to run.
            texts: Text of every rendered file, by path.
        """
        return tuple(self._workspace(root, texts) for root in roots)

    def _workspace(self, root: Root, texts: Mapping[str, str]) -> Workspace:
        directory = self.folder / "roots" / root.name
        data_dir = self.folder / "data" / root.name
        files = {path.rpartition("/")[2]: texts[path] for path in root.files}
        copy_root(files, directory, Path(str(self.state).replace("{root}", root.name)))
        # Its providers come from a mirror of its own.
        return Workspace(root, directory, data_dir, allowed(self._credentials(root)), checks_providers=False)

    def _credentials(self, root: Root) -> dict[str, str]:
        tools = {"TF_CLI_CONFIG_FILE": str(self.toolchain.terraform_config), "GOGC": _GARBAGE}
        region = self.fleet.settings.aws.region
        if root.kind is RootKind.AWS and root.account_id:
            keys = _aws(self.services.aws_endpoint, region)
            if root.handover:
                owner = self.accounts.owner_of(root.account_id)
                keys |= {
                    "AWS_ACCESS_KEY_ID": owner.access_key_id,
                    "AWS_SECRET_ACCESS_KEY": owner.secret_access_key,
                    "AWS_SESSION_TOKEN": owner.session_token,
                }
            return tools | keys
        vault = {"VAULT_ADDR": self.services.vault_address, "VAULT_TOKEN": self.services.vault_token}
        if root.kind is RootKind.PLATFORM:
            vault |= {f"TF_VAR_{name}": value for name, value in self.platform_variables().items()}
        return tools | vault

    def platform_variables(self) -> dict[str, str]:
        """Return the values of the platform's Terraform variables, by name."""
        where = vault_contents.endpoints(self.services, self.fleet.settings.aws.region)
        return {
            "ec2_endpoint": where["endpoint"],
            "iam_endpoint": where["iam_endpoint"],
            "sts_endpoint": where["sts_endpoint"],
            "sts_region": where["sts_region"],
            # The client's region would override sts_endpoint, and send Vault to the real AWS.
            "use_sts_region_from_client": "false",
        }

    def systems(self, rate: float = 0) -> Systems:
        """Return the sandbox's Vault and accounts to ask: as its administrator, and as the owner of every account.

        Args:
            rate: Requests a second at most; 0 for no bound.
        """
        from generator.live.systems import Systems  # noqa: PLC0415 - few plans make something, which is looked up
        from generator.live.vault import Vault  # noqa: PLC0415

        region = self.fleet.settings.aws.region
        namespace = self.fleet.settings.vault.namespace

        def session(account: Account) -> boto3.session.Session:
            from generator.live.aws import session_of  # noqa: PLC0415 - boto3, as above

            keys = self.accounts.owner_of(account.id)
            return session_of(keys.access_key_id, keys.secret_access_key, keys.session_token, region)

        return Systems(
            lambda: Vault(self.variables(), namespace, Pace(rate)),
            session,
            Pace(rate),
            self.services.aws_endpoint,
            self.platform_variables(),
        )

    def prepare_accounts(self) -> bool:
        """Make what the fleet takes for granted in the AWS accounts; return whether any were not prepared already.

        Raises:
            RemoteError: When AWS does not answer or refuses.
        """
        known = prepared.recalled(self.folder)
        marks = {account.id: mark for account in self.fleet.accounts if (mark := prepared.mark(account))}
        lacking = marks.items() - (known or {}).items()
        if known is not None and not lacking:
            return False
        of = {account.id: account for account in self.fleet.accounts}
        self.accounts.seed(of[account_id] for account_id, _ in sorted(lacking))
        prepared.remember(self.folder, {**(known or {}), **marks})
        return True

    def seed_certificates(self) -> int:
        """Put the demonstration certificates that are missing into Vault; return how many."""
        return vault_contents.seed_certificates(vault_contents.connect(self.services), self.fleet)


def up(folder: Path, fleet: Fleet, toolchain: Toolchain, progress: Callable[[str], None]) -> World:
    """Bring the sandbox of the fleet in ``folder`` up and prepare it; what is there already stays.

    Args:
        folder: The fleet's folder.
        fleet: The fleet, or a part of it: what the rest needs is made when that is brought up.
        toolchain: The programs.
        progress: Shows one line.

    Raises:
        RemoteError: When a server does not come up or refuses.
    """
    isolate()
    home = folder.absolute() / FOLDER
    world = World(home, fleet, servers.up(home, toolchain, progress), toolchain)
    vault = vault_contents.connect(world.services)
    if prepared.recalled(home) is None and not world.services.vault_is_new:
        progress("AWS has lost its memory, which is all it has: the next apply makes again what was there")
        for role in vault_contents.forget_lost_aws(vault, fleet.settings):
            progress(f"removed the Vault role {role}: it was bound to the unique id of an IAM role that is lost")
    if world.prepare_accounts():
        progress("prepared the AWS accounts: provisioner roles, existing roles, instances")
    vault_contents.seed_platform(vault, world.services, fleet)
    world.seed_certificates()
    return world


def isolate() -> None:
    """Drop every inherited AWS_*, VAULT_* and TF_* variable, so that nothing here can reach a live system."""
    for name in list(os.environ):
        if name.startswith(("AWS_", "VAULT_", "TF_")):
            del os.environ[name]
    os.environ |= _NO_AWS_FILES
    # A proxy has no business with loopback; Python's clients would ask it.
    for name in ("NO_PROXY", "no_proxy"):
        os.environ[name] = ",".join(filter(None, (os.environ.get(name), "127.0.0.1")))


# How many percent the heap of a Go program grows between two garbage collections. The AWS provider's schemas make so
# much garbage that with Go's own 100 collecting it is a sixth of a plan's 4 s of processor; this takes 50 MB more.
_GARBAGE = "300"

_NO_AWS_FILES = {
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
}


def _aws(endpoint: str, region: str) -> dict[str, str]:
    return {
        **_NO_AWS_FILES,
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": ACCESS_KEY_ID,
        "AWS_SECRET_ACCESS_KEY": SECRET_ACCESS_KEY,
        # boto3 reads the one, Terraform and the AWS SDK for Go the other.
        "AWS_DEFAULT_REGION": region,
        "AWS_REGION": region,
    }
