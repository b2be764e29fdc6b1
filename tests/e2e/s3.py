"""State in S3: a bucket of the sandbox's AWS, and runs as they are live, in the rendered tree with its own backend.

In the sandbox proper every root keeps its state in a local file, whatever its backend. ``run_as_live`` runs the command
line with ``--target live`` and all of it real, but that the Vault and the AWS of the environment are the sandbox's.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from tests.e2e.as_live import open_gate

if TYPE_CHECKING:
    from collections.abc import Mapping

    from generator.sandbox.world import World
    from tests.e2e.fleets import Done, FleetFolder


@dataclass(frozen=True, slots=True)
class Bucket:
    """A bucket for state.

    Args:
        name: Its name.
        s3: A client of the sandbox's S3.
    """

    name: str
    s3: Any

    @classmethod
    def made(cls, world: World, name: str) -> Bucket:
        """Make a bucket in the sandbox's AWS; it is empty unless it was there."""
        s3 = world.accounts.client("s3")
        s3.create_bucket(Bucket=name)
        return cls(name, s3)

    def keys(self) -> list[str]:
        """Return the keys of all objects, locks too."""
        return sorted(each["Key"] for each in self.s3.list_objects_v2(Bucket=self.name).get("Contents", []))

    def state(self, root: str) -> dict[str, Any]:
        """Return a root's state."""
        body = self.s3.get_object(Bucket=self.name, Key=f"{root}.tfstate")["Body"].read()
        found: dict[str, Any] = json.loads(body)
        return found

    def hold_lock(self, root: str, who: str) -> str:
        """Lock a root's state as somebody else's Terraform would; return the lock's id."""
        lock = {"ID": "6a1b2c3d-0000-4000-8000-123456789abc", "Operation": "OperationTypeApply", "Who": who}
        lock |= {"Version": "1.11.4", "Created": "2026-01-31T10:00:00Z", "Path": f"{self.name}/{root}.tfstate"}
        self.s3.put_object(Bucket=self.name, Key=f"{root}.tfstate.tflock", Body=json.dumps(lock))
        return lock["ID"]

    def release_lock(self, root: str) -> None:
        """Take the lock on a root's state away."""
        self.s3.delete_object(Bucket=self.name, Key=f"{root}.tfstate.tflock")


def backend(bucket: str, prefix: str = "") -> dict[str, object]:
    """Return the fleet setting ``terraform.backend`` that keeps state in a bucket, a key for each root."""
    return {
        "type": "s3",
        "bucket": bucket,
        "key": f"{prefix}{{root}}.tfstate",
        "region": "us-east-1",
        "use_lockfile": True,
        "use_path_style": True,
    }


def live_environment(world: World) -> dict[str, str]:
    """Return the variables with which a live run would meet the sandbox: Vault's, AWS's and Terraform's."""
    return world.variables()


def command_as_live(fleet: FleetFolder, *arguments: str) -> list[str]:
    """Return the command line that runs a verb as live, for tests that start it themselves.

    Args:
        fleet: The fleet.
        arguments: The verb and its options; ``--target live`` is theirs to give.
    """
    return [sys.executable, "-m", "tests.e2e.as_live", "-C", str(fleet.folder), *arguments]


def run_as_live(
    fleet: FleetFolder, world: World, *arguments: str, code: int = 0, environment: Mapping[str, str] | None = None
) -> Done:
    """Run a verb with ``--target live`` on the sandbox's Vault and AWS, in this process, and require an exit code."""
    variables = {**live_environment(world), "CROSSKEYS_TARGET": "live", **(environment or {})}
    with patch.dict(os.environ, variables), open_gate():
        return fleet.call(*arguments, code=code)
