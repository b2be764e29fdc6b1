"""Servers that are down, sealed or overloaded, a state that is locked, plans and files that change meanwhile."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING
from unittest import mock

import pytest

from generator.run import plan as run_plan
from generator.run import retries, terraform
from generator.run.plan import plan_all
from generator.sandbox import services
from tests.run.proxy import Fault, Proxy, between
from tests.run.verb import AWS, VAULT, crosskeys, faulty, workspaces

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from generator.sandbox.services import Services
    from generator.sandbox.toolchain import Toolchain
    from tests.run.conftest import Recorder, World

pytestmark = pytest.mark.toolchain

PROVIDER = (
    'terraform {\n  required_providers {\n    vault = { source = "hashicorp/vault" }\n  }\n}\nprovider "vault" {}\n'
)
POLICY = """
resource "vault_policy" "slow" {
  name   = "NAME"
  policy = "path \\"secret/data/certs/*\\" { capabilities = [\\"read\\"] }"
}
"""
POLICIES = "/v1/sys/policies/acl/"


@pytest.fixture(scope="module")
def vault(tmp_path_factory: pytest.TempPathFactory, toolchain: Toolchain) -> Iterator[Services]:
    folder = tmp_path_factory.mktemp("vault")
    try:
        yield services.up(folder, toolchain, lambda _line: None)
    finally:
        services.down(folder)


@pytest.fixture
def proxy(vault: Services) -> Iterator[Proxy]:
    with between(vault.vault_address) as proxy:
        yield proxy


@pytest.fixture
def environment(world: World, vault: Services, proxy: Proxy, toolchain: Toolchain) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(world.folder),
        "TF_CLI_CONFIG_FILE": str(toolchain.terraform_config),
        "VAULT_ADDR": proxy.address,
        "VAULT_TOKEN": vault.vault_token,
        "VAULT_MAX_RETRIES": "0",
    }


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait as little as the tests can stand."""
    monkeypatch.setattr(retries, "_BASE", 0.01)
    monkeypatch.setattr(terraform, "_LOCK_TIMEOUT", "0s")


def writes(method: str, path: str, _body: bytes) -> bool:
    return method == "PUT" and path.startswith(POLICIES)


def everything(_method: str, _path: str, _body: bytes) -> bool:
    return True


@dataclass(frozen=True)
class Bench:
    """A world of an AWS root and a Vault root with the Vault behind a proxy, and what is done with it."""

    world: World
    environment: dict[str, str]
    proxy: Proxy
    policy: str

    def run(self, *arguments: str, moment: str = "never", fault: Callable[[], None] = lambda: None) -> int:
        with faulty(self.world.folder, self.environment, moment, fault):
            return crosskeys(self.world.folder, *arguments)

    def require_settled(self) -> None:
        """Check that the world is as it is wanted, and that a further run changes nothing."""
        assert self.world.resources(AWS) == self.world.resources(VAULT) == {"slow": "ok"}
        assert self.run("plan", "--check") == 0
        assert not list(self.world.folder.glob(".crosskeys/runs/*/plans"))

    def file(self, pattern: str) -> Path:
        (found,) = self.world.folder.glob(f".crosskeys/runs/*/{pattern}")
        return found


@pytest.fixture
def bench(world: World, environment: dict[str, str], proxy: Proxy, request: pytest.FixtureRequest) -> Bench:
    policy = re.sub(r"\W", "-", request.node.name)
    world.root(AWS, 'resource "terraform_data" "slow" {}\n')
    world.root(VAULT, PROVIDER + POLICY.replace("NAME", policy))
    return Bench(world, environment, proxy, policy)


def interrupt() -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize("meant", [everything, writes], ids=["plan", "vault"])
@pytest.mark.parametrize(("status", "times"), [(503, 1), (429, 1), (500, 2), (0, 1)])
def test_a_fault_of_vault_that_passes_is_waited_for(
    bench: Bench, meant: Callable[[str, str, bytes], bool], status: int, times: int
) -> None:
    bench.proxy.fault = Fault(status, meant=meant, times=times)
    assert bench.run("apply", "--yes") == 0
    assert bench.proxy.faults[status] == times
    bench.require_settled()


@pytest.mark.parametrize("moment", ["plan", "between", "aws"])
def test_when_vault_stays_down_the_run_is_gone_on_with_later(bench: Bench, moment: str) -> None:
    def down() -> None:
        bench.proxy.fault = Fault(0)

    assert bench.run("apply", "--yes", moment=moment, fault=down) == 4
    assert bench.proxy.faults[0] >= 4
    # Whatever Vault does, the other side is applied.
    assert bench.world.resources(AWS) == {"slow": "ok"}
    assert bench.world.resources(VAULT) == {}
    bench.proxy.fault = None
    assert bench.run("apply", "--resume", "--yes") == 0
    bench.require_settled()


def test_a_fault_that_is_here_to_stay_is_not_waited_for(bench: Bench) -> None:
    bench.proxy.fault = Fault(403, meant=writes)
    assert bench.run("apply", "--yes") == 4
    assert bench.proxy.faults[403] == 1
    bench.proxy.fault = None
    assert bench.run("apply", "--resume", "--yes") == 0
    bench.require_settled()


@pytest.mark.parametrize("moment", ["validate", "between"])
def test_a_state_lock_that_somebody_holds_is_waited_for(
    bench: Bench, moment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = bench.world.state_file(VAULT)
    state.parent.mkdir(parents=True)
    held = state.open("w")
    released = []

    def hold() -> None:
        fcntl.lockf(held, fcntl.LOCK_EX)  # Terraform's own lock on a local state

    def release(attempt: int) -> float:
        released.append(attempt)
        held.close()
        return 0

    monkeypatch.setattr(run_plan, "delay", release)
    monkeypatch.setattr(retries, "delay", release)
    with held:
        assert bench.run("apply", "--yes", moment=moment, fault=hold) == 0
    assert released == [1]
    bench.require_settled()


def test_a_plan_file_that_is_altered_is_not_applied(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    def alter() -> None:
        bench.file("work/*vault.tfplan").write_bytes(b"another plan")

    assert bench.run("apply", "--yes", moment="between", fault=alter) == 3
    assert f"the plan file is not the one that was planned: {VAULT}" in capsys.readouterr().err
    assert bench.world.resources(AWS) == {}
    assert bench.run("apply", "--resume", "--yes") == 0
    assert "nothing is left to do of any run" in capsys.readouterr().err
    assert bench.run("apply", "--yes") == 0
    bench.require_settled()


def test_kept_plans_are_what_a_resumed_run_applies(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    assert bench.run("apply", "--yes", moment="between", fault=interrupt) == 130
    modes = {path.stat().st_mode & 0o777 for path in bench.file("plans").iterdir()}
    assert (bench.file("plans").stat().st_mode & 0o777, modes) == (0o700, {0o600})
    with mock.patch.object(run_plan, "plan_root", side_effect=AssertionError):
        assert bench.run("apply", "--resume", "--yes") == 0
    assert "planning anew" not in capsys.readouterr().err
    bench.require_settled()


def _alter(bench: Bench) -> None:
    bench.file("plans/*vault.tfplan").write_bytes(b"another plan")


def _delete(bench: Bench) -> None:
    shutil.rmtree(bench.file("plans"))


def _render(bench: Bench) -> None:
    text = POLICY.replace("NAME", bench.policy).replace("read", "list")
    bench.world.root(VAULT, PROVIDER + text)


@pytest.mark.parametrize("change", [_alter, _delete, _render])
def test_kept_plans_that_do_not_fit_any_more_are_made_anew(
    bench: Bench, change: Callable[[Bench], None], capsys: pytest.CaptureFixture[str]
) -> None:
    assert bench.run("apply", "--yes", moment="between", fault=interrupt) == 130
    change(bench)
    assert bench.run("apply", "--resume", "--yes") == 0
    assert "planning anew: " in capsys.readouterr().err
    bench.require_settled()


def test_a_kept_plan_whose_state_moved_on_is_made_anew(bench: Bench, recorder: Recorder, tmp_path: Path) -> None:
    assert bench.run("apply", "--yes", moment="between", fault=interrupt) == 130
    others = workspaces(bench.world.folder, bench.environment)
    bench.world.apply(plan_all(others, tmp_path / "others", 1, recorder), others, 1, recorder)
    assert bench.run("apply", "--resume", "--yes") == 0
    bench.require_settled()


THROTTLED = b"""<ErrorResponse><Error><Type>Sender</Type><Code>Throttling</Code><Message>Rate exceeded</Message></Error>
<RequestId>1-2-3</RequestId></ErrorResponse>"""
ROLE = """
terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}
provider "aws" {
  region = "us-east-1"
}
resource "aws_iam_role" "slow" {
  name               = "throttled"
  assume_role_policy = jsonencode({ Version = "2012-10-17", Statement = [] })
}
"""


def test_throttling_by_aws_is_waited_for_in_plan_and_apply(bench: Bench, vault: Services) -> None:
    bench.world.root(AWS, ROLE)
    pending = [b"Action=CreateRole&", b"Action=GetCallerIdentity&"]

    def first_of_each(_method: str, _path: str, body: bytes) -> bool:
        due = [action for action in pending if action in body]
        for action in due:
            pending.remove(action)
        return bool(due)

    with between(vault.aws_endpoint) as aws:
        aws.fault = Fault(400, THROTTLED, first_of_each)
        bench.environment.update(
            AWS_ENDPOINT_URL=aws.address,
            AWS_ACCESS_KEY_ID="AKIAIOSFODNN7EXAMPLE",
            AWS_SECRET_ACCESS_KEY="of the sandbox",
            AWS_EC2_METADATA_DISABLED="true",
            AWS_MAX_ATTEMPTS="1",
        )
        assert bench.run("apply", "--yes") == 0
        assert (pending, aws.faults[400]) == ([], 2)
        bench.require_settled()
